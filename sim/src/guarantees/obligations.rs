//! What each message owes to each stay of each session in a room: that it must be heard there, may
//! be, or must not be.
//!
//! One derivation, from what the users did, how they were answered, and the faults; two guarantees
//! rest on it: G4 demands what must be, G1 forbids what must not. What may be is demanded by nobody,
//! so each such pair has its reason, and [`Deliveries`] counts them. A session that was in no room
//! has no stay, and nothing may be heard there; that is G1's affair alone.
//!
//! **Must not** ([`Ban`]): the stay is in a room that the message was certainly not sent to; or under
//! a name that a private message is not for; or it was over when the message was sent; or it was
//! asked for only after the message had had its effect. That was over when it was answered with
//! success, since all connectors with members had it then; otherwise once the deadline has passed,
//! and after any fault on its way to the chat server the cluster had its time to recover.
//!
//! **Must**: the message was answered with success and sent from a known room, and the stay had
//! begun before the send. For a private message it is enough to have asked to enter before the
//! send, if it was let in and nobody else can have been meant: the servers hold back what is said to
//! it until they have answered its `enter`. And it is proved that the session went on reading in the
//! room, in one of two ways:
//!
//! - the session later heard a message to that room, or had an answer with success for a send of
//!   its own to it, that was sent after the answer in question. Its stream is in order and the
//!   room is too, so the message was skipped, whatever faults there were;
//! - it was still there, reading, [`one_way`](crate::record::Bounds) after the answer: at the
//!   answer all connectors of the members had the message. If a fault touched its host, its
//!   connector, the room's chat server or a way between them, then not before all of that was
//!   over and the cluster had its time to recover: until then it may have been dead without
//!   knowing, or about to be kicked because its link was down for longer than the lease.
//!
//! **May** ([`Doubt`]): the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use loadgen::history::{MessageId, Target};

use super::messages::Sent;
use super::sessions::{Session, Stay};
use super::view::View;
use member::Member;

mod deliveries;
mod member;
#[cfg(test)]
mod oracle;
mod verdict;

pub use deliveries::{Deliveries, Shares};
pub use verdict::{Ban, Doubt, Verdict};

/// Why `sent` must not be heard in `stay`, if so.
pub fn ban(view: &View, sent: &Sent, stay: &Stay) -> Option<Ban> {
    let is_to_others = match sent.target {
        Target::Room => false,
        Target::User(name) => name != stay.name,
    };
    if sent.places.iter().all(|place| place.room != stay.room) {
        Some(Ban::OtherRoom)
    } else if is_to_others {
        Some(Ban::Private)
    } else if stay.until.is_some_and(|until| until < sent.at) {
        Some(Ban::Over)
    } else if stay.asked_at > sent.at && stay.asked_at > effective_until(view, sent) {
        Some(Ban::Later)
    } else {
        None
    }
}

/// Until when a message can add to what a room is told.
fn effective_until(view: &View, sent: &Sent) -> Duration {
    if let Some(accepted_at) = sent.accepted_at() {
        return accepted_at;
    }
    let sender = &view.sessions[sent.session];
    let mut way = vec![sender.host, sender.connector.unwrap_or_default()];
    way.extend(sent.places.iter().map(|place| view.chat_of(place.room)));
    let recovered_at = view.recovered_after(&view.trouble_on(sender, &way), sent.at);
    recovered_at.unwrap_or(sent.at) + view.bounds.answer()
}

/// The verdicts of a run.
pub struct Obligations<'v, 'a> {
    view: &'v View<'a>,
    /// All stays, by room.
    members: BTreeMap<&'a str, Vec<Member<'v, 'a>>>,
}

/// A message and a stay in the room, or one of the rooms, that it may have been sent to.
pub struct Pair<'o, 'v, 'a> {
    /// Which message.
    pub message: MessageId,
    /// What became of it.
    pub sent: &'o Sent<'a>,
    /// Whose stay it is.
    pub session: &'v Session<'a>,
    /// The stay.
    pub stay: &'v Stay<'a>,
    /// What is known beforehand.
    pub verdict: Verdict,
    /// Whether it was heard there.
    pub heard: bool,
}

