//! Protobuf bodies.

use cluster::wire::dictionary::Dictionary;
use cluster::wire::protobuf::{DecodeError, EncodeError, Protos, Schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::file::{each, unhex};

#[test]
fn bodies_are_written_as_by_the_original() {
    each("/protobuf", |vector: BodyVector| {
        let encoded = vector.schema().encode(&vector.route, &vector.message());
        match (vector.hex, vector.encode_throws) {
            (Some(hex), _) => assert_eq!(encoded.as_deref(), Ok(&unhex(&hex)[..])),
            (None, true) => assert!(throws(&encoded), "{encoded:?}"),
            // `encode_result` is null: an empty body is sent.
            (None, false) => {
                assert!(
                    matches!(&encoded, Err(error) if error.is_empty_body()),
                    "{encoded:?}"
                );
            }
        }
    });
}

#[test]
fn bodies_are_read_as_by_the_original() {
    each("/protobuf", |vector: BodyVector| {
        if let Some(hex) = &vector.hex {
            vector.assert_decoded(hex, vector.decoded.as_ref());
        }
    });
}

#[test]
fn bodies_of_the_browser_client_are_read_whatever_their_wire_types() {
    let mut seen = 0;
    each("/protobuf", |vector: BodyVector| {
        // The client loses bytes of some doubles; nobody can read those.
        if vector.browser_client_hex_is_truncated {
            return;
        }
        if let Some(hex) = &vector.browser_client_hex {
            let as_replaced = vector.server_decodes_browser_client_hex_as.as_ref();
            vector.assert_decoded(hex, as_replaced.or(vector.decoded.as_ref()));
            seen += 1;
        }
    });
    assert!(seen > 50, "the file has them for integers and emoji");
}

#[test]
fn odd_bodies_are_read_as_by_the_original_or_refused() {
    each("/protobuf_decode_only", |vector: OddBodyVector| {
        let decoded = schema(&vector.protos).decode(&vector.route, &unhex(&vector.hex));
        match vector.decoded {
            Some(expected) => assert_same(&decoded, &expected),
            None => assert!(
                matches!(
                    decoded,
                    Err(DecodeError::Truncated | DecodeError::UnknownTag { .. })
                ),
                "{decoded:?}"
            ),
        }
    });
}

#[test]
fn the_parsed_form_has_the_members_of_the_original_in_its_order() {
    each("/protobuf_parsed", |vector: ParsedVector| {
        let schema = schema(&vector.protos);
        let parsed = Value::from(schema.to_parsed().clone());
        assert_eq!(parsed.to_string(), vector.parsed.to_string());

        // A client that gets this form has the same schema.
        let again = Schema::from_parsed(parsed).expect("it is what the original sends");
        assert_eq!(again, schema);
    });
}

#[test]
fn the_version_is_the_digest_of_the_original() {
    each("/versions/protos", |vector: VersionVector| {
        let client = Schema::from_parsed(vector.client).expect("it is what the original sends");
        let server = Schema::from_parsed(vector.server).expect("it is what the original sends");
        assert_eq!(Protos::new(server, client).version(), vector.version);
    });
}

#[test]
fn the_dictionary_and_its_version_are_those_of_the_original() {
    each("/versions/dict", |vector: DictVector| {
        let routes: Vec<_> = vector.dict.keys().map(String::as_str).rev().collect();
        let dictionary = Dictionary::new(&routes, &[]).expect("few routes");
        assert_eq!(dictionary.route_to_code(), vector.dict);
        assert_eq!(dictionary.version(), vector.version);
    });
}

#[derive(Deserialize)]
struct DictVector {
    dict: Map<String, Value>,
    version: String,
}

#[derive(Deserialize)]
struct BodyVector {
    protos: Map<String, Value>,
    route: String,
    msg: Value,
    /// Texts that are in place of those in `msg`, as UTF-16 in hex: they have half a surrogate.
    #[serde(default)]
    msg_utf16: Map<String, Value>,
    hex: Option<String>,
    decoded: Option<Value>,
    #[serde(default)]
    encode_throws: bool,
    browser_client_hex: Option<String>,
    server_decodes_browser_client_hex_as: Option<Value>,
    #[serde(default)]
    browser_client_hex_is_truncated: bool,
}

#[derive(Deserialize)]
struct OddBodyVector {
    protos: Map<String, Value>,
    route: String,
    hex: String,
    /// Missing if the original throws.
    decoded: Option<Value>,
}

#[derive(Deserialize)]
struct ParsedVector {
    protos: Map<String, Value>,
    parsed: Value,
}

#[derive(Deserialize)]
struct VersionVector {
    client: Value,
    server: Value,
    version: String,
}

impl BodyVector {
    fn schema(&self) -> Schema {
        schema(&self.protos)
    }

    /// The message, with half surrogates replaced as whoever reads JSON here replaces them.
    fn message(&self) -> Value {
        let mut message = self.msg.clone();
        for (name, units) in &self.msg_utf16 {
            let units = unhex(units.as_str().expect("hex is text"));
            let units: Vec<_> = units
                .chunks(2)
                .map(|unit| u16::from_be_bytes([unit[0], unit[1]]))
                .collect();
            message[name] = String::from_utf16_lossy(&units).into();
        }
        message
    }

    fn assert_decoded(&self, hex: &str, expected: Option<&Value>) {
        let decoded = self.schema().decode(&self.route, &unhex(hex));
        assert_same(&decoded, expected.unwrap_or(&self.msg));
    }
}

fn schema(protos: &Map<String, Value>) -> Schema {
    let text = Value::from(protos.clone()).to_string();
    // What is wrong with it, if anything, is for others to see.
    let (schema, _) = Schema::from_text(&text).expect("it is an object");
    schema
}

/// Whether the original throws where this is refused, and whether it is for what it was given.
fn throws<T>(encoded: &Result<T, EncodeError>) -> bool {
    matches!(encoded, Err(error) if !error.is_empty_body())
}

fn assert_same(decoded: &Result<Value, DecodeError>, expected: &Value) {
    let decoded = decoded.as_ref().expect("it can be read");
    assert!(is_same(decoded, expected), "{decoded} is not {expected}");
}

/// Equality to JavaScript, where 1 and 1.0 are one number.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, one)| {
                    let other = other.get(name);
                    other.is_some_and(|other| is_same(one, other))
                })
        }
        (one, other) => one == other,
    }
}
