//! G4: what was answered with success reaches every member that lives on.
//!
//! Demanded, for every send from a known room that was answered with success: it was heard by
//! every session that had its answer to `enter` in that room before the send, and that went on
//! reading there. A private one by every session of that name, and there was somebody of that
//! name to hear it: a success answer means that it holds. So it is owed, too, to a session of that
//! name that had only asked to enter before the send, if it was let in and nobody else can have
//! been meant: the servers hold back what is said to it until they have answered its `enter`.
//!
//! "Went on" is proved in one of two ways:
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
//! Let pass: sends without success, which may reach anybody or nobody; receivers in the middle of a
//! switch, and sends behind one that was never answered; deaf and vanished users. [`Deliveries`]
//! tells how much was let pass.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use loadgen::history::{MessageId, Target, What};

use super::messages::{Place, Sent};
use super::sessions::{Session, Stay};
use super::trouble::Span;
use super::view::View;
use super::{Findings, clock};

/// How many deliveries there could have been: pairs of a message that was answered with success
/// and a session that was in the room when it was sent, or about to be, and that it was for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Those that the check insists on.
    pub owed: usize,
    /// Those that it insists on, and that did not happen.
    pub missed: usize,
    /// Those that it lets go, whether they happened or not.
    pub excused: usize,
}

impl Deliveries {
    /// Adds those of another run.
    pub fn add(&mut self, other: Self) {
        self.owed += other.owed;
        self.missed += other.missed;
        self.excused += other.excused;
    }

    /// How many of a hundred are owed, rounded down.
    pub fn owed_percent(self) -> usize {
        let all = self.owed + self.excused;
        (100 * self.owed).checked_div(all).unwrap_or_default()
    }
}

/// As in `97% of 4210 deliveries owed`.
impl fmt::Display for Deliveries {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, all) = (self.owed_percent(), self.owed + self.excused);
        write!(out, "{percent}% of {all} deliveries owed")
    }
}

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut findings = Findings::new();
    each(view, |delivery| {
        if delivery.owed && !delivery.heard {
            let what = format!(
                "{} in {} never heard {}, sent at {} and answered with success",
                delivery.member.session,
                delivery.member.stay.room,
                delivery.message,
                clock(delivery.sent.at),
            );
            findings.push((delivery.accepted_at, what));
        }
    });
    findings.extend(false_successes(view));
    findings
}

/// Counts what the check could demand.
pub fn count(view: &View) -> Deliveries {
    let mut count = Deliveries::default();
    each(view, |delivery| {
        count.owed += usize::from(delivery.owed);
        count.missed += usize::from(delivery.owed && !delivery.heard);
        count.excused += usize::from(!delivery.owed);
    });
    count
}

/// A message that was answered with success, and one session that it was for.
struct Delivery<'v, 'a> {
    message: MessageId,
    sent: &'v Sent<'a>,
    accepted_at: Duration,
    member: &'v Member<'v, 'a>,
    owed: bool,
    heard: bool,
}

/// Visits all deliveries that there could have been.
fn each(view: &View, mut visit: impl FnMut(&Delivery)) {
    let members = members(view);
    for (message, sent) in &view.messages.sent {
        let (Some(place), Some(accepted_at)) = (sent.place(), sent.accepted_at()) else {
            continue;
        };
        let here = members.get(place.room).map_or(&[][..], Vec::as_slice);
        let meant = here.iter().filter(|member| {
            member.is_meant_by(sent) || member.is_let_in_for(view, sent, accepted_at)
        });
        for member in meant {
            // What came before the answer to `enter` follows it.
            let due_at = accepted_at.max(member.stay.since);
            visit(&Delivery {
                message: *message,
                sent,
                accepted_at,
                member,
                owed: member.went_on_after(view, due_at),
                heard: member.heard.contains(message),
            });
        }
    }
}

/// One stay of one session.
struct Member<'v, 'a> {
    session: &'v Session<'a>,
    stay: &'v Stay<'a>,
    /// What it heard during the stay.
    heard: BTreeSet<MessageId>,
    /// When the youngest thing was sent that certainly passed through this stay.
    proved_until: Duration,
    /// What touched it on the way from the chat server.
    trouble: Vec<Span>,
}

/// All stays, by room.
fn members<'v, 'a>(view: &'v View<'a>) -> BTreeMap<&'a str, Vec<Member<'v, 'a>>> {
    let mut members: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for session in &view.sessions {
        for stay in &session.stays {
            let member = Member::new(view, session, stay);
            members.entry(stay.room).or_default().push(member);
        }
    }
    members
}

