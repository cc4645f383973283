//! Whether more came at once than the queue of a session holds: then it was full however quickly the
//! client read.

use std::time::Duration;

use super::super::sessions::Session;
use super::super::trouble;
use super::super::view::View;

/// Whether so much was said in a room that `session` asked for, while its connector may not have heard
/// from the chat server, that it came at once in more packages than wait for one client.
pub fn came(view: &View, session: &Session, connector: &str, from: Duration, at: Duration) -> bool {
    session.enters.iter().any(|enter| {
        let ends = [connector, view.chat_of(enter.room)];
        let troubles = trouble::merged(&view.trouble.among(&ends), view.bounds.relink());
        troubles.iter().any(|span| {
            // What was lost can leave a connection that is dead until it is noticed; but for no longer
            // than a lease, which the session does not outlive.
            let hears_by = span.until + view.bounds.lease;
            let said = said_in(view, enter.room, session, span.from, at.min(hears_by));
            span.from <= at && from <= hears_by && said > view.bounds.session_queue_len
        })
    })
}

/// How much a member of `room` may have been told: what was said there, who came and went, and the
/// answers to what `session` sent itself.
fn said_in(view: &View, room: &str, session: &Session, from: Duration, until: Duration) -> usize {
    let time = from.saturating_sub(view.bounds.news())..until;
    let sent = view.messages.sent.values();
    let sent = sent.filter(|sent| time.contains(&sent.at));
    let said = sent.map(|sent| {
        let sender = &view.sessions[sent.session];
        let is_own = (sender.user, sender.login) == (session.user, session.login);
        let is_there = sent.places.iter().any(|place| place.room == room);
        usize::from(is_there) + usize::from(is_own)
    });
    let notices = view.stays_in(room).map(|(_, stay)| {
        let went = stay.until.is_some_and(|until| time.contains(&until));
        usize::from(time.contains(&stay.since)) + usize::from(went)
    });
    said.chain(notices).sum()
}

#[cfg(test)]
mod tests {
    use super::super::super::no_false_kill::check;
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, CHAT, CONNECTOR_1, Story, partition, repair};

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
    fn what_was_said_between_two_cuts_had_come() {
        let cuts = [[9_000, 9_100], [16_000, 16_100]];
        assert_eq!(unexcused(&cuts, &[(9_050, 2), (13_000, 9), (16_050, 2)]), 1);
        assert_eq!(unexcused(&cuts, &[(16_050, 5)]), 0);
    }
}
