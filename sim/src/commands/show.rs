//! `sim show`: a built-in scenario's file, to begin one's own with.

use std::process::ExitCode;

use clap::Args;
use reports::output::Output;

use crate::scenario;

/// Which file.
#[derive(Debug, Args)]
pub struct Options {
    /// The scenario; see `sim list`.
    pub scenario: String,
}

/// Prints it.
///
/// # Errors
///
/// If there is none of this name, or standard output can't be written.
pub fn execute(options: &Options) -> anyhow::Result<ExitCode> {
    let mut output = Output::stdout();
    output.print_line(scenario::text_of(&options.scenario)?.trim_end());
    output.end()?;
    Ok(ExitCode::SUCCESS)
}
