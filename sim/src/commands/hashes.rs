//! `sim hashes`: the trace hash of each run.

use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::Args;
use reports::output::{Output, say};

use super::{INTERRUPTION, named};
use crate::cli::{Seeds, threads};
use crate::policy::Change;
use crate::sweep::{Done, Ended, Sweep, Watch};

/// Which runs to print the hashes of.
#[derive(Debug, Args)]
pub struct Options {
    /// The scenarios, by name or as files that end in .toml; all built-in ones if none is named.
    pub scenarios: Vec<String>,
    /// The seeds of each scenario, the last one not included.
    #[arg(long, value_name = "A..B", default_value = "0..4")]
    pub seeds: Seeds,
    /// Threads; one for each core if not given.
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// The servers.
    #[command(flatten)]
    pub change: Change,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let names: String = self.scenarios.iter().map(|it| format!(" {it}")).collect();
        let change = self.change.command_line();
        format!(" hashes{names} --seeds {}{change}", self.seeds)
    }
}

/// Prints the hashes.
///
/// # Errors
///
/// If a scenario is unknown, or standard output can't be written.
pub fn execute(options: Options) -> anyhow::Result<ExitCode> {
    let Seeds(seeds) = options.seeds;
    let sweep = Sweep {
        scenarios: named(&options.scenarios, &options.change, |_| seeds.clone())?,
        jobs: threads(options.jobs),
        time: None,
    };
    let output = Output::stdout();
    let mut hashes = Hashes {
        sweep: &sweep,
        output,
    };
    let ended = sweep.run(&mut hashes)?;
    hashes.output.end()?;
    if let Ended::Interrupted(signal) = ended {
        say("the list is not complete");
        return Ok(ExitCode::from(signal.exit_status()));
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the hash of each run, in the order of the plan.
struct Hashes<'a> {
    sweep: &'a Sweep,
    output: Output,
}

impl Watch for Hashes<'_> {
    fn next(&mut self, done: Done) {
        let name = &self.sweep.scenarios[done.item.scenario].0.name;
        let hash = done.outcome.chain.hash;
        let line = format!("{hash:016x}  {name} {}", done.item.seed);
        self.output.print_line(&line);
    }

    fn interrupted(&mut self) {
        say(INTERRUPTION);
    }

    fn wants_more(&self) -> bool {
        self.output.is_open()
    }
}
