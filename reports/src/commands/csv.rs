//! `reports csv`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use reports::output::Output;
use reports::{csv, run_folder};

/// A table of a load test.
#[derive(Clone, Copy, ValueEnum)]
pub enum Table {
    /// What happened in each interval of time.
    Timeline,
    /// Broadcasts by the size of their rooms.
    Classes,
}

/// Prints `table` of the run at `path`.
pub fn csv(path: &Path, table: Table) -> anyhow::Result<ExitCode> {
    let run = run_folder::read(path)?;
    let load = run.load.with_context(|| {
        format!(
            "{}: field `load` is absent: there is no table of it",
            path.display()
        )
    })?;
    let text = match table {
        Table::Timeline => csv::timeline(&load.timeline),
        Table::Classes => csv::classes(&load.fan_out),
    };
    let mut output = Output::stdout();
    output.print(&text);
    output.end()?;
    Ok(ExitCode::SUCCESS)
}
