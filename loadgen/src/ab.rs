//! Whether one build of the cluster is slower than another, over real sockets: pairs of runs, one of
//! each build, until there are as many as were asked for, and what they come to.
//!
//! One run of each build decides nothing: two runs of the *same* build differ, by as much as a slow
//! change. In reading order: [`side`] (a build that is started for a run, or runs already), [`interval`]
//! (how much slower, and how surely; what is assumed stands there) with [`student`], [`verdict`]
//! (whether that counts), and here the runs.
//!
//! Each run has a cluster of its own, so that none inherits what another left. A pair in which the
//! generator or the machine was the limit says nothing of the builds: both of its runs are thrown away
//! and done again, at most as often as there are pairs.

pub mod interval;
pub mod side;
pub mod student;
pub mod verdict;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use cluster::signals::{Signal, Signals};
use reports::ab::{AB_JSON, Ab, Build, Decision, Metric, Pair, SCHEMA, Trial, Verdict};
use reports::output::{Output, say};
use reports::run::{self, Program, Run, date_now};
use reports::run_folder::RunFolder;

use crate::cli::{OnHealth, Source};
use crate::drive::Ending;
use crate::outcome::{self, Stamp, judge};
use crate::plan::LoadPlan;
use crate::quoted::quoted;
use crate::trial;
use crate::workers::Crew;
use side::Build as Started;
use side::How;
use verdict::Effect;

/// Two builds that are to be compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Experiment {
    /// The base.
    pub base: How,
    /// The new build.
    pub new: How,
    /// What all runs follow; each pair has a seed of its own, from this one's on.
    pub source: Source,
    /// How many pairs; even.
    pub pairs: u32,
    /// What is compared, such as `broadcast.last.p99`.
    pub metrics: Vec<String>,
    /// The smallest difference that counts.
    pub effect: Effect,
    /// How surely the intervals of all metrics together hold the true difference, in percent.
    pub confidence_percent: f64,
    /// What becomes of a run whose generator, or the machine, was its limit.
    pub health: OnHealth,
    /// Processes for the users, if not as many as it takes.
    pub workers: Option<u32>,
    /// Where to write the report, if not to a numbered folder in `runs`.
    pub out: Option<PathBuf>,
}

/// Does `experiment`, prints what it comes to and writes its report.
///
/// # Errors
///
/// If it can't be done: an unusable plan, build, machine or folder.
pub async fn run(experiment: &Experiment) -> anyhow::Result<ExitCode> {
    let plan = experiment.source.plan()?;
    Crew::of(&plan, experiment.workers, false)?;
    let mut signals = Signals::listen().context("the system refuses signals")?;
    let folder = match &experiment.out {
        Some(out) => RunFolder::create(out),
        None => RunFolder::create_next(Path::new("runs"), &format!("ab-{}", plan.seed)),
    };
    let folder = folder.context("no folder for the report (--out)")?;
    let mut runs = Runs {
        experiment,
        folder: &folder,
        signals: &mut signals,
        started_at: run::date(date_now()),
        plan: BTreeMap::new(),
        done: 0,
        pairs: Vec::new(),
        discarded: Vec::new(),
    };
    if let Some(signal) = runs.all(plan.seed).await? {
        say(&format!(
            "stopped: {} has the runs that were done",
            folder.path().display()
        ));
        return Ok(ExitCode::from(signal.exit_status()));
    }
    let ab = runs.conclude()?;
    let file = folder.path().join(AB_JSON);
    fs::write(&file, ab.to_json()).with_context(|| format!("can't write {}", file.display()))?;
    let mut summary = String::new();
    reports::ab::write_summary(&mut summary, &ab)?;
    let mut stdout = Output::stdout();
    stdout.print(&summary);
    say(&format!("report: {}", folder.path().display()));
    stdout.end()?;
    Ok(ExitCode::from(ab.verdict.exit_status()))
}

/// The runs of an experiment so far.
struct Runs<'a> {
    experiment: &'a Experiment,
    folder: &'a RunFolder,
    signals: &'a mut Signals,
    started_at: String,
    /// The options of the plan.
    plan: BTreeMap<String, serde_json::Value>,
    /// Runs that were done, also those that were thrown away.
    done: u32,
    pairs: Vec<Pair>,
    discarded: Vec<String>,
}

/// What came of one run.
enum Ended {
    Done { trial: Trial, invalid: Vec<String> },
    Interrupted(Signal),
}

