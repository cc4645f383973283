//! G9: every queue stays in its bound.
//!
//! Demanded of every sample of every server:
//!
//! - no session ever had more packages waiting than the bound, no link more frames;
//! - all that waits for clients now is not more than the bound for each session.
//!
//! Demanded of a user who stopped reading: once its room was sent more messages, answered with
//! success, than its queue and its stream can hold, it is kicked. From three heartbeats after, and
//! not before the run has settled, no connector has its session.
//!
//! Let pass: bytes, which the servers do not count here; how quickly the others are served
//! meanwhile (G8 and G10 see a server that is stuck); notices, which fill the queue too; and a
//! deaf user whose name logged in again.

use std::collections::BTreeSet;
use std::time::Duration;

use cluster::census::Census;
use loadgen::history::Target;

use super::sessions::{Session, Stay};
use super::view::View;
use super::{Findings, clock};
use crate::record::Sample;

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut told = BTreeSet::new();
    let mut findings = Findings::new();
    for sample in &view.record.samples {
        for (server, census) in &sample.servers {
            for (table, what) in overflows(view, census) {
                // A high-water mark stays: the first sample tells.
                if told.insert((server, table)) {
                    findings.push((sample.at, format!("{server} {what}")));
                }
            }
        }
    }
    for session in &view.sessions {
        findings.extend(deaf(view, session));
    }
    findings
}

fn overflows(view: &View, census: &Census) -> Vec<(&'static str, String)> {
    let bounds = view.bounds;
    let tables = [
        ("session", census.queue_len_max, bounds.session_queue_len),
        ("link", census.outbox_len_max, bounds.outbox_len),
        (
            "all sessions",
            census.queued,
            bounds.session_queue_len * census.sessions,
        ),
    ];
    let over = tables.into_iter().filter(|(_, len, max)| len > max);
    over.map(|(table, len, max)| {
        let what = format!("had {len} packages waiting ({table}), of {max} at most");
        (table, what)
    })
    .collect()
}

fn deaf(view: &View, session: &Session) -> Option<(Duration, String)> {
    let deaf_at = session.deaf_at?;
    let stay = session
        .stays
        .iter()
        .find(|stay| stay.spans(deaf_at, deaf_at))?;
    let full_at = full_at(view, stay, deaf_at)?;
    let gone_by = view
        .record
        .settled_at
        .max(full_at + view.bounds.unnoticed());
    let again = view.sessions.iter().any(|other| {
        let mut enters = other.enters.iter();
        enters.any(|enter| enter.name == stay.name && enter.asked_at > deaf_at)
    });
    if again {
        return None;
    }
    let mut samples = view.record.samples.iter();
    let sample = samples.find(|sample| sample.at >= gone_by && has_session(sample, stay))?;
    let what = format!(
        "{session} reads nothing since {}, is more than full since {}, and is not kicked",
        clock(deaf_at),
        clock(full_at)
    );
    Some((sample.at, what))
}

/// When the room was sent one message more than a user who reads nothing can be sent. A message
/// counts if it was sent after the user went deaf, and from its answer on.
///
/// The stream has room for so many writes, and what comes at once is one. So it is full only after so
/// many messages of which each was sent when the one before it had certainly been written.
fn full_at(view: &View, stay: &Stay, deaf_at: Duration) -> Option<Duration> {
    let end = stay.switching_at.unwrap_or(Duration::MAX);
    let sent = view.messages.sent.values().filter(|sent| {
        sent.at >= deaf_at
            && *sent.target == Target::Room
            && sent.place().is_some_and(|place| place.room == stay.room)
    });
    let mut accepted: Vec<(Duration, Duration)> = sent
        .filter_map(|sent| Some((sent.accepted_at()?, sent.at)))
        .filter(|(accepted_at, _)| *accepted_at < end)
        .collect();
    accepted.sort();
    let (mut writes, mut written_by, mut waiting) = (0, Duration::ZERO, 0);
    for (accepted_at, sent_at) in accepted {
        if writes == view.bounds.stream_len {
            waiting += 1;
        } else if sent_at > written_by {
            writes += 1;
            written_by = accepted_at + view.bounds.one_way();
        }
        if waiting > view.bounds.session_queue_len {
            return Some(accepted_at);
        }
    }
    None
}

fn has_session(sample: &Sample, stay: &Stay) -> bool {
    let mut entered = sample.servers.values().flat_map(|census| &census.entered);
    entered.any(|(room, name)| room == stay.room && name == stay.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, CHAT, CONNECTOR_1, Story, in_red};

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    #[test]
    fn queues_may_be_full() {
        let connector = Census {
            queue_len_max: 4,
            outbox_len_max: 8,
            queued: 4,
            ..in_red(&[ALICE])
        };
        assert_eq!(
            findings(Story::new().sample(100, &[(CONNECTOR_1, connector)])),
            0
        );
    }

    #[test]
    fn a_queue_that_grew_over_its_bound_is_found_once() {
        let connector = Census {
            queue_len_max: 5,
            ..Census::default()
        };
        let story = Story::new()
            .sample(100, &[(CONNECTOR_1, connector.clone())])
            .sample(200, &[(CONNECTOR_1, connector)]);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn an_outbox_that_grew_over_its_bound_is_found() {
        let chat = Census {
            outbox_len_max: 9,
            ..Census::default()
        };
        assert_eq!(findings(Story::new().sample(100, &[(CHAT, chat)])), 1);
    }

    #[test]
    fn packages_that_wait_for_nobody_are_found() {
        let connector = Census {
            queued: 5,
            ..in_red(&[ALICE])
        };
        assert_eq!(
            findings(Story::new().sample(100, &[(CONNECTOR_1, connector)])),
            1
        );
    }

    /// Bob goes deaf, and Alice says so many messages, one after the other.
    fn bob_is_sent(messages: u32) -> Story {
        bob_is_sent_every(100, messages)
    }

    fn bob_is_sent_every(ms: u64, messages: u32) -> Story {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .goes_deaf(500, BOB);
        (1..=messages).fold(story, |story, number| {
            let at = 1000 + ms * u64::from(number);
            story
                .says(at, ALICE, number)
                .gets_answer(at + 10, ALICE, number, true)
        })
    }

    #[test]
    fn a_deaf_user_who_is_sent_too_much_is_gone_when_the_run_has_settled() {
        assert_eq!(findings(bob_is_sent(7).lists(31_000, &[ALICE])), 0);
        assert_eq!(findings(bob_is_sent(7).lists(31_000, &[ALICE, BOB])), 1);
    }

    #[test]
    fn a_deaf_user_whose_queue_is_just_full_may_stay() {
        assert_eq!(findings(bob_is_sent(6).lists(31_000, &[ALICE, BOB])), 0);
    }

    #[test]
    fn what_is_sent_at_once_takes_the_stream_no_more_room_than_one_message() {
        assert_eq!(
            findings(bob_is_sent_every(1, 40).lists(31_000, &[ALICE, BOB])),
            0
        );
    }

    #[test]
    fn a_deaf_user_may_log_in_again() {
        let story = bob_is_sent(7)
            .closes(20_000, BOB)
            .enters(21_000, BOB, "red", &[ALICE, BOB])
            .lists(31_000, &[ALICE, BOB]);
        assert_eq!(findings(story), 0);
    }
}
