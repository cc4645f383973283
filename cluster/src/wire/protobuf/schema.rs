//! Which routes are protobuf, and the fields of their messages.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::problem::{Problem, SchemaError};
use super::{DEFINITIONS_DEPTH_MAX, TAG_MAX, duplicates, parse};
use crate::wire::javascript;

/// The routes whose bodies are protobuf, with their fields and message types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Schema {
    parsed: Map<String, Value>,
    messages: Vec<Message>,
    /// The index of each route's message. As in the original, a message type for all is one too,
    /// under its key `message Name`.
    routes: BTreeMap<String, usize>,
}

/// The fields of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message {
    pub(super) fields: Vec<Field>,
    by_name: BTreeMap<String, usize>,
    by_tag: BTreeMap<u32, usize>,
}

/// One field of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) option: FieldOption,
    pub(super) kind: Kind,
    /// `None` if it cannot be written.
    pub(super) tag: Option<u32>,
}

/// How often a field is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldOption {
    Required,
    Optional,
    Repeated,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unsigned,
    Signed,
    Float,
    Double,
    Text,
    /// The index of a message.
    Message(usize),
    /// A type that is not there.
    Unknown(String),
}

/// The types that are no messages.
pub(super) const SCALARS: [(&str, Kind); 6] = [
    ("uInt32", Kind::Unsigned),
    ("sInt32", Kind::Signed),
    ("int32", Kind::Signed),
    ("float", Kind::Float),
    ("double", Kind::Double),
    ("string", Kind::Text),
];

/// The member of a parsed message that holds its message types.
pub(super) const MESSAGES: &str = "__messages";

/// The member of a parsed message that holds its tags.
pub(super) const TAGS: &str = "__tags";

impl Schema {
    /// Reads a `serverProtos.json` or `clientProtos.json`, as the original does, and says what is
    /// wrong with it. A file with problems is used all the same, without whatever the problems are
    /// about; who wants to be sure refuses it.
    ///
    /// # Errors
    ///
    /// The text is not a JSON object.
    pub fn from_text(text: &str) -> Result<(Self, Vec<Problem>), SchemaError> {
        let file = match serde_json::from_str(text).map_err(SchemaError::NotJson)? {
            Value::Object(file) => file,
            other => {
                return Err(SchemaError::NotAnObject {
                    found: found(&other),
                });
            }
        };
        let mut problems = duplicates::find(text);
        let (parsed, odd) = parse::parse(&file);
        problems.extend(odd);
        let (messages, routes, _) = Compiler::compile(&parsed);
        let schema = Self {
            parsed,
            messages,
            routes,
        };
        Ok((schema, problems))
    }

    /// Takes the parsed form, which the server's handshake carries as `protos.server` and
    /// `protos.client`. Members that nobody knows are ignored; fields of a type that is not there
    /// are errors only when they are met.
    ///
    /// # Errors
    ///
    /// It is not what a server sends; the first place is named.
    pub fn from_parsed(parsed: Value) -> Result<Self, SchemaError> {
        let Value::Object(parsed) = parsed else {
            return Err(SchemaError::NotAnObject {
                found: found(&parsed),
            });
        };
        let (messages, routes, mistake) = Compiler::compile(&parsed);
        if let Some(mistake) = mistake {
            return Err(mistake);
        }
        Ok(Self {
            parsed: ordered(parsed),
            messages,
            routes,
        })
    }

    /// The parsed form, as the handshake carries it, with all members in the original's order.
    pub fn to_parsed(&self) -> &Map<String, Value> {
        &self.parsed
    }

    /// Whether the bodies of `route` are protobuf. All others are JSON.
    pub fn encodes(&self, route: &str) -> bool {
        self.routes.contains_key(route)
    }

    pub(super) fn message_of(&self, route: &str) -> Option<&Message> {
        self.routes.get(route).map(|index| self.message(*index))
    }

    pub(super) fn message(&self, index: usize) -> &Message {
        &self.messages[index]
    }
}

impl Message {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.by_name.get(name).map(|index| &self.fields[*index])
    }

    pub(super) fn field_of(&self, tag: u32) -> Option<&Field> {
        self.by_tag.get(&tag).map(|index| &self.fields[*index])
    }
}

/// What a value is, in words.
pub(super) fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// The tag that `value` is, if it can be written.
pub(super) fn tag_number(value: &Value) -> Option<u32> {
    let tag = match value {
        Value::Number(_) => javascript::whole(&javascript::text(value)),
        Value::String(text) => javascript::whole(text),
        _ => None,
    };
    tag.filter(|tag| *tag <= TAG_MAX)
}

/// The members of `object`, and of what is in it, in JavaScript's order. It is not deeper than
/// [`Compiler`] lets through, or in a member that nobody knows, which is as deep as its reader let it.
fn ordered(object: Map<String, Value>) -> Map<String, Value> {
    let members = object.into_iter().map(|(key, value)| match value {
        Value::Object(object) => (key, ordered(object).into()),
        value => (key, value),
    });
    javascript::ordered(members.collect())
}

/// Turns a parsed form into messages that refer to each other by index.
#[derive(Default)]
struct Compiler<'a> {
    messages: Vec<Message>,
    routes: BTreeMap<String, usize>,
    /// The message types that each message has for itself.
    nearby: Vec<BTreeMap<&'a str, usize>>,
    /// The names that lead to what is being compiled.
    path: Vec<&'a str>,
    /// The first thing that makes no sense; what is around it is compiled.
    mistake: Option<SchemaError>,
}

