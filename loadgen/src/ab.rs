//! Whether one build of the cluster is slower than another, over real sockets: pairs of runs, one of
//! each build, until there are as many as were asked for, and what they come to.
//!
//! One run of each build decides nothing: two runs of the *same* build differ, by as much as a slow
//! change. In reading order: [`side`] (a build that is started for a run, or runs already), [`interval`]
//! (how much slower, and how surely; what is assumed stands there) with [`student`], [`verdict`]
//! (whether that counts), `runs` (one pair after the other) and `conclusion` (what they come to).
//!
//! Each run has a cluster of its own, so that none inherits what another left. A pair in which the
//! generator or the machine was the limit says nothing of the builds: both of its runs are thrown away
//! and done again, at most as often as there are pairs.

mod conclusion;
pub mod interval;
mod runs;
pub mod side;
pub mod student;
pub mod verdict;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use cluster::signals::{Signal, Signals};
use reports::ab::{AB_JSON, Ab, SCHEMA};
use reports::output::{Output, say};
use reports::run::{self, Program, date_now};
use reports::run_folder::RunFolder;

use crate::cli::{OnHealth, Source};
use crate::quoted::quoted;
use crate::workers::Crew;
use conclusion::{metrics, verdict_of};
use runs::Runs;
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
    let started_at = run::date(date_now());
    let mut runs = Runs::new(experiment, &folder, &mut signals);
    let stopped = runs.all(plan.seed).await?;
    let ab = experiment.conclude(folder.name(), started_at, runs, stopped.is_some())?;
    let file = folder.path().join(AB_JSON);
    fs::write(&file, ab.to_json()).with_context(|| format!("can't write {}", file.display()))?;
    let mut summary = String::new();
    reports::ab::write_summary(&mut summary, &ab)?;
    let mut stdout = Output::stdout();
    stdout.print(&summary);
    say(&format!("report: {}", folder.path().display()));
    stdout.end()?;
    let status = stopped.map_or(ab.verdict.exit_status(), Signal::exit_status);
    Ok(ExitCode::from(status))
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

    /// What `runs` come to.
    fn conclude(
        &self,
        name: String,
        started_at: String,
        runs: Runs<'_>,
        is_stopped: bool,
    ) -> anyhow::Result<Ab> {
        let metrics = match runs.pairs.len() == self.pairs as usize {
            true => metrics(self, &runs.pairs),
            false => Vec::new(),
        };
        let (verdict, reasons) = verdict_of(self, &runs.pairs, &metrics, is_stopped);
        ensure!(
            metrics.iter().all(|it| it.interval.high.is_finite()),
            "the times differ by more than can be told"
        );
        Ok(Ab {
            schema: SCHEMA,
            name,
            program: Program {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            command: self.command(),
            date: started_at,
            base: self.base.to_string(),
            new: self.new.to_string(),
            plan: runs.plan,
            effect: self.effect.to_string(),
            confidence_percent: self.confidence_percent,
            pairs: runs.pairs,
            discarded: runs.discarded,
            metrics,
            verdict,
            reasons,
        })
    }
}
