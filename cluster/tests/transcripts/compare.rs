//! What came back in one step on one connection, beside what was recorded.
//!
//! Answers and pushes may overtake each other, as the original's own do; each kind keeps its order,
//! and nothing overtakes the end of the connection or the kick before it.

use crate::event::{Frame, Seen};
use crate::package::{Package, hex};
use crate::payload::Payload;

/// Whether `got` is what `expected` says.
pub fn matches(expected: &[Seen], got: &[Seen]) -> bool {
    let lanes = [Lane::Pushes, Lane::Others];
    lanes.into_iter().all(|lane| {
        let expected: Vec<&Seen> = lane.of(expected).collect();
        let got: Vec<&Seen> = lane.of(got).collect();
        let mut pairs = expected.iter().zip(&got);
        expected.len() == got.len() && pairs.all(|(expected, got)| is_same(expected, got))
    })
}

/// Both, line by line.
pub fn describe(expected: &[Seen], got: &[Seen]) -> String {
    let list = |title: &str, all: &[Seen]| {
        let lines = all.iter().map(|seen| format!("\n    {}", line(seen)));
        let lines: String = lines.collect();
        let nothing = if all.is_empty() { " nothing" } else { "" };
        format!("\n  {title}:{nothing}{lines}")
    };
    format!("{}{}", list("expected", expected), list("got", got))
}

/// What keeps its order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Pushes,
    Others,
}

impl Lane {
    fn of(self, all: &[Seen]) -> impl Iterator<Item = &Seen> {
        all.iter().filter(move |seen| {
            let is_push = is_push(seen);
            is_end(seen) || is_push == (self == Self::Pushes)
        })
    }
}

fn is_push(seen: &Seen) -> bool {
    // The message type is in the bits above the lowest of the flag, which follows the head.
    beginning(seen)
        .is_some_and(|bytes| matches!(bytes, [4, _, _, _, flag, ..] if flag >> 1 & 7 == 3))
}

fn is_end(seen: &Seen) -> bool {
    match seen {
        Seen::Message { frame, .. } => {
            *frame == Frame::Close || beginning(seen).is_some_and(|bytes| bytes.starts_with(&[5]))
        }
        Seen::Closed | Seen::Broken(_) => true,
    }
}

/// The first bytes of a package.
fn beginning(seen: &Seen) -> Option<&[u8]> {
    match seen {
        Seen::Message {
            frame: Frame::Binary,
            payload: Payload::Whole(bytes) | Payload::Digest { head: bytes, .. },
        } => Some(bytes),
        _ => None,
    }
}

fn is_same(expected: &Seen, got: &Seen) -> bool {
    match (expected, got) {
        (Seen::Closed, Seen::Closed) => true,
        (
            Seen::Message { frame, payload },
            Seen::Message {
                frame: got_frame,
                payload: Payload::Whole(bytes),
            },
        ) if frame == got_frame => match payload {
            Payload::Whole(expected) if *frame == Frame::Binary => {
                Package::decode(expected) == Package::decode(bytes)
            }
            payload => payload.is(bytes),
        },
        _ => false,
    }
}

fn line(seen: &Seen) -> String {
    match seen {
        Seen::Message {
            frame: Frame::Binary,
            payload: Payload::Whole(bytes),
        } => Package::decode(bytes).to_string(),
        Seen::Message {
            frame,
            payload: Payload::Whole(bytes),
        } => format!("{frame:?} {}", hex(bytes)),
        Seen::Message {
            frame,
            payload: Payload::Digest { head, len, .. },
        } => format!("{frame:?}, {len} bytes that begin with {}", hex(head)),
        Seen::Closed => String::from("the end of the connection"),
        Seen::Broken(what) => format!("what no server may do: {what}"),
    }
}
