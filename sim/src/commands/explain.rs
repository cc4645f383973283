//! `sim explain`: the story of a capsule as a page.

use std::fs;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use reports::output::{Output, say};

use super::UNDECIDED;
use crate::capsule::Capsule;
use crate::explain;
use crate::files::Files;
use crate::replay::Replay;
use loadgen::quoted::quoted_path;

const EXIT_STATUS: &str = "\
Exit status:
  0    the page is written, and tells the failure that the capsule holds
  2    unusable input: the capsule is missing, damaged, or of another format, or the page can't be
       written
  3    the page is written, and tells another run, or one of which something else is said now";

/// Which capsule, and where the page goes.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Options {
    /// The capsule, as `sim run` and `sim sweep` write one for a failure.
    #[arg(value_name = "FILE")]
    pub capsule: PathBuf,
    /// Writes the page there; beside the capsule, as .html, if not given.
    #[arg(long, short, value_name = "OUT.html")]
    pub out: Option<PathBuf>,
    /// Which of the broken promises, in the order in which `sim replay` prints them; the one that
    /// showed first if not given.
    #[arg(long, value_name = "N")]
    pub violation: Option<NonZeroUsize>,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let capsule = quoted_path(&self.capsule);
        match self.violation {
            None => format!(" explain {capsule}"),
            Some(number) => format!(" explain {capsule} --violation {number}"),
        }
    }
}

/// Runs the capsule again and writes its page.
///
/// # Errors
///
/// If the capsule can't be used, or has not so many broken promises, or the page can't be written.
pub fn execute(options: &Options) -> anyhow::Result<ExitCode> {
    let capsule = Capsule::read(&options.capsule)?;
    let broken = capsule.verdict.violations.len();
    let which = options.violation.map(|number| number.get() - 1);
    anyhow::ensure!(
        which.is_none_or(|which| which < broken),
        "--violation: the capsule has {broken}"
    );
    let out = options.out.clone();
    let out = out.unwrap_or_else(|| options.capsule.with_extension("html"));
    let files = Files::read(&options.capsule).write("--out", Some(&out));
    files.are_apart()?;
    files.are_writable()?;
    let replay = Replay::of(&capsule);
    if let Some(reason) = &capsule.verdict.broke_off {
        say(&format!(
            "no promise was checked, since the run broke off: {reason}"
        ));
    }
    if replay.difference.is_some() {
        say(&replay.told(&capsule));
        if replay.outcome.held() {
            say("the page tells a run that does not fail any more");
        }
    }
    let page = explain::page(&capsule, &replay, which);
    fs::write(&out, page).with_context(|| format!("cannot write {}", out.display()))?;
    let mut output = Output::stdout();
    output.print_line(&out.display().to_string());
    output.end()?;
    Ok(match replay.difference {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::from(UNDECIDED),
    })
}
