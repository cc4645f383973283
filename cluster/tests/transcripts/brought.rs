//! Files of others: what their layout knows besides what the recordings beside these tests have in
//! them, and that files of another layout are refused and never passed over.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::hex::hex;
use crate::package;
use crate::{file, own, replay_alone};

/// A whole file.
const GOOD: &str = r#"{
    "name": "good", "config": "default", "auto_heartbeats": true,
    "conns": {"a": {"transport": "ws", "server": "connector-1"}},
    "steps": [{"step": 1, "what": "a speaks"}, {"step": 2, "what": "end", "teardown": true}],
    "events": [
        {"t_ms": 0, "step": 1, "conn": "a", "dir": "c2s", "event": "open"},
        {"t_ms": 5, "step": 1, "conn": "a", "dir": "c2s", "frame": "binary", "hex": "03000000"},
        {"t_ms": 9, "step": 2, "conn": "a", "dir": "c2s", "event": "close"}
    ]
}"#;

/// How much of a long payload is written down, in bytes.
const HEAD_LEN: usize = 200;

#[tokio::test]
async fn long_payloads_are_made_up_from_what_was_written_down_of_them() {
    let content = "0123456789".repeat(7_000);
    let body = json!({"content": content, "target": "*"}).to_string();
    let request = package::encode_request(2, "chat.chatHandler.send", &body);
    // Their lengths in base 128: 70,000, 5, 1.
    let fields = [
        b"\x0A\xF0\xA2\x04",
        content.as_bytes(),
        b"\x12\x05alice\x1A\x01*",
    ];
    let push = package::encode_push("onChat", &fields.concat());
    let long_string = json!({
        "$long_string": true,
        "length_utf16": content.len(),
        "head": &content[..95],
        "sha256_utf8": hex(&Sha256::digest(content.as_bytes())),
    });
    let asked = json!({"content": long_string, "target": "*"});
    let pushed = json!({"msg": long_string, "from": "alice", "target": "*"});
    let events = [
        shortened("c2s", &request, &json!({"encoding": "json", "body": asked})),
        json!({"t_ms": 0, "step": 9, "conn": "a", "dir": "s2c", "frame": "binary",
            "hex": hex(&package::encode_response(2, "{}"))}),
        shortened(
            "s2c",
            &push,
            &json!({"encoding": "protobuf", "body": pushed}),
        ),
    ];
    let transcript = file::parse("brought.json", &alone_in_a_room(&events).to_string());
    replay_alone(transcript.unwrap()).await.unwrap();

    // A string that does not repeat itself cannot be made up.
    let mut events = events;
    events[0]["decoded"]["body"]["content"]["head"] = json!("0123456798");
    let error = file::parse("brought.json", &alone_in_a_room(&events).to_string());
    let error = error.unwrap_err();
    assert!(
        error.contains("]: the rest of this payload cannot be made up"),
        "{error}"
    );
}

