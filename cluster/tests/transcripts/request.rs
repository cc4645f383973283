//! What clients ask, taken apart as PROTOCOL section 5 says.

use serde_json::Value;

use crate::package;

/// Routes by their codes in the original's dictionary, from 1.
const DICTIONARY: [&str; 3] = [
    "chat.chatHandler.send",
    "connector.entryHandler.enter",
    "gate.gateHandler.queryEntry",
];

const INHERITED: [&str; 10] = [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
    "toLocaleString",
    "toString",
    "valueOf",
];

/// A client's message that a handler may be asked with.
#[derive(Debug)]
pub struct Request {
    /// 0 if it wants no answer.
    pub id: u32,
    pub route: String,
    /// Null if it is not JSON. Alone in a list it counts as if it were not in one.
    pub body: Value,
}

/// What the body of a data package is.
#[derive(Debug)]
pub enum Asked {
    Request(Request),
    /// Of a type that servers pass over, or with a code that means nothing.
    Nothing,
    /// It ends before its own body does.
    Cut,
}

/// Reads the body of a data package.
pub fn decode(bytes: &[u8], has_dictionary: bool) -> Asked {
    try_decode(bytes, has_dictionary).unwrap_or(Asked::Cut)
}

fn try_decode(bytes: &[u8], has_dictionary: bool) -> Option<Asked> {
    let (flag, mut rest) = bytes.split_first()?;
    let mut id = 0;
    match flag >> 1 & 7 {
        0 => id = package::take_varint(&mut rest)?,
        1 | 3 => {}
        _ => return Some(Asked::Nothing),
    }
    let route = if flag & 1 == 1 {
        let (code, after) = rest.split_first_chunk()?;
        rest = after;
        let code = usize::from(u16::from_be_bytes(*code));
        let known = code.checked_sub(1).and_then(|index| DICTIONARY.get(index));
        match known.filter(|_| has_dictionary) {
            Some(route) => String::from(*route),
            None => return Some(Asked::Nothing),
        }
    } else {
        let (len, after) = rest.split_first()?;
        let (route, after) = after.split_at_checked(usize::from(*len))?;
        rest = after;
        String::from_utf8_lossy(route).into_owned()
    };
    let body = match serde_json::from_str(&String::from_utf8_lossy(rest)) {
        Ok(Value::Array(mut elements)) if elements.len() == 1 => elements.remove(0),
        body => body.unwrap_or_default(),
    };
    Some(Asked::Request(Request { id, route, body }))
}

impl Request {
    /// A member of the body that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// Whether the original's handler throws, so that nobody answers. To choose a server it hashes
    /// a value, and stumbles over null and over what has a length but is no text (BEHAVIOUR 1.2).
    pub fn makes_handler_throw(&self) -> bool {
        let server = match self.route.as_str() {
            "connector.entryHandler.enter" => self.body.get("rid"),
            "gate.gateHandler.queryEntry" => self.body.get("uid"),
            _ => return false,
        };
        let is_spread = self.body.is_array();
        let has_length = match server {
            // A gate answers those that have no uid with an error.
            None | Some(Value::Null) => return is_spread || !self.route.starts_with("gate."),
            Some(Value::Array(elements)) => !elements.is_empty(),
            Some(value) => value.get("length").and_then(Value::as_u64) > Some(0),
        };
        is_spread || has_length
    }

    /// Whether the method is one that handlers have because every JavaScript object has it.
    pub fn asks_for_inherited_method(&self) -> bool {
        let mut parts = self.route.split('.');
        let method = parts.nth(2).filter(|_| parts.next().is_none());
        method.is_some_and(|method| INHERITED.contains(&method))
    }

    /// Whether the route is a word that every JavaScript object knows, which the original stumbles
    /// over.
    pub fn is_known_to_all_objects(&self) -> bool {
        ["constructor", "__proto__", "toString"].contains(&self.route.as_str())
    }

    /// Whether it says something that is no text, or says it to what is no name.
    pub fn says_no_text(&self) -> bool {
        let is_send = self.route == "chat.chatHandler.send" && self.body.is_object();
        is_send && (self.text("content").is_none() || self.text("target").is_none())
    }
}
