//! What had to hold in a load test, and whether it did.
//!
//! A check that found something fails. One that found nothing holds only if it could have found
//! something: what speaks of every user or send is open in a run that was stopped, and what
//! speaks of messages is open in a run without any. Open checks get no verdict, but a warning
//! names them.

use std::collections::BTreeMap;

use reports::run::{CASES_MAX, Verdict};

use crate::audit::{Audit, Faults};
use crate::drive::{Ending, Finished};
use crate::history::{Event, What};
use crate::plan::LoadPlan;

/// The verdicts on a load test, and a warning for each reason why there are no others.
pub fn verdicts(
    plan: &LoadPlan,
    finished: &Finished,
    audit: &Audit,
) -> (Vec<Verdict>, Vec<String>) {
    let mut verdicts = Vec::new();
    let mut open: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in checks(plan, finished, audit) {
        let Some(reason) = check.open.filter(|_| check.evidence.is_empty()) else {
            verdicts.push(check.verdict());
            continue;
        };
        match open.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, names)) => names.push(check.name),
            None => open.push((reason, vec![check.name])),
        }
    }
    let warnings = open.into_iter().map(|(reason, names)| {
        let names = names.join(", ");
        format!("{reason}: there is no verdict on {names}")
    });
    (verdicts, warnings.collect())
}

/// What one check found.
struct Check {
    name: &'static str,
    demands: &'static str,
    /// Why it would say nothing that it found nothing.
    open: Option<&'static str>,
    evidence: Vec<String>,
}

impl Check {
    fn verdict(self) -> Verdict {
        Verdict {
            name: self.name.to_owned(),
            demands: self.demands.to_owned(),
            holds: self.evidence.is_empty(),
            evidence: self.evidence,
        }
    }
}

fn checks(plan: &LoadPlan, finished: &Finished, audit: &Audit) -> Vec<Check> {
    let check = |name, demands, open, evidence| Check {
        name,
        demands,
        open,
        evidence,
    };
    let history = &finished.history;
    let users = users(plan, history);
    let nobody = users.values().all(|user| !user.entered);
    let because = |reason, is_open: bool| is_open.then_some(reason);
    let stopped = because("it was stopped before its end", finished.is_partial());
    let empty = because("nobody was in a room", nobody);
    let silent = because("nothing was sent", audit.sent + audit.unsent.count == 0);
    let unsent = because("nothing was sent", audit.sent == 0);
    let unheard = unsent.or(because("nothing was heard", audit.delivered == 0));
    let unowed = unsent.or(because("nothing was owed to anybody", audit.expected == 0));
    vec![
        check(
            "finished",
            "the cluster stood and every user came to the end of its script",
            stopped,
            unfinished(&users, &finished.ending),
        ),
        check(
            "entered",
            "every user entered its room",
            stopped,
            outsiders(&users, plan, finished),
        ),
        check(
            "admitted",
            "no login failed or was refused",
            empty,
            failed_logins(history),
        ),
        check(
            "kept",
            "no connection was lost",
            empty,
            lost_connections(history),
        ),
        check(
            "sent",
            "every send that was due was sent",
            stopped.or(silent),
            told(&audit.unsent),
        ),
        check(
            "answered",
            "every send was answered",
            stopped.or(unsent),
            told(&audit.unanswered),
        ),
        check(
            "accepted",
            "every send that was answered was accepted",
            stopped.or(unsent),
            told(&audit.refused),
        ),
        check(
            "delivered",
            "every accepted send reached every member",
            stopped.or(unowed),
            told(&audit.missing),
        ),
        check(
            "once",
            "nobody heard a message twice",
            unheard,
            told(&audit.doubled),
        ),
        check(
            "apart",
            "nobody heard what was not for its room",
            unheard,
            told(&audit.stray),
        ),
        check(
            "asked",
            "nobody had an answer to what was not asked, or a second one",
            empty,
            told(&audit.unasked),
        ),
        check(
            "understood",
            "nobody was pushed what no user understands",
            empty,
            told(&audit.strange),
        ),
    ]
}

