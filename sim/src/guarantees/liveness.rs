//! G10: once whole again, everybody can log in and be heard.
//!
//! Demanded, from the time that the run has settled until everybody leaves:
//!
//! - every probe logs in and is entered, and what it sends to its room is heard by everybody who
//!   is there for long enough; the login within its round trips, the rest within a round each
//!   (see [`slack`](super::slack)): in a settled cluster nothing waits for a timer;
//! - every user who comes back whenever it loses its session is in a room, unless it went on
//!   purpose or went silent;
//! - every send is answered with success: to the room; to a name that is there all the time. An
//!   `enter` is refused only because the name may be taken, by somebody else or by the user's
//!   last session, and a later login is not to replace an earlier; because the session is in that
//!   room; or because the name holds a `*`, as no name may.
//!
//! Demanded until the first fault, too: that a later login does replace an earlier, where that is
//! the rule. Who was refused does not ask again for long, so that few ask when the run has settled.
//!
//! Let pass: a session that ended before its answer was due (whether it was right to end is G13's
//! affair), and anything after everybody began to leave.

use std::time::Duration;

use cluster::options::DuplicateLogin;
use loadgen::history::{MessageId, Target, What};

use super::messages::Sent;
use super::sessions::{End, Enter, EnterAnswer, Session};
use super::view::View;
use super::{Findings, clock};

/// Checks the guarantee.
pub fn check(view: &View) -> Findings {
    let mut findings = Findings::new();
    for user in &view.record.probes {
        findings.extend(probe(view, *user));
    }
    for user in &view.record.returning {
        findings.extend(absentee(view, *user));
    }
    for (message, sent) in &view.messages.sent {
        findings.extend(refused_send(view, *message, sent));
    }
    for session in &view.sessions {
        let refused = session
            .enters
            .iter()
            .filter_map(|enter| refused_enter(view, session, enter));
        findings.extend(refused);
    }
    findings
}

/// Whether something was asked and answered in the time in which life must be as ever.
fn is_in_whole_time(view: &View, asked_at: Duration, answered_at: Duration) -> bool {
    view.record.settled_at <= asked_at && answered_at <= view.record.leaving_at
}

/// What a probe could not do.
fn probe(view: &View, user: u32) -> Option<(Duration, String)> {
    let mut sessions = view.sessions.iter();
    let Some(session) = sessions.find(|session| session.user == user) else {
        let what = format!("probe u{user} did not log in");
        return Some((view.record.leaving_at, what));
    };
    let began_at = session.login_at?;
    let enter_by = began_at + view.bounds.round_trips_in() + view.bounds.round();
    let stay = session.stays.first().filter(|stay| stay.since <= enter_by);
    let Some(stay) = stay else {
        let what = format!("probe {session} was not let in");
        return Some((enter_by, what));
    };
    let sent = view.messages.sent.iter().find(|(_, sent)| {
        let sender = &view.sessions[sent.session];
        sender.user == user && *sent.target == Target::Room
    });
    let Some((message, sent)) = sent else {
        let what = format!("probe {session} was never in a room to speak in");
        return Some((view.record.leaving_at, what));
    };
    let heard_by = sent.at + view.bounds.round();
    let without = view.stays_in(stay.room).filter(|(other, there)| {
        there.since <= sent.at
            && view.sure_until(other, there) >= heard_by
            && !has_heard(other, *message, heard_by)
    });
    let names: Vec<String> = without.map(|(other, _)| other.to_string()).collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        let what = format!(
            "probe {session} spoke at {}, unheard by {names}",
            clock(sent.at)
        );
        (heard_by, what)
    })
}

fn has_heard(session: &Session, wanted: MessageId, by: Duration) -> bool {
    let mut events = session.events.iter().filter(|event| event.at <= by);
    events.any(|event| {
        matches!(&event.what, What::Heard { message: Some(message), .. } if *message == wanted)
    })
}