impl<'v, 'a> Member<'v, 'a> {
    fn new(view: &View<'a>, session: &'v Session<'a>, stay: &'v Stay<'a>) -> Self {
        let connector = session.connector.unwrap_or_default();
        let way = [session.host, connector, view.chat_of(stay.room)];
        let mut member = Self {
            session,
            stay,
            heard: BTreeSet::new(),
            proved_until: Duration::ZERO,
            trouble: view.trouble.among(&way),
        };
        for event in session.events_of(stay) {
            let passed = match &event.what {
                What::Heard {
                    message: Some(message),
                    target,
                    ..
                } => {
                    member.heard.insert(*message);
                    (*target == Target::Room).then_some(message)
                }
                What::Answered { message, ok: true } => Some(message),
                _ => None,
            };
            // An answer for a send from an earlier stay, or from between two, proves nothing.
            if let Some(sent) = passed.and_then(|message| view.messages.sent.get(message))
                && sent.place().is_some_and(|place| place.room == stay.room)
                && sent.at >= stay.since
            {
                member.proved_until = member.proved_until.max(sent.at);
            }
        }
        member
    }

    /// Whether it was in the room when the message was sent, and is among those it is for.
    fn is_meant_by(&self, sent: &Sent) -> bool {
        let is_named = match sent.target {
            Target::Room => true,
            Target::User(name) => name == self.stay.name,
        };
        is_named && self.stay.spans(sent.at, sent.at)
    }

    /// Whether a private message is for it although it was only about to be in the room: it had
    /// asked, it was let in, and there is no other `enter` under that name that the cluster may
    /// have taken for the receiver.
    fn is_let_in_for(&self, view: &View, sent: &Sent, accepted_at: Duration) -> bool {
        let Target::User(name) = sent.target else {
            return false;
        };
        let Stay { room, since, .. } = *self.stay;
        let is_entering = self.stay.asked_at <= sent.at && sent.at < since;
        let holders = view.may_hold(room, sent.at, accepted_at, view.bounds.recovery());
        is_entering
            && name == self.stay.name
            && holders.filter(|(_, holder)| holder == name).count() == 1
    }

    /// Whether it is proved that it went on reading in the room after this.
    fn went_on_after(&self, view: &View, accepted_at: Duration) -> bool {
        let switching_at = self.stay.switching_at.unwrap_or(Duration::MAX);
        let there_until = self.session.attentive_until().min(switching_at);
        let arrived_by = view
            .recovered_after(&self.trouble, accepted_at)
            .unwrap_or(accepted_at + view.bounds.one_way());
        self.proved_until >= accepted_at || there_until.min(view.record.ended_at) >= arrived_by
    }
}

