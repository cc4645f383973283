//! `reports show`.

use std::path::Path;
use std::process::ExitCode;

use reports::output::Output;
use reports::run::Run;
use reports::{capacity, run_folder, text};

use super::html::is_capacity;

/// Prints the summary of the run at `path`; the status says whether all held. Of a search for a capacity,
/// whether one was found.
pub fn show(path: &Path) -> anyhow::Result<ExitCode> {
    if !is_capacity(path) {
        return print(&run_folder::read(path)?);
    }
    let search = run_folder::read_capacity(path)?;
    let mut summary = String::new();
    capacity::text::write_summary(&mut summary, &search)?;
    let mut output = Output::stdout();
    output.print(&summary);
    output.end()?;
    Ok(ExitCode::from(u8::from(!search.is_found())))
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
