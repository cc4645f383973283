//! `sim certify`: whether the same seeds give the same runs in every way.

use std::env;
use std::io::{self, IsTerminal};
use std::path::{self, Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use reports::output::{Output, say};

use super::FAILED;
use crate::certify::way::{self, Runs};
use crate::certify::{Certificate, Certify, Row, Watch, table};
use crate::cli::{Seeds, threads};
use crate::report::count;
use crate::scenario;
use loadgen::quoted::{quoted, quoted_path};

const MORE: &str = "\
Each way is a process of its own, and does all runs: on one thread, on two, on more than there are
cores; with the traces kept; in another directory; in another time zone; in another language; and by
each other build, such as a debug build beside this release build:

  cargo build -p sim && cargo sim certify --build target/debug/sim

Exit status:
  0    every run was the same in every way
  1    one was not; it is told which, in which two ways, and the first event that differs
  2    unusable input, or a build that does other runs
  130  ended by Ctrl-C (143 by SIGTERM, 129 by SIGHUP)";

/// Which runs, and by which builds.
#[derive(Debug, Args)]
#[command(after_help = MORE)]
pub struct Options {
    /// The scenarios, by name or as files that end in .toml.
    #[arg(default_value = "random-mix")]
    pub scenarios: Vec<String>,
    /// The seeds of each scenario, the last one not included.
    #[arg(long, value_name = "A..B", default_value = "0..200")]
    pub seeds: Seeds,
    /// Another build of this program, to be compared with this one. Can be given more than once.
    #[arg(long = "build", value_name = "PATH")]
    pub builds: Vec<PathBuf>,
    /// Prints the table in Markdown.
    #[arg(long)]
    pub markdown: bool,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let markdown = if self.markdown { " --markdown" } else { "" };
        let scenarios: Vec<_> = self.scenarios.iter().map(|it| quoted(it)).collect();
        let scenarios = scenarios.join(" ");
        line(&scenarios, &self.seeds, &self.builds) + markdown
    }
}

fn line(scenarios: &str, seeds: &Seeds, builds: &[PathBuf]) -> String {
    let builds = builds
        .iter()
        .map(|it| format!(" --build {}", quoted_path(it)))
        .collect::<String>();
    format!(" certify {scenarios} --seeds {seeds}{builds}")
}

/// Does the runs in every way, and prints the table.
///
/// # Errors
///
/// If a scenario is unknown, a process can't be started or fails, or standard output can't be
/// written.
pub fn execute(options: &Options) -> anyhow::Result<ExitCode> {
    let program = env::current_exe().context("can't find this program itself")?;
    for build in &options.builds {
        // Before all the runs of this one.
        ensure!(build.is_file(), "there is no program {}", build.display());
    }
    let scratch = tempfile::tempdir().context("can't make a folder for traces")?;
    let certify = Certify {
        runs: Runs {
            scenarios: everywhere(&options.scenarios)?,
            seeds: options.seeds.0.clone(),
        },
        ways: way::all(&program, &options.builds, scratch.path(), threads(None))?,
        scratch: scratch.path().to_owned(),
    };
    let mut progress = Progress::new(&certify);
    let certificate = certify.run(&mut progress);
    progress.bar.finish_and_clear();
    let Certificate {
        rows,
        difference,
        interrupted,
    } = certificate?;
    let table = table::of(&rows);
    let table = match options.markdown {
        true => table.markdown(),
        false => table.text(),
    };
    let mut output = Output::stdout();
    output.print(&table);
    if let Some(difference) = &difference {
        let seeds = Seeds(difference.seeds.clone());
        let again = line(&quoted(&difference.scenario), &seeds, &options.builds);
        output.print_line(&format!("\n{difference}reproduce: cargo sim{again}"));
    }
    output.end()?;
    let differs = rows.iter().any(|row| row.differences > 0);
    Ok(match interrupted {
        _ if differs => ExitCode::from(FAILED),
        Some(signal) => {
            say("the table is not complete");
            ExitCode::from(signal.exit_status())
        }
        None => ExitCode::SUCCESS,
    })
}

/// The scenarios, each of them known, in words that mean the same in another directory.
fn everywhere(names: &[String]) -> anyhow::Result<Vec<String>> {
    let mut scenarios = Vec::new();
    for name in names {
        scenario::find(name)?;
        let name = match scenario::is_file(name) {
            true => path::absolute(Path::new(name))?.display().to_string(),
            false => name.clone(),
        };
        if !scenarios.contains(&name) {
            scenarios.push(name);
        }
    }
    Ok(scenarios)
}

/// Shows how far it is: a bar on a terminal, else a line for each way.
struct Progress {
    bar: ProgressBar,
    prints_lines: bool,
}

impl Progress {
    fn new(certify: &Certify) -> Self {
        let style =
            ProgressStyle::with_template("{bar:30} {pos}/{len} runs, {elapsed}, {eta} left")
                .expect("the template is right");
        Self {
            // Without a terminal it hides itself.
            bar: ProgressBar::new(certify.len() as u64).with_style(style),
            prints_lines: !io::stderr().is_terminal(),
        }
    }
}

impl Watch for Progress {
    fn ran(&mut self) {
        self.bar.inc(1);
    }

    fn ended(&mut self, row: &Row) {
        if self.prints_lines {
            let Row {
                way,
                runs,
                differences,
            } = row;
            let (runs, differences) = (count(*runs, "run"), count(*differences, "difference"));
            say(&format!("{way}: {runs}, {differences}"));
        }
    }
}
