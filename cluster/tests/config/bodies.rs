//! Schemas that have room for what the cluster says and hears, and those that have not.

use bytes::Bytes;
use cluster::dispatch::{ENTER, QUERY_ENTRY, SEND};
use cluster::wire::message;
use cluster::wire::package::{self, BODY_LEN_LIMIT};
use cluster::wire::vocabulary::Vocabulary;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::folder::Folder;

/// The body that goes out as answer to a request of `route`.
fn written(vocabulary: &Vocabulary, route: &str, body: &Value) -> Bytes {
    let package = package::whole(vocabulary.response(1, route, body), BODY_LEN_LIMIT);
    let message = message::decode(package.expect("a package").body);
    message.expect("a message").body
}

/// What the cluster sends, with all that may be in a message.
fn sent() -> Vec<(&'static str, Vec<Value>)> {
    let notice = |route| json!({"route": route, "user": "zoë"});
    vec![
        (
            "onChat",
            vec![json!({"msg": "hello", "from": "zoë", "target": "*"})],
        ),
        ("onAdd", vec![notice("onAdd")]),
        ("onLeave", vec![notice("onLeave")]),
        (
            QUERY_ENTRY,
            vec![
                json!({"code": 200, "host": "chat.example", "port": 65535}),
                json!({"code": 500}),
            ],
        ),
        (
            ENTER,
            vec![json!({"users": ["ann", "zoë"]}), json!({"code": 500})],
        ),
        (SEND, vec![json!({}), json!({"code": 500})]),
    ]
}

/// What clients send.
fn heard() -> Vec<(&'static str, Value)> {
    vec![
        (QUERY_ENTRY, json!({"uid": "zoë"})),
        (ENTER, json!({"username": "zoë", "rid": "lobby"})),
        (SEND, json!({"content": "hello", "target": "ann"})),
    ]
}

/// Schemas with room for all of it.
pub const SERVER: &str = r#"{
    "onChat": {"required string msg": 1, "required string from": 2, "required string target": 3},
    "onAdd": {"required string route": 1, "required string user": 2},
    "onLeave": {"optional string route": 1, "optional string user": 2},
    "gate.gateHandler.queryEntry":
        {"required uInt32 code": 1, "optional string host": 2, "optional uInt32 port": 3},
    "connector.entryHandler.enter": {"repeated string users": 1, "optional sInt32 code": 2},
    "chat.chatHandler.send": {"optional double code": 1, "optional string route": 2}
}"#;
pub const CLIENT: &str = r#"{
    "gate.gateHandler.queryEntry": {"required string uid": 1},
    "connector.entryHandler.enter": {"required string username": 1, "optional string rid": 2},
    "chat.chatHandler.send":
        {"required string content": 1, "required string target": 2, "required uInt32 mine": 3}
}"#;

#[test]
fn schemas_with_room_for_everything_are_sound_and_lose_nothing() {
    let config = Folder::with("serverProtos.json", SERVER)
        .and("clientProtos.json", CLIENT)
        .sound();
    let vocabulary = config.options.vocabulary;
    for (route, bodies) in sent() {
        assert!(vocabulary.is_protobuf_from_server(route), "{route}");
        for body in bodies {
            let bytes = written(&vocabulary, route, &body);
            let read = vocabulary.read_from_server(route, &bytes);
            assert_eq!(number(read.expect("it is protobuf")), body, "{route}");
        }
    }
    for (route, mut body) in heard() {
        if route == SEND {
            body["mine"] = 7.into();
        }
        let bytes = vocabulary.write_to_server(route, &body).expect("it fits");
        let read = vocabulary.json_from_client(route, &bytes);
        let read: Value = serde_json::from_slice(&read.expect("it is protobuf")).expect("JSON");
        assert_eq!(read, body, "{route}");
    }
}

/// `body` with a whole number as its `code`, which is 500.0 if it was a double.
fn number(mut body: Value) -> Value {
    if let Some(code) = body["code"].as_f64() {
        body["code"] = (code as u64).into();
    }
    body
}

// BEHAVIOUR 3.4: a name that is taken is answered with an error besides the code.
#[test]
fn the_refusal_of_a_name_fits_with_and_without_its_error() {
    for fields in [
        "",
        ", \"optional float error\": 3",
        ", \"repeated sInt32 error\": 3",
    ] {
        let text = format!(
            "{{\"{ENTER}\": {{\"repeated string users\": 1, \"optional uInt32 code\": 2{fields}}}}}"
        );
        let folder = Folder::with("serverProtos.json", &text);
        if fields.contains("repeated") {
            assert!(folder.load().is_err(), "{fields}");
            continue;
        }
        let vocabulary = folder.sound().options.vocabulary;
        let refusal = json!({"code": 500, "error": true});
        let bytes = written(&vocabulary, ENTER, &refusal);
        let read = vocabulary
            .read_from_server(ENTER, &bytes)
            .expect("protobuf");
        assert_eq!(read["code"], 500, "{fields}");
    }
}

