//! What the clients do: one script, in scenes that share nothing but the servers.

use serde_json::json;

use crate::script::{ENTER, Fence, QUERY, SEND, Step};

const GATE: &str = "gate-server-1";
const C1: &str = "connector-server-1";
const C2: &str = "connector-server-2";
const C3: &str = "connector-server-3";

/// The script. A connection is used in one scene only.
pub fn all() -> Vec<Step> {
    [
        handshakes(),
        gate(),
        routes(),
        room(),
        contents(),
        lists(),
        duplicates(),
        twins(),
        second_enters(),
        odd_names(),
        odd_rooms(),
        order(),
        endings(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn handshakes() -> Vec<Step> {
    // PROTOCOL 3: what this application's dictionary and schemas come to.
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

fn gate() -> Vec<Step> {
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

/// PROTOCOL 5.2.
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

fn routes() -> Vec<Step> {
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

fn room() -> Vec<Step> {
    vec![
        Step::new("three enter one room")
            .open("a", C1)
            .open("b", C2)
            .open("c", C3)
            .enter("a", "ann", "lobby")
            .enter("b", "bob", "lobby")
            .enter("c", "carl", "lobby"),
        Step::new("all say something to all")
            .say("a", "hello", "*")
            .say("b", "grüße, 中", "*")
            .say("c", "😀 👨‍👩‍👧", "*"),
        Step::new("private words")
            .say("a", "psst", "bob")
            .say("b", "to myself", "bob")
            .say("c", "", "ann"),
        Step::new("targets that are nobody's name")
            .say("a", "x", "nobody")
            .say("a", "x", "")
            .say("a", "x", "bob*lobby")
            .say("a", "x", "Bob")
            .ask("a", SEND, json!({"content": "x"}))
            .ask("a", SEND, json!({"content": "x", "target": null}))
            .ask("a", SEND, json!({"content": "x", "target": 7}))
            .ask("a", SEND, json!({})),
        Step::new("who sends and where is the session's, not the body's").ask(
            "a",
            SEND,
            json!({"content": "as bob", "target": "*", "from": "bob", "rid": "other"}),
        ),
        Step::new("a field called route comes back")
            .ask(
                "a",
                SEND,
                json!({"content": "1", "target": "*", "route": "foo"}),
            )
            .ask(
                "a",
                SEND,
                json!({"content": "2", "target": "*", "route": null}),
            )
            .ask(
                "a",
                SEND,
                json!({"content": "3", "target": "bob", "route": [1, {"a": 2}]}),
            ),
        Step::new("bob goes, and is nobody")
            .leave("b", "bob", "a")
            .say("a", "gone?", "bob")
            .say("c", "gone!", "*"),
        Step::new("bob is back, by another connector")
            .open("b again", C3)
            .enter("b again", "bob", "lobby")
            .say("a", "welcome", "bob"),
        Step::new("a notified enter")
            .open("n", C2)
            .notify("n", ENTER, json!({"username": "nora", "rid": "lobby"}))
            .fence("n", Fence::Room)
            .say("n", "here", "*"),
        Step::new("a wrapped enter, and a word right behind it")
            .open("w", C1)
            .ask("w", ENTER, json!([{"username": "walt", "rid": "lobby"}]))
            .fence("w", Fence::Room)
            .say("w", "in one breath", "*"),
        Step::new("a word and goodbye")
            .say("w", "bye", "*")
            .leave("w", "walt", "a"),
        Step::new("nora goes").leave("n", "nora", "a"),
        Step::new("bob goes for good").leave("b again", "bob", "c"),
        Step::new("carl goes").leave("c", "carl", "a"),
        Step::new("the last goes").close("a"),
    ]
}

fn contents() -> Vec<Step> {
    let long = "lang ".repeat(14_000);
    let mut odd = Step::new("contents that are no text");
    for content in [
        json!(5),
        json!(true),
        json!(null),
        json!({"a": 1}),
        json!(["a"]),
    ] {
        odd = odd.ask("ca", SEND, json!({"content": content, "target": "*"}));
    }
    vec![
        Step::new("two who try contents")
            .open("ca", C1)
            .open("cb", C2)
            .enter("ca", "cora", "contents")
            .enter("cb", "cleo", "contents"),
        Step::new("a long word").say("ca", &long, "*"),
        Step::new("all sorts of text")
            .say("ca", "", "*")
            .say("ca", "\0\u{1}\u{7f}\n\t\"\\/", "*")
            .say("ca", "\u{FEFF}\u{202E}\u{2028}", "*")
            .ask_raw(
                "ca",
                SEND,
                r#"{"content":"\ud83d\ude00 \ud83d! \ude00","target":"*"}"#,
            )
            .ask_raw("ca", SEND, r#"{"content":"\u00e9\/","target":"\u0063leo"}"#)
            .ask_raw(
                "ca",
                SEND,
                &b"{\"content\":\"\xED\xA0\xBD\xED\xB8\x80\",\"target\":\"*\"}"[..],
            )
            .ask_raw(
                "ca",
                SEND,
                &b"{\"content\":\"\xFF \xE2\x82 \xC0\xAF\",\"target\":\"*\"}"[..],
            )
            .ask_raw(
                "ca",
                SEND,
                r#"{"content":"first","content":"last","target":"*"}"#,
            ),
        Step::new("bodies that are no object, as words")
            .ask_raw("ca", SEND, "")
            .ask_raw("ca", SEND, "{\"content\":")
            .ask_raw("ca", SEND, "null")
            .ask_raw("ca", SEND, "\"*\"")
            .ask("ca", SEND, json!([{"content": "wrapped", "target": "*"}])),
        Step::new("no content").ask("ca", SEND, json!({"target": "*"})),
        odd,
        Step::new("targets that are no text").ask(
            "ca",
            SEND,
            json!({"content": "x", "target": ["*"]}),
        ),
        Step::new("they have tried contents")
            .close("ca")
            .close("cb"),
    ]
}

/// BEHAVIOUR 3.2.
fn lists() -> Vec<Step> {
    vec![
        Step::new("six enter by three connectors")
            .open("u1", C1)
            .open("u2", C2)
            .open("u3", C1)
            .open("u4", C3)
            .open("u5", C2)
            .open("u6", C1)
            .enter("u1", "u1", "list")
            .enter("u2", "u2", "list")
            .enter("u3", "u3", "list")
            .enter("u4", "u4", "list")
            .enter("u5", "u5", "list")
            .enter("u6", "u6", "list"),
        Step::new("the first goes and comes back")
            .leave("u1", "u1", "u3")
            .open("u1 again", C1)
            .enter("u1 again", "u1", "list"),
        Step::new("one of two at a connector goes").leave("u2", "u2", "u4"),
        Step::new("so does the other, and the first comes back")
            .leave("u5", "u5", "u4")
            .open("u2 again", C2)
            .enter("u2 again", "u2", "list"),
        Step::new("the six go")
            .close("u1 again")
            .close("u2 again")
            .close("u3")
            .close("u4")
            .close("u6"),
    ]
}

/// BEHAVIOUR 3.4, 3.6, 5.3.
fn duplicates() -> Vec<Step> {
    vec![
        Step::new("a name on two sessions of one connector")
            .open("d1", C1)
            .open("d2", C1)
            .open("dw", C2)
            .enter("dw", "witness", "doubles")
            .enter("d1", "dora", "doubles")
            .ask("d2", ENTER, json!({"username": "dora", "rid": "doubles"}))
            .say("d2", "am I in?", "*"),
        Step::new("the same again on the first session")
            .ask("d1", ENTER, json!({"username": "dora", "rid": "doubles"}))
            .say("d1", "still here", "*"),
        Step::new("the second session takes another name")
            .enter("d2", "dori", "doubles")
            .say("d2", "now I am", "dora"),
        Step::new("a name in two rooms")
            .open("d3", C1)
            .enter("d3", "dora", "elsewhere")
            .say("d3", "other room", "*")
            .say("d1", "this room", "*"),
        Step::new("a name is free when its user has gone")
            .leave("d1", "dora", "dw")
            .open("d4", C1)
            .enter("d4", "dora", "doubles"),
        Step::new("the doubles go")
            .close("d2")
            .close("d3")
            .close("d4")
            .close("dw"),
    ]
}

/// BEHAVIOUR 3.5.
fn twins() -> Vec<Step> {
    vec![
        Step::new("two for whom twins are")
            .open("t1", C1)
            .open("t2", C2)
            .open("tw", C3)
            .enter("tw", "witness", "twins")
            .enter("t1", "tina", "twins"),
        Step::new("a twin comes by another connector")
            .ask("t2", ENTER, json!({"username": "tina", "rid": "twins"}))
            .fence("t2", Fence::Room),
        Step::new("words to twins")
            .say("tw", "to both", "*")
            .say("tw", "to whom?", "tina"),
        Step::new("a twin goes")
            .close("t2")
            .original_sees("tw", "onLeave", "tina")
            .say("tw", "still there?", "tina"),
        Step::new("the twins go").close("t1").close("tw"),
    ]
}

/// BEHAVIOUR 3.7. At the connector of whoever enters a second room others are in both.
fn second_enters() -> Vec<Step> {
    vec![
        Step::new("one in each of two rooms, and one who will be in both")
            .open("s", C2)
            .open("s1", C2)
            .open("s2", C2)
            .enter("s1", "sue", "first")
            .enter("s2", "sam", "second")
            .enter("s", "sid", "first"),
        Step::new("a second room")
            .ask("s", ENTER, json!({"username": "sid", "rid": "second"}))
            .fence("s", Fence::Chat),
        Step::new("words in both rooms")
            .say("s1", "in the first", "*")
            .say("s2", "in the second", "*")
            .say("s", "where am I?", "*"),
        Step::new("they are done with rooms")
            .close("s")
            .close("s1")
            .close("s2"),
    ]
}

/// BEHAVIOUR 3.8, 3.9.
fn odd_names() -> Vec<Step> {
    let good = [
        ("o1", "a number enters", json!(7)),
        ("o2", "a number with a fraction enters", json!(-0.25)),
        ("o3", "a truth value enters", json!(true)),
        ("o4", "the empty name enters", json!("")),
        ("o5", "a name beyond Latin enters", json!("Ünïcødé 中 😀")),
    ];
    let bad = [
        ("o6", json!({"username": null, "rid": "null"})),
        ("o7", json!({"username": {}, "rid": "object"})),
        ("o8", json!({"username": ["a", "b"], "rid": "array"})),
        ("o9", json!({"username": "a*b", "rid": "star"})),
        ("o10", json!({"username": "*", "rid": "only star"})),
    ];
    let mut opened = Step::new("those with odd names come")
        .open("ow", C1)
        .enter("ow", "witness", "names");
    let mut steps = Vec::new();
    for (conn, step, username) in good {
        opened = opened.open(conn, C2);
        steps.push(
            Step::new(step)
                .ask(conn, ENTER, json!({"username": username, "rid": "names"}))
                .fence(conn, Fence::Room),
        );
    }
    let mut refused = Step::new("names that are none");
    for (conn, body) in bad {
        opened = opened.open(conn, C2);
        refused = refused.ask(conn, ENTER, body).fence(conn, Fence::Room);
    }
    let mut gone = Step::new("the odd go").close("ow");
    for conn in [
        "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9", "o10", "o11",
    ] {
        gone = gone.close(conn);
    }
    steps.insert(0, opened.open("o11", C2));
    steps.push(
        Step::new("no name enters")
            .ask("o11", ENTER, json!({"rid": "no name"}))
            .fence("o11", Fence::Room),
    );
    steps.push(refused);
    steps.push(gone);
    steps
}

fn odd_rooms() -> Vec<Step> {
    let mut opened = Step::new("those of odd rooms come");
    let mut entered = Step::new("rooms whose names are odd");
    let mut gone = Step::new("they leave the odd rooms");
    for (conn, rid) in [
        ("p1", json!(7)),
        ("p2", json!(true)),
        ("p3", json!("")),
        ("p4", json!("中 😀")),
        ("p5", json!("a*b")),
        ("p6", json!({})),
        ("p7", json!([])),
    ] {
        opened = opened.open(conn, C3);
        entered = entered
            .ask(conn, ENTER, json!({"username": conn, "rid": rid}))
            .fence(conn, Fence::Room);
        gone = gone.close(conn);
    }
    vec![opened, entered, gone]
}

/// BEHAVIOUR 6.
fn order() -> Vec<Step> {
    let mut many = Step::new("many words in one breath");
    for number in 0..50 {
        many = many.say("q1", &format!("word {number}"), "*");
    }
    vec![
        Step::new("two in a row")
            .open("q1", C1)
            .open("q2", C3)
            .enter("q1", "quinn", "queue")
            .enter("q2", "quentin", "queue"),
        many,
        Step::new("a far question and a near one")
            .say("q1", "far", "nobody")
            .ask("q1", "no.such.route", json!({})),
        Step::new("the queue is done").close("q1").close("q2"),
    ]
}

/// What ends a session, or leaves it half alive.
fn endings() -> Vec<Step> {
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
