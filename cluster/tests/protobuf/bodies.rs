//! Values at the edges, all seen on the original, and those that are refused here.

use cluster::wire::body;
use cluster::wire::protobuf::{DECODED_LEN_MAX, DEPTH_MAX, DecodeError, EncodeError, Schema};
use serde_json::{Value, json};

use crate::{hex, schema};

#[test]
fn integers_are_what_parse_int_makes_of_them() {
    let written = [
        (json!(-0.0), "0800", "0800"),
        (json!(-0.9), "0800", "0800"),
        (json!(2_147_483_648_u32), "088080808008", "088080808010"),
        (json!(4_294_967_296_u64), "088080808010", "088080808020"),
        (
            json!(9_007_199_254_740_993_u64),
            "088080808080808010",
            "088080808080808020",
        ),
        (
            json!(1e20),
            "088080c098d6c5d7e3eb0a",
            "08808080b1ac8bafc7d715",
        ),
        (json!(" 42 "), "082a", "0854"),
        (json!("\u{A0}42\u{FEFF}"), "082a", "0854"),
        (json!("1e3"), "0801", "0802"),
        (json!("0x1F"), "081f", "083e"),
        (json!("12abc"), "080c", "0818"),
        (json!("0777"), "088906", "08920c"),
    ];
    for (value, unsigned, signed) in written {
        assert_eq!(encode("uInt32", &value).as_deref(), Ok(unsigned), "{value}");
        assert_eq!(encode("sInt32", &value).as_deref(), Ok(signed), "{value}");
        assert_eq!(encode("int32", &value).as_deref(), Ok(signed), "{value}");
    }
    assert_eq!(
        encode("sInt32", &json!(-2_147_483_649_i64)).as_deref(),
        Ok("088180808010")
    );
    assert_eq!(encode("sInt32", &json!("-0x1")).as_deref(), Ok("0801"));
}

#[test]
fn what_is_no_integer_is_refused() {
    let infinite = "9".repeat(400);
    let values = [
        json!(1e21),
        json!(-1e21),
        json!(1e-7),
        json!(null),
        json!(true),
        json!([5]),
        json!({}),
        json!(""),
        json!("x"),
        json!(".5"),
        json!("Infinity"),
        json!(infinite),
    ];
    for value in &values {
        for kind in ["uInt32", "sInt32"] {
            let error = encode(kind, value).unwrap_err();
            assert!(
                matches!(error, EncodeError::WrongType { .. }),
                "{value}: {error}"
            );
        }
    }
    assert_eq!(
        encode("uInt32", &json!(-1)).unwrap_err().to_string(),
        "v: -1 where a whole number from 0 is due"
    );
    // With its sign it would take an exponent.
    assert!(encode("sInt32", &json!(5e20)).is_err());
    assert!(encode("uInt32", &json!(5e20)).is_ok());
}

#[test]
fn floats_and_doubles_are_what_number_makes_of_them() {
    let written = [
        (json!(-0.0), "0d00000080", "090000000000000080"),
        (json!(null), "0d00000000", "090000000000000000"),
        (json!(true), "0d0000803f", "09000000000000f03f"),
        (json!(" "), "0d00000000", "090000000000000000"),
        (json!("1e3"), "0d00007a44", "090000000000408f40"),
        (json!("0b11"), "0d00004040", "090000000000000840"),
        (json!("-Infinity"), "0d000080ff", "09000000000000f0ff"),
        (json!(1e300), "0d0000807f", "099c7500883ce4377e"),
    ];
    for (value, float, double) in written {
        assert_eq!(encode("float", &value).as_deref(), Ok(float), "{value}");
        assert_eq!(encode("double", &value).as_deref(), Ok(double), "{value}");
    }
    for value in ["abc", "12abc", "-0x1", "0x", "inf", "nan", "1_000"].map(Value::from) {
        assert!(encode("double", &value).is_err(), "{value}");
    }
    for value in [json!([]), json!([5]), json!({})] {
        assert!(encode("float", &value).is_err(), "{value}");
    }
}

#[test]
fn what_json_does_not_have_is_read_as_null() {
    let schema = schema(&json!({"r": {"optional double v": 1, "optional uInt32 n": 2}}));
    for hex in ["09000000000000f87f", "09000000000000f07f"] {
        assert_eq!(schema.decode("r", &unhex(hex)), Ok(json!({"v": null})));
    }
    let infinite = format!("10{}01", "80".repeat(147));
    assert_eq!(
        schema.decode("r", &unhex(&infinite)),
        Ok(json!({"n": null}))
    );
    let long = format!("10{}00", "85".repeat(2));
    assert_eq!(schema.decode("r", &unhex(&long)), Ok(json!({"n": 645})));
}

