//! The command line of `sim`.

use std::fmt;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::commands::{
    certify, check, detect, explain, hashes, replay, run, show, shrink, smallest, sweep,
};
use crate::gather::{Gathered, ReportError};
use loadgen::quoted::quoted;

const EXAMPLES: &str = "\
Examples:
  sim                                        all scenarios, about a minute on two cores
  sim list                                   the scenarios
  sim show chat-crash > mine.toml            a scenario's file, to begin one's own with
  sim check mine.toml                        whether it is sound, and what it draws
  sim sweep mine.toml                        as many runs of it as it says
  sim run chat-crash --seed 8271             one run, with its plan
  sim run chat-crash --seed 8271 --trace t.jsonl
  sim sweep random-mix --seeds 0..1000       many runs
  sim sweep --policy pomelo                  what a cluster of the original would do
  sim run steady --seed 1 --with kick-lost   with one flaw of it
  sim sweep --seeds 5000..9000 --time 10m    as many as fit into ten minutes
  sim sweep --time 60s --fresh seeds.json --junit sim.xml --markdown sim.md
                                             for CI: fixed seeds, then new ones each time
  sim certify --build target/debug/sim       whether runs are the same in every way
  sim replay sim-failures/chat-crash-8271.capsule.json
  sim shrink sim-failures/chat-crash-8271.capsule.json --test sim/tests/lost.rs
  sim explain sim-failures/chat-crash-8271.capsule.json --out story.html
  sim smallest --markdown                    the smallest run that shows each flaw, as a table

Ctrl-C, SIGTERM and SIGHUP end a sweep when the runs that have begun are finished; their report is
written and marked as partial. A second signal ends it at once, without a report.

Exit status:
  0    every promise held
  1    a promise was broken or a run broke off; the last line repeats it
  2    unusable input, or an output that can't be written
  3    undecided: no promise was broken, but so few deliveries had to be that G4 was hardly checked;
       or the run of a capsule is another now
  130  ended by Ctrl-C; what was done until then had held (143 by SIGTERM, 129 by SIGHUP)";

/// Runs the whole cluster in a simulated network, with faults, and checks what it promises.
///
/// Alone it runs every built-in scenario over its default seeds. Results go to stdout, progress
/// to stderr: a bar, or without a terminal a line every ten seconds.
#[derive(Debug, Parser)]
#[command(name = "sim", version, after_help = EXAMPLES)]
pub struct Options {
    /// What to do; nothing: all scenarios.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How, for `sim` alone.
    #[command(flatten)]
    pub how: How,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs one scenario with one seed.
    Run(run::Options),
    /// Runs scenarios with many seeds.
    Sweep(sweep::Options),
    /// Runs the case of a capsule again and says whether it is still the same run.
    Replay(replay::Options),
    /// Makes a capsule smaller: leaves out whatever the run fails without in the same way.
    Shrink(shrink::Options),
    /// Tells the story of a capsule as a page for a browser.
    Explain(explain::Options),
    /// Prints the trace hash of each run, for comparing builds and machines.
    Hashes(hashes::Options),
    /// Runs the same seeds in several ways, and tells whether all runs are the same.
    Certify(certify::Options),
    /// Lists the built-in scenarios.
    List,
    /// Searches for each flaw, and tells how soon it is found.
    Detect(detect::Options),
    /// Finds for each flaw the smallest run that shows it.
    Smallest(smallest::Options),
    /// Lists the flaws that servers can be given.
    Flaws,
    /// Prints the file of a built-in scenario, to begin one's own with.
    Show(show::Options),
    /// Checks files with scenarios and prints what a seed makes of them.
    Check(check::Options),
}

/// How many runs are done at once, and where their report goes.
#[derive(Clone, Debug, Args)]
pub struct How {
    /// Threads, at most 256; one for each core if not given.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    jobs: Option<NonZeroUsize>,
    /// Writes the report of all runs into this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Writes a capsule of the first failure of each cause into this folder, ten at most; else into
    /// DIR/capsules if there is an --out DIR, else into sim-failures.
    #[arg(long, value_name = "DIR")]
    pub capsules: Option<PathBuf>,
}

impl Options {
    /// The command line that does the same again. Where it is written to is no part of it.
    pub fn command_line(&self) -> String {
        let arguments = match &self.command {
            None => String::new(),
            Some(Command::Run(run)) => run.command_line(),
            Some(Command::Sweep(sweep)) => sweep.command_line(),
            Some(Command::Hashes(hashes)) => hashes.command_line(),
            Some(Command::Certify(certify)) => certify.command_line(),
            Some(Command::Replay(replay)) => replay.command_line(),
            Some(Command::Explain(explain)) => explain.command_line(),
            Some(Command::Detect(detect)) => detect.command_line(),
            Some(Command::Smallest(smallest)) => smallest.command_line(),
            Some(Command::Shrink(shrink)) => shrink.command_line(),
            Some(Command::List) => String::from(" list"),
            Some(Command::Flaws) => String::from(" flaws"),
            Some(Command::Show(show)) => format!(" show {}", quoted(&show.scenario)),
            Some(Command::Check(check)) => check.command_line(),
        };
        format!("cargo sim{arguments}")
    }
}

impl How {
    /// Whether nothing of it was said.
    pub fn is_unsaid(&self) -> bool {
        self.jobs.is_none() && self.out.is_none() && self.capsules.is_none()
    }

