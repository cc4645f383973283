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
/// above U+FFFF as two surrogates of three bytes, so this is not rare. So does half of a surrogate
/// pair that is written as an escape, which text here cannot hold; the original carries it on to
/// where it writes UTF-8, and then writes U+FFFD.
pub fn decode(body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body);
    let value = serde_json::from_str(&text)
        .or_else(|_| serde_json::from_str(&without_lone_surrogates(&text)));
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

/// Replaces each `\uD800` to `\uDFFF` that is not half of a pair by `\uFFFD`.
fn without_lone_surrogates(text: &str) -> String {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(index) = rest.find('\\') {
        mended.push_str(&rest[..index]);
        rest = &rest[index..];
        let (escape, len) = match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            (Some(0xD800..0xDC00), Some(0xDC00..)) => (&rest[..12], 12),
            (Some(_), _) => ("\\uFFFD", 6),
            // An escaped backslash begins no other escape.
            (None, _) => {
                let end = rest
                    .char_indices()
                    .nth(2)
                    .map_or(rest.len(), |(end, _)| end);
                (&rest[..end], end)
            }
        };
        mended.push_str(escape);
        rest = &rest[len..];
    }
    mended + rest
}

/// The surrogate that `text` begins with, as an escape.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let code = u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    (0xD800..=0xDFFF).contains(&code).then_some(code)
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
    fn half_a_surrogate_pair_is_replaced() {
        for (written, read) in [
            (r"\ud83d", "\u{FFFD}"),
            (r"\uDE00 \uD83D\ud83d\ude00", "\u{FFFD} \u{FFFD}\u{1F600}"),
            (r"\\ud83d\ud83d", "\\ud83d\u{FFFD}"),
            (r"\ud83d\n", "\u{FFFD}\n"),
            (r"\ud83d\u00e9", "\u{FFFD}\u{E9}"),
        ] {
            let body = format!(r#"{{"a":"{written}"}}"#);
            assert_eq!(decode(body.as_bytes()), json!({ "a": read }), "{written}");
        }
        for broken in [
            r#"{"a":"\ud8"#,
            r#"{"a":"\ud8+1"}"#,
            r#"{"a":"\"#,
            "\\\u{E9}",
        ] {
            assert_eq!(decode(broken.as_bytes()), json!({}), "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_sound_stays_as_it_is(text: String, noise in r#"[\\u"dD89cC0 é]*"#) {
            let sound = json!({ "a": text }).to_string();
            proptest::prop_assert_eq!(without_lone_surrogates(&sound), sound);
            decode(noise.as_bytes());
        }
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
