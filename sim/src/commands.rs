//! What the commands of `sim` do.

use std::fs;
use std::ops::Range;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use reports::run_folder::FolderError;

use crate::cli::{Command, Options, Run, Seeds};
use crate::gather::Gathered;
use crate::progress::Progress;
use crate::report::{self, Tally};
use crate::run::{self, Outcome};
use crate::scenario::{self, Scenario};
use crate::sweep::{ALL_SEEDS, Done, Ended, Sweep, Watch};

/// A promise was broken or a run broke off.
const FAILED: u8 = 1;
/// Ctrl-C, as shells report it.
const INTERRUPTED: u8 = 130;

/// Does what the command line says; an error is unusable input.
///
/// # Errors
///
/// If a scenario is unknown or a file can't be written.
pub fn execute(options: Options) -> anyhow::Result<ExitCode> {
    match options.command {
        None => {
            let scenarios = scenario::built_in();
            let seeded = scenarios.into_iter().map(|it| (0..it.seeds, it));
            let all = Sweep {
                scenarios: seeded.map(|(seeds, it)| (it, seeds)).collect(),
                jobs: options.how.threads(),
                time: None,
            };
            sweep(&all, options.how.out.as_deref())
        }
        Some(Command::Run(options)) => run_one(&options),
        Some(Command::Sweep(options)) => {
            let unbounded = options.time.map(|_| ALL_SEEDS);
            let seeds = options.seeds.map(|Seeds(range)| range).or(unbounded);
            let seeds_of = |it: &Scenario| seeds.clone().unwrap_or(0..it.seeds);
            let some = Sweep {
                scenarios: named(&options.scenarios, seeds_of)?,
                jobs: options.how.threads(),
                time: options.time,
            };
            sweep(&some, options.how.out.as_deref())
        }
        Some(Command::Hashes(options)) => {
            let jobs = options.threads();
            let Seeds(seeds) = options.seeds;
            let hashes = Sweep {
                scenarios: named(&options.scenarios, |_| seeds.clone())?,
                jobs,
                time: None,
            };
            hashes.run(&mut Hashes { sweep: &hashes })?;
            Ok(ExitCode::SUCCESS)
        }
        Some(Command::List) => {
            for scenario in scenario::built_in() {
                println!("{:24}  {}", scenario.name, scenario.about);
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The scenarios called `names`, or all, each with its seeds.
fn named(
    names: &[String],
    seeds_of: impl Fn(&Scenario) -> Range<u64>,
) -> anyhow::Result<Vec<(Scenario, Range<u64>)>> {
    let scenarios = if names.is_empty() {
        scenario::built_in()
    } else {
        let found: Result<_, _> = names.iter().map(|name| scenario::find(name)).collect();
        found?
    };
    Ok(scenarios
        .into_iter()
        .map(|scenario| {
            let seeds = seeds_of(&scenario);
            (scenario, seeds)
        })
        .collect())
}

fn run_one(options: &Run) -> anyhow::Result<ExitCode> {
    let scenario = scenario::find(&options.scenario)?;
    let out = options.out.as_deref();
    let gathered = out.map(|path| Gathered::new(path, command())).transpose()?;
    let keep_trace = options.trace.is_some() || gathered.is_some();
    let mut outcome = match run::draw(&scenario, options.seed) {
        Ok(case) => {
            eprint!("{case}");
            run::run(&case, keep_trace)
        }
        Err(outcome) => *outcome,
    };
    let trace = outcome.trace.as_deref().unwrap_or_default();
    let history = history_lines(&outcome)?;
    if let Some(path) = &options.trace {
        write(path, trace)?;
    }
    if let Some(path) = &options.history {
        write(path, &history)?;
    }
    if let Some(mut gathered) = gathered {
        gathered.write_beside("trace.jsonl", trace)?;
        gathered.write_beside("history.jsonl", &history)?;
        gathered.add(&mut outcome);
        gathered.write(false)?;
    }

    println!("{}", report::verdict(&outcome));
    if outcome.held() {
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}", report::failure(&outcome));
    Ok(ExitCode::from(FAILED))
}

fn history_lines(outcome: &Outcome) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for event in &outcome.record.history {
        serde_json::to_writer(&mut lines, event)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// The command line, as it is typed again.
fn command() -> String {
    let arguments = std::env::args()
        .skip(1)
        .map(|argument| format!(" {argument}"));
    format!("cargo sim{}", arguments.collect::<String>())
}

fn sweep(sweep: &Sweep, out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let gathered = out.map(|path| Gathered::new(path, command())).transpose()?;
    let mut table = Table::new(sweep, gathered);
    let ended = sweep.run(&mut table)?;
    table.write(ended)?;
    Ok(ExitCode::from(table.finish(ended)))
}

/// Prints one line for each scenario, and at the end the verdict.
struct Table<'a> {
    sweep: &'a Sweep,
    progress: Progress<'a>,
    /// By scenario.
    tallies: Vec<Tally>,
    /// For the report, if there is to be one.
    gathered: Option<Gathered>,
    /// What is printed of the first run that failed, and where the others are.
    first_failure: Option<String>,
    other_failures: Vec<String>,
}

impl<'a> Table<'a> {
    fn new(sweep: &'a Sweep, gathered: Option<Gathered>) -> Self {
        Self {
            sweep,
            progress: Progress::new(sweep),
            tallies: vec![Tally::default(); sweep.scenarios.len()],
            gathered,
            first_failure: None,
            other_failures: Vec::new(),
        }
    }

    fn print_line(&self, scenario: usize) {
        let name = self.sweep.scenarios[scenario].0.name;
        let line = format!("{name:24} {}", self.tallies[scenario]);
        self.progress.print(&line);
    }

    fn is_complete(&self, scenario: usize) -> bool {
        let (_, seeds) = &self.sweep.scenarios[scenario];
        self.tallies[scenario].runs as u64 == seeds.end.saturating_sub(seeds.start)
    }

    /// Whether runs are missing that were planned. A sweep that only its time ends has none.
    fn is_partial(&self, ended: Ended) -> bool {
        let mut scenarios = 0..self.tallies.len();
        let is_over = ended == Ended::OutOfTime && self.sweep.is_open_ended();
        !is_over && !scenarios.all(|scenario| self.is_complete(scenario))
    }

    /// Those of which no run says anything about G4, with the command that repeats them.
    fn untested(&self) -> Vec<String> {
        let scenarios = self.sweep.scenarios.iter().zip(&self.tallies);
        let untested = scenarios.filter(|(_, tally)| tally.is_untested());
        untested
            .map(|((scenario, seeds), tally)| {
                let seeds = seeds.start..seeds.start + tally.runs as u64;
                report::untested(scenario.name, seeds)
            })
            .collect()
    }

    fn write(&mut self, ended: Ended) -> Result<(), FolderError> {
        let (untested, partial) = (self.untested(), self.is_partial(ended));
        match &mut self.gathered {
            Some(gathered) => {
                gathered.set_untested(untested);
                gathered.write(partial)
            }
            None => Ok(()),
        }
    }

    /// Prints what is left to print, and returns the exit status.
    fn finish(self, ended: Ended) -> u8 {
        self.progress.clear();
        let mut all = Tally::default();
        for (index, tally) in self.tallies.iter().enumerate() {
            all.add_all(tally);
            if tally.runs > 0 && !self.is_complete(index) {
                self.print_line(index);
            }
        }
        let untested = self.untested();
        if !self.other_failures.is_empty() {
            println!("\nalso failed: {}", self.other_failures.join(", "));
        }
        let failures: Vec<&String> = untested.iter().chain(&self.first_failure).collect();
        let gap = if failures.is_empty() { "" } else { "\n" };
        println!("{gap}{}", self.verdict(&all, ended));
        for failure in &failures {
            println!("\n{failure}");
        }
        match ended {
            _ if !failures.is_empty() => FAILED,
            Ended::Interrupted => INTERRUPTED,
            Ended::Complete | Ended::OutOfTime => 0,
        }
    }

    fn verdict(&self, all: &Tally, ended: Ended) -> String {
        let took = self.progress.elapsed();
        let held = match all.failed {
            0 => format!("all {} runs held", all.runs),
            failed => format!("{failed} of {} runs FAILED", all.runs),
        };
        let why = match ended {
            Ended::Complete => "",
            Ended::OutOfTime => ", then the time was over",
            Ended::Interrupted => ", then interrupted",
        };
        format!(
            "{held}{why}: {} simulated in {} ({:.0} simulated seconds per second)",
            report::seconds(all.simulated),
            report::seconds(took),
            all.simulated.as_secs_f64() / took.as_secs_f64(),
        )
    }
}

impl Watch for Table<'_> {
    fn finished(&mut self, done: &Done) {
        self.progress.add(done);
    }

    fn tick(&mut self) {
        self.progress.tick();
    }

    fn next(&mut self, mut done: Done) {
        if let Some(gathered) = &mut self.gathered {
            gathered.add(&mut done.outcome);
        }
        self.tallies[done.item.scenario].add(&done.outcome, done.took);
        if !done.outcome.held() {
            if self.first_failure.is_none() {
                self.first_failure = Some(report::failure(&done.outcome));
            } else {
                self.other_failures.push(done.outcome.name());
            }
        }
        if self.is_complete(done.item.scenario) {
            self.print_line(done.item.scenario);
        }
    }
}

/// Prints the hash of each run, in the order of the plan.
struct Hashes<'a> {
    sweep: &'a Sweep,
}

impl Watch for Hashes<'_> {
    fn next(&mut self, done: Done) {
        let name = self.sweep.scenarios[done.item.scenario].0.name;
        println!(
            "{:016x}  {name} {}",
            done.outcome.trace_hash, done.item.seed
        );
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use super::*;
    use crate::guarantees::Deliveries;
    use crate::sweep::Item;

    fn sweep(seeds: Range<u64>) -> Sweep {
        Sweep {
            scenarios: vec![(scenario::built_in().swap_remove(0), seeds)],
            jobs: NonZeroUsize::MIN,
            time: Some(Duration::from_secs(60)),
        }
    }

    fn done(sweep: &Sweep, deliveries: Deliveries) -> Done {
        let mut outcome = run::draw_and_run(&sweep.scenarios[0].0, 0);
        outcome.deliveries = deliveries;
        let item = Item {
            scenario: 0,
            seed: 0,
        };
        let took = Duration::from_millis(500);
        Done {
            item,
            outcome,
            took,
        }
    }

    #[test]
    fn a_sweep_in_which_nothing_was_owed_fails() {
        let sweep = sweep(0..1);
        let owed = Deliveries {
            owed: 1,
            ..Deliveries::default()
        };
        for (deliveries, status) in [(owed, 0), (Deliveries::default(), FAILED)] {
            let mut table = Table::new(&sweep, None);
            table.next(done(&sweep, deliveries));
            assert_eq!(table.finish(Ended::Complete), status, "{deliveries}");
        }
    }

    #[test]
    fn a_sweep_is_partial_that_did_not_get_to_its_last_seed() {
        let is_partial = |seeds, ended| {
            let sweep = sweep(seeds);
            let mut table = Table::new(&sweep, None);
            table.tallies[0].runs = 1;
            table.is_partial(ended)
        };
        assert!(!is_partial(0..1, Ended::Complete));
        assert!(!is_partial(0..1, Ended::OutOfTime));
        assert!(is_partial(0..2, Ended::OutOfTime));
        assert!(is_partial(0..2, Ended::Interrupted));
        assert!(!is_partial(ALL_SEEDS, Ended::OutOfTime));
        assert!(is_partial(ALL_SEEDS, Ended::Interrupted));
    }
}