#[test]
fn what_is_no_array_is_an_empty_one_unless_the_original_would_take_it_for_one() {
    let schema = schema(&json!({"r": {"repeated uInt32 v": 1, "required string end": 2}}));
    for value in [
        json!(null),
        json!(5),
        json!(true),
        json!(""),
        json!({"a": 1}),
    ] {
        let body = json!({"v": value, "end": "e"});
        assert_eq!(in_hex(&schema, &body).as_deref(), Ok("120165"), "{value}");
    }
    for value in [json!("123"), json!({"length": 1, "0": 7})] {
        let body = json!({"v": value, "end": "e"});
        let error = in_hex(&schema, &body).unwrap_err();
        assert!(
            error.to_string().ends_with("where an array is due"),
            "{error}"
        );
    }
}

#[test]
fn an_empty_body_is_told_from_one_that_cannot_be_sent_and_comes_first() {
    let file = json!({"r": {
        "message P": {"required uInt32 a": 1, "optional string b": 2},
        "message E": {"optional uInt32 a": 1},
        "required string s": 1,
        "optional P p": 2,
        "repeated P ps": 3,
        "optional E e": 4,
    }});
    let schema = schema(&file);
    let missing = [
        (json!({}), "s is missing"),
        (json!(null), "s is missing"),
        (json!({"s": "", "p": {}}), "p.a is missing"),
        (json!({"s": "", "p": {"b": "x"}}), "p.a is missing"),
        (json!({"s": "", "p": null}), "p is missing"),
        (json!({"s": "", "p": 5}), "p.a is missing"),
        (json!({"s": "", "ps": [{"a": 1}, {}]}), "ps.a is missing"),
        (json!({"s": "", "ps": [null]}), "ps is missing"),
        (json!({"s": 5, "p": {}}), "p.a is missing"),
    ];
    for (body, message) in missing {
        let error = in_hex(&schema, &body).unwrap_err();
        assert!(error.is_empty_body(), "{body}: {error}");
        assert_eq!(error.to_string(), message, "{body}");
    }
    let wrong = [
        (json!({"s": 5}), "s: 5 where a text is due"),
        (
            json!({"s": "", "p": {"a": -1}}),
            "p.a: -1 where a whole number from 0 is due",
        ),
        (json!({"s": "", "e": 5}), "e: 5 where an object is due"),
        (
            json!({"s": "", "e": [{"a": 1}]}),
            "e: an array where an object is due",
        ),
    ];
    for (body, message) in wrong {
        let error = in_hex(&schema, &body).unwrap_err();
        assert!(!error.is_empty_body(), "{body}: {error}");
        assert_eq!(error.to_string(), message, "{body}");
    }
    assert_eq!(
        in_hex(&schema, &json!({"s": "", "e": {}})).as_deref(),
        Ok("0a002200")
    );
}

#[test]
fn a_long_text_of_three_byte_characters_is_whole() {
    // The original cuts it off: it has room for twice the 109 characters of the JSON.
    let schema = schema(&json!({"r": {"required string v": 1}}));
    let body = json!({"v": "中".repeat(100)});
    let bytes = schema.encode("r", &body).unwrap();
    assert_eq!(bytes.len(), 3 + 300);
    assert_eq!(schema.decode("r", &bytes), Ok(body));
}

#[test]
fn keys_that_are_array_indices_come_first() {
    let schema = schema(&json!({"r": {"optional uInt32 b": 2, "optional uInt32 1": 1}}));
    assert_eq!(
        in_hex(&schema, &json!({"b": 1, "1": 2})).as_deref(),
        Ok("08021001")
    );
}

#[test]
fn routes_that_are_not_there_are_json() {
    let schema = schema(&json!({"r": {"optional uInt32 v": 1}}));
    assert!(schema.encodes("r"));
    for route in ["", "s", "toString", "__proto__"] {
        assert!(!schema.encodes(route));
        let encoded = schema.encode(route, &json!({"v": 1}));
        assert_eq!(encoded, Err(EncodeError::UnknownRoute));
        assert_eq!(schema.decode(route, &[]), Err(DecodeError::UnknownRoute));
    }
}

#[test]
fn a_type_of_the_message_itself_comes_before_one_for_all() {
    let file = json!({
        "message G": {"required string y": 1},
        "r": {"required G g": 1, "message G": {"required uInt32 z": 1}},
    });
    let schema = schema(&file);
    let body = json!({"g": {"z": 1}});
    assert_eq!(in_hex(&schema, &body).as_deref(), Ok("0a020801"));
    assert_eq!(schema.decode("r", &unhex("0a020801")), Ok(body));
}

#[test]
fn fields_without_a_type_or_tag_are_refused_and_the_others_work() {
    let file = json!({"r": {"optional Gone a": 1, "optional int32 b": "x", "optional int32 c": 2}});
    let schema = schema(&file);
    let error = |body| in_hex(&schema, &body).unwrap_err().to_string();
    assert_eq!(error(json!({"a": 1})), "a: there is no type \"Gone\"");
    assert_eq!(
        error(json!({"b": 1})),
        "b: its tag is no whole number from 0 to 2^28 - 1"
    );
    assert_eq!(in_hex(&schema, &json!({"c": 1})).as_deref(), Ok("1002"));
    assert!(matches!(
        schema.decode("r", &unhex("0a00")),
        Err(DecodeError::UnknownType { .. })
    ));
}

