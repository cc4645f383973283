//! The options of a comparison of two builds.

use clap::error::ErrorKind;
use clap::{Args, CommandFactory};

use super::Cli;
use super::load::Load;
use crate::ab::Experiment;
use crate::ab::interval::PAIRS_MIN;
use crate::ab::side::How;
use crate::ab::verdict::Effect;
use crate::address::Address;
use crate::plan::threshold;

pub const HELP: &str = "\
Examples:
  loadgen ab --base 'old/cluster start' --new 'target/release/cluster start'
  loadgen ab --base 'old/cluster start' --new 'new/cluster start' mine.toml --pairs 16 --effect 5%
  loadgen ab --base 'old/cluster start' --new 'new/cluster start' --users 200 --duration 5s \\
             --pairs 4 --metric broadcast.last.p50 --effect 2ms
  loadgen ab --base-gate 10.0.0.1:3014 --new-gate 10.0.0.2:3014 mine.toml

Each run has a cluster of its own: the command is started by `sh -c`, and has to print where clients
reach its gate and then `ready`, as `cluster start` does. The builds never run at the same time, so they
may use the same ports. Pairs are run base new, new base, base new ...; both runs of a pair have the same
seed, and each pair another.

Of each metric there is an interval that holds the true difference with --confidence, all metrics
together: Student's, of the differences of pairs. It lies below --effect: PASS; above: FAIL; across:
INCONCLUSIVE, with how many pairs would tell. The number of pairs is fixed before the first.

Exit status:
  0    PASS: no metric is slower by as much as counts
  1    FAIL: a metric is slower by more than counts; or a check or threshold that held of base does not
       hold of new
  2    unusable: an option, a build that does not start, the limit of open files, the folder
  3    INCONCLUSIVE; or INVALID: the generator or the machine was the limit, or base did not hold
  130  stopped by Ctrl-C (143: SIGTERM, 129: SIGHUP): what was started is stopped, and the report is of the
       pairs that were done";

/// What is compared, unless told otherwise.
const METRICS: [&str; 2] = ["broadcast.last.p50", "broadcast.last.p99"];

/// More nobody runs.
const PAIRS_MAX: u32 = 1000;

#[derive(Debug, Args)]
pub struct Ab {
    /// Starts the base for each of its runs, until it is stopped
    #[arg(long, value_name = "COMMAND", required_unless_present = "base_gate")]
    base: Option<String>,
    /// Starts the new build, in the same way
    #[arg(long, value_name = "COMMAND", required_unless_present = "new_gate")]
    new: Option<String>,
    /// The gate of a base that runs already
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "base")]
    base_gate: Option<Address>,
    /// The gate of a new build that runs already
    #[arg(long, value_name = "HOST:PORT", conflicts_with = "new")]
    new_gate: Option<Address>,
    /// The plan: a file whose name ends in .toml, or the name of a built-in one; without one, the options
    /// below say what to do
    #[arg(value_name = "PLAN")]
    plan: Option<String>,
    /// How many pairs of runs; even
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = pairs)]
    pairs: u32,
    /// What is compared; can be given more than once [default: broadcast.last.p50 and
    /// broadcast.last.p99]
    #[arg(long = "metric", value_name = "METRIC", value_parser = metric)]
    metrics: Vec<String>,
    /// The smallest difference that counts: a share such as 10%, or a time such as 2ms
    #[arg(long, value_name = "SHARE|TIME", default_value = "10%")]
    effect: Effect,
    /// How surely the intervals hold the true difference, from 50% to 99.99%
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    confidence: f64,
    #[command(flatten)]
    load: Load,
}

