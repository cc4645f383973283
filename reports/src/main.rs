//! `reports`: shows what runs left behind.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use reports::output::{Output, say};
use reports::{run_folder, text};

/// Shows what runs of loadgen and sim left behind.
#[derive(Parser)]
#[command(version, after_help = HELP)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the summary of a run.
    #[command(after_help = HELP)]
    Show {
        /// The run's folder, or its run.json.
        run: PathBuf,
    },
}

const HELP: &str = "\
Examples:
  reports show runs/load-7-1
  reports show runs/load-7-1/run.json

Exit status:
  0  all that the run checked held
  1  something did not hold, or the run was stopped before its end or checked nothing
  2  there is no usable run there, and the message says file and field; or the summary can't be
     written";

fn main() -> ExitCode {
    let Options {
        command: Command::Show { run },
    } = Options::parse();
    match show(&run) {
        Ok(status) => status,
        Err(error) => {
            say(&format!("reports: {error:#}"));
            ExitCode::from(2)
        }
    }
}

fn show(path: &Path) -> anyhow::Result<ExitCode> {
    let run = run_folder::read(path)?;
    let mut summary = String::new();
    text::write_summary(&mut summary, &run)?;
    let mut output = Output::stdout();
    output.print(&summary);
    output.end()?;
    Ok(ExitCode::from(u8::from(!run.passes())))
}