    /// The report of what `command` runs, if there is to be one.
    ///
    /// # Errors
    ///
    /// If its folder holds anything, or can't be made.
    pub fn gathered(&self, command: String) -> Result<Option<Gathered>, ReportError> {
        let out = self.out.as_deref();
        out.map(|path| Gathered::new(path, command)).transpose()
    }

    /// The number of threads.
    pub fn threads(&self) -> NonZeroUsize {
        threads(self.jobs)
    }
}

/// The most threads that a command starts. Each has a whole cluster in memory, and a machine that
/// can't start one more thread would end all of them.
pub const JOBS_MAX: NonZeroUsize = NonZeroUsize::new(256).expect("it is not 0");

/// `jobs`, else one for each core.
pub fn threads(jobs: Option<NonZeroUsize>) -> NonZeroUsize {
    jobs.or_else(|| thread::available_parallelism().ok())
        .unwrap_or(NonZeroUsize::MIN)
        .min(JOBS_MAX)
}

/// Reads a number of threads.
///
/// # Errors
///
/// If it is none that can be started.
pub fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    let jobs = text.parse().ok().filter(|jobs| *jobs <= JOBS_MAX);
    jobs.ok_or_else(|| format!("`{text}` is not a number of threads from 1 to {JOBS_MAX}"))
}

/// A range of seeds, written `A..B`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let range = text.split_once("..").and_then(|(start, end)| {
            let range = start.parse().ok()?..end.parse().ok()?;
            (!range.is_empty()).then_some(range)
        });
        let problem = || format!("`{text}` is not A..B with A before B, such as 0..100");
        range.map(Seeds).ok_or_else(problem)
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Seeds(range) = self;
        write!(out, "{}..{}", range.start, range.end)
    }
}

/// Nobody waits longer for a sweep; what is longer overflows a clock some day.
const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Reads how long a sweep may take.
///
/// # Errors
///
/// If it is no such time.
pub fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).ok();
    time.filter(|time| (Duration::from_secs(1)..=TIME_MAX).contains(time))
        .ok_or_else(|| format!("`{text}` is not a time from 1s to 7d such as 60s or 10m"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn the_command_line_of_options_does_the_same_runs() -> clap::error::Result<()> {
        for (given, repeats) in [
            ("--out a", "cargo sim"),
            (
                "run steady --seed 7 --out a --trace b --history c",
                "cargo sim run steady --seed 7",
            ),
            (
                "sweep steady mix --seeds 3..9 --time 90500ms --jobs 2 --out a",
                "cargo sim sweep steady mix --seeds 3..9 --time 1m30s500ms",
            ),
            ("hashes steady -j 1", "cargo sim hashes steady --seeds 0..4"),
            (
                "certify --build a/sim --build b/sim",
                "cargo sim certify random-mix --seeds 0..200 --build a/sim --build b/sim",
            ),
            ("replay a.json", "cargo sim replay a.json"),
            ("shrink a.json -o b.json -j 1", "cargo sim shrink a.json"),
            (
                "explain a.json --out b.html --violation 2",
                "cargo sim explain a.json --violation 2",
            ),
            ("list", "cargo sim list"),
            (
                "detect kick-lost --starts 3 --jobs 1",
                "cargo sim detect kick-lost --starts 3 --scenario random-mix",
            ),
            (
                "smallest kick-lost --jobs 1 --capsules a --time 10s",
                "cargo sim smallest kick-lost --time 10s --scenario random-mix",
            ),
            (
                "sweep --policy pomelo --without kick-lost --with star-in-name",
                "cargo sim sweep --policy pomelo --with star-in-name --without kick-lost",
            ),
            (
                "run steady --with kick-lost --seed 7",
                "cargo sim run steady --seed 7 --with kick-lost",
            ),
            ("show steady", "cargo sim show steady"),
            (
                "check a.toml b.toml",
                "cargo sim check a.toml b.toml --seed 0",
            ),
        ] {
            let line = |text: &str| {
                let options = Options::try_parse_from(text.split(' '));
                options.map(|options| options.command_line())
            };
            assert_eq!(line(&format!("sim {given}"))?, repeats);
            let again = repeats.strip_prefix("cargo ").unwrap();
            assert_eq!(line(again)?, repeats);
        }
        Ok(())
    }

    #[test]
    fn seeds_are_a_range() {
        assert_eq!("3..7".parse(), Ok(Seeds(3..7)));
        for text in ["", "3", "7..3", "3..3", "a..b", "3...7"] {
            let error = text.parse::<Seeds>().unwrap_err();
            assert!(error.contains("is not A..B"), "{error}");
        }
    }

    #[test]
    fn a_number_of_threads_that_no_machine_starts_is_refused_by_every_command() {
        for command in ["", "sweep", "hashes", "detect", "smallest", "shrink a.json"] {
            for (jobs, is_good) in [("1", true), ("256", true), ("257", false), ("0", false)] {
                let line = format!("sim {command} --jobs {jobs}");
                let read = Options::try_parse_from(line.split_whitespace());
                assert_eq!(read.is_ok(), is_good, "{line}");
                if let Err(error) = read {
                    let said = error.to_string();
                    assert!(said.contains("threads from 1 to 256"), "{line}: {said}");
                }
            }
        }
    }

    #[test]
    fn times_have_a_unit() {
        assert_eq!(duration("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5400)));
        for text in ["", "60", "s", "-1s", "0s", "8d", "99999999999999999999m"] {
            let error = duration(text).unwrap_err();
            assert!(error.contains("from 1s to 7d"), "{error}");
        }
    }
}
