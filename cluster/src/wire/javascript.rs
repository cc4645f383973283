//! Numbers, texts and orders as JavaScript has them.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use serde_json::{Map, Value};

/// Up to here every whole number is an `f64` of its own.
const SAFE_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// Bits of a hexadecimal text that are kept; those behind can only decide how the 53 of an `f64`
/// are rounded.
const DIGIT_BITS_MAX: u32 = 120;

/// The members of `object` in the order in which JavaScript walks through them.
pub(super) fn entries(object: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let has_indices = object.keys().any(|key| index(key).is_some());
    // Without indices, as nearly always, nothing is allocated.
    let sorted = has_indices.then(|| {
        let mut members: Vec<_> = object.iter().collect();
        // Those without an index keep their order.
        members.sort_by_key(|(key, _)| index(key).unwrap_or(u32::MAX));
        members
    });
    let unsorted = if has_indices {
        None
    } else {
        Some(object.iter())
    };
    sorted
        .into_iter()
        .flatten()
        .chain(unsorted.into_iter().flatten())
}

/// `object` with its members in that order.
pub(super) fn ordered(object: Map<String, Value>) -> Map<String, Value> {
    let mut members: Vec<_> = object.into_iter().collect();
    members.sort_by_key(|(key, _)| index(key).unwrap_or(u32::MAX));
    members.into_iter().collect()
}

/// The array index that `key` is.
fn index(key: &str) -> Option<u32> {
    whole(key).filter(|index| *index < u32::MAX)
}

/// The whole number that is written as `text` and in no other way.
pub(super) fn whole(text: &str) -> Option<u32> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain || (text.starts_with('0') && text != "0") {
        return None;
    }
    text.parse().ok()
}

/// `number` as a JSON value: a whole one without a fraction, and `null` if JSON does not have it.
pub(super) fn value(number: f64) -> Value {
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= SAFE_INTEGER_MAX && !is_negative_zero {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// What `parseInt` makes of `text`, which may be NaN and infinite.
pub(super) fn parse_int(text: &str) -> f64 {
    let (sign, digits) = signed(text.trim_start_matches(is_space));
    let number = match digits.get(..2) {
        Some("0x" | "0X") => binary(prefix(&digits[2..], 16), 4),
        _ => prefix(digits, 10).parse().ok(),
    };
    sign * number.unwrap_or(f64::NAN)
}

/// What `Number` makes of `text`, which may be NaN and infinite.
pub(super) fn number(text: &str) -> f64 {
    let text = text.trim_matches(is_space);
    let number = match text.get(..2) {
        Some("0x" | "0X") => binary(&text[2..], 4),
        Some("0o" | "0O") => binary(&text[2..], 3),
        Some("0b" | "0B") => binary(&text[2..], 1),
        _ => match (text, signed(text)) {
            ("", _) => Some(0.0),
            (_, (sign, "Infinity")) => Some(sign * f64::INFINITY),
            // Rust knows more names of infinities and NaN.
            _ if text.contains(|c: char| c.is_alphabetic() && c != 'e' && c != 'E') => None,
            _ => text.parse().ok(),
        },
    };
    number.unwrap_or(f64::NAN)
}

/// What `String` makes of `value`: the name under which it is a key.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::from("null"),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => number_text(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => text.clone(),
        Value::Array(elements) => {
            let texts = elements.iter().map(|element| match element {
                Value::Null => String::new(),
                element => text(element),
            });
            texts.collect::<Vec<_>>().join(",")
        }
        Value::Object(_) => String::from("[object Object]"),
    }
}

/// What `JSON.stringify` makes of `object`.
fn json(object: &Map<String, Value>) -> Vec<u8> {
    let mut text = Vec::new();
    object
        .serialize(&mut Serializer::with_formatter(&mut text, Numbers))
        .expect("JSON values are serialized, and a vector is written");
    text
}

/// The version that Pomelo gives what it hands to clients: the MD5 of the JSON text of `objects`, one
/// after the other, in base64.
pub(super) fn digest(objects: &[&Map<String, Value>]) -> String {
    let mut digest = Md5::new();
    for object in objects {
        digest.update(json(object));
    }
    STANDARD.encode(digest.finalize())
}

/// Numbers are the only values that JavaScript writes differently.
struct Numbers;

impl Formatter for Numbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, number: f64) -> io::Result<()> {
        writer.write_all(number_text(number).as_bytes())
    }

    fn write_u64<W: ?Sized + io::Write>(&mut self, writer: &mut W, number: u64) -> io::Result<()> {
        if number as f64 <= SAFE_INTEGER_MAX {
            CompactFormatter.write_u64(writer, number)
        } else {
            self.write_f64(writer, number as f64)
        }
    }

    fn write_i64<W: ?Sized + io::Write>(&mut self, writer: &mut W, number: i64) -> io::Result<()> {
        if number.unsigned_abs() as f64 <= SAFE_INTEGER_MAX {
            CompactFormatter.write_i64(writer, number)
        } else {
            self.write_f64(writer, number as f64)
        }
    }
}

