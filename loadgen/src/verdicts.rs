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
    let unique = check(
        "unique",
        "nobody entered under a name that was in use",
        stopped,
        intruders(plan, history),
    );
    let mut checks = vec![
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
            "no login failed or was refused, but for one under a name that is in use",
            empty,
            failed_logins(plan, history),
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
    ];
    if plan.duplicate_logins > 0 {
        checks.push(unique);
    }
    checks
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

/// All users of `plan` with a name of their own, as `history` has them.
fn users(plan: &LoadPlan, history: &[Event]) -> BTreeMap<u32, User> {
    let absent = || User {
        entered: false,
        place: Place::Outside("it never got so far".to_owned()),
    };
    let mut users: BTreeMap<u32, User> = (0..plan.users).map(|user| (user, absent())).collect();
    for event in history.iter().filter(|it| it.user < plan.users) {
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
    if finished.elapsed < plan.arrived_at() {
        return Vec::new();
    }
    first_cases(users.iter().filter_map(|(user, how)| match &how.place {
        Place::Outside(why) if !how.entered => Some(format!("user {user}: {why}")),
        _ => None,
    }))
}

/// Logins that came to nothing, though a later one of the same user may have succeeded: a cluster
/// that turns users away until it has the time is one that can't take them.
fn failed_logins(plan: &LoadPlan, history: &[Event]) -> Vec<String> {
    first_cases(history.iter().filter_map(|event| {
        let why = match &event.what {
            What::LoginFailed { reason } => reason.as_str(),
            What::Refused { duplicate: true } if event.user >= plan.users => return None,
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

/// Those who were let in under a name that was in use.
fn intruders(plan: &LoadPlan, history: &[Event]) -> Vec<String> {
    first_cases(history.iter().filter_map(|event| {
        let is_entry = matches!(event.what, What::Entered { .. });
        let name = plan.namesake(event.user).filter(|_| is_entry)?;
        let at = event.at.as_secs_f64();
        Some(format!(
            "user {} entered under the name of user {name}, {at:.3} s into the run",
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
mod tests;
