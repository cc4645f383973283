//! What the layout of transcripts knows besides what the ones beside these tests have in them.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::package::{self, hex};
use crate::{file, own, replay_alone};

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

/// The recording of a user called `alice` who is alone in a room, with one step more.
fn alone_in_a_room(events: &[Value]) -> Value {
    let path = own().join("ws-private-message.json");
    let mut file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
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