/// The cases of a fault, and how many more there are.
fn told(faults: &Faults) -> Vec<String> {
    let mut evidence = faults.cases.clone();
    let untold = faults.count - evidence.len() as u64;
    if untold > 0 {
        evidence.push(format!("and {untold} more"));
    }
    evidence
}

/// How far a user came.
struct User {
    /// It was in its room at some time.
    entered: bool,
    place: Place,
}

/// Where a user was last.
enum Place {
    /// Not in its room, with what kept it out last.
    Outside(String),
    Inside,
    /// It was in its room and left by itself, which only the end of a script makes it do.
    Gone,
}

/// All users of `plan`, as `history` has them.
fn users(plan: &LoadPlan, history: &[Event]) -> BTreeMap<u32, User> {
    let absent = || User {
        entered: false,
        place: Place::Outside("it never got so far".to_owned()),
    };
    let mut users: BTreeMap<u32, User> = (0..plan.users).map(|user| (user, absent())).collect();
    for event in history {
        let user = users.entry(event.user).or_insert_with(absent);
        user.place = match &event.what {
            What::Entered { .. } => {
                user.entered = true;
                Place::Inside
            }
            What::Leaving if matches!(user.place, Place::Inside) => Place::Gone,
            What::LoginFailed { reason } | What::Closed { reason } | What::Kicked { reason } => {
                Place::Outside(reason.clone())
            }
            What::Refused { duplicate } => Place::Outside(refusal(*duplicate).to_owned()),
            _ => continue,
        };
    }
    users
}

fn refusal(duplicate: bool) -> &'static str {
    if duplicate {
        "its name was taken"
    } else {
        "it was refused"
    }
}

/// What kept users from the end of their scripts. One that was on its way back in when it was time
/// to leave gave up, and is no user that came to the end.
fn unfinished(users: &BTreeMap<u32, User>, ending: &Ending) -> Vec<String> {
    let stuck = match ending {
        Ending::Complete => None,
        Ending::Stuck { users } => Some(format!("{users} users had to be stopped")),
        Ending::Interrupted(_) => return Vec::new(),
        Ending::Failed { reason } => return vec![reason.clone()],
    };
    let others = users.iter().filter_map(|(user, User { place, .. })| {
        let why = match place {
            Place::Outside(why) => format!("was out of its room when it was time to leave: {why}"),
            Place::Inside => "never left".to_owned(),
            Place::Gone => return None,
        };
        Some(format!("user {user} {why}"))
    });
    stuck.into_iter().chain(first_cases(others)).collect()
}

/// Users that had the time to enter a room and were never in one, with what kept them out last.
fn outsiders(users: &BTreeMap<u32, User>, plan: &LoadPlan, finished: &Finished) -> Vec<String> {
    if finished.elapsed < plan.sends_from() {
        return Vec::new();
    }
    first_cases(users.iter().filter_map(|(user, how)| match &how.place {
        Place::Outside(why) if !how.entered => Some(format!("user {user}: {why}")),
        _ => None,
    }))
}

/// Logins that came to nothing, though a later one of the same user may have succeeded: a cluster
/// that turns users away until it has the time is one that can't take them.
fn failed_logins(history: &[Event]) -> Vec<String> {
    first_cases(history.iter().filter_map(|event| {
        let why = match &event.what {
            What::LoginFailed { reason } => reason.as_str(),
            What::Refused { duplicate } => refusal(*duplicate),
            _ => return None,
        };
        let at = event.at.as_secs_f64();
        Some(format!(
            "user {}: {why}, {at:.3} s into the run",
            event.user
        ))
    }))
}

/// Connections that ended without their users having asked for it. A member that is gone is owed
/// nothing, so without this a cluster that dies would pass every other check.
fn lost_connections(history: &[Event]) -> Vec<String> {
    first_cases(history.iter().filter_map(|event| {
        let how = match &event.what {
            What::Kicked { reason } => format!("was kicked: {reason}"),
            What::Closed { reason } => format!("was cut off: {reason}"),
            _ => return None,
        };
        let at = event.at.as_secs_f64();
        Some(format!("user {} {how}, {at:.3} s into the run", event.user))
    }))
}

