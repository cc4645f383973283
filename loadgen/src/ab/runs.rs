//! The runs of an experiment, pair by pair.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::{Context, bail};
use cluster::signals::{Signal, Signals};
use reports::ab::{Build, Pair, Trial};
use reports::output::say;
use reports::run::{Run, date_now};
use reports::run_folder::RunFolder;

use super::Experiment;
use super::side::Build as Started;
use crate::address::Address;
use crate::cli::{OnHealth, Source};
use crate::drive::Ending;
use crate::environment;
use crate::outcome::{self, Stamp, judge};
use crate::plan::LoadPlan;
use crate::quoted::quoted;
use crate::trial;
use crate::workers::Crew;

/// The runs of an experiment so far.
pub(super) struct Runs<'a> {
    experiment: &'a Experiment,
    folder: &'a RunFolder,
    signals: &'a mut Signals,
    /// The options of the plan, once it has been run.
    pub plan: BTreeMap<String, serde_json::Value>,
    /// Runs that were done, also those that were thrown away.
    done: u32,
    pub pairs: Vec<Pair>,
    /// Pairs that were thrown away: why.
    pub discarded: Vec<String>,
}

/// What came of one run.
enum Ended {
    Done { trial: Trial, invalid: Vec<String> },
    Interrupted(Signal),
}

impl<'a> Runs<'a> {
    /// None yet; their reports will be in `folder`.
    pub fn new(
        experiment: &'a Experiment,
        folder: &'a RunFolder,
        signals: &'a mut Signals,
    ) -> Self {
        Self {
            experiment,
            folder,
            signals,
            plan: BTreeMap::new(),
            done: 0,
            pairs: Vec::new(),
            discarded: Vec::new(),
        }
    }

    /// Does pairs until there are enough, or no use in more; or a signal ends them.
    pub async fn all(&mut self, seed: u64) -> anyhow::Result<Option<Signal>> {
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
        let environment = environment::read();
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
            environment,
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

fn command_of_run(source: &Source, gate: &Address) -> String {
    let mut command = String::from("cargo loadgen run");
    if let Some(name) = source.name() {
        let _ = write!(command, " {}", quoted(name));
    }
    let _ = write!(command, " --gate {gate}");
    source.write_options(&mut command);
    command
}
