//! A load test as the report of a run: verdicts, counts, latencies.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::ValueEnum;
use reports::latency::Latencies;
use reports::run::{self, CASES_MAX, Kind, Plan, Program, Run, SCHEMA, Verdict};
use serde_json::Value;

use crate::audit::{Audit, Faults, audit};
use crate::drive::{Ending, Finished};
use crate::figures::{Figures, figures};
use crate::health::LATENESS_MAX;
use crate::history::{Event, What};
use crate::plan::LoadPlan;

/// What a run does not know of itself.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The name of its folder.
    pub name: String,
    /// The command line that repeats it.
    pub command: String,
    /// When it started, since 1970-01-01 00:00 UTC.
    pub started_at: Duration,
    /// What was loaded: a gate's address, or `embedded`.
    pub target: String,
}

/// The report of one load test.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What `run.json` holds.
    pub run: Run,
    /// The histograms behind the figures.
    pub latencies: BTreeMap<String, Latencies>,
}

/// Judges what is left of a load test.
pub fn judge(plan: &LoadPlan, finished: &Finished, stamp: Stamp) -> Outcome {
    let history = &finished.history;
    let audit = audit(history, finished.elapsed);
    let figures = figures(history);
    let warnings = warnings(&figures);
    let verdicts = verdicts(plan, finished, &audit);
    let counts = counts(plan, history, &audit);
    let latencies = latencies(audit, figures);
    let shown = latencies
        .iter()
        .filter_map(|(name, latencies)| Some((name.clone(), latencies.figures()?)));
    let run = Run {
        schema: SCHEMA,
        name: stamp.name,
        program: Program {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        kind: Kind::Load,
        seed: plan.seed,
        command: stamp.command,
        date: run::date(stamp.started_at),
        elapsed_us: finished.elapsed.as_micros() as u64,
        partial: matches!(finished.ending, Ending::Interrupted | Ending::Failed { .. }),
        plan: Plan {
            options: options(plan, stamp.target),
            steps: Vec::new(),
        },
        verdicts,
        warnings,
        counts,
        latencies: shown.collect(),
    };
    Outcome { run, latencies }
}

fn options(plan: &LoadPlan, target: String) -> BTreeMap<String, Value> {
    let transport = plan.transport.to_possible_value();
    let transport = transport.map(|value| value.get_name().to_owned());
    let options = [
        ("duration_us", (plan.duration.as_micros() as u64).into()),
        ("message_len", plan.message_len.into()),
        ("ramp_us", (plan.ramp.as_micros() as u64).into()),
        ("rate_per_s", plan.rate_per_s.into()),
        ("rooms", plan.rooms.into()),
        ("target", target.into()),
        ("transport", transport.into()),
        ("users", plan.users.into()),
    ];
    options
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn verdicts(plan: &LoadPlan, finished: &Finished, audit: &Audit) -> Vec<Verdict> {
    vec![
        verdict(
            "finished",
            "the cluster stood and every user came to the end of its script",
            match &finished.ending {
                Ending::Complete | Ending::Interrupted => Vec::new(),
                Ending::Stuck { users } => vec![format!("{users} users had to be stopped")],
                Ending::Failed { reason } => vec![reason.clone()],
            },
        ),
        verdict(
            "entered",
            "every user entered its room",
            outsiders(plan, finished),
        ),
        verdict(
            "admitted",
            "no login failed or was refused",
            failed_logins(&finished.history),
        ),
        verdict(
            "kept",
            "no connection was lost",
            lost_connections(&finished.history),
        ),
        of_faults("sent", "every send that was due was sent", &audit.unsent),
        of_faults("answered", "every send was answered", &audit.unanswered),
        of_faults(
            "accepted",
            "every send that was answered was accepted",
            &audit.refused,
        ),
        of_faults(
            "delivered",
            "every accepted send reached every member",
            &audit.missing,
        ),
        of_faults("once", "nobody heard a message twice", &audit.doubled),
        of_faults(
            "apart",
            "nobody heard what was not for its room",
            &audit.stray,
        ),
        of_faults(
            "asked",
            "nobody had an answer to what was not asked, or a second one",
            &audit.unasked,
        ),
        of_faults(
            "understood",
            "every push was one that a user understands",
            &audit.strange,
        ),
    ]
}

/// A verdict that holds unless there is evidence against it.
fn verdict(name: &str, demands: &str, evidence: Vec<String>) -> Verdict {
    Verdict {
        name: name.to_owned(),
        demands: demands.to_owned(),
        holds: evidence.is_empty(),
        evidence,
    }
}

fn of_faults(name: &str, demands: &str, faults: &Faults) -> Verdict {
    let mut evidence = faults.cases.clone();
    let untold = faults.count - evidence.len() as u64;
    if untold > 0 {
        evidence.push(format!("and {untold} more"));
    }
    verdict(name, demands, evidence)
}

/// Users that had the time to enter a room and were never in one, with what kept them out last.
fn outsiders(plan: &LoadPlan, finished: &Finished) -> Vec<String> {
    if finished.elapsed < plan.sends_from() {
        return Vec::new();
    }
    let mut kept_out: BTreeMap<u32, String> = (0..plan.users)
        .map(|user| (user, "it never got so far".to_owned()))
        .collect();
    let mut inside = BTreeSet::new();
    for event in &finished.history {
        let why = match &event.what {
            What::Entered { .. } => {
                inside.insert(event.user);
                continue;
            }
            What::LoginFailed { reason } | What::Closed { reason } | What::Kicked { reason } => {
                reason.clone()
            }
            What::Refused { duplicate: true } => "its name was taken".to_owned(),
            What::Refused { duplicate: false } => "it was refused".to_owned(),
            _ => continue,
        };
        kept_out.insert(event.user, why);
    }
    kept_out.retain(|user, _why| !inside.contains(user));
    let all = kept_out.iter();
    first_cases(all.map(|(user, why)| format!("user {user}: {why}")))
}

/// Logins that came to nothing, though a later one of the same user may have succeeded: a cluster
/// that turns users away until it has the time is one that can't take them.
fn failed_logins(history: &[Event]) -> Vec<String> {
    first_cases(history.iter().filter_map(|event| {
        let why = match &event.what {
            What::LoginFailed { reason } => reason.as_str(),
            What::Refused { duplicate: true } => "its name was taken",
            What::Refused { duplicate: false } => "it was refused",
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

fn warnings(figures: &Figures) -> Vec<String> {
    let lateness = figures.lateness.quantile(0.99);
    if lateness <= LATENESS_MAX {
        return Vec::new();
    }
    vec![format!(
        "sends were late by {lateness:.1?} (p99, more than {LATENESS_MAX:?}): this machine was the \
         bottleneck, and all latencies include it"
    )]
}

fn counts(plan: &LoadPlan, history: &[Event], audit: &Audit) -> BTreeMap<String, u64> {
    let count = |is_counted: fn(&What) -> bool| {
        let counted = history.iter().filter(|event| is_counted(&event.what));
        counted.count() as u64
    };
    let entered: BTreeSet<_> = history
        .iter()
        .filter(|event| matches!(event.what, What::Entered { .. }))
        .map(|event| event.user)
        .collect();
    let lost = |what: &What| matches!(what, What::Closed { .. } | What::Kicked { .. });
    let counts = [
        ("answers_unasked", audit.unasked.count),
        ("connections_lost", count(lost)),
        ("deliveries_doubled", audit.doubled.count),
        ("deliveries_expected", audit.expected),
        ("deliveries_missing", audit.missing.count),
        ("deliveries_stray", audit.stray.count),
        ("deliveries_total", audit.delivered),
        (
            "logins_failed",
            count(|what| matches!(what, What::LoginFailed { .. })),
        ),
        (
            "logins_refused",
            count(|what| matches!(what, What::Refused { .. })),
        ),
        (
            "logins_total",
            count(|what| matches!(what, What::Login { .. })),
        ),
        ("pushes_strange", audit.strange.count),
        ("sends_accepted", audit.accepted),
        ("sends_refused", audit.refused.count),
        ("sends_total", audit.sent),
        ("sends_unanswered", audit.unanswered.count),
        ("sends_unsent", audit.unsent.count),
        ("users_entered", entered.len() as u64),
        ("users_total", u64::from(plan.users)),
    ];
    counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}

fn latencies(audit: Audit, figures: Figures) -> BTreeMap<String, Latencies> {
    let latencies = [
        ("broadcast", audit.broadcast),
        ("broadcast.first", audit.broadcast_first),
        ("broadcast.last", audit.broadcast_last),
        ("broadcast.median", audit.broadcast_median),
        ("login", figures.login),
        ("request", figures.request),
        ("send_lateness", figures.lateness),
    ];
    latencies
        .into_iter()
        .map(|(name, latencies)| (name.to_owned(), latencies))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two users; the first is in the room, the second is not let in.
    fn finished(ending: Ending) -> Finished {
        let due = Duration::ZERO;
        Finished {
            history: vec![
                event(0, What::Login { due }),
                event(0, What::Entered { users: Vec::new() }),
                event(1, What::Login { due }),
                event(1, What::Refused { duplicate: true }),
            ],
            elapsed: Duration::from_secs(60),
            ending,
        }
    }

    fn event(user: u32, what: What) -> Event {
        Event {
            at: Duration::from_secs(1),
            user,
            login: 1,
            what,
        }
    }

    fn judged(finished: &Finished) -> Run {
        let stamp = Stamp {
            name: "load-1-1".to_owned(),
            command: "loadgen".to_owned(),
            started_at: Duration::ZERO,
            target: "embedded".to_owned(),
        };
        judge(&LoadPlan::new(2, 1), finished, stamp).run
    }

    fn evidence<'a>(run: &'a Run, name: &str) -> &'a [String] {
        let verdict = run.verdicts.iter().find(|verdict| verdict.name == name);
        let verdict = verdict.expect("there is such a verdict");
        assert_eq!(verdict.holds, verdict.evidence.is_empty());
        &verdict.evidence
    }

    #[test]
    fn a_user_that_never_got_in_is_told_with_the_reason() {
        let run = judged(&finished(Ending::Complete));
        assert_eq!(evidence(&run, "entered"), ["user 1: its name was taken"]);
        assert_eq!(run.counts["users_entered"], 1);
        assert_eq!(run.counts["logins_total"], 2);
        assert!(!run.holds());
    }

    #[test]
    fn a_cluster_that_dies_does_not_pass_because_it_owes_nothing_any_more() {
        let mut finished = finished(Ending::Complete);
        finished.history.push(Event {
            at: Duration::from_millis(2500),
            user: 0,
            login: 1,
            what: What::Closed {
                reason: "the server closed it".to_owned(),
            },
        });
        let run = judged(&finished);
        let said = "user 0 was cut off: the server closed it, 2.500 s into the run";
        assert_eq!(evidence(&run, "kept"), [said]);
        assert!(!run.holds());
    }

    #[test]
    fn a_user_that_got_in_only_later_is_told_too() {
        let mut finished = finished(Ending::Complete);
        let users = Vec::new();
        finished.history.push(event(1, What::Entered { users }));
        let run = judged(&finished);
        assert_eq!(evidence(&run, "entered"), [""; 0]);
        let said = "user 1: its name was taken, 1.000 s into the run";
        assert_eq!(evidence(&run, "admitted"), [said]);
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
            assert_eq!(evidence(&judged(&finished), name), [said]);
        }
    }

    #[test]
    fn a_run_that_was_stopped_before_all_were_in_blames_nobody_for_it() {
        let mut finished = finished(Ending::Interrupted);
        finished.elapsed = Duration::from_secs(1);
        finished.history.pop();
        let run = judged(&finished);
        assert!(run.holds() && run.partial);
    }

    #[test]
    fn the_ending_decides_what_is_partial_and_what_failed() {
        let failed = Ending::Failed {
            reason: "chat-server-1 panicked".to_owned(),
        };
        for (ending, is_partial, said) in [
            (Ending::Complete, false, None),
            (Ending::Interrupted, true, None),
            (
                Ending::Stuck { users: 3 },
                false,
                Some("3 users had to be stopped"),
            ),
            (failed, true, Some("chat-server-1 panicked")),
        ] {
            let run = judged(&finished(ending.clone()));
            assert_eq!(run.partial, is_partial, "{ending:?}");
            let evidence = evidence(&run, "finished").first().map(String::as_str);
            assert_eq!(evidence, said, "{ending:?}");
        }
    }

    #[test]
    fn late_sends_are_warned_of() {
        let mut figures = Figures::default();
        figures.lateness.record(Duration::from_millis(9));
        assert_eq!(warnings(&figures), [""; 0]);
        figures.lateness.record(Duration::from_millis(12));
        let said = warnings(&figures);
        assert!(said[0].contains("12.0ms"), "{said:?}");
    }

    #[test]
    fn more_cases_than_are_told_are_counted() {
        let faults = Faults {
            count: 12,
            cases: vec!["first".to_owned()],
        };
        let verdict = of_faults("once", "nobody heard a message twice", &faults);
        assert_eq!(verdict.evidence, ["first", "and 11 more"]);
        assert!(!verdict.holds);
    }
}
