//! A load test as the report of a run: verdicts, counts, latencies.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::ValueEnum;
use reports::measured::Measured;
use reports::run::{self, Judgement, Kind, Plan, Program, Run, SCHEMA};
use serde_json::Value;

use crate::drive::{Ending, Finished};
use crate::health::{self, Findings, Seen};
use crate::plan::LoadPlan;
use crate::thresholds;
use crate::verdicts::verdicts;

/// The target of a run that loads a cluster in its own process.
pub const EMBEDDED: &str = "embedded";

/// The exit status of a run that nobody stopped, by what it comes to.
pub fn exit_status(run: &Run) -> u8 {
    match run.judgement() {
        Judgement::Pass => 0,
        Judgement::Fail | Judgement::Partial | Judgement::Unchecked => 1,
        Judgement::Invalid => 3,
    }
}

/// Makes a warning of each reason for which a run is invalid: for who asks what was delivered, and not how
/// soon. Where a part of the load was missing, nobody knows what was delivered either.
pub fn only_warn(run: &mut Run, finished: &Finished) {
    let kept = usize::from(finished.ending.is_invalid());
    run.warnings.extend(run.invalid.drain(kept..));
}

/// What a run does not know of itself.
#[derive(Clone, Debug)]
pub struct Stamp {
    /// The name of its folder.
    pub name: String,
    /// The command line that repeats it.
    pub command: String,
    /// When it started, since 1970-01-01 00:00 UTC.
    pub started_at: Duration,
    /// What was loaded: a gate's address, or [`EMBEDDED`].
    pub target: String,
    /// What it ran on (see [`environment`](crate::environment)).
    pub environment: BTreeMap<String, String>,
}

/// Judges what is left of a load test: what `run.json` holds.
pub fn judge(plan: &LoadPlan, finished: &Finished, stamp: Stamp) -> Run {
    let measured = &finished.measured;
    let (verdicts, mut warnings) = verdicts(plan, finished);
    warnings.extend(unjudged(measured));
    let (thresholds, unknown) = thresholds::judge(&plan.thresholds, measured);
    warnings.extend(unknown);
    let has_cluster = stamp.target == EMBEDDED;
    let seen = Seen::after(measured, &finished.processes, has_cluster);
    let Findings {
        invalid,
        warnings: of_machine,
        health,
    } = health::judge(&seen);
    let missing = match &finished.ending {
        Ending::Invalid { reason } => Some(reason.clone()),
        _ => None,
    };
    warnings.extend(of_machine);
    let mut run = Run {
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
        invalid: missing.into_iter().chain(invalid).collect(),
        warnings,
        counts: BTreeMap::new(),
        latencies: BTreeMap::new(),
        load: None,
        health,
        environment: stamp.environment,
    };
    run.show(measured);
    run
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

fn unjudged(measured: &Measured) -> Option<String> {
    let count = measured.counts.get("broadcasts_unjudged").copied();
    let count = count.filter(|count| *count > 0)?;
    Some(format!(
        "{count} messages were forgotten before it was known what became of them: they were too many"
    ))
}

#[cfg(test)]
mod tests {
    use cluster::signals::Signal;

    use super::*;
    use crate::fanout::fold::Fold;
    use crate::history::What;

    /// Two users; the first is in the room, the second is not let in.
    fn finished(ending: Ending) -> Finished {
        let due = Duration::ZERO;
        let mut fold = Fold::new(Duration::from_secs(1));
        for (user, what) in [
            (0, What::Login { due }),
            (0, What::Entered { users: Vec::new() }),
            (1, What::Login { due }),
            (1, What::Refused { duplicate: true }),
        ] {
            fold.see(Duration::from_secs(1), (user, 1), &what);
        }
        let elapsed = Duration::from_secs(60);
        Finished {
            measured: fold.finish(elapsed, 0..2),
            elapsed,
            ending,
            processes: BTreeMap::new(),
        }
    }

    fn judged(finished: &Finished) -> Run {
        let stamp = Stamp {
            name: "load-1-1".to_owned(),
            command: "loadgen".to_owned(),
            started_at: Duration::ZERO,
            target: "embedded".to_owned(),
            environment: BTreeMap::new(),
        };
        judge(&LoadPlan::new(2, 1), finished, stamp)
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
    fn a_run_whose_generator_was_late_is_invalid_whatever_else_it_found_and_a_warning_if_so_wanted()
    {
        let mut finished = finished(Ending::Complete);
        let row = finished.measured.row_at(Duration::ZERO);
        row.record("send_lateness", Duration::from_millis(12));
        let mut run = judged(&finished);
        assert!(!run.holds());
        assert_eq!(
            (run.judgement(), exit_status(&run)),
            (Judgement::Invalid, 3)
        );
        assert!(run.invalid[0].contains("12.0ms"), "{:?}", run.invalid);
        only_warn(&mut run, &finished);
        assert_eq!((run.judgement(), exit_status(&run)), (Judgement::Fail, 1));
        assert!(run.warnings.iter().any(|it| it.contains("12.0ms")));

        let reason = "worker 2 of 3 died".to_owned();
        finished.ending = Ending::Invalid {
            reason: reason.clone(),
        };
        let mut run = judged(&finished);
        assert_eq!(run.invalid.len(), 2);
        only_warn(&mut run, &finished);
        assert_eq!((run.invalid, run.partial), (vec![reason], true));
    }
}