/// A user that comes back whenever it loses its session, and that is not back.
fn absentee(view: &View, user: u32) -> Option<(Duration, String)> {
    let at = view.record.settled_at;
    let began_by = |session: &&Session| session.login_at.is_some_and(|began| began <= at);
    let mine = view.sessions.iter().filter(|session| session.user == user);
    let mine: Vec<&Session> = mine.filter(began_by).collect();
    let (last, earlier) = mine.split_last()?;
    if went_on_purpose(last, at) || mine[0].login_at > Some(view.record.healed_at) {
        return None;
    }
    // Back from an absence of its own choice, it may still be on its way in.
    let may_take = view.bounds.login() + view.bounds.answer();
    let has_just_come = last.login_at.is_some_and(|began| began + may_take > at)
        && earlier
            .last()
            .is_some_and(|before| went_on_purpose(before, at));
    let mut sessions = mine.iter();
    let is_in = sessions.any(|session| session.stays.iter().any(|stay| stay.spans(at, at)));
    let is_kept_out = last.enters.last().is_some_and(|enter| {
        let holders = view.may_hold(enter.room, enter.asked_at, at, Duration::ZERO);
        let mut others = holders.filter(|(other, _)| other.user != user);
        others.any(|(_, name)| name == enter.name)
    });
    if is_in || has_just_come || is_kept_out {
        return None;
    }
    let last_room = last.enters.last().map_or("a room", |enter| enter.room);
    let what = format!("{last} wants to be in {last_room}, but is in none");
    Some((at, what))
}

/// Whether the user ended this session by `at`, or stopped caring for it. One that is refused
/// goes too, but comes back.
fn went_on_purpose(session: &Session, at: Duration) -> bool {
    let refused_at = session.enters.last().and_then(|enter| match enter.answer {
        Some((at, EnterAnswer::Duplicate | EnterAnswer::Failed)) => Some(at),
        Some((_, EnterAnswer::Entered)) | None => None,
    });
    let went = match session.end {
        Some((end_at, End::Left)) => end_at <= at && refused_at != Some(end_at),
        Some((end_at, End::Vanished)) => end_at <= at,
        Some((_, End::Kicked | End::Closed | End::Failed)) | None => false,
    };
    went || session.deaf_at.is_some_and(|deaf_at| deaf_at <= at)
}

fn refused_send(view: &View, message: MessageId, sent: &Sent) -> Option<(Duration, String)> {
    let (at, false) = sent.answer? else {
        return None;
    };
    let place = sent.place()?;
    let session = &view.sessions[sent.session];
    let is_due = match sent.target {
        Target::Room => true,
        Target::User(name) => view
            .must_be_in(place.room, sent.at, at)
            .contains(name.as_str()),
    };
    let is_there = session.attentive_until() > at;
    (is_in_whole_time(view, sent.at, at) && is_due && is_there).then(|| {
        let what = format!("{session}: {message} was answered with an error");
        (at, what)
    })
}

fn refused_enter(view: &View, session: &Session, enter: &Enter) -> Option<(Duration, String)> {
    let (at, answer) = enter.answer?;
    let is_right = match answer {
        EnterAnswer::Entered => true,
        EnterAnswer::Duplicate => {
            let holders = view.may_hold(enter.room, enter.asked_at, at, Duration::ZERO);
            let me = (session.user, session.login);
            let mut others = holders.filter(|(other, _)| (other.user, other.login) != me);
            // Asking again for the room that it is in is answered so too.
            let is_here = |by| {
                session.stays.iter().any(|stay| {
                    stay.room == enter.room
                        && stay.name == enter.name
                        && stay.since <= by
                        && stay.until.is_none_or(|end| end >= enter.asked_at)
                })
            };
            match is_later_let_in(view) {
                true => is_here(at),
                false => is_here(enter.asked_at) || others.any(|(_, name)| name == enter.name),
            }
        }
        // The user `name*room` would be another's.
        EnterAnswer::Failed => enter.name.contains('*'),
    };
    let is_due = is_in_whole_time(view, enter.asked_at, at)
        || answer == EnterAnswer::Duplicate && is_later_let_in(view) && is_before_faults(view, at);
    (is_due && !is_right).then(|| {
        let what = format!("{session} was not let into {}: {answer:?}", enter.room);
        (at, what)
    })
}