/// The first [`CASES_MAX`] of `cases`, and how many more there are.
fn first_cases(mut cases: impl Iterator<Item = String>) -> Vec<String> {
    let mut told: Vec<_> = cases.by_ref().take(CASES_MAX).collect();
    let untold = cases.count();
    if untold > 0 {
        told.push(format!("and {untold} more"));
    }
    told
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cluster::signals::Signal;

    use super::*;
    use crate::audit::audit;
    use crate::history::{MessageId, Target};

    const INTERRUPTED: Ending = Ending::Interrupted(Signal::Interrupt);
    const ENTERED: What = What::Entered { users: Vec::new() };

    /// The first of two users is in its room, the second is not let in; both end.
    fn finished(ending: Ending) -> Finished {
        let due = Duration::ZERO;
        Finished {
            history: vec![
                event(0, What::Login { due }),
                event(0, ENTERED),
                event(1, What::Login { due }),
                event(1, What::Refused { duplicate: true }),
                event(1, What::Leaving),
            ],
            elapsed: Duration::from_secs(60),
            ending,
        }
    }

    /// Both users are in their room, and user 0 has said something that both have heard.
    fn busy(ending: Ending) -> Finished {
        let message = MessageId {
            user: 0,
            login: 1,
            number: 1,
        };
        let entering = || What::Entering {
            name: "ann".to_owned(),
            room: "room".to_owned(),
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
            event(0, entering()),
            event(0, ENTERED),
            event(1, entering()),
            event(1, ENTERED),
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

    fn judged(finished: &Finished) -> (Vec<Verdict>, Vec<String>) {
        let audit = audit(&finished.history, finished.elapsed);
        verdicts(&LoadPlan::new(2, 1), finished, &audit)
    }

    fn names(verdicts: &[Verdict]) -> Vec<&str> {
        let names = verdicts.iter().map(|verdict| verdict.name.as_str());
        names.collect()
    }

    fn evidence(finished: &Finished, name: &str) -> Vec<String> {
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
        finished.history.push(event(0, What::Leaving));
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
        finished.history.push(event(1, What::Leaving));
        assert_eq!(evidence(&finished, "finished"), [""; 0]);
    }

    #[test]
    fn who_leaves_while_it_is_still_entering_was_not_in_its_room() {
        let mut finished = finished(Ending::Complete);
        finished.history.push(event(0, What::Leaving));
        let said = "user 1 was out of its room when it was time to leave: its name was taken";
        assert_eq!(evidence(&finished, "finished"), [said]);
    }

    #[test]
    fn a_run_that_was_stopped_says_nothing_of_all_users_and_sends() {
        let (verdicts, warnings) = judged(&busy(INTERRUPTED));
        let judged = ["admitted", "kept", "once", "apart", "asked", "understood"];
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
        unheard.history.remove(6);
        assert_eq!(evidence(&unheard, "delivered").len(), 1);
    }

    #[test]
    fn a_run_in_which_nothing_was_sent_says_nothing_of_messages() {
        let mut idle = busy(Ending::Complete);
        idle.history.truncate(4);
        idle.history.push(event(0, What::Leaving));
        idle.history.push(event(1, What::Leaving));
        let (verdicts, warnings) = judged(&idle);
        let judged = [
            "finished",
            "entered",
            "admitted",
            "kept",
            "asked",
            "understood",
        ];
        assert_eq!(names(&verdicts), judged);
        assert!(verdicts.iter().all(|verdict| verdict.holds));
        let said = "nothing was sent: there is no verdict on sent, answered, accepted, delivered, \
                    once, apart";
        assert_eq!(warnings, [said]);
    }

    #[test]
    fn a_whole_run_has_every_verdict() {
        let mut whole = busy(Ending::Complete);
        whole.history.push(event(0, What::Leaving));
        whole.history.push(event(1, What::Leaving));
        for event in whole.history.iter_mut().rev().take(2) {
            event.at = Duration::from_secs(50);
        }
        let (verdicts, warnings) = judged(&whole);
        assert_eq!(verdicts.len(), 12);
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
        let faults = Faults {
            count: 12,
            cases: vec!["first".to_owned()],
        };
        assert_eq!(told(&faults), ["first", "and 11 more"]);
    }
}
