//! What `reports` can be asked for.

mod compare;
mod csv;
mod html;
mod junit;
mod kind;
mod merge;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use csv::Table;

/// Shows what runs of loadgen and sim left behind.
#[derive(Parser)]
#[command(version, after_help = HELP)]
pub struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the summary of a run, of a search for a capacity, or of a comparison of two builds.
    #[command(after_help = HELP)]
    Show {
        /// The folder, or the run.json, capacity.json or ab.json in it.
        run: PathBuf,
    },
    /// Makes one run of parts that processes of their own measured, exactly as one would have.
    #[command(after_help = HELP)]
    Merge {
        /// The folders of the parts.
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// The new folder of the whole run.
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
    },
    /// Prints a table of a load test for spreadsheets.
    #[command(after_help = HELP)]
    Csv {
        /// The run's folder, or its run.json.
        run: PathBuf,
        /// Which table.
        #[arg(long, value_enum, default_value_t = Table::Timeline)]
        table: Table,
    },
    /// Compares what two builds did.
    #[command(after_help = compare::HELP)]
    Compare(compare::Compare),
    /// Prints JUnit XML for CI servers: a case for each check and threshold of a run, for the answer of a
    /// search for a capacity, for each figure of a comparison of two builds.
    #[command(after_help = JUNIT)]
    Junit {
        /// The folders, or the run.json, capacity.json or ab.json in them: a suite for each.
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Writes it there.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Writes a page, which is one file for any browser: of a run, of a search for a capacity or several side
    /// by side, or of a comparison of two builds.
    #[command(after_help = HELP)]
    Html {
        /// The folder, or the run.json, capacity.json or ab.json in it; or several of searches for a
        /// capacity.
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// Where to; without it run.html, capacity.html or ab.html beside the file that it is of, and of
        /// several searches capacities.html here.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

const HELP: &str = "\
Examples:
  reports show runs/load-7-1
  reports show runs/load-7-1/run.json
  reports merge runs/part-1 runs/part-2 --out runs/whole
  reports csv runs/load-7-1 > timeline.csv
  reports csv runs/load-7-1 --table classes > broadcasts.csv
  reports junit runs/load-7-1 > load.xml
  reports html runs/load-7-1
  reports show runs/capacity-7-1
  reports html runs/capacity-7-1 runs/capacity-7-2 --out both.html
  reports html runs/ab-7-1
  reports compare base new

Exit status:
  0  all that the run checked held, a capacity was found, the new build passed, or what was asked for
     is written
  1  `show`, `merge`: something did not hold, or the run was stopped before its end, checked
     nothing, or says nothing of the cluster; no capacity was found; the new build did not pass
  2  there is no usable run there, and the message says file and field; or what was asked for
     can't be written";

const JUNIT: &str = "\
Examples:
  reports junit runs/load-7-1 > load.xml
  reports junit runs/load-7-1 runs/capacity-7-1 runs/ab-7-1 --out all.xml

What the cases come to:
  failure  a check or a threshold did not hold, with the figures and the command to repeat;
           the cluster breaks at every rate; the new build is slower, or does not do what base does
  error    INVALID: the generator or the machine was the limit, so nothing is said of the cluster,
           and all other cases are skipped
  skipped  it could not be told: PARTIAL (stopped before its end), UNCHECKED, INCONCLUSIVE

Exit status:
  0  it is written, whatever the cases came to
  2  there is no usable run there, and the message says file and field; or it can't be written";

impl Options {
    /// Does it.
    ///
    /// # Errors
    ///
    /// If there is no usable run, or what was asked for can't be written.
    pub fn carry_out(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Show { run } => show::show(&run),
            Command::Merge { runs, out } => merge::merge(&runs, &out),
            Command::Csv { run, table } => csv::csv(&run, table),
            Command::Junit { runs, out } => junit::junit(&runs, out.as_deref()),
            Command::Compare(options) => compare::compare(&options),
            Command::Html { runs, out } => html::html(&runs, out),
        }
    }
}
