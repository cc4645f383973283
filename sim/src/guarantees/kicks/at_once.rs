//! Whether more came at once than the queue of a session holds: then it was full however quickly the
//! client read.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use super::super::sessions::{Enter, Session};
use super::super::trouble;
use super::super::view::View;

/// Whether so much of what was said in a room that `session` asked for was held back that it came at
/// once in more packages than wait for one client.
pub fn came(view: &View, session: &Session, connector: &str, from: Duration, at: Duration) -> bool {
    session.enters.iter().any(|enter| {
        let chat = view.chat_of(enter.room);
        let connectors = &view.record.topology.connectors;
        let links = connectors
            .iter()
            .map(|it| held(view, &[&it.id, chat], from, at));
        let ways: BTreeSet<_> = view.sessions.iter().filter_map(way).collect();
        let ways = ways
            .into_iter()
            .map(|(host, via)| ((host, via), held(view, &[host, via, chat], from, at)));
        let held = Held {
            here: held(view, &[connector, chat], from, at),
            on: ways.collect(),
            anywhere: links.flatten().collect(),
            entering: enter.asked_at..entered_at(session, enter).unwrap_or(at),
        };
        said_in(view, enter.room, session, &held) > view.bounds.session_queue_len
    })
}

fn entered_at(session: &Session, enter: &Enter) -> Option<Duration> {
    let mut stays = session.stays.iter();
    let stay = stays.find(|stay| stay.asked_at == enter.asked_at);
    stay.map(|stay| stay.since)
}

/// From where, and through which connector, a session speaks.
fn way<'a>(session: &Session<'a>) -> Option<(&'a str, &'a str)> {
    session.connector.map(|via| (session.host, via))
}

/// When what was said was held back until a kick.
struct Held<'a> {
    /// On its way to the connector of whoever was kicked.
    here: Vec<Range<Duration>>,
    /// On each way to the chat server.
    on: BTreeMap<(&'a str, &'a str), Vec<Range<Duration>>>,
    /// On its way to any connector. The chat server answers when all have what was said, and has to
    /// wait for this one.
    anywhere: Vec<Range<Duration>>,
    /// While whoever was kicked waited for the answer to `enter`, and for all that was said behind it.
    entering: Range<Duration>,
}

impl Held<'_> {
    /// Whether what `sender` said, or did, at `at` was heard late.
    fn is_late(&self, sender: &Session, at: Duration) -> bool {
        let there = way(sender).and_then(|way| self.on.get(&way));
        let mut times = self.here.iter().chain(there.into_iter().flatten());
        times.any(|time| time.contains(&at))
            || self.entering.contains(&at) && self.is_answered_late(at)
    }

    /// Whether what was asked at `at` was answered late.
    fn is_answered_late(&self, at: Duration) -> bool {
        self.anywhere.iter().any(|time| time.contains(&at))
    }
}

/// When what passes between those `hosts` may have been held back until a kick that was issued between
/// `from` and `at`.
fn held(view: &View, hosts: &[&str], from: Duration, at: Duration) -> Vec<Range<Duration>> {
    let troubles = trouble::merged(&view.trouble.among(hosts), view.bounds.relink());
    let until_kick = troubles.iter().filter_map(|span| {
        // What was lost can leave a connection that is dead until it is noticed; but for no longer
        // than a lease, which the session does not outlive.
        let hears_by = span.until + view.bounds.lease;
        let begins = span.from.saturating_sub(view.bounds.news());
        (span.from <= at && from <= hears_by).then(|| begins..at.min(hears_by))
    });
    until_kick.collect()
}

/// How much of what was held back a member of `room` may have been told: what was said there, who came
/// and went, and the answers to what `session` sent itself.
fn said_in(view: &View, room: &str, session: &Session, held: &Held) -> usize {
    let sent = view.messages.sent.values().map(|sent| {
        let sender = &view.sessions[sent.session];
        let is_late = held.is_late(sender, sent.at);
        let is_own = (sender.user, sender.login) == (session.user, session.login);
        let is_there = sent.places.iter().any(|place| place.room == room);
        let is_answer_late = is_late || held.is_answered_late(sent.at);
        usize::from(is_there && is_late) + usize::from(is_own && is_answer_late)
    });
    let notices = view.stays_in(room).map(|(who, stay)| {
        let went = stay.until.is_some_and(|until| held.is_late(who, until));
        usize::from(held.is_late(who, stay.since)) + usize::from(went)
    });
    sent.chain(notices).sum()
}

