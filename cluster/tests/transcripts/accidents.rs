//! Sessions in which the original comes to grief, as PROTOCOL 5.2 and 5.3 and BEHAVIOUR 3.5, 3.8 and
//! 4.6 say that it does: made of a recorded one, and replayed.

use std::time::Duration;

use bytes::Bytes;

use crate::chat::Chat;
use crate::transcript::{Action, Event, Frame, Happened, REFUSAL, Seen, Step, Transcript};
use crate::{artefacts, named, package, replay_alone};

const NOSUCH: &str = "connector.entryHandler.nosuch";

#[tokio::test]
async fn a_message_that_is_cut_short_ends_the_session() {
    for cut in [&b""[..], b"\x00\x81", b"\x00\x02\x05chat", b"\x01\x02\x00"] {
        let transcript = dead_after(package::encode(4, cut));
        let mut mended = transcript.clone();
        artefacts::mend(&mut mended);
        let [.., fifth, sixth, seventh] = &mended.steps[..] else {
            panic!("there are seven steps");
        };
        // A close frame and the end of the connection.
        assert_eq!(fifth.expected("a").len(), 2);
        assert_eq!(fifth.expected("w").len(), 1);
        assert!(sixth.events.is_empty() && seventh.events.is_empty());
        replay_alone(transcript).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_whose_handler_threw_is_refused() {
    let route = "connector.entryHandler.enter";
    for body in ["{\"username\":\"att\"}", "{\"rid\":[1]}", "[1,2]"] {
        let transcript = dead_after(package::encode_request(2, route, body));
        let mut mended = transcript.clone();
        artefacts::mend(&mut mended);
        assert_eq!(mended.steps[4].expected("a").len(), 1);
        assert!(mended.steps[5].events.is_empty());
        assert_eq!(mended.steps[6].expected("w").len(), 1);
        replay_alone(transcript).await.unwrap();
    }
}

#[tokio::test]
async fn a_route_that_every_object_knows_is_none() {
    for route in ["constructor", "toString", "__proto__"] {
        let request = package::encode_request(2, route, "{}");
        replay_alone(dead_after(request)).await.unwrap();
    }
}

#[tokio::test]
async fn a_method_that_every_object_knows_is_unknown_and_the_session_is_served_on() {
    let request = package::encode_request(2, "connector.entryHandler.toString", "{}");
    let mut transcript = dead_after(request);
    transcript.steps.truncate(6);
    transcript.steps[5].expect("a", Seen::response(99, REFUSAL));
    replay_alone(transcript).await.unwrap();
}

#[tokio::test]
async fn what_is_no_text_is_refused_and_not_delivered() {
    let empty = Seen::push("onChat", b"");
    for (body, delivered) in [
        (r#"{"content":5,"target":"*"}"#, None),
        (r#"{"content":"hi","target":["*"]}"#, None),
        (r#"{"target":"*"}"#, Some(empty)),
    ] {
        let request = package::encode_request(2, "chat.chatHandler.send", body);
        let mut transcript = dead_after(request);
        transcript.steps.truncate(5);
        let step = &mut transcript.steps[4];
        step.expect("a", Seen::response(2, "{}"));
        if let Some(push) = delivered {
            step.expect("a", push.clone());
            step.expect("w", push);
        }
        replay_alone(transcript).await.unwrap();
    }
}

#[tokio::test]
async fn a_twin_is_not_heard_not_listed_and_not_told_anything() {
    let mut transcript = named("tcp-duplicate-login");
    // `w` is there as "watcher", `a` as "alice", and `c` as a second one; `b` is not in yet.
    transcript.steps.truncate(10);

    let chat = Chat {
        message: "hi",
        from: "alice",
        target: "*",
    };
    let request = r#"{"content":"hi","target":"*"}"#;
    let mut said = asked(11, "c", 2, "chat.chatHandler.send", request);
    said.expect("c", Seen::response(2, "{}"));
    for label in ["a", "c", "w"] {
        said.expect(label, Seen::push("onChat", &chat.encode_body()));
    }

    let request = r#"{"username":"bob","rid":"room3"}"#;
    let mut entered = asked(12, "b", 3, "connector.entryHandler.enter", request);
    let users = r#"{"users":["watcher","alice","bob","alice"]}"#;
    entered.expect("b", Seen::response(3, users));
    for label in ["a", "c", "w"] {
        let news = br#"{"route":"onAdd","user":"bob"}"#;
        entered.expect(label, Seen::push("onAdd", news));
    }

    let mut left = step(13, vec![event("a", Happened::Client(Action::Close))]);
    for label in ["b", "c", "w"] {
        let news = br#"{"route":"onLeave","user":"alice"}"#;
        left.expect(label, Seen::push("onLeave", news));
    }

    transcript.steps.extend([said, entered, left]);
    replay_alone(transcript).await.unwrap();
}

/// Two users in one room, of whom `a` sends `package` in step 5, asks in step 6 whether it is still
/// served and gets no answer, and in step 7 is dropped, which `w` is told then.
fn dead_after(package: Vec<u8>) -> Transcript {
    let mut transcript = named("ws-kick-attack");
    transcript.steps.truncate(5);
    let fifth = &mut transcript.steps[4].events;
    // The request, a kick, a close frame, the end, and what the other is told.
    assert_eq!(fifth.len(), 5);
    let dropped = fifth.split_off(2);
    fifth.clear();
    fifth.push(event("a", sent(package)));
    let asked = sent(package::encode_request(99, NOSUCH, "{}"));
    transcript.steps.push(step(6, vec![event("a", asked)]));
    transcript.steps.push(step(7, dropped));
    transcript
}

/// A step in which one client asks something.
fn asked(number: u64, label: &str, id: u32, route: &str, body: &str) -> Step {
    let request = package::encode_request(id, route, body);
    step(number, vec![event(label, sent(request))])
}

fn step(number: u64, events: Vec<Event>) -> Step {
    Step {
        number,
        what: String::from("made up"),
        events,
    }
}

fn event(label: &str, happened: Happened) -> Event {
    Event {
        at: Duration::ZERO,
        connection: String::from(label),
        happened,
    }
}

fn sent(package: Vec<u8>) -> Happened {
    Happened::Client(Action::Send {
        frame: Frame::Binary,
        payload: Bytes::from(package),
        fragments: Vec::new(),
    })
}
