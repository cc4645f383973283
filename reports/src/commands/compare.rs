//! `reports compare`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use reports::compare::{self, Demands, Side};
use reports::output::Output;
use reports::run::{Kind, Run};
use reports::{run_folder, ways};

/// Two single load tests decide nothing.
const INCONCLUSIVE: u8 = 3;

pub const HELP: &str = "\
Examples:
  sim sweep --seeds 0..50 --out base                   on the one build
  sim sweep --seeds 0..50 --out new                    on the other
  reports compare base new
  reports compare base new --allow 2ms --junit compare.xml
  reports compare base new --identical                 for a change that changes no behaviour
  reports compare runs/load-1-1 runs/load-1-2          two load tests: side by side, decides nothing
                                                       (what decides is `loadgen ab`)

Simulated runs are paired by scenario and seed. They are the same, event by event, unless the
program behaves otherwise; where they part is told down to the first message and hop, with the
commands that do both runs again.

Exit status:
  0  PASS: IDENTICAL, or DIFFERS and is not slower (see --identical)
  1  FAIL: SLOWER: the last recipient has messages later by more than --allow, in the mean, at the
     median or at the 99th percentile; or fewer deliveries are made; or a promise is broken that
     base keeps
  2  there are no usable runs there, and the message says file, line and field
  3  INCONCLUSIVE: a run has no counterpart, or one that was drawn otherwise; or these are load
     tests";

#[derive(Args)]
pub struct Compare {
    /// The folder of base: what it was before.
    base: PathBuf,
    /// The folder of the new build.
    new: PathBuf,
    /// The last recipients may have messages later by so much [default: nothing]
    #[arg(long, value_name = "TIME")]
    allow: Option<humantime::Duration>,
    /// Nothing may differ: DIFFERS is a failure too.
    #[arg(long)]
    identical: bool,
    /// Writes the comparison there as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Writes it there as JUnit XML, a case for each run.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Compares the runs in two folders.
pub fn compare(options: &Compare) -> anyhow::Result<ExitCode> {
    let [base, new] = [&options.base, &options.new].map(|path| run_folder::read(path));
    let (base, new) = (base?, new?);
    match (base.kind, new.kind) {
        (Kind::Simulation, Kind::Simulation) => simulations(options, &base, &new),
        (Kind::Load, Kind::Load) => loads(options, &base, &new),
        _ => bail!(
            "{} and {} can't be compared: one is a load test, one a simulation (field `kind`)",
            options.base.display(),
            options.new.display()
        ),
    }
}

fn simulations(options: &Compare, base: &Run, new: &Run) -> anyhow::Result<ExitCode> {
    let [base_runs, new_runs] = [&options.base, &options.new].map(|path| ways::read(folder(path)));
    let (base_runs, new_runs) = (base_runs?, new_runs?);
    let demands = Demands {
        allow_us: options.allow.map_or(Ok(0), |allow| {
            u64::try_from(allow.as_micros()).context("--allow is too long")
        })?,
        identical: options.identical,
    };
    let base = (side(&options.base, base), &base_runs[..]);
    let new = (side(&options.new, new), &new_runs[..]);
    let comparison = compare::compare(base, new, demands);
    let json = options
        .json
        .as_ref()
        .map(|path| (path, comparison.to_json()));
    let junit = options.junit.as_ref();
    let junit = junit.map(|path| (path, compare::junit::junit(&comparison)));
    for (path, text) in json.into_iter().chain(junit) {
        fs::write(path, text).with_context(|| format!("can't write {}", path.display()))?;
    }
    let mut text = String::new();
    compare::text::write(&mut text, &comparison)?;
    print(&text)?;
    Ok(ExitCode::from(comparison.exit_status()))
}

fn loads(options: &Compare, base: &Run, new: &Run) -> anyhow::Result<ExitCode> {
    if options.allow.is_some()
        || options.identical
        || options.json.is_some()
        || options.junit.is_some()
    {
        bail!(
            "--allow, --identical, --json and --junit are for simulations: these are load tests, which `cargo loadgen ab` compares"
        );
    }
    let mut text = String::new();
    compare::load::write(&mut text, base, new)?;
    print(&text)?;
    Ok(ExitCode::from(INCONCLUSIVE))
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut output = Output::stdout();
    output.print(text);
    Ok(output.end()?)
}

fn side(path: &Path, run: &Run) -> Side {
    let broken = run.verdicts.iter().filter(|it| !it.holds);
    Side {
        folder: path.display().to_string(),
        command: run.command.clone(),
        broken: broken.map(|it| it.name.clone()).collect(),
    }
}

/// The folder of a run that is named by its folder or by its `run.json`.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if path.is_file() => parent,
        _ => path,
    }
}
