//! What came back in one step on one connection, beside what was recorded.
//!
//! Answers and pushes may overtake each other, as the original's own do; each kind keeps its order,
//! and nothing overtakes the end of the connection or the kick before it.

use crate::hex::hex;
use crate::package::Package;
use crate::payload::Payload;
use crate::transcript::{Frame, Seen};

/// Whether `got` is what `expected` says.
pub fn matches(expected: &[Seen], got: &[Seen]) -> bool {
    [true, false].into_iter().all(|pushes| {
        let ordered = |all: &[Seen]| -> Vec<Seen> {
            let keeps_order = |seen: &&Seen| is_end(seen) || is_push(seen) == pushes;
            all.iter().filter(keeps_order).cloned().collect()
        };
        let (expected, got) = (ordered(expected), ordered(got));
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::package::{encode, encode_push, encode_response};

    #[test]
    fn answers_and_pushes_may_overtake_each_other_but_not_their_own_kind() {
        let [first, second] = [1, 2].map(|id| seen(&encode_response(id, "{}")));
        let [add, leave] = ["onAdd", "onLeave"].map(|route| seen(&encode_push(route, b"{}")));
        let all = |order: [&Seen; 4]| order.map(Seen::clone);
        let recorded = all([&first, &add, &second, &leave]);
        for other in [
            [&first, &second, &add, &leave],
            [&add, &leave, &first, &second],
        ] {
            assert!(matches(&recorded, &all(other)));
        }
        for other in [
            [&second, &add, &first, &leave],
            [&first, &leave, &second, &add],
        ] {
            assert!(!matches(&recorded, &all(other)));
        }
        assert!(!matches(&recorded, &recorded[..3]));
        assert!(!matches(&recorded[..3], &recorded));
    }

    #[test]
    fn nothing_overtakes_a_kick_or_the_end() {
        let push = seen(&encode_push("onAdd", b"{}"));
        for end in [seen(&encode(5, b"{}")), Seen::Closed] {
            let recorded = [push.clone(), end.clone()];
            assert!(matches(&recorded, &recorded));
            assert!(!matches(&recorded, &[end, push.clone()]));
        }
    }

    #[test]
    fn json_counts_by_value_and_all_else_byte_for_byte() {
        let is_same = |one: &[u8], other: &[u8]| matches(&[seen(one)], &[seen(other)]);
        let response = |id, body| encode_response(id, body);
        let recorded = response(1, r#"{"code":500,"error":true}"#);
        assert!(is_same(
            &recorded,
            &response(1, r#"{ "error": true, "code": 500 }"#)
        ));
        assert!(!is_same(
            &recorded,
            &response(2, r#"{"code":500,"error":true}"#)
        ));
        assert!(!is_same(&recorded, &response(1, r#"{"code":500}"#)));
        assert!(!is_same(
            &recorded,
            &response(1, r#"{"code":500,"error":"true"}"#)
        ));
        let lists = [r#"{"users":["a","b"]}"#, r#"{"users":["b","a"]}"#];
        let [list, other] = lists.map(|body| response(1, body));
        assert!(!is_same(&list, &other));
        let chat = |body| encode_push("onChat", body);
        assert!(is_same(&chat(b"\x0A\x01a"), &chat(b"\x0A\x01a")));
        assert!(!is_same(&chat(b"\x0A\x01a"), &chat(b"\x0A\x01b")));
        assert!(!is_same(&chat(b"{}"), &encode_push("onchat", b"{}")));
        // The flag says gzip.
        let mut flagged = recorded.clone();
        flagged[4] |= 0x10;
        assert!(!is_same(&recorded, &flagged));
    }

    #[test]
    fn a_long_payload_counts_by_its_digest() {
        let package = encode_push("onChat", &[7; 300]);
        let shortened = [Seen::Message {
            frame: Frame::Binary,
            payload: Payload::Digest {
                head: Bytes::copy_from_slice(&package[..20]),
                len: package.len() as u64,
                sha256: Bytes::copy_from_slice(&Sha256::digest(&package)),
            },
        }];
        assert!(matches(&shortened, &[seen(&package)]));
        let mut other = package;
        other[299] = 8;
        assert!(!matches(&shortened, &[seen(&other)]));
    }

    fn seen(package: &[u8]) -> Seen {
        Seen::message(package.to_vec())
    }
}