impl Pair<'_, '_, '_> {
    /// Whether it must have been heard and was not.
    pub fn is_missed(&self) -> bool {
        self.verdict == Verdict::Must && !self.heard
    }
}

impl<'v, 'a> Obligations<'v, 'a> {
    /// Reads what the verdicts depend on.
    pub fn of(view: &'v View<'a>) -> Self {
        let mut members: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for session in &view.sessions {
            for stay in &session.stays {
                let member = Member::new(view, session, stay);
                members.entry(stay.room).or_default().push(member);
            }
        }
        Self { view, members }
    }

    /// Visits every message with every stay in the rooms that it may have been sent to, by message.
    /// In any other stay it must not be heard.
    pub fn each(&self, mut visit: impl FnMut(&Pair<'_, 'v, 'a>)) {
        for (message, sent) in &self.view.messages.sent {
            let rooms: BTreeSet<_> = sent.places.iter().map(|place| place.room).collect();
            let here = rooms.iter().filter_map(|room| self.members.get(room));
            for member in here.flatten() {
                visit(&Pair {
                    message: *message,
                    sent,
                    session: member.session,
                    stay: member.stay,
                    verdict: member.verdict(self.view, sent),
                    heard: member.heard.contains(message),
                });
            }
        }
    }

    /// Counts the verdicts.
    pub fn count(&self) -> Deliveries {
        let mut deliveries = Deliveries::default();
        self.each(|pair| match pair.verdict {
            Verdict::Must => deliveries.must += 1,
            Verdict::May(doubt) => *deliveries.may.entry(doubt).or_default() += 1,
            Verdict::MustNot(_) => {}
        });
        let stays: usize = self.members.values().map(Vec::len).sum();
        let pairs = stays * self.view.messages.sent.len();
        deliveries.must_not = pairs - deliveries.must - deliveries.may_total();
        deliveries
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CHAT, CONNECTOR_1, CONNECTOR_2, Story, partition, pause, power_cut, repair,
        restart, resume,
    };

    /// What Alice's only message owes to Bob's stays.
    fn verdicts(story: Story) -> Vec<Verdict> {
        let record = story.record();
        let view = View::new(&record);
        let mut verdicts = Vec::new();
        Obligations::of(&view).each(|pair| {
            if pair.session.user == BOB {
                verdicts.push(pair.verdict);
            }
        });
        verdicts
    }

    fn may(doubt: Doubt) -> Vec<Verdict> {
        vec![Verdict::May(doubt)]
    }

    fn both_in_red() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
    }

    fn alice_says_something() -> Story {
        both_in_red()
            .says(5000, ALICE, 1)
            .gets_answer(5010, ALICE, 1, true)
    }

    #[test]
    fn what_was_answered_with_success_must_be() {
        assert_eq!(verdicts(alice_says_something()), [Verdict::Must]);
    }

    #[test]
    fn what_was_refused_or_never_answered_may_be() {
        let said = || both_in_red().says(5000, ALICE, 1);
        assert_eq!(verdicts(said()), may(Doubt::Unanswered));
        let refused = said().gets_answer(5010, ALICE, 1, false);
        assert_eq!(verdicts(refused), may(Doubt::Refused));
    }

    #[test]
    fn an_answer_out_of_turn_leaves_open_which_room_was_meant() {
        let story = both_in_red()
            .asks(4990, ALICE, "blue")
            .says(5000, ALICE, 1)
            .gets_answer(5010, ALICE, 1, true);
        assert_eq!(verdicts(story), may(Doubt::SenderSwitching));
    }

