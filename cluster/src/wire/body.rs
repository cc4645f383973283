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
