//! `sim sweep`, and `sim` alone: many runs, a table of them, a verdict.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use reports::output::{Output, say};
use tokio::time::Instant;

use super::{UNDECIDED, named};
use crate::capsules::Capsules;
use crate::cli::{How, Seeds, duration};
use crate::coverage::Coverage;
use crate::files::Files;
use crate::fresh::Fresh;
use crate::gather::Gathered;
use crate::policy::Change;
use crate::scenario::{self, Scenario};
use crate::summary::{self, Part};
use crate::sweep::{ALL_SEEDS, Ended, Sweep};
use crate::table::{Swept, Table};
use loadgen::quoted::quoted;

/// Which runs.
#[derive(Debug, Args)]
pub struct Options {
    /// The scenarios, by name or as files that end in .toml; all built-in ones if none is named.
    pub scenarios: Vec<String>,
    /// The seeds of each scenario, the last one not included.
    #[arg(long, value_name = "A..B")]
    pub seeds: Option<Seeds>,
    /// Begins no more runs after this time, such as 60s or 10m. Without --seeds there is no
    /// other end.
    #[arg(long, value_parser = duration)]
    pub time: Option<Duration>,
    /// After the fixed seeds goes on with fresh ones until --time is over. FILE remembers which
    /// seeds were tried, so that the next sweep goes on from there; it is made if it is missing.
    #[arg(long, value_name = "FILE", requires = "time", conflicts_with = "out")]
    pub fresh: Option<PathBuf>,
    /// Prints which kinds of trouble happened, and to connections in which state, and which rare
    /// paths the servers took.
    #[arg(long)]
    pub coverage: bool,
    /// Exits with 3 if a kind of trouble never happened, or a rare path was never taken.
    #[arg(long)]
    pub require_coverage: bool,
    /// Writes the results there as JUnit XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Writes a summary there as Markdown.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// The servers.
    #[command(flatten)]
    pub change: Change,
    /// How.
    #[command(flatten)]
    pub how: How,
}

impl Options {
    /// What repeats it, after `sim`.
    pub fn command_line(&self) -> String {
        let mut line = String::from(" sweep");
        for scenario in &self.scenarios {
            line += &format!(" {}", quoted(scenario));
        }
        if let Some(seeds) = &self.seeds {
            line += &format!(" --seeds {seeds}");
        }
        if let Some(time) = self.time {
            let time = humantime::format_duration(time).to_string();
            line += &format!(" --time {}", time.replace(' ', ""));
        }
        line + &self.change.command_line()
    }
}

/// Does the runs that `options` name; `command` repeats them.
///
/// # Errors
///
/// If a scenario is unknown, or a file or standard output can't be written.
pub fn execute(options: &Options, command: String) -> anyhow::Result<ExitCode> {
    let files = Files::scenarios(&options.scenarios)
        .write("--fresh", options.fresh.as_ref())
        .write("--junit", options.junit.as_ref())
        .write("--markdown", options.markdown.as_ref())
        .write_into(options.how.capsules.as_ref());
    files.are_apart()?;
    let mut fresh = options.fresh.as_deref().map(Fresh::open).transpose()?;
    let fixed = options.fixed(fresh.is_some())?;
    if let Some(fresh) = &fresh {
        for (scenario, _) in &fixed.scenarios {
            fresh.check(&scenario.name)?;
        }
    }
    let gathered = options.how.gathered(command)?;
    // They may be in the folder of the report.
    files.are_writable()?;
    let began_at = Instant::now();
    let swept = sweep(&fixed, &options.how, gathered)?;
    let mut status = swept.status();
    let mut parts = vec![Part {
        name: "fixed seeds",
        swept,
    }];
    if let Some(fresh) = &mut fresh {
        let time = options.time.unwrap_or_default();
        let left = time.saturating_sub(began_at.elapsed());
        let was_interrupted = matches!(parts[0].swept.ended, Ended::Interrupted(_));
        if status != 0 && !was_interrupted {
            say("no fresh seeds are tried: the fixed ones left more to look at");
        } else if status == 0 && parts[0].swept.ended == Ended::OutOfTime {
            say("no time was left for fresh seeds: give more, or fewer fixed ones (--seeds)");
            status = UNDECIDED;
        } else if status == 0 {
            let swept = options.sweep_fresh(fresh, left)?;
            status = swept.status();
            parts.push(Part {
                name: "fresh seeds",
                swept,
            });
        }
    }
    status = options.tell_coverage(&parts, status)?;
    options.write(&parts)?;
    Ok(ExitCode::from(status))
}

