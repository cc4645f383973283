//! What holds for any input.

use cluster::wire::protobuf::Schema;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::schema;

proptest! {
    #[test]
    fn bytes_are_read_without_a_panic_into_no_more_values_than_they_are(
        body in vec(prop_oneof![any::<u8>(), 0..0x60_u8, Just(0x80)], 0..200),
    ) {
        let schema = schema(&json!({
            "message G": {"repeated G gs": 1, "optional G g": 2, "optional string s": 3},
            "r": {
                "optional uInt32 a": 1, "optional sInt32 b": 2, "optional float c": 3,
                "optional double d": 4, "optional string e": 5, "optional G g": 6,
                "repeated uInt32 f": 7, "repeated double h": 8, "repeated string i": 9,
                "repeated G j": 10, "repeated float k": 11,
            },
        }));
        if let Ok(value) = schema.decode("r", &body) {
            let (values, text_len) = size(&value);
            prop_assert!(values <= body.len() + 1);
            // Each byte may have become a U+FFFD.
            prop_assert!(text_len <= 3 * body.len());
            // What was read can be written, unless JSON does not have it.
            let _ = schema.encode("r", &value);
        }
    }

    #[test]
    fn a_message_comes_back_as_it_was(message in message()) {
        let file = json!({ "r": message.definition() });
        let (schema, problems) = Schema::from_text(&file.to_string()).unwrap();
        prop_assert_eq!(problems, []);
        let value = message.value();
        let bytes = schema.encode("r", &value).unwrap();
        prop_assert_eq!(schema.decode("r", &bytes), Ok(value));

        // A client has its schema from the handshake.
        let parsed: Value = serde_json::from_str(&json!(schema.to_parsed()).to_string()).unwrap();
        prop_assert_eq!(Schema::from_parsed(parsed).unwrap(), schema);
    }

    #[test]
    fn any_json_is_a_schema_or_an_error_and_anything_is_written_with_it_or_refused(
        file in odd_json(), body in odd_json(), bytes in vec(0..0x30_u8, 0..20),
    ) {
        let file = json!({ "r": file });
        let (schema, _) = Schema::from_text(&file.to_string()).unwrap();
        if let Ok(bytes) = schema.encode("r", &body) {
            let _ = schema.decode("r", &bytes);
        }
        let _ = schema.decode("r", &bytes);
        if let Ok(schema) = Schema::from_parsed(file) {
            let _ = schema.encode("r", &body);
            let _ = schema.decode("r", &bytes);
        }
    }
}

/// A message with its fields' types: for each an option, and values that its type can hold.
#[derive(Clone, Debug)]
struct Message {
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
enum Field {
    Scalar(&'static str, &'static str, Value),
    Message(&'static str, Message),
    /// So many messages of one type.
    Messages(usize, Message),
}

impl Message {
    fn definition(&self) -> Value {
        let mut definition = Map::new();
        for (index, field) in self.fields.iter().enumerate() {
            let (option, kind) = match field {
                Field::Scalar(option, kind, _) => (*option, String::from(*kind)),
                Field::Message(option, _) => (*option, format!("M{index}")),
                Field::Messages(..) => ("repeated", format!("M{index}")),
            };
            if let Field::Message(_, message) | Field::Messages(_, message) = field {
                definition.insert(format!("message {kind}"), message.definition());
            }
            definition.insert(format!("{option} {kind} f{index}"), json!(index * 7 + 1));
        }
        definition.into()
    }

