//! `sim replay`: the run of a capsule once more.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use reports::output::{Output, say};

use super::{FAILED, UNDECIDED};
use crate::capsule::Capsule;
use crate::replay::Replay;
use crate::report;
use loadgen::quoted::quoted_path;

const EXIT_STATUS: &str = "\
Exit status, never 0:
  1    the same failure, to the last bit of the run and the last word of the verdict
  2    unusable input: the file is missing, damaged, or of another format
  3    another run, or another verdict on the same run: nothing is known of the failure any more,
       even if the run holds now. The first event that differs is printed";

/// Which capsule.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Options {
    /// The capsule, as `sim run` and `sim sweep` write one for a failure.
    #[arg(value_name = "FILE")]
    pub capsule: PathBuf,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        format!(" replay {}", quoted_path(&self.capsule))
    }
}

/// Does the run of the capsule again.
///
/// # Errors
///
/// If the capsule can't be used, or standard output can't be written.
pub fn execute(options: &Options) -> anyhow::Result<ExitCode> {
    let capsule = Capsule::read(&options.capsule)?;
    say(capsule.case.to_string().trim_end());
    let replay = Replay::of(&capsule);
    let mut output = Output::stdout();
    output.print_line(&report::verdict(&replay.outcome));
    output.print(&report::broken(&replay.outcome));
    output.print_line(&format!("\n{}", replay.told(&capsule)));
    output.end()?;
    let status = match replay.difference {
        None => FAILED,
        Some(_) => UNDECIDED,
    };
    Ok(ExitCode::from(status))
}
