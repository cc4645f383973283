//! Each verdict from a few hand-written events.

use std::time::Duration;

use cluster::signals::Signal;

use super::*;
use crate::fanout::fold::Fold;
use crate::history::{Event, MessageId, Target, What};

const INTERRUPTED: Ending = Ending::Interrupted(Signal::Interrupt);
const LEAVING: What = What::Leaving {
    due: Duration::ZERO,
};
const ENTERED: What = What::Entered { users: Vec::new() };

/// What users did and saw, and how it ended.
#[derive(Clone)]
struct Story {
    history: Vec<Event>,
    elapsed: Duration,
    ending: Ending,
}

/// The first of two users is in its room, the second is not let in; both end.
fn finished(ending: Ending) -> Story {
    let due = Duration::ZERO;
    Story {
        history: vec![
            event(0, What::Login { due }),
            event(0, ENTERED),
            event(1, What::Login { due }),
            event(1, What::Refused { duplicate: true }),
            event(1, LEAVING),
        ],
        elapsed: Duration::from_secs(60),
        ending,
    }
}

/// Both users are in their room, and user 0 has said something that both have heard.
fn busy(ending: Ending) -> Story {
    let message = MessageId {
        user: 0,
        login: 1,
        number: 1,
    };
    let entering = |name: &str| What::Entering {
        name: name.to_owned(),
        room: "room".to_owned(),
    };
    let added = What::Added {
        name: "bob".to_owned(),
    };
    let heard = || What::Heard {
        message: Some(message),
        from: "ann".to_owned(),
        target: Target::Room,
    };
    let due = Duration::from_secs(1);
    let target = Target::Room;
    let mut finished = finished(ending);
    finished.history = vec![
        event(0, entering("ann")),
        event(0, ENTERED),
        event(1, entering("bob")),
        event(1, ENTERED),
        event(0, added),
        event(
            0,
            What::Sending {
                message,
                due,
                target,
            },
        ),
        event(0, heard()),
        event(1, heard()),
        event(0, What::Answered { message, ok: true }),
    ];
    for (at, event) in (1..).zip(&mut finished.history) {
        event.at = Duration::from_secs(at);
    }
    finished
}

fn event(user: u32, what: What) -> Event {
    Event {
        at: Duration::from_secs(1),
        user,
        login: 1,
        what,
    }
}

fn judged(story: &Story) -> (Vec<Verdict>, Vec<String>) {
    let mut fold = Fold::new(Duration::from_secs(1));
    for event in &story.history {
        fold.see(event.at, (event.user, event.login), &event.what);
    }
    let finished = Finished {
        measured: fold.finish(story.elapsed, 0..2),
        elapsed: story.elapsed,
        ending: story.ending.clone(),
        processes: [].into(),
    };
    verdicts(&LoadPlan::new(2, 1), &finished)
}

fn names(verdicts: &[Verdict]) -> Vec<&str> {
    let names = verdicts.iter().map(|verdict| verdict.name.as_str());
    names.collect()
}

fn evidence(finished: &Story, name: &str) -> Vec<String> {
    let (verdicts, _warnings) = judged(finished);
    let verdict = verdicts.into_iter().find(|verdict| verdict.name == name);
    let verdict = verdict.expect("there is such a verdict");
    assert_eq!(verdict.holds, verdict.evidence.is_empty());
    verdict.evidence
}

#[test]
fn a_user_that_never_got_in_is_told_with_the_reason() {
    let finished = finished(Ending::Complete);
    assert_eq!(
        evidence(&finished, "entered"),
        ["user 1: its name was taken"]
    );
}

#[test]
fn a_cluster_that_dies_does_not_pass_because_it_owes_nothing_any_more() {
    let mut finished = finished(Ending::Complete);
    let reason = "the server closed it".to_owned();
    finished.history.push(event(0, What::Closed { reason }));
    let said = "user 0 was cut off: the server closed it, 1.000 s into the run";
    assert_eq!(evidence(&finished, "kept"), [said]);
}

#[test]
fn a_user_that_got_in_only_later_is_told_too() {
    let mut finished = finished(Ending::Complete);
    finished.history.push(event(1, ENTERED));
    assert_eq!(evidence(&finished, "entered"), [""; 0]);
    let said = "user 1: its name was taken, 1.000 s into the run";
    assert_eq!(evidence(&finished, "admitted"), [said]);
}

#[test]
fn what_users_noted_as_wrong_fails_the_run() {
    let due = Duration::from_millis(900);
    let route = "onChat".to_owned();
    for (what, name, said) in [
        (
            What::Unsent { due },
            "sent",
            "user 0 was in no room to send what was due at 0.900s",
        ),
        (
            What::Unasked { id: 2 },
            "asked",
            "user 0 had an answer at 1.000s to request 2, which was not open",
        ),
        (
            What::Strange { route },
            "understood",
            "user 0 could make nothing of the onChat pushed at 1.000s",
        ),
    ] {
        let mut finished = finished(Ending::Complete);
        finished.history.push(event(0, what));
        assert_eq!(evidence(&finished, name), [said]);
    }
}

