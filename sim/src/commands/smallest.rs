//! `sim smallest`: for each flaw, the smallest run that shows it.

use std::fs;
use std::io::{self, IsTerminal};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use cluster::policy::Flaw;
use indicatif::{ProgressBar, ProgressStyle};
use reports::output::{Output, say};

use super::{FAILED, INTERRUPTION, flaws};
use crate::capsule::Capsule;
use crate::cli::{duration, jobs, threads};
use crate::smallest::{Shown, Smallest, table};
use crate::workers::Watch;
use loadgen::quoted::quoted;

/// Which flaws, and how long.
#[derive(Debug, Args)]
pub struct Options {
    /// The flaws, each alone; all of them if none is named. See `sim flaws`.
    pub flaws: Vec<Flaw>,
    /// For each flaw, begins no more runs to make the first one smaller after this time.
    #[arg(long, value_parser = duration, default_value = "60s")]
    pub time: Duration,
    /// The scenario that runs are drawn from.
    #[arg(long, default_value = "random-mix")]
    pub scenario: String,
    /// Writes each of the runs there, as FLAW.capsule.json.
    #[arg(long, value_name = "DIR")]
    pub capsules: Option<PathBuf>,
    /// Threads, each for one flaw, at most 256; one for each core if not given.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
    /// Prints the table in Markdown.
    #[arg(long)]
    pub markdown: bool,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let mut line = String::from(" smallest");
        for flaw in &self.flaws {
            line += &format!(" {flaw}");
        }
        let time = humantime::format_duration(self.time).to_string();
        line += &format!(
            " --time {} --scenario {}",
            time.replace(' ', ""),
            quoted(&self.scenario)
        );
        if self.markdown {
            line += " --markdown";
        }
        line
    }
}

/// Looks for them, and prints the table; `command` repeats it. A flaw that is not found fails.
///
/// # Errors
///
/// If the scenario is unknown, or a file or standard output can't be written.
pub fn execute(options: Options, command: &str) -> anyhow::Result<ExitCode> {
    let smallest = Smallest {
        scenario: flaws::scenario(&options.scenario)?,
        flaws: flaws::chosen(options.flaws),
        time: options.time,
        jobs: threads(options.jobs),
    };
    if let Some(folder) = &options.capsules {
        let cannot = || format!("cannot make the folder {}", folder.display());
        fs::create_dir_all(folder).with_context(cannot)?;
    }
    let mut progress = Progress::new(&smallest);
    let interrupted = smallest.run(&mut progress)?;
    progress.bar.finish_and_clear();
    let mut shown = progress.shown;
    shown.sort_by_key(|shown| shown.flaw);
    let table = table::of(&shown);
    let table = match options.markdown {
        true => table.markdown(),
        false => table.text(),
    };
    let mut output = Output::stdout();
    output.print_line(table.trim_end());
    output.end()?;
    if let Some(folder) = &options.capsules {
        for shown in &shown {
            write(folder, shown, command)?;
        }
    }
    if let Some(signal) = interrupted {
        say("the table is not complete");
        return Ok(ExitCode::from(signal.exit_status()));
    }
    let is_missed = shown.iter().any(|shown| shown.run.is_none());
    Ok(match is_missed {
        true => ExitCode::from(FAILED),
        false => ExitCode::SUCCESS,
    })
}

fn write(folder: &Path, shown: &Shown, command: &str) -> anyhow::Result<()> {
    let Some(run) = &shown.run else { return Ok(()) };
    let path = folder.join(format!("{}.capsule.json", shown.flaw));
    let capsule = Capsule::of(&run.shrunk.outcome, command.to_owned());
    let json = capsule.context("the smallest run holds")?.to_json();
    fs::write(&path, json).with_context(|| format!("cannot write {}", path.display()))
}

/// Collects what was found, and shows how far it is: a bar on a terminal, else a line for each.
struct Progress {
    shown: Vec<Shown>,
    bar: ProgressBar,
    prints_lines: bool,
}

impl Progress {
    fn new(smallest: &Smallest) -> Self {
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} flaws, {elapsed}")
            .expect("the template is right");
        Self {
            shown: Vec::new(),
            // Without a terminal it hides itself.
            bar: ProgressBar::new(smallest.flaws.len() as u64).with_style(style),
            prints_lines: !io::stderr().is_terminal(),
        }
    }
}

impl Watch<Shown> for Progress {
    fn ended(&mut self, shown: Shown) {
        self.bar.inc(1);
        if self.prints_lines {
            let what = match &shown.run {
                Some(run) => format!("{} ({})", run.shrunk.after, run.shrunk.ended),
                None => String::from("not found"),
            };
            say(&format!("{}: {what}", shown.flaw));
        }
        self.shown.push(shown);
    }

    fn interrupted(&mut self) {
        self.bar.suspend(|| say(INTERRUPTION));
    }
}
