//! What had to hold in a load test, and whether it did.
//!
//! A check that found something fails. One that found nothing holds only if it could have found
//! something: what speaks of every user or send is open in a run that was stopped, and what
//! speaks of messages is open in a run without any. Open checks get no verdict, but a warning
//! names them.

use reports::measured::faults::Faults;
use reports::run::Verdict;

use crate::drive::{Ending, Finished};
use crate::plan::LoadPlan;

/// What every check is called.
pub const NAMES: [&str; 15] = [
    "finished",
    "entered",
    "admitted",
    "unique",
    "kept",
    "sent",
    "answered",
    "accepted",
    "delivered",
    "once",
    "apart",
    "ordered",
    "notices",
    "asked",
    "understood",
];

/// The verdicts on a load test, and a warning for each reason why there are no others.
pub fn verdicts(plan: &LoadPlan, finished: &Finished) -> (Vec<Verdict>, Vec<String>) {
    let mut verdicts = Vec::new();
    let mut open: Vec<(&str, Vec<&str>)> = Vec::new();
    for check in checks(plan, finished) {
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

fn checks(plan: &LoadPlan, finished: &Finished) -> Vec<Check> {
    let check = |name, demands, open, evidence| Check {
        name,
        demands,
        open,
        evidence,
    };
    let measured = &finished.measured;
    let count = |name| measured.counts.get(name).copied().unwrap_or_default();
    let faults = |name| measured.faults.get(name).map_or(Vec::new(), told);
    let because = |reason, is_open: bool| is_open.then_some(reason);
    let stopped = because("it was stopped before its end", finished.is_partial());
    let empty = because("nobody was in a room", count("users_entered") == 0);
    let sent = count("sends_total");
    let silent = because("nothing was sent", sent + count("sends_unsent") == 0);
    let unsent = because("nothing was sent", sent == 0);
    let unheard = unsent.or(because("nothing was heard", count("deliveries_total") == 0));
    let unowed = unsent.or(because(
        "nothing was owed to anybody",
        count("deliveries_expected") == 0,
    ));
    let alone = empty.or(because(
        "nobody was to be told of anybody",
        count("notices_total") + count("notices_expected") == 0,
    ));
    vec![
        check(
            "finished",
            "the cluster stood and every user came to the end of its script",
            stopped,
            unfinished(faults("users_unfinished"), &finished.ending),
        ),
        check(
            "entered",
            "every user entered its room",
            stopped,
            // Before that, not all had the time to.
            if finished.elapsed < plan.arrived_at() {
                Vec::new()
            } else {
                faults("users_outside")
            },
        ),
        check(
            "admitted",
            "no login failed or was refused, but for one under a name that another has",
            empty,
            faults("not_admitted"),
        ),
        check(
            "unique",
            "nobody was let in under a name that another had",
            empty,
            faults("names_shared"),
        ),
        // A member that is gone is owed nothing, so without this a cluster that dies would pass every
        // other check.
        check(
            "kept",
            "no connection was lost",
            empty,
            faults("connections_lost"),
        ),
        check(
            "sent",
            "every send that was due was sent",
            stopped.or(silent),
            faults("sends_unsent"),
        ),
        check(
            "answered",
            "every send was answered",
            stopped.or(unsent),
            faults("sends_unanswered"),
        ),
        check(
            "accepted",
            "every send that was answered was accepted",
            stopped.or(unsent),
            faults("sends_refused"),
        ),
        check(
            "delivered",
            "every accepted send reached every member in time",
            stopped.or(unowed),
            [faults("lost"), faults("late")].concat(),
        ),
        check(
            "once",
            "nobody heard a message twice",
            unheard,
            faults("doubled"),
        ),
        check(
            "apart",
            "nobody heard what was not for its room",
            unheard,
            faults("wrong_room"),
        ),
        check(
            "ordered",
            "all members of a room saw its messages and notices in one order",
            unheard,
            faults("reordered"),
        ),
        check(
            "notices",
            "everybody was told once of each who came and each who went",
            alone,
            [faults("notices_missing"), faults("notices_doubled")].concat(),
        ),
        check(
            "asked",
            "nobody had an answer to what was not asked, or a second one",
            empty,
            faults("answers_unasked"),
        ),
        check(
            "understood",
            "nobody was pushed what no user understands",
            empty,
            faults("pushes_strange"),
        ),
    ]
}

/// The first cases of a fault, and how many more there are.
fn told(faults: &Faults) -> Vec<String> {
    let cases = faults.cases().iter().map(|case| case.text.clone());
    let mut evidence: Vec<_> = cases.collect();
    let untold = faults.count - evidence.len() as u64;
    if untold > 0 {
        evidence.push(format!("and {untold} more"));
    }
    evidence
}

/// What kept users from the end of their scripts.
fn unfinished(users: Vec<String>, ending: &Ending) -> Vec<String> {
    let stuck = match ending {
        Ending::Complete => None,
        Ending::Stuck { users } => Some(format!("{users} users had to be stopped")),
        Ending::Interrupted(_) | Ending::Invalid { .. } => return Vec::new(),
        Ending::Failed { reason } => return vec![reason.clone()],
    };
    stuck.into_iter().chain(users).collect()
}

#[cfg(test)]
mod tests;
