//! What all pairs of an experiment come to.

use reports::ab::{Decision, Metric, Pair, Trial, Verdict};

use super::Experiment;
use super::verdict;

/// What the times of all pairs tell of each metric.
pub fn metrics(experiment: &Experiment, pairs: &[Pair]) -> Vec<Metric> {
    let alpha = 1.0 - experiment.confidence_percent / 100.0;
    let alpha = alpha / experiment.metrics.len() as f64;
    let judged = experiment.metrics.iter().map(|metric| {
        let times: Vec<(u64, u64)> = pairs
            .iter()
            .map(|pair| {
                let us = |trial: &Trial| trial.latencies_us[metric];
                (us(&pair.base), us(&pair.new))
            })
            .collect();
        let (interval, decision) = verdict::judge(&times, experiment.effect, alpha);
        Metric {
            metric: metric.clone(),
            unit: experiment.effect.unit(),
            interval,
            decision,
        }
    });
    judged.collect()
}

/// What the pairs and the metrics come to, and why if it is not for the metrics. Somebody may have stopped
/// it before all pairs were done: then only what was broken tells.
pub fn verdict_of(
    experiment: &Experiment,
    pairs: &[Pair],
    metrics: &[Metric],
    is_stopped: bool,
) -> (Verdict, Vec<String>) {
    let broken = |of: fn(&Pair) -> &Trial| -> Vec<String> {
        let trials = pairs
            .iter()
            .map(of)
            .filter(|trial| !trial.broken.is_empty());
        trials
            .map(|trial| format!("{}: did not hold: {}", trial.run, trial.broken.join(", ")))
            .collect()
    };
    let stopped = is_stopped.then(|| {
        let (done, all) = (pairs.len(), experiment.pairs);
        format!("it was stopped when {done} of {all} pairs were done")
    });
    let (mut of_base, mut of_new) = (broken(|pair| &pair.base), broken(|pair| &pair.new));
    if !of_base.is_empty() {
        of_base.extend(stopped);
        return (Verdict::Invalid, of_base);
    }
    if !of_new.is_empty() {
        of_new.extend(stopped);
        return (Verdict::Fail, of_new);
    }
    if stopped.is_some() {
        return (Verdict::Inconclusive, stopped.into_iter().collect());
    }
    if pairs.len() < experiment.pairs as usize {
        let reason = format!(
            "the generator or the machine was the limit in {0} pairs, and only {1} of {2} are left: \
             give less load (--users, --rate), or a machine that does nothing else",
            experiment.pairs,
            pairs.len(),
            experiment.pairs,
        );
        return (Verdict::Invalid, vec![reason]);
    }
    let is = |decision: Decision| metrics.iter().any(|it| it.decision == decision);
    let verdict = if is(Decision::Fail) {
        Verdict::Fail
    } else if metrics.iter().all(|it| it.decision == Decision::Pass) {
        Verdict::Pass
    } else {
        Verdict::Inconclusive
    };
    (verdict, Vec::new())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use reports::ab::{Build, Interval, Unit};

    use super::*;
    use crate::ab::side::How;
    use crate::ab::verdict::Effect;
    use crate::cli::{OnHealth, Source};
    use crate::plan::short::ShortPlan;

    fn experiment() -> Experiment {
        let how = |command: &str| How::Command(command.to_owned());
        Experiment {
            base: how("a"),
            new: how("b"),
            source: Source::Options(ShortPlan::new(2, 1)),
            pairs: 4,
            metrics: vec!["request.p50".to_owned(), "request.p99".to_owned()],
            effect: Effect::Share(0.1),
            confidence_percent: 95.0,
            health: OnHealth::Judge,
            workers: None,
            out: None,
        }
    }

    fn trial(run: &str, broken: &[&str]) -> Trial {
        Trial {
            run: run.to_owned(),
            broken: broken.iter().map(|it| (*it).to_owned()).collect(),
            latencies_us: BTreeMap::new(),
        }
    }

    fn pairs(base: &[&str], new: &[&str]) -> Vec<Pair> {
        let pair = Pair {
            seed: 1,
            first: Build::Base,
            base: trial("01-base", base),
            new: trial("02-new", new),
        };
        vec![pair; 4]
    }

    fn metrics(decisions: [Decision; 2]) -> Vec<Metric> {
        let metric = |decision| Metric {
            metric: String::new(),
            unit: Unit::Percent,
            interval: Interval {
                estimate: 0.0,
                low: 0.0,
                high: 0.0,
                limit: 0.0,
            },
            decision,
        };
        decisions.map(metric).to_vec()
    }

    #[test]
    fn one_metric_that_fails_is_enough_and_all_must_pass() {
        let undecided = Decision::Inconclusive { pairs_needed: None };
        for (decisions, verdict) in [
            ([Decision::Pass, Decision::Pass], Verdict::Pass),
            ([Decision::Pass, Decision::Fail], Verdict::Fail),
            ([Decision::Fail, undecided], Verdict::Fail),
            ([Decision::Pass, undecided], Verdict::Inconclusive),
        ] {
            let decided = verdict_of(&experiment(), &pairs(&[], &[]), &metrics(decisions), false);
            assert_eq!(decided, (verdict, Vec::new()), "{decisions:?}");
        }
    }

    #[test]
    fn a_new_build_that_breaks_what_base_holds_fails_however_quick_it_is() {
        let passed = metrics([Decision::Pass; 2]);
        let decided = |base, new| verdict_of(&experiment(), &pairs(base, new), &passed, false);
        let (verdict, reasons) = decided(&[], &["complete", "order"]);
        assert_eq!(verdict, Verdict::Fail);
        assert_eq!(reasons[0], "02-new: did not hold: complete, order");
        let (verdict, reasons) = decided(&["complete"], &["complete"]);
        assert_eq!(verdict, Verdict::Invalid);
        assert_eq!(reasons[0], "01-base: did not hold: complete");
    }

    #[test]
    fn pairs_that_say_nothing_leave_nothing_to_decide() {
        let (verdict, reasons) = verdict_of(&experiment(), &pairs(&[], &[])[..3], &[], false);
        assert_eq!(verdict, Verdict::Invalid);
        assert!(reasons[0].contains("only 3 of 4 are left"), "{reasons:?}");
    }

    #[test]
    fn what_was_stopped_is_undecided_unless_something_broke() {
        let stopped = |new| verdict_of(&experiment(), &pairs(&[], new)[..1], &[], true);
        let reason = "it was stopped when 1 of 4 pairs were done".to_owned();
        assert_eq!(stopped(&[]), (Verdict::Inconclusive, vec![reason.clone()]));
        let (verdict, reasons) = stopped(&["once"]);
        assert_eq!(verdict, Verdict::Fail);
        assert_eq!(reasons, ["02-new: did not hold: once", &reason]);
    }
}