impl Runs<'_> {
    /// Does pairs until there are enough, or no use in more; or a signal ends them.
    async fn all(&mut self, seed: u64) -> anyhow::Result<Option<Signal>> {
        let wanted = self.experiment.pairs as usize;
        while self.pairs.len() < wanted && self.discarded.len() < wanted {
            let number = self.pairs.len() as u64;
            // Each order as often as the other, whatever is thrown away.
            let first = match number.is_multiple_of(2) {
                true => Build::Base,
                false => Build::New,
            };
            let again = self.discarded.len() as u64 * wanted as u64;
            if let Some(signal) = self.pair(first, seed.wrapping_add(number + again)).await? {
                return Ok(Some(signal));
            }
        }
        Ok(None)
    }

    async fn pair(&mut self, first: Build, seed: u64) -> anyhow::Result<Option<Signal>> {
        let order = match first {
            Build::Base => [Build::Base, Build::New],
            Build::New => [Build::New, Build::Base],
        };
        let mut trials = BTreeMap::new();
        let mut invalid = Vec::new();
        for build in order {
            match self.run(build, seed).await? {
                Ended::Interrupted(signal) => return Ok(Some(signal)),
                Ended::Done {
                    trial,
                    invalid: why,
                } => {
                    invalid.extend(why.iter().map(|why| format!("{}: {why}", trial.run)));
                    trials.insert(build.name(), trial);
                }
            }
        }
        let trial = |build: Build| trials.get(build.name()).cloned();
        let (Some(base), Some(new)) = (trial(Build::Base), trial(Build::New)) else {
            bail!("a pair has one run of each build");
        };
        if invalid.is_empty() {
            let pair = Pair {
                seed,
                first,
                base,
                new,
            };
            say(&progress(self.pairs.len() + 1, self.experiment, &pair));
            self.pairs.push(pair);
        } else {
            let invalid = invalid.join("; ");
            say(&format!("a pair says nothing and is done again: {invalid}"));
            self.discarded.push(invalid);
        }
        Ok(None)
    }

    async fn run(&mut self, build: Build, seed: u64) -> anyhow::Result<Ended> {
        self.done += 1;
        let name = format!("{:02}-{}", self.done, build.name());
        let how = match build {
            Build::Base => &self.experiment.base,
            Build::New => &self.experiment.new,
        };
        let folder = RunFolder::create(&self.folder.path().join(&name))?;
        let log = self.folder.path().join(format!("{name}.log"));
        let source = self.experiment.source.with_seed(seed);
        let plan = source.plan()?;
        let mut started = tokio::select! {
            started = how.start(&log) => started?,
            signal = self.signals.next() => return Ok(Ended::Interrupted(signal)),
        };
        let started_at = date_now();
        let gate = started.gate().clone();
        let watching = async |_live| watch(&mut started, self.signals).await;
        let crew = Crew::of(&plan, self.experiment.workers, false)?;
        let finished = trial::run(&plan, &gate, &crew, watching).await?;
        started.stop().await;
        if let Ending::Interrupted(signal) = finished.ending {
            return Ok(Ended::Interrupted(signal));
        }
        let stamp = Stamp {
            name: folder.name(),
            command: command_of_run(&source, &gate),
            started_at,
            target: how.to_string(),
        };
        let mut run = judge(&plan, &finished, stamp);
        if self.experiment.health == OnHealth::Warn {
            outcome::only_warn(&mut run, &finished);
        }
        folder.write_run(&run)?;
        self.plan.clone_from(&run.plan.options);
        self.plan.remove("target");
        let mut trial = self.trial(name, &run, &plan)?;
        if let Ending::Failed { reason } = finished.ending {
            trial.broken.push(reason);
        }
        Ok(Ended::Done {
            trial,
            invalid: run.invalid,
        })
    }

    fn trial(&self, name: String, run: &Run, plan: &LoadPlan) -> anyhow::Result<Trial> {
        let checks = run.verdicts.iter().filter(|it| !it.holds);
        let thresholds = run.thresholds.iter().filter(|it| !it.holds);
        let broken = checks
            .map(|it| it.name.clone())
            .chain(thresholds.map(|it| it.metric.clone()));
        let mut latencies_us = BTreeMap::new();
        for metric in &self.experiment.metrics {
            let (latency, statistic) = metric.rsplit_once('.').unwrap_or((metric, ""));
            let figures = run.latencies.get(latency);
            let value = figures.and_then(|figures| figures.statistic_us(statistic));
            let value = value.with_context(|| {
                format!(
                    "{name}: there is no {metric}: nothing of it happened under the plan {}",
                    plan.name
                )
            })?;
            // No share of nothing can be taken.
            latencies_us.insert(metric.clone(), value.max(1));
        }
        Ok(Trial {
            run: name,
            broken: broken.collect(),
            latencies_us,
        })
    }

    fn conclude(self) -> anyhow::Result<Ab> {
        let experiment = self.experiment;
        let metrics = match self.pairs.len() == experiment.pairs as usize {
            true => metrics(experiment, &self.pairs),
            false => Vec::new(),
        };
        let (verdict, reasons) = verdict_of(experiment, &self.pairs, &metrics);
        ensure!(
            metrics.iter().all(|it| it.interval.high.is_finite()),
            "the times differ by more than can be told"
        );
        Ok(Ab {
            schema: SCHEMA,
            name: self.folder.name(),
            program: Program {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            command: experiment.command(),
            date: self.started_at,
            base: experiment.base.to_string(),
            new: experiment.new.to_string(),
            plan: self.plan,
            effect: experiment.effect.to_string(),
            confidence_percent: experiment.confidence_percent,
            pairs: self.pairs,
            discarded: self.discarded,
            metrics,
            verdict,
            reasons,
        })
    }
}

