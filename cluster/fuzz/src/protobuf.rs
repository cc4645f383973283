//! Protobuf bodies of a schema that has everything.

use std::sync::LazyLock;

use cluster::wire::protobuf::Schema;
use serde_json::{Value, json};

/// All types, single and repeated, and messages in messages. Nothing is required, as a body that
/// lacks it can be read and not be written.
static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = r#"{
        "message G": {
            "repeated G gs": 1, "optional G g": 2, "optional string s": 3, "optional int32 i": 4
        },
        "r": {
            "message H": {"optional G g": 1, "repeated sInt32 n": 2},
            "optional uInt32 a": 1, "optional sInt32 b": 2, "optional float c": 3,
            "optional double d": 4, "optional string e": 5, "optional G g": 6,
            "repeated uInt32 f": 7, "repeated double h": 8, "repeated string i": 9,
            "repeated G j": 10, "repeated float k": 11, "optional H l": 12,
            "repeated H m": 13, "optional int32 n": 300
        }
    }"#;
    let (schema, problems) = Schema::from_text(text).expect("it is an object");
    assert_eq!(problems, []);
    schema
});

/// All bytes are one body.
pub fn run(bytes: &[u8]) {
    if let Ok(value) = SCHEMA.decode("r", bytes) {
        read_and_written(&SCHEMA, "r", value);
    }
}

/// Writes what was read, and reads it again.
fn read_and_written(schema: &Schema, route: &str, mut value: Value) {
    if has_odd_number(&value) {
        return;
    }
    drop_empty(&mut value);
    match schema.encode(route, &value) {
        Ok(written) => assert_eq!(schema.decode(route, &written), Ok(value)),
        Err(error) => assert!(
            value == json!({}) && error.is_empty_body(),
            "{value} was read and cannot be written: {error}"
        ),
    }
}

/// Drops arrays without elements, which are not written.
fn drop_empty(value: &mut Value) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(drop_empty),
        Value::Object(object) => {
            object.retain(|_, value| *value != json!([]));
            object.values_mut().for_each(drop_empty);
        }
        _ => {}
    }
}

/// Whether there is a number that is read and not written: NaN and the infinities, which are null
/// here, and integers from so many digits on that JavaScript writes them with an exponent.
fn has_odd_number(value: &Value) -> bool {
    const WRITTEN_MAX: f64 = 5e20;
    match value {
        Value::Null => true,
        Value::Number(number) => number.as_f64().is_some_and(|n| n.abs() >= WRITTEN_MAX),
        Value::Array(elements) => elements.iter().any(has_odd_number),
        Value::Object(object) => object.values().any(has_odd_number),
        _ => false,
    }
}
