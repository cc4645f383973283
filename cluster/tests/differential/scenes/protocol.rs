//! What a client may say before it is in a room, and what it may not say at all.

use serde_json::json;

use super::{C1, C2, GATE};
use crate::script::{ENTER, Fence, QUERY, SEND, Step};

/// Clients that know dictionary and schemas, and those that know nothing.
pub fn handshakes() -> Vec<Step> {
    // The digests of the example's dictionary and schemas, which the original announces.
    let dict = r#""dictVersion":"s2r1qfKDrbhWCkA6uf+PTA==""#;
    let proto = r#""protoVersion":"2zWPnSlRsRxjqgcU215Uxg==""#;
    let sys = |fields: &str| format!(r#"{{"sys":{{"type":"js-websocket",{fields}}}}}"#);
    vec![
        Step::new("handshakes that know nothing, and other versions")
            .open("fresh", C1)
            .open("fresh at gate", GATE)
            .open_with("other", C1, &sys(r#""dictVersion":"x","protoVersion":1"#)),
        Step::new("handshakes that know dictionary, schemas, both")
            .open_with("knows dict", C1, &sys(dict))
            .open_with("knows proto", C1, &sys(proto))
            .open_with("knows both", C1, &sys(&format!("{dict},{proto}")))
            .open_with("knows both at gate", GATE, &sys(&format!("{dict},{proto}"))),
        Step::new("who knows all hears the same")
            .enter("knows both", "kurt", "known")
            .ask_code(
                "knows both",
                1,
                json!({"content": "by code", "target": "*"}),
            )
            .say("knows both", "by name", "*"),
        Step::new("handshakes with little or nothing in them")
            .open_with("bare", C2, r#"{"sys":{}}"#)
            .open_with("one", C2, r#"{"sys":1}"#)
            .open_with("none", C2, "{}")
            .open_with("null", C2, r#"{"sys":null,"user":{}}"#)
            .open_with("empty", C2, "")
            .open_with("no json", C2, "{")
            .open_with("none at gate", GATE, "{}"),
        Step::new("a second handshake and ack mean nothing")
            .write("bare", &b"\x01\0\0\x0a{\"sys\":{}}"[..])
            .write("bare", &b"\x02\0\0\0"[..]),
        Step::new("they go")
            .close("fresh")
            .close("fresh at gate")
            .close("other")
            .close("knows dict")
            .close("knows proto")
            .close("knows both")
            .close("knows both at gate")
            .close("bare")
            .close("one"),
    ]
}

/// All that a gate is asked.
pub fn gate() -> Vec<Step> {
    let mut users = Step::new("users are sent to their connectors").open("g", GATE);
    for uid in [
        "ann", "bob", "carl", "dora", "user-17", "中", "é", "😀", " ", "a*b",
    ] {
        users = users.ask("g", QUERY, json!({"uid": uid}));
    }
    let mut odd = Step::new("uids that are no text");
    for uid in [
        json!(5),
        json!(-0.5),
        json!(true),
        json!({}),
        json!([]),
        json!(""),
        json!(0),
        json!(null),
        json!(false),
    ] {
        odd = odd.ask("g", QUERY, json!({"uid": uid}));
    }
    let mut bodies = Step::new("bodies that are no object");
    for body in [
        "",
        "{",
        "null",
        "5",
        "\"ann\"",
        "{\"uid\":\"ann\"}\0",
        "\u{FEFF}{}",
    ] {
        bodies = bodies.ask_raw("g", QUERY, body);
    }
    vec![
        users,
        odd,
        bodies
            .ask("g", QUERY, json!([{"uid": "ann"}]))
            .ask_raw("g", QUERY, r#"{"uid":"ann","uid":"carl"}"#)
            .ask_raw("g", QUERY, &b"{\"uid\":\"\xED\xA0\xBD\xED\xB8\x80\"}"[..])
            .ask("g", QUERY, json!({"username": "ann"})),
        unknown_routes(Step::new("routes that the gate has not"), "g")
            .ask("g", ENTER, json!({"username": "ann", "rid": "lobby"}))
            .ask("g", SEND, json!({"content": "hi", "target": "*"}))
            .ask_code("g", 3, json!({"uid": "ann"})),
        Step::new("what is no request, at the gate")
            .notify("g", QUERY, json!({"uid": "ann"}))
            .message(
                "g",
                b"\x00\x00\x1agate.gateHandler.queryEntry{\"uid\":\"ann\"}",
            )
            .message("g", b"\x04\x01{}")
            .message("g", b"\x08\x01{}"),
        Step::new("the gate's user goes").close("g"),
    ]
}

/// What a connector is asked, by names, by codes, and in ways that want no answer.
pub fn routes() -> Vec<Step> {
    vec![
        unknown_routes(
            Step::new("routes that a connector has not").open("r", C1),
            "r",
        )
        .ask("r", QUERY, json!({"uid": "ann"})),
        Step::new("chat before enter").say("r", "hello", "*").ask(
            "r",
            "chat.chatHandler.none",
            json!({}),
        ),
        Step::new("enter by code, and chat routes that are none")
            .ask_code("r", 2, json!({"username": "rita", "rid": "routes"}))
            .fence("r", Fence::Room)
            .ask("r", "chat.chatHandler.none", json!({}))
            .ask("r", "chat.noneHandler.send", json!({}))
            .ask("r", "chat.chatRemote.add", json!({}))
            .ask("r", "chat.chatHandler", json!({}))
            .ask("r", "chat.chatHandler.send.more", json!({}))
            .ask_code("r", 3, json!({"uid": "ann"})),
        Step::new("what is no request")
            .notify("r", SEND, json!({"content": "notified", "target": "*"}))
            .notify(
                "r",
                SEND,
                json!({"content": "to nobody", "target": "nobody"}),
            )
            .notify("r", "no.such.route", json!({}))
            .message(
                "r",
                b"\x06\x15chat.chatHandler.send{\"content\":\"pushed\",\"target\":\"*\"}",
            )
            .message(
                "r",
                b"\x03\x00\x01{\"content\":\"by code\",\"target\":\"*\"}",
            )
            .message(
                "r",
                b"\x00\x00\x15chat.chatHandler.send{\"content\":\"0\",\"target\":\"*\"}",
            )
            .message("r", b"\x04\x01{}")
            .message("r", b"\x0c{}"),
        Step::new("flags and ids that are odd but good").message(
            "r",
            b"\xf0\x81\x00\x15chat.chatHandler.send{\"content\":\"z\",\"target\":\"*\"}",
        ),
        Step::new("names of what every object has")
            .ask("r", "connector.entryHandler.toString", json!({}))
            .ask("r", "chat.chatHandler.hasOwnProperty", json!({})),
        Step::new("rita goes").close("r"),
    ]
}

/// Some that nobody has, and some that are none.
fn unknown_routes(step: Step, conn: &'static str) -> Step {
    let mut step = step;
    for route in [
        "a.b",
        "a.b.c.d",
        "gate.gateHandler.none",
        "gate.noneHandler.queryEntry",
        "connector.entryHandler.none",
        "connector.noneHandler.enter",
        "none.entryHandler.enter",
        "a",
        "",
        ".a.b",
    ] {
        step = step.ask(conn, route, json!({"uid": "ann"}));
    }
    step.ask_code(conn, 77, json!({}))
}

/// What ends a session, or leaves it half alive.
pub fn endings() -> Vec<Step> {
    let mut opened = Step::new("those come who will not stay");
    for (conn, server) in [
        ("x1", C1),
        ("x2", C1),
        ("x3", GATE),
        ("x4", C2),
        ("x5", C2),
        ("x6", GATE),
    ] {
        opened = opened.open(conn, server);
    }
    for conn in ["y1", "y2", "y3", "y4", "y5"] {
        opened = opened.open(conn, C1);
    }
    vec![
        opened,
        Step::new("attacks")
            .ask("x1", "connector.entryHandler.constructor", json!({}))
            .ask("x2", "chat.chatHandler.constructor", json!({}))
            .ask("x3", "gate.gateHandler.constructor", json!({})),
        Step::new("packages that no client may send")
            .write("x4", &b"\x05\0\0\0"[..])
            .write("x5", &b"\x09\0\0\0"[..])
            .write("x6", &b"\x00\0\0\0"[..]),
        Step::new("rooms that are none")
            .ask("y1", ENTER, json!({"username": "yan", "rid": null}))
            .unread("y1")
            .ask("y2", ENTER, json!({"username": "yan", "rid": ["a"]}))
            .unread("y2")
            .ask("y3", ENTER, json!({"username": "yan"}))
            .unread("y3"),
        Step::new("messages that are none")
            .message("y4", b"")
            .unread("y4")
            .message("y5", b"\x00\x01\x15chat.chatHandler")
            .unread("y5"),
    ]
}