/// The shortest text that is read as `number` again, in JavaScript's forms.
fn number_text(number: f64) -> String {
    if number == 0.0 {
        return String::from("0");
    }
    let scientific = format!("{:e}", number.abs());
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return number.to_string();
    };
    let digits = mantissa.replace('.', "");
    let exponent: i32 = exponent.parse().expect("Rust writes an exponent");
    // Digits before the point.
    let point = exponent + 1;
    let missing = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    let text = match usize::try_from(point) {
        Ok(before) if point <= 21 && digits.len() <= before => {
            digits.clone() + &missing(point - digits.len() as i32)
        }
        Ok(before @ 1..) if point <= 21 => format!("{}.{}", &digits[..before], &digits[before..]),
        _ if -6 < point && point <= 0 => format!("0.{}{digits}", missing(-point)),
        _ => {
            let dot = if digits.len() > 1 { "." } else { "" };
            format!("{}{dot}{}e{exponent:+}", &digits[..1], &digits[1..])
        }
    };
    if number < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

/// White space and line ends; JavaScript's differ from Unicode's in these two.
fn is_space(c: char) -> bool {
    c == '\u{FEFF}' || (c.is_whitespace() && c != '\u{85}')
}

fn signed(text: &str) -> (f64, &str) {
    match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// The digits with which `text` begins.
fn prefix(text: &str, radix: u32) -> &str {
    let end = text.find(|c: char| !c.is_digit(radix));
    &text[..end.unwrap_or(text.len())]
}

/// The number whose digits have so many bits each, rounded once; `None` if one is none, or there
/// are none.
fn binary(digits: &str, bits: u32) -> Option<f64> {
    let mut number: u128 = 0;
    let mut scale = 1.0;
    for c in digits.chars() {
        let digit = c.to_digit(1 << bits)?;
        if number >> DIGIT_BITS_MAX == 0 {
            number = number << bits | u128::from(digit);
        } else {
            scale *= f64::from(1 << bits);
            number |= u128::from(digit != 0);
        }
    }
    (!digits.is_empty()).then_some(number as f64 * scale)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_by_javascript() {
        let texts = [
            (0.0, "0"),
            (-0.0, "0"),
            (5.0, "5"),
            (-7.25, "-7.25"),
            (1.5e-6, "0.0000015"),
            (1e-6, "0.000001"),
            (1e-7, "1e-7"),
            (-1.25e-7, "-1.25e-7"),
            (1e20, "100000000000000000000"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (1e21, "1e+21"),
            (1.5e300, "1.5e+300"),
            (9_007_199_254_740_993.0, "9007199254740992"),
            (5e-324, "5e-324"),
        ];
        for (number, text) in texts {
            assert_eq!(number_text(number), text);
        }
        let numbers = json!({"a": 1e21, "b": 1.0, "c": u64::MAX, "d": -5, "e": i64::MIN});
        let expected =
            r#"{"a":1e+21,"b":1,"c":18446744073709552000,"d":-5,"e":-9223372036854776000}"#;
        let text = json(numbers.as_object().unwrap());
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn integers_are_read_up_to_what_is_no_digit() {
        let numbers = [
            ("42", 42.0),
            ("\u{FEFF}\t-42.9 apples", -42.0),
            ("0x1fg", 31.0),
            ("-0X10", -16.0),
            ("0b11", 0.0),
            ("0x10000000000000801", 18_446_744_073_709_555_712.0),
        ];
        for (text, number) in numbers {
            assert_eq!(parse_int(text), number, "{text:?}");
        }
        for text in ["", "-", "+-1", ".5", "0x", "x", "\u{85}1", "é1", "€"] {
            assert!(parse_int(text).is_nan(), "{text:?}");
        }
        assert_eq!(parse_int(&"9".repeat(400)), f64::INFINITY);
        assert_eq!(parse_int(&format!("0x{}", "f".repeat(400))), f64::INFINITY);
    }

    #[test]
    fn numbers_are_read_whole_or_not_at_all() {
        let numbers = [
            ("", 0.0),
            (" \n", 0.0),
            ("+5.", 5.0),
            ("-.5e1", -5.0),
            ("0x1F", 31.0),
            ("0B11", 3.0),
            ("0o17", 15.0),
            ("0777", 777.0),
            ("1e400", f64::INFINITY),
            ("-Infinity", f64::NEG_INFINITY),
            // In the middle of two: rounded to even, but for a digit far behind.
            (
                "0x200000000000010000000000000000000000000000000",
                1.915_619_426_082_361e53,
            ),
            (
                "0x200000000000010000000000000000000000000000001",
                1.915_619_426_082_361_5e53,
            ),
        ];
        for (text, expected) in numbers {
            assert_eq!(number(text), expected, "{text:?}");
        }
        for text in [
            "abc", "5x", "0x", "-0x1", "inf", "nan", "infinity", "1_000", "1e", ".", "é",
        ] {
            assert!(number(text).is_nan(), "{text:?}");
        }
    }

    #[test]
    fn array_indices_come_first_in_ascending_order() {
        let object = json!({"b": 0, "10": 0, "9": 0, "01": 0, "4294967294": 0, "4294967295": 0, "-1": 0, "0": 0});
        let Value::Object(object) = object else {
            panic!("it is one");
        };
        let order = ["0", "9", "10", "4294967294", "b", "01", "4294967295", "-1"];
        let keys: Vec<_> = entries(&object).map(|(key, _)| key.as_str()).collect();
        assert_eq!(keys, order);
        assert!(ordered(object).keys().eq(order));
    }
}
