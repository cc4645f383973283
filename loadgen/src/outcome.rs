//! A load test as the report of a run: verdicts, counts, latencies.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use clap::ValueEnum;
use reports::latency::Latencies;
use reports::run::{self, Kind, Plan, Program, Run, SCHEMA};
use serde_json::Value;

use crate::audit::{Audit, audit};
use crate::drive::Finished;
use crate::figures::{Figures, figures};
use crate::health::LATENESS_MAX;
use crate::history::{Event, What};
use crate::plan::LoadPlan;
use crate::thresholds;
use crate::verdicts::verdicts;

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
    let (verdicts, mut warnings) = verdicts(plan, finished, &audit);
    warnings.extend(late_sends(&figures));
    let counts = counts(plan, history, &audit);
    let latencies = latencies(audit, figures);
    let (thresholds, unknown) = thresholds::judge(&plan.thresholds, &latencies, &counts);
    warnings.extend(unknown);
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
        partial: finished.is_partial(),
        plan: Plan {
            options: options(plan, stamp.target),
            steps: plan.steps(),
            stages: plan.spans(),
            faults: Vec::new(),
        },
        verdicts,
        thresholds,
        invalid: Vec::new(),
        warnings,
        counts,
        latencies: shown.collect(),
        load: None,
        health: Vec::new(),
        environment: BTreeMap::new(),
    };
    Outcome { run, latencies }
}

fn options(plan: &LoadPlan, target: String) -> BTreeMap<String, Value> {
    let transport = plan.transport.to_possible_value();
    let transport = transport.map(|value| value.get_name().to_owned());
    let options = [
        ("duration_us", (plan.leave_at().as_micros() as u64).into()),
        ("message_len", plan.message_len.into()),
        ("plan", plan.name.as_str().into()),
        ("rooms", plan.rooms.count().into()),
        ("target", target.into()),
        ("transport", transport.into()),
        ("users", plan.users.into()),
    ];
    options
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn late_sends(figures: &Figures) -> Option<String> {
    let lateness = figures.lateness.quantile(0.99);
    (lateness > LATENESS_MAX).then(|| {
        format!(
            "sends were late by {lateness:.1?} (p99, more than {LATENESS_MAX:?}): this machine was \
             the bottleneck, and all latencies include it"
        )
    })
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
    use cluster::signals::Signal;

    use super::*;
    use crate::drive::Ending;

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

    #[test]
    fn a_run_is_counted_and_judged() {
        let run = judged(&finished(Ending::Complete));
        assert_eq!(run.counts["users_entered"], 1);
        assert_eq!(run.counts["logins_total"], 2);
        assert_eq!(run.counts["logins_refused"], 1);
        assert!(!run.holds());
    }

    #[test]
    fn the_ending_decides_what_is_partial() {
        let failed = Ending::Failed {
            reason: "chat-server-1 panicked".to_owned(),
        };
        for (ending, is_partial) in [
            (Ending::Complete, false),
            (Ending::Interrupted(Signal::Terminate), true),
            (Ending::Stuck { users: 3 }, false),
            (failed, true),
        ] {
            let run = judged(&finished(ending.clone()));
            assert_eq!(run.partial, is_partial, "{ending:?}");
        }
    }

    #[test]
    fn late_sends_are_warned_of() {
        let mut figures = Figures::default();
        figures.lateness.record(Duration::from_millis(9));
        assert_eq!(late_sends(&figures), None);
        figures.lateness.record(Duration::from_millis(12));
        let said = late_sends(&figures).expect("they were late");
        assert!(said.contains("12.0ms"), "{said}");
    }
}
