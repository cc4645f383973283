//! JSON bodies: what a client's message says, and why it is kicked.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::package::{self, PackageType};

/// Reads the body of a client's message, always as an object.
///
/// A client's bytes are never an error here, as in the original: a body that is no object has no
/// fields, and the handler's answer says which one it misses. So are numbers, strings and bodies
/// nested deeper than 128. `[{...}]` is `{...}`, because the original spreads an array over its
/// handler's arguments; of a key that is there twice, the last counts.
///
/// Bytes that are not UTF-8 become U+FFFD first. The original's browser client writes characters
/// above U+FFFF as two surrogates of three bytes, so this is not rare.
pub fn decode(body: &[u8]) -> Value {
    let value = serde_json::from_str(&String::from_utf8_lossy(body));
    let object = match value {
        Ok(Value::Object(object)) => object,
        Ok(Value::Array(mut elements)) if elements.len() == 1 => match elements.pop() {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        },
        _ => Map::new(),
    };
    Value::Object(object)
}

/// Writes a kick as a whole package. `reason` is a sentence for the user.
///
/// # Panics
///
/// `reason` is too long for a package.
pub fn encode_kick(reason: &str) -> Bytes {
    let body = json!({ "reason": reason }).to_string();
    package::encode(PackageType::Kick, body.as_bytes())
}

/// Reads the reason from a kick's body; empty if it gives none.
pub fn decode_kick(body: &[u8]) -> String {
    decode(body)["reason"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_bare_or_alone_in_an_array() {
        let expected = json!({ "rid": "room", "n": [1, null] });
        assert_eq!(decode(br#"{"rid":"room","n":[1,null]}"#), expected);
        assert_eq!(decode(br#" [ {"rid":"room","n":[1,null]} ] "#), expected);
    }

    #[test]
    fn what_is_no_object_has_no_fields() {
        let bodies = [
            "",
            "null",
            "false",
            "0",
            "1",
            "true",
            "\"text\"",
            "[]",
            "[1]",
            "[{\"a\":1},{\"a\":1}]",
            "[[{}]]",
            "{",
            "{}\0",
            "\u{FEFF}{}",
            "{\"a\":}",
            "NaN",
        ];
        for body in bodies {
            assert_eq!(decode(body.as_bytes()), json!({}), "{body:?}");
        }
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_counts() {
        assert_eq!(decode(br#"{"a":1,"a":2}"#), json!({ "a": 2 }));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_replaced() {
        // An emoji as the browser client writes it: two surrogates of three bytes.
        let body = decode(b"{\"a\":\"\xED\xA0\xBD\xED\xB8\x80!\",\"b\":\"\xE2\x82\"}");
        let replaced = "\u{FFFD}".repeat(6) + "!";
        assert_eq!(body, json!({ "a": replaced, "b": "\u{FFFD}" }));
    }

    #[test]
    fn deep_nesting_is_cut_off_without_using_up_the_stack() {
        let deep = "[".repeat(1_000_000);
        assert_eq!(decode(deep.as_bytes()), json!({}));
        let deep = format!("{}1{}", "{\"a\":".repeat(129), "}".repeat(129));
        assert_eq!(decode(deep.as_bytes()), json!({}));
    }

    #[test]
    fn a_kick_carries_its_reason() {
        let kick = package::whole(encode_kick("too \"slow\""), 100).unwrap();
        assert_eq!(kick.kind, PackageType::Kick);
        assert_eq!(kick.body, r#"{"reason":"too \"slow\""}"#);
        assert_eq!(decode_kick(&kick.body), "too \"slow\"");
        assert_eq!(decode_kick(b""), "");
    }
}
