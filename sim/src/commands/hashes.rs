//! `sim hashes`: the trace hash of each run.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use reports::output::{Output, say};

use super::{INTERRUPTION, named};
use crate::certify::Hashed;
use crate::cli::{Seeds, jobs, threads};
use crate::files::Files;
use crate::policy::Change;
use crate::sweep::{Done, Ended, Sweep, Watch};
use loadgen::quoted::quoted;

/// Which runs to print the hashes of.
#[derive(Debug, Args)]
pub struct Options {
    /// The scenarios, by name or as files that end in .toml; all built-in ones if none is named.
    pub scenarios: Vec<String>,
    /// The seeds of each scenario, the last one not included.
    #[arg(long, value_name = "A..B", default_value = "0..4")]
    pub seeds: Seeds,
    /// Threads, at most 256; one for each core if not given.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Prints JSON lines instead, with the hash after each event of a run.
    #[arg(long)]
    pub chains: bool,
    /// Keeps the trace of each run, and writes that of the last one there, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// The servers.
    #[command(flatten)]
    pub change: Change,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let names = self.scenarios.iter().map(|it| format!(" {}", quoted(it)));
        let names: String = names.collect();
        let change = self.change.command_line();
        let chains = if self.chains { " --chains" } else { "" };
        format!(" hashes{names} --seeds {}{chains}{change}", self.seeds)
    }
}

/// Prints the hashes.
///
/// # Errors
///
/// If a scenario is unknown, or standard output or the file of the trace can't be
/// written.
pub fn execute(options: Options) -> anyhow::Result<ExitCode> {
    let files = Files::scenarios(&options.scenarios).write("--trace", options.trace.as_ref());
    files.are_apart()?;
    files.are_writable()?;
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
        chains: options.chains,
        keeps_traces: options.trace.is_some(),
        last_trace: Vec::new(),
    };
    let ended = sweep.run(&mut hashes)?;
    let last_trace = hashes.last_trace;
    hashes.output.end()?;
    if let Ended::Interrupted(signal) = ended {
        say("the list is not complete");
        return Ok(ExitCode::from(signal.exit_status()));
    }
    if let Some(path) = &options.trace {
        let written = fs::write(path, &last_trace);
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the hash of each run, in the order of the plan.
struct Hashes<'a> {
    sweep: &'a Sweep,
    output: Output,
    chains: bool,
    keeps_traces: bool,
    last_trace: Vec<u8>,
}

impl Watch for Hashes<'_> {
    fn next(&mut self, done: Done) {
        let scenario = &self.sweep.scenarios[done.item.scenario].0;
        let (seed, chain) = (done.item.seed, done.outcome.chain);
        let line = if self.chains {
            let hashed = Hashed {
                scenario: scenario.name.clone(),
                seed,
                chain,
            };
            serde_json::to_string(&hashed).expect("it holds only strings and numbers")
        } else {
            format!("{:016x}  {} {seed}", chain.hash, scenario.name)
        };
        self.output.print_line(&line);
        self.last_trace = done.outcome.trace.unwrap_or_default();
    }

    fn keeps_traces(&self) -> bool {
        self.keeps_traces
    }

    fn interrupted(&mut self) {
        say(INTERRUPTION);
    }

    fn wants_more(&self) -> bool {
        self.output.is_open()
    }
}
