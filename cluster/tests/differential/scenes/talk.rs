//! Users in rooms who talk.

use serde_json::json;

use super::{C1, C2, C3};
use crate::script::{ENTER, Fence, SEND, Step};

/// The name of a step in which `w` enters a room and says something before that is answered.
pub const IN_ONE_BREATH: &str = "a wrapped enter, and a word right behind it";

/// The name of a step in which `q1` says something to all, [`WORDS`] times.
pub const MANY_WORDS: &str = "many words in one breath";

pub const WORDS: usize = 50;

/// A room as it should be.
pub fn room() -> Vec<Step> {
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
        Step::new(IN_ONE_BREATH)
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

/// All sorts of words, and some that are none.
pub fn contents() -> Vec<Step> {
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

/// What comes first.
pub fn order() -> Vec<Step> {
    let mut many = Step::new(MANY_WORDS);
    for number in 0..WORDS {
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