/// Private messages that were answered with success although nobody could hear them. A cluster in
/// trouble may believe in a member for as long as it takes to recover.
fn false_successes(view: &View) -> Findings {
    let mut findings = Findings::new();
    for (message, sent) in &view.messages.sent {
        let (Some(Place { room, .. }), Some(at)) = (sent.place(), sent.accepted_at()) else {
            continue;
        };
        let Target::User(name) = sent.target else {
            continue;
        };
        let mut holders = view.may_hold(room, sent.at, at, view.bounds.recovery());
        if !holders.any(|(_, holder)| holder == name) {
            let what = format!(
                "{message} to {name} in {room} was answered with success, but there was no {name}"
            );
            findings.push((at, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{
        ALICE, BOB, CAROL, CHAT, CONNECTOR_1, Story, USERS, hold, partition, power_cut, release,
        repair,
    };

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    /// Alice and Bob are in red; Alice says something at 5 s, and it is answered 10 ms later.
    fn alice_says_something() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .says(5000, ALICE, 1)
            .hears(5009, ALICE, ALICE, 1)
            .gets_answer(5010, ALICE, 1, true)
    }

    #[test]
    fn a_message_that_all_members_hear_is_delivered() {
        let story = || alice_says_something().hears(5020, BOB, ALICE, 1);
        assert_eq!(findings(story()), 0);
        let count = count(&View::new(&story().record()));
        assert_eq!((count.owed, count.missed, count.excused), (2, 0, 0));
    }

    #[test]
    fn a_member_that_never_hears_it_is_found() {
        assert_eq!(findings(alice_says_something()), 1);
    }

    #[test]
    fn a_sender_hears_itself() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .says(5000, ALICE, 1)
            .gets_answer(5010, ALICE, 1, true);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_message_without_success_is_owed_to_nobody() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .says(5000, ALICE, 1)
            .gets_answer(5010, ALICE, 1, false)
            .says(6000, ALICE, 2);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn who_enters_after_the_send_is_owed_nothing() {
        let story = alice_says_something().hears(5020, BOB, ALICE, 1).enters(
            5005,
            CAROL,
            "red",
            &[ALICE, BOB, CAROL],
        );
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn who_leaves_while_it_is_on_its_way_is_owed_nothing() {
        assert_eq!(findings(alice_says_something().leaves(5040, BOB)), 0);
        assert_eq!(findings(alice_says_something().leaves(5100, BOB)), 1);
    }

    #[test]
    fn who_vanished_or_went_deaf_is_owed_nothing() {
        assert_eq!(findings(alice_says_something().vanishes(4000, BOB)), 0);
        assert_eq!(findings(alice_says_something().goes_deaf(4000, BOB)), 0);
    }

    #[test]
    fn who_switches_meanwhile_is_owed_nothing() {
        let story = alice_says_something()
            .asks(5005, BOB, "blue")
            .gets_in(5030, BOB, &[BOB]);
        assert_eq!(findings(story), 0);
        let story = alice_says_something()
            .asks(6005, BOB, "blue")
            .gets_in(6030, BOB, &[BOB]);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn who_is_kicked_after_a_long_cut_is_owed_nothing() {
        let story = alice_says_something()
            .fault(2000, partition(CONNECTOR_1, CHAT))
            .fault(7000, repair(CONNECTOR_1, CHAT))
            .gets_kicked(7200, BOB);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn who_is_kicked_for_nothing_is_owed_what_was_said_before() {
        assert_eq!(findings(alice_says_something().gets_kicked(7200, BOB)), 1);
    }

    #[test]
    fn who_stays_after_a_long_cut_without_what_was_said_is_found() {
        let story = alice_says_something()
            .fault(2000, partition(CONNECTOR_1, CHAT))
            .fault(7000, repair(CONNECTOR_1, CHAT))
            .leaves(40_000, BOB);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn who_hears_a_later_message_has_missed_the_earlier_one_despite_all_faults() {
        let story = alice_says_something()
            .fault(2000, partition(CONNECTOR_1, CHAT))
            .fault(7000, repair(CONNECTOR_1, CHAT))
            .says(7100, ALICE, 2)
            .hears(7110, BOB, ALICE, 2)
            .gets_kicked(7200, BOB);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn who_was_still_to_get_what_a_hold_kept_back_is_owed_nothing() {
        let story = alice_says_something()
            .fault(4000, hold(USERS, CONNECTOR_1))
            .leaves(9000, BOB)
            .fault(9500, release(USERS, CONNECTOR_1));
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn whose_connector_lost_power_is_owed_nothing() {
        let story = alice_says_something()
            .fault(5005, power_cut(CONNECTOR_1))
            .closes(11_000, BOB);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_private_message_is_owed_to_its_name_alone() {
        let whisper = || {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .enters(200, BOB, "red", &[ALICE, BOB])
                .enters(300, CAROL, "red", &[ALICE, BOB, CAROL])
                .whispers(5000, ALICE, 1, BOB)
                .gets_answer(5010, ALICE, 1, true)
        };
        assert_eq!(findings(whisper()), 1);
        assert_eq!(findings(whisper().overhears(5009, BOB, ALICE, 1, BOB)), 0);
    }

    /// Bob asks to enter, Alice whispers to him, and then he is let in.
    fn a_whisper_to_who_enters() -> Story {
        Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .logs_in(4980, BOB)
            .asks(4990, BOB, "red")
            .whispers(5000, ALICE, 1, BOB)
            .gets_answer(5010, ALICE, 1, true)
            .gets_in(5020, BOB, &[ALICE, BOB])
    }

    #[test]
    fn a_whisper_to_who_is_about_to_enter_follows_the_answer() {
        let heard = a_whisper_to_who_enters().overhears(5021, BOB, ALICE, 1, BOB);
        assert_eq!(findings(heard), 0);
        assert_eq!(findings(a_whisper_to_who_enters()), 1);
    }

    #[test]
    fn a_whisper_to_who_goes_as_soon_as_it_is_in_is_not_owed() {
        assert_eq!(findings(a_whisper_to_who_enters().leaves(5030, BOB)), 0);
    }

    #[test]
    fn a_whisper_that_an_earlier_session_of_the_name_may_have_got_is_not_owed_to_the_next() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .leaves(4970, BOB)
            .logs_in(4980, BOB)
            .asks(4990, BOB, "red")
            .whispers(5000, ALICE, 1, BOB)
            .gets_answer(5010, ALICE, 1, true)
            .gets_in(5020, BOB, &[ALICE, BOB]);
        assert_eq!(findings(story), 0);
    }

    #[test]
    fn a_success_for_a_whisper_to_nobody_is_false() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .whispers(5000, ALICE, 1, BOB)
            .gets_answer(5010, ALICE, 1, true);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_name_that_went_a_moment_ago_may_still_be_believed_in() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
            .vanishes(1000, BOB)
            .whispers(5000, ALICE, 1, BOB)
            .gets_answer(5010, ALICE, 1, true);
        assert_eq!(findings(story), 0);
    }
}
