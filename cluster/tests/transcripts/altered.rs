//! A replay that could not fail would prove nothing: recordings that were tampered with must fail,
//! and say where.

use std::time::Duration;

use bytes::Bytes;

use crate::payload::Payload;
use crate::transcript::{Event, Happened, Seen};
use crate::{named, replay_alone};

/// Three users in one room; step 6 ends with one pushed to and one answered.
const CHAT: &str = "tcp-private-message";
const ALICE_TO_BOB: u64 = 7;

#[tokio::test]
async fn a_changed_byte_in_a_push_is_found() {
    let error = replay_altered(|events| {
        let package = whole(&mut events[2]);
        let mut bytes = package.to_vec();
        // The last of the message, before the sender: "only for bob".
        let end = bytes.windows(3).position(|bytes| bytes == b"bob").unwrap() + 2;
        bytes[end] = b'c';
        *package = bytes.into();
    });
    let error = error.await;
    assert!(
        error.contains("tcp-private-message.json, step 7 (alice -> bob)\n b:"),
        "{error}"
    );
    let line = "push onChat 0a0c6f6e6c7920666f7220626f";
    assert!(
        error.contains(&format!("{line}63")) && error.contains(&format!("{line}62")),
        "{error}"
    );
}

#[tokio::test]
async fn an_answer_that_was_not_recorded_is_found() {
    let error = replay_altered(|events| drop(events.remove(1))).await;
    let expected = "step 7 (alice -> bob)\n a:\n  expected: nothing\n  got:\n    response 2 {}";
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn a_push_that_was_not_recorded_is_found() {
    let error = replay_altered(|events| drop(events.remove(2))).await;
    let expected = "step 7 (alice -> bob)\n b:\n  expected: nothing\n  got:\n    push onChat 0a0c";
    assert!(error.contains(expected), "{error}");
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_found() {
    let error = replay_altered(|events| events.insert(2, events[1].clone())).await;
    assert!(error.contains("step 7 (alice -> bob)\n a:"), "{error}");
    let twice = "expected:\n    response 2 {}\n    response 2 {}\n  got:\n    response 2 {}";
    assert!(error.ends_with(twice), "{error}");
}

#[tokio::test]
async fn an_end_that_does_not_come_is_found() {
    let error = replay_altered(|events| {
        let mut end = events[2].clone();
        end.happened = Happened::Server(Seen::Closed);
        events.push(end);
    });
    let error = error.await;
    assert!(
        error.contains("the end of the connection\n  got:"),
        "{error}"
    );
}

#[tokio::test]
async fn a_silence_before_the_handshake_that_is_none_is_found_at_the_end() {
    let mut transcript = named("tcp-send-before-enter");
    transcript.steps.truncate(1);
    let events = &mut transcript.steps[0].events;
    // The client stays silent after its handshake, the answer to which was not recorded.
    events.retain(|event| matches!(event.happened, Happened::Client(_)));
    events.pop();
    let error = replay_alone(transcript).await.unwrap_err();
    assert!(
        error.contains("tcp-send-before-enter.json, step 1 "),
        "{error}"
    );
    assert!(
        error.contains(" a:\n  expected: nothing\n  got:\n    handshake "),
        "{error}"
    );
}

/// Replays the beginning of a recording after a change in the step in which Alice writes to Bob:
/// her request, its answer, what Bob gets.
async fn replay_altered(alter: impl FnOnce(&mut Vec<Event>)) -> String {
    let mut transcript = named(CHAT);
    transcript.steps.retain(|step| step.number <= ALICE_TO_BOB);
    // Nobody waits for as long as the recording took.
    for event in transcript.events_mut() {
        event.at = Duration::ZERO;
    }
    let step = transcript.steps.last_mut().unwrap();
    assert_eq!(step.events.len(), 3);
    alter(&mut step.events);
    replay_alone(transcript).await.unwrap_err()
}

fn whole(event: &mut Event) -> &mut Bytes {
    match &mut event.happened {
        Happened::Server(Seen::Message {
            payload: Payload::Whole(bytes),
            ..
        }) => bytes,
        other => panic!("a message of the server was expected, not {other:?}"),
    }
}
