//! G4: what was answered with success reaches every member that lives on.
//!
//! Demanded: every delivery that [`obligations`](super::obligations) says must be was heard. And of
//! a private message that was answered with success, that there was somebody of that name to hear
//! it: a success answer means that it holds.
//!
//! Let pass: every delivery that only may be, for the reasons that are told there; and success for
//! a private message to a name that went a moment ago.

use loadgen::history::Target;

use super::messages::Place;
use super::obligations::Obligations;
use super::view::View;
use super::{Findings, clock};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut findings = Findings::new();
    Obligations::of(view).each(|pair| {
        if let (true, Some(accepted_at)) = (pair.is_missed(), pair.sent.accepted_at()) {
            let what = format!(
                "{} in {} never heard {}, sent at {} and answered with success",
                pair.session,
                pair.stay.room,
                pair.message,
                clock(pair.sent.at),
            );
            findings.push((accepted_at, what));
        }
    });
    findings.extend(false_successes(view));
    findings
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