#[test]
fn a_user_that_was_out_when_it_was_time_to_leave_did_not_come_to_the_end() {
    let mut finished = busy(Ending::Complete);
    finished.history.push(event(0, LEAVING));
    for what in [
        What::Closed {
            reason: "reset".to_owned(),
        },
        What::Login {
            due: Duration::ZERO,
        },
        What::LoginFailed {
            reason: "no gate".to_owned(),
        },
    ] {
        finished.history.push(event(1, what));
    }
    let said = "user 1 was out of its room when it was time to leave: no gate";
    assert_eq!(evidence(&finished, "finished"), [said]);
    finished.history.push(event(1, ENTERED));
    assert_eq!(evidence(&finished, "finished"), ["user 1 never left"]);
    finished.history.push(event(1, LEAVING));
    assert_eq!(evidence(&finished, "finished"), [""; 0]);
}

#[test]
fn who_leaves_while_it_is_still_entering_was_not_in_its_room() {
    let mut finished = finished(Ending::Complete);
    finished.history.push(event(0, LEAVING));
    let said = "user 1 was out of its room when it was time to leave: its name was taken";
    assert_eq!(evidence(&finished, "finished"), [said]);
}

#[test]
fn a_run_that_was_stopped_says_nothing_of_all_users_and_sends() {
    let (verdicts, warnings) = judged(&busy(INTERRUPTED));
    let judged = [
        "admitted",
        "unique",
        "kept",
        "once",
        "apart",
        "ordered",
        "notices",
        "asked",
        "understood",
    ];
    assert_eq!(names(&verdicts), judged);
    assert!(verdicts.iter().all(|verdict| verdict.holds));
    let said = "it was stopped before its end: there is no verdict on finished, entered, sent, \
                answered, accepted, delivered";
    assert_eq!(warnings, [said]);
}

#[test]
fn a_run_that_was_stopped_before_anybody_was_in_says_nothing() {
    let mut finished = finished(INTERRUPTED);
    finished.elapsed = Duration::from_secs(1);
    finished.history.clear();
    let (verdicts, warnings) = judged(&finished);
    assert_eq!(verdicts, []);
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
}

#[test]
fn what_went_wrong_before_a_run_was_stopped_is_told_all_the_same() {
    assert_eq!(
        evidence(&finished(INTERRUPTED), "entered"),
        ["user 1: its name was taken"]
    );
    let mut unheard = busy(INTERRUPTED);
    unheard.history.remove(7);
    assert_eq!(evidence(&unheard, "delivered").len(), 1);
}

#[test]
fn a_run_in_which_nothing_was_sent_says_nothing_of_messages() {
    let mut idle = busy(Ending::Complete);
    idle.history.truncate(5);
    idle.history.push(event(0, LEAVING));
    idle.history.push(event(1, LEAVING));
    let (verdicts, warnings) = judged(&idle);
    let judged = [
        "finished",
        "entered",
        "admitted",
        "unique",
        "kept",
        "notices",
        "asked",
        "understood",
    ];
    assert_eq!(names(&verdicts), judged);
    assert!(verdicts.iter().all(|verdict| verdict.holds));
    let said = "nothing was sent: there is no verdict on sent, answered, accepted, delivered, \
                once, apart, ordered";
    assert_eq!(warnings, [said]);
}

#[test]
fn a_whole_run_has_every_verdict() {
    let mut whole = busy(Ending::Complete);
    whole.history.push(event(0, LEAVING));
    whole.history.push(event(1, LEAVING));
    for event in whole.history.iter_mut().rev().take(2) {
        event.at = Duration::from_secs(50);
    }
    let (verdicts, warnings) = judged(&whole);
    assert_eq!(verdicts.len(), 15);
    assert!(verdicts.iter().all(|verdict| verdict.holds));
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn the_ending_decides_what_failed() {
    let failed = Ending::Failed {
        reason: "chat-server-1 panicked".to_owned(),
    };
    for (ending, said) in [
        (Ending::Stuck { users: 3 }, "3 users had to be stopped"),
        (failed, "chat-server-1 panicked"),
    ] {
        let evidence = evidence(&finished(ending.clone()), "finished");
        assert_eq!(evidence[0], said, "{ending:?}");
    }
}

#[test]
fn more_cases_than_are_told_are_counted() {
    let mut faults = Faults::default();
    for case in 1..=12 {
        faults.note(case, || format!("case {case}"));
    }
    let told = told(&faults);
    assert_eq!(told.len(), 11);
    assert_eq!(
        (told[0].as_str(), told[10].as_str()),
        ("case 1", "and 2 more")
    );
}
