//! `sim detect`: how soon each flaw is found.

use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use clap::Args;
use cluster::policy::Flaw;
use indicatif::{ProgressBar, ProgressStyle};
use reports::output::{Output, say};

use super::{FAILED, INTERRUPTION, flaws};
use crate::cli::{jobs, threads};
use crate::detect::{Detect, Found, table};
use crate::report::count;
use crate::workers::Watch;
use loadgen::quoted::quoted;

/// Which flaws, and how often.
#[derive(Debug, Args)]
pub struct Options {
    /// The flaws, each alone; all of them if none is named. See `sim flaws`.
    pub flaws: Vec<Flaw>,
    /// Searches for each flaw, each over 500 seeds of its own at most.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..10_000))]
    pub starts: u64,
    /// The scenario that runs are drawn from.
    #[arg(long, default_value = "random-mix")]
    pub scenario: String,
    /// Threads, at most 256; one for each core if not given.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Prints the table in Markdown.
    #[arg(long)]
    pub markdown: bool,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let mut line = String::from(" detect");
        for flaw in &self.flaws {
            line += &format!(" {flaw}");
        }
        let scenario = quoted(&self.scenario);
        line += &format!(" --starts {} --scenario {scenario}", self.starts);
        if self.markdown {
            line += " --markdown";
        }
        line
    }
}

/// Searches, and prints the table. One that was never found fails.
///
/// # Errors
///
/// If the scenario is unknown, or standard output can't be written.
pub fn execute(options: Options) -> anyhow::Result<ExitCode> {
    let detect = Detect {
        scenario: flaws::scenario(&options.scenario)?,
        flaws: flaws::chosen(options.flaws),
        starts: options.starts,
        jobs: threads(options.jobs),
    };
    let mut progress = Progress::new(&detect);
    let interrupted = detect.run(&mut progress)?;
    progress.bar.finish_and_clear();
    let found = progress.found;
    let (rows, alone) = (table::of(&detect.flaws, &found), table::alone(&found));
    let tables = match options.markdown {
        true => [rows.markdown(), alone.markdown()],
        false => [rows.text(), alone.text()],
    };
    let mut output = Output::stdout();
    output.print_line(tables.join("\n").trim_end());
    output.end()?;
    if let Some(signal) = interrupted {
        say("the table is not complete");
        return Ok(ExitCode::from(signal.exit_status()));
    }
    let is_missed = found.iter().any(|found| found.broken.is_empty());
    Ok(match is_missed {
        true => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    })
}

/// Collects what was found, and shows how far it is: a bar on a terminal, else a line for each.
struct Progress {
    found: Vec<Found>,
    bar: ProgressBar,
    prints_lines: bool,
}

impl Progress {
    fn new(detect: &Detect) -> Self {
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} searches, {elapsed}, {eta} left")
                .expect("the template is right");
        Self {
            found: Vec::new(),
            // Without a terminal it hides itself.
            bar: ProgressBar::new(detect.len()).with_style(style),
            prints_lines: !io::stderr().is_terminal(),
        }
    }
}

impl Watch<Found> for Progress {
    fn ended(&mut self, found: Found) {
        self.bar.inc(1);
        if self.prints_lines {
            let broken: Vec<&str> = found.broken.iter().map(String::as_str).collect();
            let what = match broken.is_empty() {
                true => String::from("not found"),
                false => format!("found by {}", broken.join(", ")),
            };
            let Found { flaw, seeds, .. } = &found;
            say(&format!("{flaw}: {what} after {}", count(*seeds, "run")));
        }
        self.found.push(found);
    }

    fn interrupted(&mut self) {
        self.bar.suspend(|| say(INTERRUPTION));
    }
}