#[cfg(test)]
mod tests {
    use super::super::super::no_false_kill::check;
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CHAT, CONNECTOR_1, CONNECTOR_2, GATE, Story, USERS, partition, repair,
    };

    /// How many kicks of Alice, at 17 s, have no excuse, if the link was cut then and Bob said so much
    /// each time. A queue holds four.
    fn unexcused(cuts: &[[u64; 2]], says: &[(u64, u32)]) -> usize {
        let mut story =
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .enters(300, BOB, "red", &[ALICE, BOB]);
        for [from, until] in cuts {
            story = story
                .fault(*from, partition(CONNECTOR_1, CHAT))
                .fault(*until, repair(CONNECTOR_1, CHAT));
        }
        let mut number = 0;
        for (at, times) in says {
            for _ in 0..*times {
                number += 1;
                story = story.says(*at, BOB, number);
            }
        }
        let reason = "too slow: 4 messages were waiting";
        let story = story.gets_kicked_for(17_000, ALICE, reason);
        check(&View::new(&story.record())).len()
    }

    #[test]
    fn more_than_a_queue_holds_may_come_when_a_link_is_whole_again() {
        let cut = [15_000, 16_900];
        assert_eq!(unexcused(&[cut], &[(16_000, 5)]), 0);
        assert_eq!(unexcused(&[cut], &[(16_000, 4)]), 1);
        assert_eq!(unexcused(&[], &[(16_000, 5)]), 1);
    }

    #[test]
    fn what_was_held_back_on_its_way_to_the_chat_server_may_come_at_once_too() {
        let bob_says = |times: u32, way: [&str; 2]| {
            let mut story = Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .enters_through(300, BOB, CONNECTOR_2, "red", &[ALICE, BOB])
                .fault(15_000, partition(way[0], way[1]))
                .fault(16_900, repair(way[0], way[1]));
            for number in 1..=times {
                story = story.says(16_000, BOB, number);
            }
            let reason = "too slow: 4 messages were waiting";
            let story = story.gets_kicked_for(17_000, ALICE, reason);
            check(&View::new(&story.record())).len()
        };
        assert_eq!(bob_says(5, [CONNECTOR_2, CHAT]), 0);
        assert_eq!(bob_says(4, [CONNECTOR_2, CHAT]), 1);
        assert_eq!(bob_says(5, [CONNECTOR_2, USERS]), 0);
        assert_eq!(bob_says(5, [GATE, USERS]), 1);
    }

    #[test]
    fn answers_and_what_is_said_to_one_who_enters_wait_for_all_connectors() {
        let reason = "too slow: 4 messages were waiting";
        let unexcused = |entered: bool, speaker: u32, times: u32| {
            let mut story = Story::new().enters(100, BOB, "red", &[BOB]);
            story = match entered {
                true => story.enters(300, ALICE, "red", &[BOB, ALICE]),
                false => story.logs_in(15_100, ALICE).asks(15_100, ALICE, "red"),
            };
            story = story
                .fault(15_000, partition(CONNECTOR_2, CHAT))
                .fault(16_900, repair(CONNECTOR_2, CHAT));
            for number in 1..=times {
                story = story.says(16_000, speaker, number);
            }
            let story = story.gets_kicked_for(17_000, ALICE, reason);
            check(&View::new(&story.record())).len()
        };
        assert_eq!(unexcused(true, ALICE, 5), 0, "five answers");
        assert_eq!(unexcused(true, ALICE, 4), 1);
        assert_eq!(unexcused(true, BOB, 5), 1, "she had heard them");
        assert_eq!(unexcused(false, BOB, 5), 0, "she had to wait for them");
        assert_eq!(unexcused(false, BOB, 4), 1);
    }

    #[test]
    fn what_was_said_between_two_cuts_had_come() {
        let cuts = [[9_000, 9_100], [16_000, 16_100]];
        assert_eq!(unexcused(&cuts, &[(9_050, 2), (13_000, 9), (16_050, 2)]), 1);
        assert_eq!(unexcused(&cuts, &[(16_050, 5)]), 0);
    }
}