/// Ends a run when its cluster does, or a signal comes.
async fn watch(started: &mut Started, signals: &mut Signals) -> Ending {
    tokio::select! {
        reason = started.ended() => Ending::Failed { reason },
        signal = signals.next() => Ending::Interrupted(signal),
    }
}

fn progress(number: usize, experiment: &Experiment, pair: &Pair) -> String {
    let mut line = format!("pair {number} of {}:", experiment.pairs);
    for metric in &experiment.metrics {
        let us = |trial: &Trial| trial.latencies_us.get(metric).copied().unwrap_or_default();
        let (base, new) = (us(&pair.base), us(&pair.new));
        let _ = write!(line, " {metric} {base} -> {new} us;");
    }
    line.pop();
    line
}

fn metrics(experiment: &Experiment, pairs: &[Pair]) -> Vec<Metric> {
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

/// What the pairs and the metrics come to, and why if it is not for the metrics.
fn verdict_of(
    experiment: &Experiment,
    pairs: &[Pair],
    metrics: &[Metric],
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
    let (of_base, of_new) = (broken(|pair| &pair.base), broken(|pair| &pair.new));
    if !of_base.is_empty() {
        return (Verdict::Invalid, of_base);
    }
    if !of_new.is_empty() {
        return (Verdict::Fail, of_new);
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

fn command_of_run(source: &Source, gate: &crate::address::Address) -> String {
    let mut command = String::from("cargo loadgen run");
    if let Some(name) = source.name() {
        let _ = write!(command, " {}", quoted(name));
    }
    let _ = write!(command, " --gate {gate}");
    source.write_options(&mut command);
    command
}

impl Experiment {
    /// The command line that does it again from the workspace.
    pub fn command(&self) -> String {
        let mut command = String::from("cargo loadgen ab");
        if let Some(name) = self.source.name() {
            let _ = write!(command, " {}", quoted(name));
        }
        for (side, how) in [("base", &self.base), ("new", &self.new)] {
            let _ = match how {
                How::Command(line) => write!(command, " --{side} {}", quoted(line)),
                How::Gate(gate) => write!(command, " --{side}-gate {gate}"),
            };
        }
        for metric in &self.metrics {
            let _ = write!(command, " --metric {metric}");
        }
        let _ = write!(
            command,
            " --pairs {} --effect {} --confidence {}%",
            self.pairs, self.effect, self.confidence_percent
        );
        if self.health == OnHealth::Warn {
            command.push_str(" --health warn");
        }
        self.source.write_options(&mut command);
        command
    }
}

#[cfg(test)]
mod tests {
    use reports::ab::{Interval, Unit};

    use super::*;
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
            let decided = verdict_of(&experiment(), &pairs(&[], &[]), &metrics(decisions));
            assert_eq!(decided, (verdict, Vec::new()), "{decisions:?}");
        }
    }

    #[test]
    fn a_new_build_that_breaks_what_base_holds_fails_however_quick_it_is() {
        let passed = metrics([Decision::Pass; 2]);
        let decided = |base, new| verdict_of(&experiment(), &pairs(base, new), &passed);
        let (verdict, reasons) = decided(&[], &["complete", "order"]);
        assert_eq!(verdict, Verdict::Fail);
        assert_eq!(reasons[0], "02-new: did not hold: complete, order");
        let (verdict, reasons) = decided(&["complete"], &["complete"]);
        assert_eq!(verdict, Verdict::Invalid);
        assert_eq!(reasons[0], "01-base: did not hold: complete");
    }

    #[test]
    fn pairs_that_say_nothing_leave_nothing_to_decide() {
        let (verdict, reasons) = verdict_of(&experiment(), &pairs(&[], &[])[..3], &[]);
        assert_eq!(verdict, Verdict::Invalid);
        assert!(reasons[0].contains("only 3 of 4 are left"), "{reasons:?}");
    }
}
