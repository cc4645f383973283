//! `sim run`: one scenario with one seed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reports::output::{Output, say};

use super::{FAILED, UNDECIDED};
use crate::capsules::Capsules;
use crate::kept::Kept;
use crate::policy::Change;
use crate::report;
use crate::run;
use crate::scenario;
use loadgen::quoted::quoted;

/// Which run, and what to keep of it.
#[derive(Debug, Args)]
pub struct Options {
    /// The scenario: a name, see `sim list`, or a file that ends in .toml.
    pub scenario: String,
    /// The seed.
    #[arg(long)]
    pub seed: u64,
    /// Writes the trace there, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Writes what the users did and saw there, as JSON lines.
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// Prints how many deliveries had to be, could be and must not, and what kept the checks from
    /// demanding more.
    #[arg(long)]
    pub obligations: bool,
    /// Writes the report into this folder, which must be new or empty.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Writes the capsule of a failure into this folder; else into DIR/capsules if there is an
    /// --out DIR, else into sim-failures.
    #[arg(long, value_name = "DIR")]
    pub capsules: Option<PathBuf>,
    /// The servers.
    #[command(flatten)]
    pub change: Change,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let change = self.change.command_line();
        let scenario = quoted(&self.scenario);
        format!(" run {scenario} --seed {}{change}", self.seed)
    }
}

/// Runs it; `command` repeats it.
///
/// # Errors
///
/// If the scenario is unknown, or a file or standard output can't be written.
pub fn execute(options: &Options, command: String) -> anyhow::Result<ExitCode> {
    let mut scenario = scenario::find(&options.scenario)?;
    options.change.apply(&mut scenario);
    let kept = Kept::open(options, command)?;
    let mut outcome = match run::draw(&scenario, options.seed) {
        Ok(case) => {
            say(case.to_string().trim_end());
            run::run(&case, kept.wants_trace())
        }
        Err(outcome) => *outcome,
    };
    let written = kept.write(&mut outcome);

    for line in report::anchored(&outcome) {
        say(&line);
    }
    let mut output = Output::stdout();
    output.print_line(&report::verdict(&outcome));
    if let Some(broken) = report::as_expected(&outcome) {
        output.print_line(&broken);
    }
    if let Some(fired) = report::fired(&outcome) {
        output.print_line(&fired);
    }
    if options.obligations {
        output.print_line(&outcome.deliveries.table());
    }
    if !outcome.held() {
        let (folder, out) = (options.capsules.as_deref(), options.out.as_deref());
        let capsule = Capsules::new(folder, out).keep(&outcome);
        output.print_line(&report::failure(&outcome, capsule.as_deref()));
    } else if !outcome.is_decided() {
        output.print_line(&report::undecided(&outcome));
    }
    // What can't be written takes nothing from what was found.
    output.end()?;
    written?;
    Ok(match outcome.held() {
        true if outcome.is_decided() => ExitCode::SUCCESS,
        true => ExitCode::from(UNDECIDED),
        false => ExitCode::from(FAILED),
    })
}