#[test]
fn a_message_may_go_beyond_its_length_as_in_the_original() {
    let file = json!({"r": {
        "message P": {"optional uInt32 a": 1, "optional string b": 2},
        "optional P p": 1,
        "optional uInt32 z": 3,
    }});
    let schema = schema(&file);
    let read = [
        ("0a0208011805", json!({"p": {"a": 1}, "z": 5})),
        ("0a0108011805", json!({"p": {"a": 1}, "z": 5})),
        ("0a0312056162631801", json!({"p": {"b": "abc\u{18}\u{1}"}})),
        ("0a0308011001", json!({"p": {"a": 1, "b": ""}})),
    ];
    for (hex, expected) in read {
        assert_eq!(schema.decode("r", &unhex(hex)), Ok(expected), "{hex}");
    }
    for hex in ["0a050801", "0a0a1205616263", "0a", "0aff", "18"] {
        let decoded = schema.decode("r", &unhex(hex));
        assert_eq!(decoded, Err(DecodeError::Truncated), "{hex}");
    }
}

#[test]
fn messages_within_each_other_are_bounded() {
    let schema = schema(&json!({"message G": {"optional G g": 1}, "r": {"optional G g": 1}}));
    let nested = |depth| (1..depth).fold(json!({}), |inner, _| json!({ "g": inner }));
    let deepest = nested(DEPTH_MAX);
    let bytes = schema.encode("r", &deepest).unwrap();
    assert_eq!(schema.decode("r", &bytes), Ok(deepest));
    let len = [bytes.len() as u8 | 0x80, (bytes.len() >> 7) as u8];
    let one_more = [&[0x0A], &len[..], &bytes].concat();
    assert_eq!(schema.decode("r", &one_more), Err(DecodeError::TooDeep));
    assert_eq!(
        schema.encode("r", &nested(DEPTH_MAX + 1)),
        Err(EncodeError::TooDeep)
    );

    // The connector hands bodies on as JSON, which is read again.
    let listed = self::schema(&json!({"message G": {"repeated G g": 1}, "r": {"repeated G g": 1}}));
    let deepest = (1..DEPTH_MAX).fold(json!({}), |inner, _| json!({ "g": [inner] }));
    let bytes = listed.encode("r", &deepest).unwrap();
    let json = listed.decode("r", &bytes).unwrap().to_string();
    assert_eq!(body::decode(json.as_bytes()), deepest);

    let too_deep: Vec<u8> = [0x0A, 0x7F].repeat(100_000);
    assert_eq!(schema.decode("r", &too_deep), Err(DecodeError::TooDeep));
}

#[test]
fn what_few_bytes_stand_for_is_bounded() {
    let name = "n".repeat(256);
    let schema = schema(&json!({
        "message M": {format!("optional uInt32 {name}"): 1},
        "r": {"repeated M m": 1, "repeated uInt32 v": 2, "optional string s": 3},
    }));
    // Each is a message of one field: 64 bytes and a letter for it, 64 and the name for the field.
    let message = 64 + 1 + 64 + 256;
    let most = DECODED_LEN_MAX / message;
    let body = |count: usize| [0x0A, 0x02, 0x08, 0x01].repeat(count);
    assert!(schema.decode("r", &body(most)).is_ok());
    let decoded = schema.decode("r", &body(most + 1));
    assert_eq!(decoded, Err(DecodeError::TooLarge));

    let mut numbers = vec![0x10, 0x80, 0x80, 0x80, 0x01];
    numbers.extend(vec![1; 2 << 20]);
    assert_eq!(schema.decode("r", &numbers), Err(DecodeError::TooLarge));
    let mut text = vec![0x1A, 0x80, 0x80, 0x80, 0x08];
    text.extend(vec![b'a'; 16 << 20]);
    assert_eq!(schema.decode("r", &text), Err(DecodeError::TooLarge));
}

#[test]
fn a_count_is_not_believed() {
    let file = json!({"r": {"repeated uInt32 v": 1, "repeated double d": 2}});
    let schema = schema(&file);
    for hex in ["08ffffffff0f05", "08ffffffffffffffffff7f", "11ffffff7f"] {
        let decoded = schema.decode("r", &unhex(hex));
        assert_eq!(decoded, Err(DecodeError::Truncated), "{hex}");
    }
    assert_eq!(schema.decode("r", &unhex("0800")), Ok(json!({"v": []})));
}

/// The bytes of one field `v` of a type, in hex.
fn encode(kind: &str, value: &Value) -> Result<String, EncodeError> {
    let key = format!("optional {kind} v");
    in_hex(&schema(&json!({"r": {key: 1}})), &json!({ "v": value }))
}

fn in_hex(schema: &Schema, body: &Value) -> Result<String, EncodeError> {
    Ok(hex::hex(&schema.encode("r", body)?))
}

fn unhex(text: &str) -> Vec<u8> {
    hex::unhex(text).expect("hex digits")
}