    #[test]
    fn what_ends_before_the_message_has_come_is_the_doubt() {
        let something = alice_says_something;
        assert_eq!(verdicts(something().leaves(5040, BOB)), may(Doubt::Left));
        let closed = something().closes(5040, BOB);
        assert_eq!(verdicts(closed), may(Doubt::CutOff));
        let vanished = something().vanishes(5040, BOB);
        assert_eq!(verdicts(vanished), may(Doubt::Vanished));
        assert_eq!(verdicts(something().goes_deaf(5040, BOB)), may(Doubt::Deaf));
        let switched = something()
            .goes_deaf(5045, BOB)
            .asks(5040, BOB, "blue")
            .leaves(5050, BOB);
        assert_eq!(verdicts(switched), may(Doubt::Switching));
        let late = both_in_red()
            .says(59_900, ALICE, 1)
            .gets_answer(59_950, ALICE, 1, true);
        assert_eq!(verdicts(late), may(Doubt::Over));
    }

    #[test]
    fn a_fault_on_the_way_is_the_doubt_if_the_receiver_ends_before_all_is_well_again() {
        let cut = alice_says_something()
            .fault(4000, partition(CONNECTOR_1, CHAT))
            .fault(6000, repair(CONNECTOR_1, CHAT));
        assert_eq!(verdicts(cut.closes(9000, BOB)), may(Doubt::Cut));
        let down = alice_says_something()
            .fault(4000, power_cut(CHAT))
            .fault(6000, restart(CHAT));
        assert_eq!(verdicts(down.closes(9000, BOB)), may(Doubt::Down));
        let paused = || {
            alice_says_something()
                .fault(4000, pause(CONNECTOR_1))
                .fault(6000, resume(CONNECTOR_1))
        };
        assert_eq!(verdicts(paused().closes(9000, BOB)), may(Doubt::Paused));
        assert_eq!(verdicts(paused().closes(40_000, BOB)), [Verdict::Must]);
        let elsewhere = alice_says_something()
            .fault(4000, pause(CONNECTOR_2))
            .fault(6000, resume(CONNECTOR_2));
        assert_eq!(verdicts(elsewhere.closes(9000, BOB)), [Verdict::Must]);
    }

    #[test]
    fn who_asks_to_enter_after_the_answer_must_not_hear_it() {
        let enters = |at| {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .says(5000, ALICE, 1)
                .gets_answer(5010, ALICE, 1, true)
                .enters(at, BOB, "red", &[ALICE, BOB])
        };
        // It asks 20 ms before.
        assert_eq!(verdicts(enters(5030)), may(Doubt::Entering));
        let later = [Verdict::MustNot(Ban::Later)];
        assert_eq!(verdicts(enters(5031)), later);
    }

    #[test]
    fn what_was_not_answered_with_success_lasts_until_its_deadline_or_until_all_is_well_again() {
        let said = || {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .says(5000, ALICE, 1)
        };
        let enters = |story: Story, at| verdicts(story.enters(at, BOB, "red", &[ALICE, BOB]));
        let later = [Verdict::MustNot(Ban::Later)];
        assert_eq!(enters(said(), 7000), may(Doubt::Unanswered));
        assert_eq!(enters(said(), 9000), later);
        let refused = || said().gets_answer(5500, ALICE, 1, false);
        assert_eq!(enters(refused(), 7000), may(Doubt::Refused));
        let held = || {
            refused()
                .fault(5100, partition(CONNECTOR_1, CHAT))
                .fault(7000, repair(CONNECTOR_1, CHAT))
        };
        assert_eq!(enters(held(), 9000), may(Doubt::Refused));
        assert_eq!(enters(held(), 39_000), later);
    }

    #[test]
    fn every_pair_is_counted_once() {
        let story = alice_says_something()
            .enters(6000, BOB, "blue", &[BOB])
            .whispers(7000, ALICE, 2, BOB)
            .gets_answer(7010, ALICE, 2, false);
        let record = story.record();
        let count = Obligations::of(&View::new(&record)).count();
        // The first must reach both in red, the second may reach Bob there; nothing is for blue.
        assert_eq!(count.must, 2);
        assert_eq!(count.may, BTreeMap::from([(Doubt::Refused, 1)]));
        assert_eq!(count.must_not, 3);
    }
}
