//! `sim shrink`: a capsule made smaller.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use reports::output::{Output, say};

use super::UNDECIDED;
use crate::capsule::Capsule;
use crate::cli::{duration, jobs, threads};
use crate::files::Files;
use crate::report::count;
use crate::shrink::{self, Limits, ShrinkError, Shrunk, regression};
use crate::shrink::{OTHER_SEEDS, size::Size};
use crate::workers::{self, Watch};
use loadgen::quoted::quoted_path;

const EXIT_STATUS: &str = "\
Ctrl-C, SIGTERM and SIGHUP end it: the smallest run so far is written. A second signal ends it at
once.

Exit status:
  0    there is a smaller capsule, or nothing can be left out
  2    unusable input, or an output that can't be written
  3    the run does not fail in this way any more
  130  ended by Ctrl-C; the smallest run so far is written (143 by SIGTERM, 129 by SIGHUP)";

/// Which capsule, and what to make of it.
#[derive(Debug, Args)]
#[command(after_help = EXIT_STATUS)]
pub struct Options {
    /// The capsule, as `sim run` and `sim sweep` write one for a failure.
    #[arg(value_name = "FILE")]
    pub capsule: PathBuf,
    /// Writes the smaller capsule there; beside FILE, as NAME.small.capsule.json, if not given.
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Writes a test in Rust there, which demands that the run holds.
    #[arg(long, value_name = "FILE.rs", value_parser = rust_file)]
    pub test: Option<PathBuf>,
    /// Begins no more runs after this time, such as 60s or 10m.
    #[arg(long, value_parser = duration, default_value = "60s")]
    pub time: Duration,
    /// Threads, at most 256; one for each core if not given.
    #[arg(long, short, value_name = "N", value_parser = jobs)]
    pub jobs: Option<NonZeroUsize>,
}

fn rust_file(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension() {
        Some(extension) if extension == "rs" => Ok(path),
        _ => Err(String::from("a test in Rust is a file that ends in .rs")),
    }
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        format!(" shrink {}", quoted_path(&self.capsule))
    }
}

/// Makes the capsule smaller; `command` repeats it.
///
/// # Errors
///
/// If the capsule can't be used, or a file or standard output can't be written.
pub fn execute(options: &Options, command: String) -> anyhow::Result<ExitCode> {
    let capsule = Capsule::read(&options.capsule)?;
    let out = options
        .out
        .clone()
        .unwrap_or_else(|| beside(&options.capsule));
    let files = Files::read(&options.capsule).write("--out", Some(&out));
    let files = files.write("--test", options.test.as_ref());
    files.are_apart()?;
    files.are_writable()?;
    say(&format!("before: {}", Size::planned(&capsule.case)));
    let shrink = |_, stop: &AtomicBool| {
        let limits = Limits {
            jobs: threads(options.jobs),
            time: options.time,
            stop,
        };
        let shrunk = shrink::shrink(&capsule, limits, &mut |step| say(step));
        Some(shrunk)
    };
    let mut result = Awaited(None);
    let signal = workers::work(1, NonZeroUsize::MIN, shrink, &mut result)?;
    let Some(result) = result.0 else {
        // The signal came before the first run.
        return Ok(signal.map_or(ExitCode::SUCCESS, |signal| {
            ExitCode::from(signal.exit_status())
        }));
    };
    let shrunk = match result {
        Err(error @ ShrinkError::Vanished(_)) => {
            say(&format!("error: {error}"));
            return Ok(ExitCode::from(UNDECIDED));
        }
        shrunk => shrunk?,
    };
    let smaller = Capsule::of(&shrunk.outcome, command).context("the smallest run holds")?;
    write(&out, &smaller.to_json())?;
    if let Some(path) = &options.test {
        write(path, &regression::test(&smaller, &shrunk.signature))?;
    }
    let mut output = Output::stdout();
    output.print_line(&told(&shrunk, &smaller));
    output.print_line(&format!(
        "\nreproduce: cargo sim replay {}",
        quoted_path(&out)
    ));
    output.end()?;
    Ok(signal.map_or(ExitCode::SUCCESS, |signal| {
        ExitCode::from(signal.exit_status())
    }))
}

fn told(shrunk: &Shrunk, smaller: &Capsule) -> String {
    let seeds = match shrunk.other_seeds {
        None => String::from("other seeds were not tried"),
        Some(0) => format!(
            "it needs seed {}: with none of {OTHER_SEEDS} others does it fail so",
            smaller.case.seed
        ),
        Some(OTHER_SEEDS) => {
            format!("it fails with any seed ({OTHER_SEEDS} of {OTHER_SEEDS} others)")
        }
        Some(some) => format!("it fails with some seeds ({some} of {OTHER_SEEDS} others)"),
    };
    let violation = shrunk.signature.violation(&smaller.verdict);
    let found = violation.map(ToString::to_string);
    let found = found.or_else(|| smaller.verdict.broke_off.clone());
    format!(
        "{}\n\n{}\n{}\n{}, {}; {seeds}",
        Size::table(&shrunk.before, &shrunk.after),
        smaller.case,
        found.unwrap_or_default(),
        count(shrunk.tried, "run"),
        shrunk.ended,
    )
}

/// What it came to.
struct Awaited(Option<Result<Shrunk, ShrinkError>>);

impl Watch<Result<Shrunk, ShrinkError>> for Awaited {
    fn ended(&mut self, result: Result<Shrunk, ShrinkError>) {
        self.0 = Some(result);
    }

    fn interrupted(&mut self) {
        say("interrupted: the smallest run so far is written; a second signal ends it at once");
    }
}

fn beside(capsule: &Path) -> PathBuf {
    let name = capsule.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".json").unwrap_or(&name);
    let name = name.strip_suffix(".capsule").unwrap_or(name);
    capsule.with_file_name(format!("{name}.small.capsule.json"))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_in_rust_is_a_file_that_cargo_takes_for_one() {
        assert_eq!(rust_file("a/lost.rs"), Ok(PathBuf::from("a/lost.rs")));
        for other in ["lost.txt", "lost", ".rs"] {
            assert!(rust_file(other).is_err(), "{other}");
        }
    }

    #[test]
    fn the_smaller_capsule_is_beside_the_other() {
        for (given, expected) in [
            ("a/mix-3.capsule.json", "a/mix-3.small.capsule.json"),
            ("mix.json", "mix.small.capsule.json"),
            ("mix", "mix.small.capsule.json"),
        ] {
            assert_eq!(beside(Path::new(given)), Path::new(expected));
        }
    }
}