impl Options {
    /// The sweep of the fixed seeds.
    fn fixed(&self, are_fresh_to_follow: bool) -> anyhow::Result<Sweep> {
        let is_unbounded = self.time.is_some() && !are_fresh_to_follow;
        let given = self.seeds.as_ref().map(|Seeds(range)| range.clone());
        let seeds = given.or(is_unbounded.then_some(ALL_SEEDS));
        let seeds_of = |it: &Scenario| seeds.clone().unwrap_or(0..it.seeds);
        self.sweep(seeds_of, self.time)
    }

    /// Does seeds that were never tried, for as long as is `left`, and notes them.
    fn sweep_fresh(&self, fresh: &mut Fresh, left: Duration) -> anyhow::Result<Swept> {
        let seeds_of = |it: &Scenario| fresh.next(&it.name)..u64::MAX;
        let some = self.sweep(seeds_of, Some(left))?;
        let swept = sweep(&some, &self.how, None)?;
        for (name, tally) in &swept.scenarios {
            fresh.advance(name, tally.runs as u64);
        }
        fresh.write()?;
        Ok(swept)
    }

    fn sweep(
        &self,
        seeds_of: impl Fn(&Scenario) -> Range<u64>,
        time: Option<Duration>,
    ) -> anyhow::Result<Sweep> {
        Ok(Sweep {
            scenarios: named(&self.scenarios, &self.change, seeds_of)?,
            jobs: self.how.threads(),
            time,
        })
    }

    /// Prints what was covered, if that is asked for. Returns the status, given what it was so far.
    fn tell_coverage(&self, parts: &[Part], status: u8) -> anyhow::Result<u8> {
        let mut coverage = Coverage::default();
        for part in parts {
            coverage.add_all(&part.swept.all.coverage);
        }
        if self.coverage {
            let mut output = Output::stdout();
            output.print_line(&format!("\n{}", coverage.tables()));
            output.end()?;
        }
        let never = coverage.never();
        if self.require_coverage && status == 0 && !never.is_empty() {
            say(&format!("not covered: {}", never.join(", ")));
            return Ok(UNDECIDED);
        }
        Ok(status)
    }

    fn write(&self, parts: &[Part]) -> anyhow::Result<()> {
        let junit = self
            .junit
            .as_ref()
            .map(|path| (path, summary::junit(parts)));
        let markdown = self.markdown.as_ref();
        let markdown = markdown.map(|path| (path, summary::markdown(parts)));
        for (path, text) in junit.into_iter().chain(markdown) {
            let written = fs::write(path, text);
            written.with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

/// Does all built-in scenarios; `command` repeats them.
///
/// # Errors
///
/// If a file or standard output can't be written.
pub fn execute_all(how: &How, command: String) -> anyhow::Result<ExitCode> {
    let scenarios = scenario::built_in();
    let seeded = scenarios.into_iter().map(|it| (0..it.seeds, it));
    let all = Sweep {
        scenarios: seeded.map(|(seeds, it)| (it, seeds)).collect(),
        jobs: how.threads(),
        time: None,
    };
    let gathered = how.gathered(command)?;
    Files::default()
        .write_into(how.capsules.as_ref())
        .are_writable()?;
    Ok(ExitCode::from(sweep(&all, how, gathered)?.status()))
}

fn sweep(sweep: &Sweep, how: &How, gathered: Option<Gathered>) -> anyhow::Result<Swept> {
    let capsules = Capsules::new(how.capsules.as_deref(), how.out.as_deref());
    let mut table = Table::new(sweep, gathered, capsules, Output::stdout());
    let ended = sweep.run(&mut table)?;
    let written = table.write(ended);
    let swept = table.finish(ended)?;
    written?;
    Ok(swept)
}