type Compiled = (Vec<Message>, BTreeMap<String, usize>, Option<SchemaError>);

impl<'a> Compiler<'a> {
    fn compile(parsed: &'a Map<String, Value>) -> Compiled {
        let mut compiler = Self::default();
        for (name, definition) in parsed {
            let index = compiler.message(name, definition);
            compiler.routes.insert(name.clone(), index);
        }
        compiler.resolve();
        (compiler.messages, compiler.routes, compiler.mistake)
    }

    fn message(&mut self, name: &'a str, definition: &'a Value) -> usize {
        self.path.push(name);
        let index = self.messages.len();
        self.messages.push(Message::default());
        self.nearby.push(BTreeMap::new());
        self.fill(index, definition);
        self.path.pop();
        index
    }

    fn fill(&mut self, index: usize, definition: &'a Value) {
        let Value::Object(definition) = definition else {
            return self.wrong(&[], definition, "an object of fields");
        };
        // Each level is a name and `__messages`, but for the first.
        if self.path.len() > 2 * DEFINITIONS_DEPTH_MAX - 1 {
            let at = self.path.join(".");
            self.mistake.get_or_insert(SchemaError::TooDeep { at });
            return;
        }
        let mut message = Message::default();
        for (name, field) in definition {
            // What begins like this and is no field is of a later version.
            let is_field = !name.starts_with("__") || field.get("tag").is_some();
            if is_field && name != MESSAGES && name != TAGS {
                self.field(name, field, &mut message);
            }
        }
        match definition.get(TAGS) {
            Some(Value::Object(tags)) => message.read_tags(tags),
            None => message.derive_tags(),
            Some(other) => self.wrong(&[TAGS], other, "an object"),
        }
        self.messages[index] = message;
        match definition.get(MESSAGES) {
            Some(Value::Object(nested)) => {
                self.path.push(MESSAGES);
                for (name, definition) in nested {
                    let nested = self.message(name, definition);
                    self.nearby[index].insert(name, nested);
                }
                self.path.pop();
            }
            None => (),
            Some(other) => self.wrong(&[MESSAGES], other, "an object"),
        }
    }

    fn field(&mut self, name: &'a str, field: &'a Value, message: &mut Message) {
        if !field.is_object() {
            return self.wrong(&[name], field, "an object with option, type and tag");
        }
        let option = match field["option"].as_str() {
            Some("required") => FieldOption::Required,
            Some("optional") => FieldOption::Optional,
            Some("repeated") => FieldOption::Repeated,
            _ => {
                let expected = "required, optional or repeated";
                return self.wrong(&[name, "option"], &field["option"], expected);
            }
        };
        let Some(kind) = field["type"].as_str() else {
            return self.wrong(&[name, "type"], &field["type"], "the name of a type");
        };
        let tag = tag_number(&field["tag"]);
        if tag.is_none() {
            let expected = "a whole number from 0 to 2^28 - 1";
            self.wrong(&[name, "tag"], &field["tag"], expected);
        }
        message
            .by_name
            .insert(name.to_owned(), message.fields.len());
        message.fields.push(Field {
            name: name.to_owned(),
            option,
            kind: Kind::Unknown(kind.to_owned()),
            tag,
        });
    }

    /// Finds the types of all fields: scalars, the message's own, and those for all messages. The
    /// types of a message around it are not looked at, as in the original.
    fn resolve(&mut self) {
        for (message, nearby) in self.messages.iter_mut().zip(&self.nearby) {
            for field in &mut message.fields {
                let Kind::Unknown(name) = &field.kind else {
                    continue;
                };
                let scalar = SCALARS.iter().find(|(scalar, _)| scalar == name);
                let global = || self.routes.get(&format!("message {name}"));
                if let Some((_, kind)) = scalar {
                    field.kind = kind.clone();
                } else if let Some(index) = nearby.get(name.as_str()).or_else(global) {
                    field.kind = Kind::Message(*index);
                }
            }
        }
    }

    /// Notes that `value`, which `names` lead to from here, is not what is expected.
    fn wrong(&mut self, names: &[&str], value: &Value, expected: &'static str) {
        if self.mistake.is_some() {
            return;
        }
        let found = match value {
            Value::Number(_) => value.to_string(),
            Value::String(text) => format!("{text:?}"),
            Value::Null => String::from("nothing"),
            other => found(other).to_owned(),
        };
        self.mistake = Some(SchemaError::WrongType {
            at: [&self.path[..], names].concat().join("."),
            found,
            expected,
        });
    }
}

impl Message {
    /// Takes the tags as they are listed. A field whose name came twice has two.
    fn read_tags(&mut self, tags: &Map<String, Value>) {
        for (tag, name) in tags {
            let name = name.as_str().and_then(|name| self.by_name.get(name));
            if let (Some(tag), Some(index)) = (javascript::whole(tag), name) {
                self.by_tag.insert(tag, *index);
            }
        }
    }

    fn derive_tags(&mut self) {
        for (index, field) in self.fields.iter().enumerate() {
            if let Some(tag) = field.tag {
                self.by_tag.entry(tag).or_insert(index);
            }
        }
    }
}