#[tokio::test]
async fn messages_may_be_text_or_cut_and_pings_are_answered() {
    let request = |id| package::encode_request(id, "connector.entryHandler.nosuch", "{}");
    let refusal = |id| hex(&package::encode_response(id, r#"{"code":500}"#));
    let event = |dir: &str, frame: &str, hex: String| {
        let mut event = json!({"t_ms": 0, "step": 9, "conn": "a", "dir": dir});
        event["frame"] = json!(frame);
        event["hex"] = json!(hex);
        event
    };
    let mut cut = event("c2s", "text", hex(&request(3)));
    cut["fragments"] = json!([1, 0, 4, request(3).len() - 5]);
    let events = [
        event("c2s", "text", hex(&request(2))),
        event("s2c", "binary", refusal(2)),
        cut,
        event("s2c", "binary", refusal(3)),
        event("c2s", "ping", String::from("70696e67")),
        event("s2c", "pong", String::from("70696e67")),
        event("c2s", "close", String::from("0fa1")),
        event("s2c", "close", String::from("0fa1")),
        json!({"t_ms": 0, "step": 9, "conn": "a", "dir": "s2c", "event": "close"}),
    ];
    let transcript = file::parse("brought.json", &alone_in_a_room(&events).to_string());
    replay_alone(transcript.unwrap()).await.unwrap();
}

#[test]
fn a_file_of_another_layout_is_refused_with_the_place() {
    for (place, value, expected) in [
        ("/why", json!(1), "why: unknown field"),
        ("/config", json!("no heartbeats"), "config: unknown variant"),
        ("/steps/0/why", json!(1), "steps[0].why: unknown field"),
        ("/steps/1/step", json!(1), "steps[1]: out of order"),
        ("/steps/0/teardown", json!(true), "steps[1]: out of order"),
        ("/conns/a/why", json!(1), "conns.a.why: unknown field"),
        ("/events/1/why", json!(1), "events[1].why: unknown field"),
        ("/events/1/conn", json!("b"), "events[1]: its connection"),
        ("/events/0/dir", json!("s2c"), "events[0]: servers open"),
        ("/events/0/step", json!(7), "events[0]: its step"),
        ("/events/1/step", json!(0), "events[1]: out of order"),
        ("/events/1/hex", json!("0x"), "events[1].hex: pairs of hex"),
        ("/events/1/hex", json!("030"), "events[1].hex: pairs of hex"),
        ("/events/1/fragments", json!([1, 2]), "events[1]: its frag"),
        ("/events/0/event", json!(null), "events[0]: WebSocket"),
        ("/conns/a/transport", json!("tcp"), "events[1]: WebSocket"),
        ("/events", json!([]), "nothing happens"),
    ] {
        let mut whole: Value = serde_json::from_str(GOOD).unwrap();
        let (parent, name) = place.rsplit_once('/').unwrap();
        whole.pointer_mut(parent).unwrap()[name] = value;
        assert_refused(&whole.to_string(), expected);
    }
    for (from, to, expected) in [
        ("\"hex\"", "\"decoded\"", "events[1]: neither"),
        ("\"name\": \"good\",", "", "missing field `name`"),
        ("}\n    ]", "", "events: EOF"),
    ] {
        assert_refused(&GOOD.replace(from, to), expected);
    }
}

#[test]
fn a_folder_is_refused_by_name_if_it_has_none_or_one_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |path: &Path| {
        let error = file::transcripts(path).unwrap_err();
        let place = path.display().to_string();
        assert!(error.starts_with(&place), "{error}");
        error
    };
    fs::write(folder.path().join("notes.txt"), "not one of them").unwrap();
    assert!(refusal(folder.path()).ends_with(": no files named *.json"));
    refusal(&folder.path().join("missing"));
    let path = folder.path().join("one.json");
    fs::write(&path, b"\xFF").unwrap();
    assert!(refusal(folder.path()).starts_with(&path.display().to_string()));
    fs::write(&path, GOOD).unwrap();
    assert_eq!(file::transcripts(folder.path()).unwrap().len(), 1);
}

fn assert_refused(text: &str, expected: &str) {
    let error = file::parse("brought.json", text).unwrap_err();
    let expected = format!("brought.json: {expected}");
    assert!(error.starts_with(&expected), "{error}, not {expected}");
}

/// The recording of a user called `alice` who is alone in a room, with one step more.
fn alone_in_a_room(events: &[Value]) -> Value {
    let path = own().join("ws-private-message.json");
    let mut file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let is_entered = |event: &Value| event["conn"] == "a" && event["step"].as_u64() <= Some(4);
    let all = file["events"].as_array_mut().unwrap();
    all.retain(is_entered);
    all.extend_from_slice(events);
    file["steps"] = json!([
        {"step": 1, "what": "handshake"},
        {"step": 4, "what": "enter"},
        {"step": 9, "what": "one step more"},
    ]);
    file
}

fn shortened(dir: &str, payload: &[u8], decoded: &Value) -> Value {
    json!({
        "t_ms": 0, "step": 9, "conn": "a", "dir": dir, "frame": "binary",
        "hex_head": hex(&payload[..HEAD_LEN]),
        "bytes": payload.len(),
        "sha256": hex(&Sha256::digest(payload)),
        "decoded": decoded,
    })
}