impl Ab {
    /// What was asked for; the plan is not yet read.
    ///
    /// # Errors
    ///
    /// If options do not go together.
    pub fn into_experiment(self) -> Result<Experiment, clap::Error> {
        for (is_given, what) in [
            (
                self.load.dry_run,
                "--dry-run belongs to `run`: loadgen run PLAN --dry-run\n",
            ),
            (
                self.load.metrics.is_some(),
                "--metrics belongs to `run`: it tells of one run\n",
            ),
        ] {
            if is_given {
                return Err(Cli::command().error(ErrorKind::ArgumentConflict, what));
            }
        }
        let how = |command: Option<String>, gate: Option<Address>| match gate {
            Some(gate) => How::Gate(gate),
            None => How::Command(command.unwrap_or_default()),
        };
        let mut metrics = self.metrics;
        metrics.dedup();
        if metrics.is_empty() {
            metrics = METRICS.map(str::to_owned).to_vec();
        }
        Ok(Experiment {
            base: how(self.base, self.base_gate),
            new: how(self.new, self.new_gate),
            source: self.load.source(self.plan)?,
            pairs: self.pairs,
            metrics,
            effect: self.effect,
            confidence_percent: self.confidence,
            health: self.load.health,
            workers: self.load.workers,
            out: self.load.out,
        })
    }
}

fn pairs(text: &str) -> Result<u32, String> {
    let pairs = text.parse::<u32>().ok();
    pairs
        .filter(|pairs| (PAIRS_MIN..=PAIRS_MAX).contains(pairs) && pairs.is_multiple_of(2))
        .ok_or_else(|| {
            format!(
                "`{text}` is not an even number from {PAIRS_MIN} to {PAIRS_MAX}: half of the pairs \
                     begin with either build"
            )
        })
}

fn metric(text: &str) -> Result<String, String> {
    match threshold::is_latency(text) {
        Ok(true) => Ok(text.to_owned()),
        Ok(false) => Err(format!(
            "`{text}` is a count; latencies are compared, such as {}",
            METRICS[1]
        )),
        Err(error) => Err(error.to_string()),
    }
}

fn confidence(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').and_then(|text| text.parse().ok());
    percent
        .filter(|percent| (50.0..=99.99).contains(percent))
        .ok_or_else(|| format!("`{text}` is not a share from 50% to 99.99%, such as 95%"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::Asked;
    use super::*;

    fn experiment(line: &[&str]) -> Result<Experiment, clap::Error> {
        match Cli::try_parse_from(line)?.into_asked()? {
            Asked::Ab(experiment) => Ok(experiment),
            other => panic!("{other:?} compares nothing"),
        }
    }

    #[test]
    fn the_command_of_a_comparison_is_a_command_for_the_same_comparison() -> clap::error::Result<()>
    {
        for line in [
            &[
                "loadgen", "ab", "--base", "old", "--new", "new", "--users", "7",
            ][..],
            &[
                "loadgen",
                "ab",
                "storm",
                "--base-gate",
                "a:1",
                "--new",
                "new",
                "--pairs",
                "4",
            ],
            &[
                "loadgen",
                "ab",
                "--base",
                "old",
                "--new-gate",
                "[::1]:2",
                "--metric",
                "request.p50",
                "--effect",
                "2ms",
                "--confidence",
                "99%",
                "--health",
                "warn",
            ],
        ] {
            let asked = experiment(line)?;
            let again = asked.command();
            let again: Vec<&str> = again.split(' ').skip(1).collect();
            assert_eq!(experiment(&again)?, asked);
        }
        Ok(())
    }

    #[test]
    fn a_mistake_is_answered_by_naming_the_option() {
        for (line, said) in [
            ("--new new", "--base"),
            ("--base old", "--new"),
            ("--base old --new new --base-gate a:1", "--base-gate"),
            (
                "--base old --new new --pairs 5",
                "even number from 4 to 1000",
            ),
            (
                "--base old --new new --metric broadcast.last",
                "broadcast.last.p99",
            ),
            ("--base old --new new --metric lost", "is a count"),
            ("--base old --new new --effect 10", "such as 10%"),
            ("--base old --new new --confidence 5", "such as 95%"),
            (
                "--base old --new new --dry-run",
                "--dry-run belongs to `run`",
            ),
        ] {
            let line: Vec<&str> = ["loadgen", "ab"]
                .into_iter()
                .chain(line.split(' '))
                .collect();
            let error = experiment(&line).expect_err("a mistake").to_string();
            assert!(error.contains(said), "{line:?}: {error}");
        }
    }
}