#[test]
fn each_field_without_room_is_named_with_its_message_line_and_remedy() {
    let problems = |name: &str, text: &str| {
        let problems = Folder::with(name, text).problems();
        problems.replace(&format!("DIR/{name}:"), "")
    };
    for (from, to, expected) in [
        (
            "\"required string msg\": 1, ",
            "",
            "2: onChat: lacks \"msg\", which the cluster sends: add \"required string msg\"",
        ),
        (
            "string msg",
            "uInt32 msg",
            "2: onChat: \"required uInt32 msg\": cannot hold the texts that the cluster sends: \
             write \"required string msg\"",
        ),
        (
            "\"required string user\": 2",
            "\"repeated string user\": 2",
            "3: onAdd: \"repeated string user\": cannot hold the texts that the cluster sends: \
             write \"required string user\"",
        ),
        (
            "\"required uInt32 code\": 1, \"optional string host\": 2",
            "\n\"required string code\": 1, \"required string host\": 2",
            "7: gate.gateHandler.queryEntry: \"required string code\": \
             cannot hold the numbers that the cluster sends: write \"required uInt32 code\"\n\
             7: gate.gateHandler.queryEntry: \"required string host\": \
             is not in every answer, such as {\"code\":500}: write \"optional string host\"",
        ),
        (
            "repeated string users",
            "optional string users",
            "7: connector.entryHandler.enter: \"optional string users\": \
             cannot hold the lists of texts that the cluster sends: write \"repeated string users\"",
        ),
        (
            "\"optional sInt32 code\": 2",
            "\"optional sInt32 code\": 2, \"optional uInt32 error\": 3",
            "7: connector.entryHandler.enter: \"optional uInt32 error\": \
             cannot hold true, which the cluster sends beside a code: remove it",
        ),
        (
            "\"optional string route\": 2}\n}",
            "\"required string id\": 2}\n}",
            "8: chat.chatHandler.send: \"required string id\": \
             is never sent by the cluster: write optional, or remove it",
        ),
        (
            "\"optional double code\": 1, ",
            "",
            "8: chat.chatHandler.send: lacks \"code\", which the cluster sends: \
             add \"optional uInt32 code\"",
        ),
    ] {
        assert!(SERVER.contains(from), "{from}");
        let text = SERVER.replacen(from, to, 1);
        assert_eq!(problems("serverProtos.json", &text), expected, "{to}");
    }
    for (from, to, expected) in [
        (
            "string uid",
            "uInt32 uid",
            "2: gate.gateHandler.queryEntry: \"required uInt32 uid\": \
             cannot hold the texts that the cluster reads: write \"required string uid\"",
        ),
        (
            "optional string rid",
            "optional string room",
            "3: connector.entryHandler.enter: lacks \"rid\", which the cluster reads: \
             add \"required string rid\"",
        ),
        (
            "string content",
            "Content content",
            "5: chat.chatHandler.send: \"required Content content\": there is no type \"Content\" \
             here: known here are uInt32, sInt32, int32, float, double, string",
        ),
    ] {
        assert!(CLIENT.contains(from), "{from}");
        let text = CLIENT.replacen(from, to, 1);
        assert_eq!(problems("clientProtos.json", &text), expected, "{to}");
    }
}

/// A schema of one route, whose fields may be right.
fn schema(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    let option = select(vec!["required", "optional", "repeated"]);
    let kind = select(vec![
        "uInt32", "sInt32", "int32", "float", "double", "string",
    ]);
    let fields = (1..=names.len()).prop_flat_map(move |count| {
        let names = subsequence(names.to_vec(), count);
        let kinds = proptest::collection::vec((option.clone(), kind.clone()), count);
        (names, kinds)
    });
    fields.prop_map(|(names, kinds)| {
        let fields: Vec<String> = names
            .iter()
            .zip(kinds)
            .zip(1..)
            .map(|((name, (option, kind)), tag)| format!("\"{option} {kind} {name}\": {tag}"))
            .collect();
        format!("{{{}}}", fields.join(", "))
    })
}

/// Whether each body comes back, but for fields that were never there to be needed.
fn comes_back(folder: &Folder, route: &str, bodies: &[Value]) -> Result<(), TestCaseError> {
    let loaded = folder.load();
    let Ok(config) = loaded else {
        return Ok(());
    };
    let vocabulary = config.options.vocabulary;
    for body in bodies {
        let bytes = written(&vocabulary, route, body);
        let read = vocabulary.read_from_server(route, &bytes);
        prop_assert_eq!(number(read.expect("protobuf")), body.clone());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The codec itself is the judge of what was accepted.
    #[test]
    fn whatever_is_accepted_loses_nothing(
        chat in schema(&["msg", "from", "target", "other"]),
        entry in schema(&["code", "host", "port"]),
        enter in schema(&["users", "code"]),
        send in schema(&["code", "other"]),
    ) {
        for (route, schema) in [("onChat", chat), (QUERY_ENTRY, entry), (ENTER, enter), (SEND, send)] {
            let text = format!("{{\"{route}\": {schema}}}");
            let folder = Folder::with("serverProtos.json", &text);
            let bodies = sent().into_iter().find(|(name, _)| *name == route);
            comes_back(&folder, route, &bodies.expect("it is sent").1)?;
        }
    }
}
