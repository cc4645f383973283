//! Files that are no transcripts are refused by name and field, never passed over.

use std::fs;

use serde_json::{Value, json};

use crate::folder;
use crate::transcript::Transcript;

#[test]
fn a_file_of_another_layout_is_refused_with_its_field() {
    let cases: [(&str, Value, &str); 20] = [
        (
            "/config",
            json!("heartbeats off"),
            "config: only recordings with",
        ),
        (
            "/auto_heartbeats",
            json!(1),
            "auto_heartbeats: true or false was expected: 1",
        ),
        ("/conns", json!([]), "conns: an object was expected: []"),
        (
            "/conns/a/transport",
            json!("udp"),
            "conns.a.transport: unknown transport: \"udp\"",
        ),
        (
            "/conns/a/server",
            json!("chat-1"),
            "conns.a.server: unknown server: \"chat-1\"",
        ),
        (
            "/conns/a",
            json!({"server": "gate"}),
            "conns.a.transport: missing",
        ),
        ("/steps", json!({}), "steps: a list was expected: {}"),
        (
            "/steps/1/step",
            json!(1),
            "steps[1]: a step is out of order",
        ),
        (
            "/steps/0/what",
            json!(null),
            "steps[0].what: a string was expected: null",
        ),
        ("/steps/0/why", json!(1), "steps[0].why: unknown field: 1"),
        ("/events", json!([]), "events: nothing happens: []"),
        (
            "/events/0/step",
            json!(7),
            "events[0]: an event of a step that is not listed",
        ),
        (
            "/events/1/step",
            json!(0),
            "events[1]: an event is out of order",
        ),
        (
            "/events/0/conn",
            json!("b"),
            "events[0].conn: a connection that conns does not list: \"b\"",
        ),
        (
            "/events/0/dir",
            json!("up"),
            "events[0].dir: c2s or s2c was expected: \"up\"",
        ),
        (
            "/events/0/event",
            json!("reset"),
            "events[0].event: unknown event of a client: \"reset\"",
        ),
        (
            "/events/1/hex",
            json!("0x"),
            "events[1].hex: hex digits were expected: \"0x\"",
        ),
        (
            "/events/1/hex",
            json!("030"),
            "events[1].hex: an even number of hex digits was expected",
        ),
        (
            "/events/1/frame",
            json!("video"),
            "events[1].frame: unknown frame: \"video\"",
        ),
        (
            "/events/1/fragments",
            json!([1, 2]),
            "events[1].fragments: the fragments are not as long",
        ),
    ];
    for (pointer, value, expected) in cases {
        let mut file = good();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match file.pointer_mut(parent).unwrap() {
            Value::Array(elements) => elements[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        }
        let error = Transcript::read("brought.json", &file.to_string()).unwrap_err();
        assert!(
            error.starts_with(&format!("brought.json: {expected}")),
            "{error}"
        );
    }
}

#[test]
fn a_field_that_is_missing_is_named() {
    for name in [
        "name",
        "config",
        "auto_heartbeats",
        "conns",
        "steps",
        "events",
    ] {
        let mut file = good();
        file.as_object_mut().unwrap().remove(name);
        let error = Transcript::read("brought.json", &file.to_string()).unwrap_err();
        assert_eq!(error, format!("brought.json: {name}: missing"));
    }
    let mut file = good();
    file["events"][1].as_object_mut().unwrap().remove("hex");
    let error = Transcript::read("brought.json", &file.to_string()).unwrap_err();
    assert!(
        error.starts_with("brought.json: events[1]: neither hex"),
        "{error}"
    );
}

#[test]
fn text_that_is_not_json_and_json_that_is_no_object_are_refused() {
    let error = Transcript::read("brought.json", "{\"name\":").unwrap_err();
    assert!(error.starts_with("brought.json: not JSON: EOF"), "{error}");
    let error = Transcript::read("brought.json", "[]").unwrap_err();
    assert_eq!(error, "brought.json: the file: an object was expected: []");
}

#[test]
fn a_folder_without_transcripts_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = folder::transcripts(folder.path()).unwrap_err();
    assert!(
        error.ends_with(": no transcripts, which are files named *.json"),
        "{error}"
    );
    assert!(
        error.starts_with(&folder.path().display().to_string()),
        "{error}"
    );

    let missing = folder.path().join("missing");
    let error = folder::transcripts(&missing).unwrap_err();
    assert!(
        error.starts_with(&format!("{}: ", missing.display())),
        "{error}"
    );

    let file = folder.path().join("bytes.json");
    fs::write(&file, b"\xFF").unwrap();
    let error = folder::transcripts(folder.path()).unwrap_err();
    assert!(
        error.starts_with(&format!("{}: ", file.display())),
        "{error}"
    );

    fs::write(&file, good().to_string()).unwrap();
    fs::write(folder.path().join("notes.txt"), "not one of them").unwrap();
    assert_eq!(folder::transcripts(folder.path()).unwrap().len(), 1);
}

/// A whole transcript.
fn good() -> Value {
    json!({
        "name": "good",
        "description": "nothing much",
        "recorded_on": "paper",
        "config": "default",
        "auto_heartbeats": true,
        "conns": {"a": {"transport": "ws", "server": "connector-1"}},
        "steps": [{"step": 1, "what": "a speaks"}, {"step": 2, "what": "the end", "teardown": true}],
        "events": [
            {"t_ms": 0, "step": 1, "conn": "a", "dir": "c2s", "event": "open"},
            {"t_ms": 5, "step": 1, "conn": "a", "dir": "c2s", "frame": "binary", "hex": "03000000"},
            {"t_ms": 9, "step": 2, "conn": "a", "dir": "c2s", "event": "close"},
        ],
    })
}
