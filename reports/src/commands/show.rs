//! `reports show`.

use std::path::Path;
use std::process::ExitCode;

use reports::ab::{self, Verdict};
use reports::output::Output;
use reports::run::Run;
use reports::{capacity, text};

use super::kind::{self, Report};

/// Prints the summary of what is at `path`; the status says whether all held. Of a search for a capacity,
/// whether one was found; of a comparison, whether the new build passed.
pub fn show(path: &Path) -> anyhow::Result<ExitCode> {
    let mut summary = String::new();
    let passes = match kind::read(path)? {
        Report::Run(run) => return print(&run),
        Report::Capacity(search) => {
            capacity::text::write_summary(&mut summary, &search)?;
            search.is_found()
        }
        Report::Ab(ab) => {
            ab::write_summary(&mut summary, &ab)?;
            ab.verdict == Verdict::Pass
        }
    };
    told(&summary, passes)
}

/// Prints the summary of `run`; the status says whether all held.
pub fn print(run: &Run) -> anyhow::Result<ExitCode> {
    let mut summary = String::new();
    text::write_summary(&mut summary, run)?;
    told(&summary, run.passes())
}

fn told(summary: &str, passes: bool) -> anyhow::Result<ExitCode> {
    let mut output = Output::stdout();
    output.print(summary);
    output.end()?;
    Ok(ExitCode::from(u8::from(!passes)))
}
