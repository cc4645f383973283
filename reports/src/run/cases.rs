//! A run as CI servers are told of it: a case for whether it could tell at all, one for each check, and one for
//! each threshold.

use std::time::Duration;

use super::threshold::{Threshold, Unit};
use super::{Judgement, Run, Verdict};
use crate::junit::{Case, End, Suite};

/// The suite of `run`. Of one that says nothing of the cluster nothing has passed or failed.
pub fn suite(run: &Run) -> Suite {
    let mut cases = vec![Case {
        name: String::from("run"),
        took: Duration::from_micros(run.elapsed_us),
        end: whole(run),
    }];
    for verdict in &run.verdicts {
        cases.push(case(run, &verdict.name, check(run, verdict)));
    }
    for threshold in &run.thresholds {
        let Threshold {
            metric, comparison, ..
        } = threshold;
        let bound = shown(threshold, threshold.bound);
        let name = format!("{metric} {comparison} {bound}");
        cases.push(case(run, &name, figure(run, threshold)));
    }
    Suite {
        name: run.name.clone(),
        cases,
    }
}

/// Whether the run could tell, and to its end.
fn whole(run: &Run) -> End {
    match run.judgement() {
        Judgement::Invalid => End::Error {
            message: format!("INVALID: {}", run.invalid.join("; ")),
            text: format!(
                "The generator or the machine was the limit: the run says nothing of the cluster.\n{}\nrepeat: {}",
                run.invalid.join("\n"),
                run.command
            ),
        },
        _ if run.partial => End::Skipped {
            message: String::from(
                "PARTIAL: it was stopped before its end; what follows is of the part that ran",
            ),
        },
        Judgement::Unchecked => End::Skipped {
            message: String::from("UNCHECKED: nothing was checked"),
        },
        Judgement::Fail | Judgement::Partial | Judgement::Pass => End::Passed,
    }
}

fn case(run: &Run, name: &str, end: End) -> Case {
    let end = match end {
        _ if run.invalid.is_empty() => end,
        End::Passed => void("held"),
        _ => void("did not hold"),
    };
    Case {
        name: name.to_owned(),
        took: Duration::ZERO,
        end,
    }
}

/// What a run that is INVALID would have said.
fn void(told: &str) -> End {
    End::Skipped {
        message: format!("{told}, which says nothing: the run is INVALID"),
    }
}

fn check(run: &Run, verdict: &Verdict) -> End {
    if verdict.holds {
        return End::Passed;
    }
    let first = verdict.evidence.first();
    End::Failed {
        message: first.unwrap_or(&verdict.demands).clone(),
        text: format!(
            "demanded: {}\n{}\nrepeat: {}",
            verdict.demands,
            verdict.evidence.join("\n"),
            run.command
        ),
    }
}

fn figure(run: &Run, threshold: &Threshold) -> End {
    let Threshold {
        metric, comparison, ..
    } = threshold;
    let bound = shown(threshold, threshold.bound);
    let message = match threshold.measured {
        _ if threshold.holds => return End::Passed,
        Some(measured) => format!(
            "{metric} was {}, and has to be {comparison} {bound}",
            shown(threshold, measured)
        ),
        None => {
            format!("{metric} has to be {comparison} {bound}, and there was nothing to measure")
        }
    };
    End::Failed {
        text: format!("{message}\nrepeat: {}", run.command),
        message,
    }
}

/// A figure with its unit.
fn shown(threshold: &Threshold, value: u64) -> String {
    match threshold.unit {
        Unit::Us => format!("{value} us"),
        Unit::Count => value.to_string(),
    }
}