/// Whether a name that is held is given to who asks for it.
fn is_later_let_in(view: &View) -> bool {
    view.bounds.duplicate_login == DuplicateLogin::Replace
}

fn is_before_faults(view: &View, at: Duration) -> bool {
    let first = view.record.faults.first();
    first.is_none_or(|fault| at < fault.at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::story::{ALICE, BOB, CAROL, CONNECTOR_1, Story, name, pause, resume};

    fn findings(story: Story) -> usize {
        check(&View::new(&story.record())).len()
    }

    /// Alice and Bob are in red, and want to be; Carol is to prove that it lives.
    fn before_the_probe() -> Story {
        Story::new()
            .probe(CAROL)
            .returns(ALICE)
            .returns(BOB)
            .enters(100, ALICE, "red", &[ALICE])
            .enters(200, BOB, "red", &[ALICE, BOB])
    }

    fn carol_speaks() -> Story {
        before_the_probe()
            .enters(30_100, CAROL, "red", &[ALICE, BOB, CAROL])
            .says(31_000, CAROL, 1)
            .gets_answer(31_020, CAROL, 1, true)
            .hears(31_019, ALICE, CAROL, 1)
            .hears(31_019, CAROL, CAROL, 1)
    }

    #[test]
    fn a_probe_that_all_hear_proves_life() {
        assert_eq!(findings(carol_speaks().hears(31_019, BOB, CAROL, 1)), 0);
    }

    #[test]
    fn a_probe_that_one_member_does_not_hear_in_time_is_found() {
        assert_eq!(findings(carol_speaks()), 1);
        assert_eq!(findings(carol_speaks().hears(31_200, BOB, CAROL, 1)), 1);
    }

    #[test]
    fn a_probe_that_never_logs_in_is_found() {
        assert_eq!(findings(before_the_probe()), 1);
    }

    #[test]
    fn a_probe_that_is_not_let_in_is_found_and_so_is_the_error() {
        let story = before_the_probe()
            .logs_in(30_100, CAROL)
            .asks(30_100, CAROL, "red")
            .gets_refused(30_120, CAROL, false);
        assert_eq!(findings(story), 2);
    }

    #[test]
    fn a_probe_that_says_nothing_proves_nothing() {
        let story = before_the_probe().enters(30_100, CAROL, "red", &[ALICE, BOB, CAROL]);
        assert_eq!(findings(story), 1);
    }

    #[test]
    fn a_name_with_a_star_is_rightly_refused() {
        let story = |name: &str| {
            let (name, room) = (name.to_owned(), String::from("red"));
            let asks = What::Entering { name, room };
            carol_speaks()
                .hears(31_019, BOB, CAROL, 1)
                .logs_in(31_500, BOB)
                .note(31_500, BOB, asks)
                .gets_refused(31_520, BOB, false)
        };
        assert_eq!(findings(story("bob*b")), 0);
        assert_eq!(findings(story("bobby")), 1);
    }

    #[test]
    fn a_user_who_lost_its_session_is_back_when_the_run_has_settled() {
        let lost = || {
            Story::new()
                .returns(ALICE)
                .enters(100, ALICE, "red", &[ALICE])
        };
        assert_eq!(findings(lost().closes(5000, ALICE)), 1);
        let back = lost()
            .closes(5000, ALICE)
            .enters(29_000, ALICE, "red", &[ALICE]);
        assert_eq!(findings(back), 0);
    }

    #[test]
    fn a_user_who_was_refused_is_not_one_who_went_on_purpose() {
        let story = |duplicate| {
            Story::new()
                .returns(ALICE)
                .logs_in(28_000, ALICE)
                .asks(28_000, ALICE, "red")
                .gets_refused(28_020, ALICE, duplicate)
                .leaves(28_020, ALICE)
        };
        // Its first login is after the faults: too late to be demanded.
        assert_eq!(findings(story(false)), 0);
        let early = Story::new()
            .returns(ALICE)
            .enters(100, ALICE, "red", &[ALICE])
            .closes(200, ALICE)
            .logs_in(28_000, ALICE)
            .asks(28_000, ALICE, "red")
            .gets_refused(28_020, ALICE, true)
            .leaves(28_020, ALICE);
        assert_eq!(findings(early), 1);
    }

    #[test]
    fn a_user_who_left_or_vanished_does_not_have_to_be_there() {
        let story = || {
            Story::new()
                .returns(ALICE)
                .enters(100, ALICE, "red", &[ALICE])
        };
        assert_eq!(findings(story().leaves(5000, ALICE)), 0);
        assert_eq!(findings(story().vanishes(5000, ALICE)), 0);
        assert_eq!(findings(story().goes_deaf(5000, ALICE)), 0);
        let deaf_in_no_room = || Story::new().returns(ALICE).logs_in(100, ALICE);
        let story = deaf_in_no_room().goes_deaf(101, ALICE);
        assert_eq!(findings(story.leaves(40_000, ALICE)), 0);
    }

    #[test]
    fn a_send_that_is_refused_when_the_run_has_settled_is_found() {
        let story = |at| {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .says(at, ALICE, 1)
                .gets_answer(at + 20, ALICE, 1, false)
        };
        assert_eq!(findings(story(20_000)), 0);
        assert_eq!(findings(story(31_000)), 1);
        assert_eq!(findings(story(39_990)), 0);
    }

    #[test]
    fn a_whisper_to_nobody_is_rightly_refused() {
        let story = |present: bool| {
            let story = Story::new().enters(100, ALICE, "red", &[ALICE]);
            let story = if present {
                story.enters(200, BOB, "red", &[ALICE, BOB])
            } else {
                story
            };
            story
                .whispers(31_000, ALICE, 1, BOB)
                .gets_answer(31_020, ALICE, 1, false)
        };
        assert_eq!(findings(story(false)), 0);
        assert_eq!(findings(story(true)), 1);
    }

    #[test]
    fn a_name_that_nobody_has_is_not_taken() {
        let story = |left_at| {
            Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .leaves(left_at, ALICE)
                .logs_in(31_000, ALICE)
                .asks(31_000, ALICE, "red")
                .gets_refused(31_020, ALICE, true)
        };
        assert_eq!(findings(story(5000)), 1);
        assert_eq!(findings(story(30_970)), 0);
    }

    #[test]
    fn a_name_is_refused_for_another_who_has_it_unless_the_later_login_is_to_replace_it() {
        let refused_at = |at, rule| {
            let (name, room) = (name(ALICE), String::from("red"));
            let story = Story::new()
                .enters(100, ALICE, "red", &[ALICE])
                .fault(5000, pause(CONNECTOR_1))
                .fault(6000, resume(CONNECTOR_1))
                .logs_in(at, BOB)
                .note(at, BOB, What::Entering { name, room })
                .gets_refused(at + 20, BOB, true);
            let mut record = story.record();
            record.bounds.duplicate_login = rule;
            check(&View::new(&record)).len()
        };
        for (at, findings) in [(1000, 1), (6000, 0), (31_000, 1)] {
            assert_eq!(refused_at(at, DuplicateLogin::Refuse), 0, "at {at}");
            assert_eq!(refused_at(at, DuplicateLogin::Replace), findings, "at {at}");
        }
    }

    #[test]
    fn asking_for_the_room_one_is_in_is_rightly_refused() {
        let story = Story::new()
            .enters(100, ALICE, "red", &[ALICE])
            .asks(31_000, ALICE, "red")
            .gets_refused(31_020, ALICE, true);
        assert_eq!(findings(story), 0);
    }
}
