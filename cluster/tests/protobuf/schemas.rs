//! Schema files: what the original makes of odd ones, and what is said about them.

use std::error::Error;

use cluster::wire::protobuf::{DEFINITIONS_DEPTH_MAX, Schema, SchemaError};
use serde_json::{Map, Value, json};

use crate::schema;

#[test]
fn odd_files_are_parsed_as_by_the_original() {
    let field = r#"{"option":"required","type":"string","tag":1}"#;
    let empty = r#"{"__messages":{},"__tags":{}}"#;
    let one = format!(r#"{{"a":{field},"__messages":{{}},"__tags":{{"1":"a"}}}}"#);
    let parsed = [
        // JavaScript's order of keys.
        (
            r#"{"x":{},"10":{},"9":{}}"#,
            format!(r#"{{"9":{empty},"10":{empty},"x":{empty}}}"#),
        ),
        (
            r#"{"r":{"required string b":2,"required string 1":1}}"#,
            format!(
                r#"{{"r":{{"1":{field},"b":{{"option":"required","type":"string","tag":2}},"__messages":{{}},"__tags":{{"1":"1","2":"b"}}}}}}"#
            ),
        ),
        // Keys that are dropped, and types that are not there.
        (
            r#"{"r":{"required string a":1,"bogus string b":2,"required string d e":4,"d":5,"required  string f":6,"message":{},"message R ":{},"message P x":4,"":1}}"#,
            format!(r#"{{"r":{one}}}"#),
        ),
        (
            r#"{"r":{"required Gone a":1}}"#,
            format!(r#"{{"r":{one}}}"#).replace("\"string\"", "\"Gone\""),
        ),
        // Messages that are no objects.
        (
            r#"{"r":5,"s":null,"t":{"message P":"text"}}"#,
            format!(
                r#"{{"r":{empty},"s":{empty},"t":{{"__messages":{{"P":{empty}}},"__tags":{{}}}}}}"#
            ),
        ),
        // Tags and names that come twice.
        (
            r#"{"r":{"required string a":1,"optional int32 b":1}}"#,
            format!(r#"{{"r":{one}}}"#),
        ),
        (
            r#"{"r":{"required string a":1,"optional int32 a":2}}"#,
            String::from(
                r#"{"r":{"a":{"option":"optional","type":"int32","tag":2},"__messages":{},"__tags":{"1":"a","2":"a"}}}"#,
            ),
        ),
        // Tags that are none.
        (
            r#"{"r":{"required string k":1e21,"required string c":1.5,"required string d":"5","required string i":5,"required string e":null,"required string g":{},"required string h":[7]}}"#,
            String::from(
                r#"{"r":{"k":{"option":"required","type":"string","tag":1e+21},"c":{"option":"required","type":"string","tag":1.5},"d":{"option":"required","type":"string","tag":"5"},"e":{"option":"required","type":"string","tag":null},"g":{"option":"required","type":"string","tag":{}},"h":{"option":"required","type":"string","tag":[7]},"__messages":{},"__tags":{"5":"d","7":"h","1e+21":"k","1.5":"c","null":"e","[object Object]":"g"}}}"#,
            ),
        ),
        // Names that are taken.
        (
            r#"{"r":{"required string __messages":1,"required string __proto__":2,"required string x":3},"__proto__":{}}"#,
            String::from(
                r#"{"r":{"__messages":{},"x":{"option":"required","type":"string","tag":3},"__tags":{"1":"__messages","2":"__proto__","3":"x"}}}"#,
            ),
        ),
        // A type for all keeps its key.
        (
            r#"{"message A":{"required string a":1}}"#,
            format!(r#"{{"message A":{one}}}"#),
        ),
    ];
    for (file, expected) in parsed {
        let (schema, _) = Schema::from_text(file).unwrap();
        let text = serde_json::to_string(schema.to_parsed()).unwrap();
        // The digest has this number as JavaScript writes it.
        assert_eq!(text.replace("1e21", "1e+21"), expected, "{file}");
    }
}

#[test]
fn each_problem_names_message_and_field_and_says_what_would_be_right() {
    let file = json!({
        "onChat": {
            "required string msg": 1,
            "reqired string from": 2,
            "required strnig target": 3,
            "optional string time": 1,
            "optional int32 msg": 4,
            "optional int32 room": "5",
            "optional int32 size": 1.5,
            "optional int32 __tags": 6,
            "required  int32 twice": 7,
            "message Item": {"required Thing thing": 1, "color": 2},
        },
        "onAdd": null,
        "message string": {},
    });
    let (_, problems) = Schema::from_text(&file.to_string()).unwrap();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        r#"onChat: "reqired string from": "reqired" is no option: write required, optional or repeated"#,
        r#"onChat: "required strnig target": there is no type "strnig" here: did you mean "string"?"#,
        r#"onChat: "optional string time": tag 1 is that of "msg" already: give each field its own"#,
        r#"onChat: "optional int32 msg": there is a field "msg" already: rename one of them"#,
        r#"onChat: "optional int32 room": tag "5" is a text: write the number without quotes"#,
        r#"onChat: "optional int32 size": 1.5 is no tag: write a whole number from 0 to 268435455"#,
        r#"onChat: "optional int32 __tags": the name "__tags" is taken: choose another"#,
        r#"onChat: "required  int32 twice": no field: write "required string name", three words with one space between them, or "message Name""#,
        r#"onChat > message Item: "required Thing thing": there is no type "Thing" here: known here are uInt32, sInt32, int32, float, double, string"#,
        r#"onChat > message Item: "color": no field: write "required string name", three words with one space between them, or "message Name""#,
        r#"onAdd: null where an object of fields is due: write {"required string name": 1}"#,
        r#"message string: "string" is a type already: choose another name"#,
    ];
    assert_eq!(problems, expected);
}

#[test]
fn a_good_file_has_no_problems() {
    let file = json!({
        "message Path": {"required double x": 1, "optional Path next": 2},
        "onMove": {
            "required uInt32 entity": 1,
            "repeated Path path": 2,
            "message Item": {"required sInt32 id": 1, "optional Path way": 0},
            "optional Item item": 268_435_455,
        },
        "onNothing": {},
    });
    let (schema, problems) = Schema::from_text(&file.to_string()).unwrap();
    assert_eq!(problems, []);
    assert!(schema.encodes("onMove"));
}

#[test]
fn keys_that_come_twice_are_named() {
    let file = r#"{
        "onChat": {"required string msg": 1},
        "onChat": {
            "message P": {"optional int32 x": 1, "optional int32 x": 2},
            "optional int32 ok": [{"a": 1, "a": 2}]
        }
    }"#;
    let (_, problems) = Schema::from_text(file).unwrap();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    let expected = [
        "onChat: comes twice: remove one of them",
        r#"onChat > message P: "optional int32 x": comes twice: remove one of them"#,
        r#"onChat: "optional int32 ok": [{"a":2}] is no tag: write a whole number from 0 to 268435455"#,
    ];
    assert_eq!(problems, expected);
}

#[test]
fn types_of_a_message_around_are_not_found() {
    let file = json!({"onMove": {"message Item": {"optional Item inside": 1}}});
    let (_, problems) = Schema::from_text(&file.to_string()).unwrap();
    let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            r#"onMove > message Item: "optional Item inside": there is no type "Item" here: move it to the top of the file, where all messages find it"#
        ]
    );
}

#[test]
fn text_that_is_no_object_is_an_error() {
    for text in ["", "{", "{}}", &"[".repeat(1_000_000)] {
        let error = Schema::from_text(text).unwrap_err();
        assert!(matches!(error, SchemaError::NotJson(_)));
        assert!(error.source().is_some());
    }
    for (text, message) in [
        ("[]", "an array where an object of messages is due"),
        ("null", "null where an object of messages is due"),
        ("\"text\"", "a text where an object of messages is due"),
    ] {
        assert_eq!(Schema::from_text(text).unwrap_err().to_string(), message);
    }
}

#[test]
fn message_types_within_each_other_are_bounded() {
    let nested = |depth| {
        let inner = json!({"optional uInt32 v": 1});
        let file = (1..depth).fold(inner, |inner, _| json!({ "message P": inner }));
        Schema::from_text(&json!({ "r": file }).to_string()).unwrap()
    };
    let (deepest, problems) = nested(DEFINITIONS_DEPTH_MAX);
    assert_eq!(problems, []);
    // It reaches clients, whose readers stop at 128 levels.
    let text = json!({"sys": {"protos": {"server": deepest.to_parsed()}}}).to_string();
    let handshake: Value = serde_json::from_str(&text).unwrap();
    let parsed = handshake["sys"]["protos"]["server"].clone();
    assert_eq!(Schema::from_parsed(parsed).unwrap(), deepest);

    let (_, problems) = nested(DEFINITIONS_DEPTH_MAX + 1);
    assert_eq!(problems.len(), 1);
    let message = json!({"__messages": {}, "__tags": {}});
    let too_deep = (0..DEFINITIONS_DEPTH_MAX).fold(
        message,
        |inner, _| json!({"__messages": {"P": inner}, "__tags": {}}),
    );
    let error = Schema::from_parsed(json!({ "r": too_deep })).unwrap_err();
    assert!(matches!(error, SchemaError::TooDeep { .. }), "{error}");
}

#[test]
fn a_client_takes_what_a_newer_server_adds_to_the_parsed_form() {
    let parsed = json!({
        "r": {
            "v": {"option": "optional", "type": "uInt32", "tag": 1, "comment": "new"},
            "__comments": "new",
            "__options": {"a": 1},
        },
        "7": {},
    });
    let schema = Schema::from_parsed(parsed).unwrap();
    // As JavaScript has them, whoever wrote them.
    assert!(schema.to_parsed().keys().eq(["7", "r"]));
    // Tags that are not listed are those of the fields.
    assert_eq!(schema.decode("r", &[8, 5]), Ok(json!({"v": 5})));
}

#[test]
fn a_parsed_form_that_cannot_be_used_is_an_error_that_names_the_place() {
    let field = |field: Value| json!({"r": {"v": field, "__messages": {}, "__tags": {"1": "v"}}});
    let errors = [
        (json!([]), "an array where an object of messages is due"),
        (
            json!({"r": null}),
            "r: nothing where an object of fields is due",
        ),
        (
            json!({"r": {"__tags": []}}),
            "r.__tags: an array where an object is due",
        ),
        (
            json!({"r": {"__messages": 1}}),
            "r.__messages: 1 where an object is due",
        ),
        (
            json!({"r": {"__messages": {"P": true}}}),
            "r.__messages.P: a truth value where an object of fields is due",
        ),
        (
            field(json!(1)),
            "r.v: 1 where an object with option, type and tag is due",
        ),
        (
            field(json!({"option": "any", "type": "uInt32", "tag": 1})),
            "r.v.option: \"any\" where required, optional or repeated is due",
        ),
        (
            field(json!({"option": "required", "tag": 1})),
            "r.v.type: nothing where the name of a type is due",
        ),
        (
            field(json!({"option": "required", "type": "uInt32", "tag": -1})),
            "r.v.tag: -1 where a whole number from 0 to 2^28 - 1 is due",
        ),
    ];
    for (parsed, message) in errors {
        let error = Schema::from_parsed(parsed.clone()).unwrap_err();
        assert_eq!(error.to_string(), message, "{parsed}");
    }
}

#[test]
fn a_schema_without_routes_is_the_default() {
    assert_eq!(schema(&json!({})), Schema::default());
    assert_eq!(Schema::default().to_parsed(), &Map::new());
}
