//! `reports show`.

use std::path::Path;
use std::process::ExitCode;

use reports::output::Output;
use reports::run::Run;
use reports::{run_folder, text};

/// Prints the summary of the run at `path`; the status says whether all held.
pub fn show(path: &Path) -> anyhow::Result<ExitCode> {
    print(&run_folder::read(path)?)
}

/// Prints the summary of `run`; the status says whether all held.
pub fn print(run: &Run) -> anyhow::Result<ExitCode> {
    let mut summary = String::new();
    text::write_summary(&mut summary, run)?;
    let mut output = Output::stdout();
    output.print(&summary);
    output.end()?;
    Ok(ExitCode::from(u8::from(!run.passes())))
}
