//! Who is in which room, under which name.

use serde_json::json;

use super::{C1, C2, C3};
use crate::script::{ENTER, Fence, Step};

/// Lists of members are by connector, in the order in which connectors and users came.
pub fn lists() -> Vec<Step> {
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

/// A name and its room are taken once on a connector.
pub fn duplicates() -> Vec<Step> {
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

/// A name comes by two connectors.
pub fn twins() -> Vec<Step> {
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

/// One session enters a second room. At its connector others are in both, so that what it is told
/// there is known to have arrived.
pub fn second_enters() -> Vec<Step> {
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

/// User names that are no usual ones.
pub fn odd_names() -> Vec<Step> {
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

/// Names of rooms likewise.
pub fn odd_rooms() -> Vec<Step> {
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