    fn value(&self) -> Value {
        let fields = self.fields.iter().enumerate().map(|(index, field)| {
            let value = match field {
                Field::Scalar(_, _, value) => value.clone(),
                Field::Message(_, message) => message.value(),
                Field::Messages(count, message) => vec![message.value(); *count].into(),
            };
            (format!("f{index}"), value)
        });
        fields.collect::<Map<_, _>>().into()
    }
}

fn message() -> impl Strategy<Value = Message> {
    let fields = vec(scalar(), 1..6);
    let leaf = fields.prop_map(|fields| Message { fields });
    leaf.prop_recursive(4, 30, 5, |inner| {
        let field = prop_oneof![
            scalar(),
            (option(), inner.clone()).prop_map(|(option, inner)| Field::Message(option, inner)),
            (1..4_usize, inner).prop_map(|(count, inner)| Field::Messages(count, inner)),
        ];
        vec(field, 1..6).prop_map(|fields| Message { fields })
    })
}

fn scalar() -> impl Strategy<Value = Field> {
    let single = prop_oneof![
        unsigned().prop_map(|value| ("uInt32", value)),
        signed().prop_map(|value| ("sInt32", value)),
        signed().prop_map(|value| ("int32", value)),
        float().prop_map(|value| ("float", value)),
        double().prop_map(|value| ("double", value)),
        text().prop_map(|value| ("string", value)),
    ];
    let repeated = prop_oneof![
        vec(unsigned(), 1..5).prop_map(|values| ("uInt32", Value::from(values))),
        vec(signed(), 1..5).prop_map(|values| ("sInt32", Value::from(values))),
        vec(float(), 1..5).prop_map(|values| ("float", Value::from(values))),
        vec(double(), 1..5).prop_map(|values| ("double", Value::from(values))),
        vec(text(), 1..5).prop_map(|values| ("string", Value::from(values))),
    ];
    prop_oneof![
        (option(), single).prop_map(|(option, (kind, value))| Field::Scalar(option, kind, value)),
        repeated.prop_map(|(kind, value)| Field::Scalar("repeated", kind, value)),
    ]
}

fn option() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("required"), Just("optional")]
}

fn unsigned() -> impl Strategy<Value = Value> {
    prop_oneof![0..300_u64, 0..=u64::from(u32::MAX), 0..=1_u64 << 53].prop_map(Value::from)
}

fn signed() -> impl Strategy<Value = Value> {
    let wide = -(1_i64 << 52)..=1_i64 << 52;
    prop_oneof![-300..300_i64, any::<i32>().prop_map(i64::from), wide].prop_map(Value::from)
}

fn float() -> impl Strategy<Value = Value> {
    any::<f32>().prop_map(|number| plain(number.into()))
}

fn double() -> impl Strategy<Value = Value> {
    any::<f64>().prop_map(plain)
}

/// Whole numbers without a fraction, as far as each is a number of its own.
fn plain(number: f64) -> Value {
    let is_negative_zero = number == 0.0 && number.is_sign_negative();
    if number.fract() == 0.0 && number.abs() <= 2_f64.powi(53) && !is_negative_zero {
        json!(number as i64)
    } else {
        json!(number)
    }
}

fn text() -> impl Strategy<Value = Value> {
    any::<String>().prop_map(Value::from)
}

/// JSON with the words of schemas in it.
fn odd_json() -> impl Strategy<Value = Value> {
    let word = proptest::sample::select(vec![
        "required uInt32 a",
        "optional sInt32 a",
        "repeated float b",
        "repeated string 1",
        "required P a",
        "optional Q b",
        "repeated P p",
        "message P",
        "message Q",
        "message ",
        "required  a",
        "a",
        "b",
        "p",
        "1",
        "option",
        "type",
        "tag",
        "required",
        "repeated",
        "uInt32",
        "string",
        "P",
        "__messages",
        "__tags",
        "__proto__",
        "length",
        "",
    ]);
    let number = prop_oneof![
        any::<i32>().prop_map(f64::from),
        any::<f64>(),
        Just(1e21),
        Just(3.0)
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number.prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 8, move |inner| {
        let member = (word.clone().prop_map(String::from), inner.clone());
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            vec(member, 0..8).prop_map(|members| members.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

/// How many values are in `value`, itself included, and the bytes of its texts.
fn size(value: &Value) -> (usize, usize) {
    let add =
        |(values, texts), (more_values, more_texts)| (values + more_values, texts + more_texts);
    match value {
        Value::String(text) => (1, text.len()),
        Value::Array(elements) => elements.iter().map(size).fold((1, 0), add),
        Value::Object(object) => object.values().map(size).fold((1, 0), add),
        _ => (1, 0),
    }
}
