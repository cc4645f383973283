//! What a sweep prints: a line for each scenario, then the verdict.

use std::collections::BTreeMap;
use std::io::Write;

use reports::output::{Output, OutputError, say};

use crate::capsules::Capsules;
use crate::commands::{FAILED, INTERRUPTION, UNDECIDED};
use crate::failures::Failures;
use crate::gather::{Gathered, ReportError};
use crate::progress::Progress;
use crate::report::{self, Tally, count};
use crate::sweep::{Done, Ended, Sweep, Watch};

/// Prints one line for each scenario, and at the end the verdict.
pub struct Table<'a, W> {
    sweep: &'a Sweep,
    progress: Progress<'a>,
    output: Output<W>,
    /// By scenario.
    tallies: Vec<Tally>,
    /// For the report, if there is to be one.
    gathered: Option<Gathered>,
    /// For the runs that failed.
    capsules: Capsules,
    failures: Failures,
}

impl<'a, W: Write> Table<'a, W> {
    /// Begins one; failed runs go into `capsules`, all into `gathered`.
    pub fn new(
        sweep: &'a Sweep,
        gathered: Option<Gathered>,
        capsules: Capsules,
        output: Output<W>,
    ) -> Self {
        Self {
            sweep,
            progress: Progress::new(sweep),
            output,
            tallies: vec![Tally::default(); sweep.scenarios.len()],
            gathered,
            capsules,
            failures: Failures::default(),
        }
    }

    fn print_line(&mut self, scenario: usize) {
        let name = &self.sweep.scenarios[scenario].0.name;
        let line = format!("{name:24} {}", self.tallies[scenario]);
        self.progress.suspend(|| self.output.print_line(&line));
    }

    fn is_complete(&self, scenario: usize) -> bool {
        let (_, seeds) = &self.sweep.scenarios[scenario];
        self.tallies[scenario].runs as u64 == seeds.end.saturating_sub(seeds.start)
    }

    /// Whether runs are missing that were planned. A sweep that only its time ends has none.
    fn is_partial(&self, ended: Ended) -> bool {
        let is_over = ended == Ended::OutOfTime && self.sweep.is_open_ended();
        !is_over && !self.is_done()
    }

    /// How many runs are missing that were planned, of each scenario that has such; `None` if as many
    /// were planned as there is time for.
    fn missing(&self, ended: Ended) -> BTreeMap<String, Option<u64>> {
        if !self.is_partial(ended) {
            return BTreeMap::new();
        }
        let scenarios = self.sweep.scenarios.iter().zip(&self.tallies);
        let missing = scenarios.map(|((scenario, seeds), tally)| {
            let planned = seeds.end.saturating_sub(seeds.start);
            let missing = planned.saturating_sub(tally.runs as u64);
            let missing = (!self.sweep.is_open_ended()).then_some(missing);
            (scenario.name.clone(), missing)
        });
        missing.filter(|(_, it)| *it != Some(0)).collect()
    }

    fn is_done(&self) -> bool {
        let mut scenarios = 0..self.tallies.len();
        scenarios.all(|scenario| self.is_complete(scenario))
    }

    /// Those of which too little was checked, with the command that repeats them.
    fn undecided(&self) -> Vec<String> {
        let scenarios = self.sweep.scenarios.iter().zip(&self.tallies);
        let undecided = scenarios.filter(|(_, tally)| !tally.shares.is_decided());
        undecided
            .map(|((scenario, seeds), tally)| {
                let seeds = seeds.start..seeds.start + tally.runs as u64;
                report::undecided_scenario(&scenario.given_as, tally, seeds)
            })
            .collect()
    }

    /// Writes the report, if there is to be one.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn write(&mut self, ended: Ended) -> Result<(), ReportError> {
        let (undecided, partial) = (self.undecided(), self.is_partial(ended));
        match &mut self.gathered {
            Some(gathered) => {
                gathered.set_undecided(undecided);
                gathered.write(partial)
            }
            None => Ok(()),
        }
    }

    /// Prints what is left to print.
    ///
    /// # Errors
    ///
    /// If it can't be printed.
    pub fn finish(mut self, ended: Ended) -> Result<Swept, OutputError> {
        self.progress.clear();
        let mut all = Tally::default();
        for index in 0..self.tallies.len() {
            all.add_all(&self.tallies[index]);
            if self.tallies[index].runs > 0 && !self.is_complete(index) {
                self.print_line(index);
            }
        }
        let undecided = self.undecided();
        let verdict = self.verdict(&all, ended);
        let missing = self.missing(ended);
        let mut explained = undecided.clone();
        if !self.failures.is_empty() {
            explained.push(self.failures.to_string());
        }
        let gap = if explained.is_empty() { "" } else { "\n" };
        let mut output = self.output;
        output.print_line(&format!("{gap}{verdict}\n{}", all.coverage));
        for text in &explained {
            output.print_line(&format!("\n{text}"));
        }
        output.end()?;
        let names = self.sweep.scenarios.iter().map(|(it, _)| it.name.clone());
        Ok(Swept {
            scenarios: names.zip(self.tallies).collect(),
            missing,
            all,
            failures: self.failures,
            undecided,
            verdict,
            ended,
        })
    }

    fn verdict(&self, all: &Tally, ended: Ended) -> String {
        let took = self.progress.elapsed();
        let held = match all.failed {
            0 if all.runs == 1 => String::from("the only run held"),
            0 => format!("all {} runs held", all.runs),
            failed => format!("{failed} of {} FAILED", count(all.runs, "run")),
        };
        let why = match ended {
            Ended::Complete | Ended::Unwanted => "",
            Ended::OutOfTime if self.is_done() => "",
            Ended::OutOfTime => ", then the time was over",
            Ended::Interrupted(_) => ", then interrupted",
        };
        format!(
            "{held}{why}: {} simulated in {} ({:.0} simulated seconds per second)",
            report::seconds(all.simulated),
            report::seconds(took),
            all.simulated.as_secs_f64() / took.as_secs_f64(),
        )
    }
}

impl<W: Write> Watch for Table<'_, W> {
    fn finished(&mut self, done: &Done) {
        self.progress.add(done);
    }

    fn tick(&mut self) {
        self.progress.tick();
    }

    fn interrupted(&mut self) {
        self.progress.suspend(|| say(INTERRUPTION));
    }

    fn abandoned(&mut self) {
        if let Some(gathered) = &self.gathered {
            gathered.abandon();
        }
    }

    fn next(&mut self, mut done: Done) {
        if let Some(gathered) = &mut self.gathered {
            gathered.add(&mut done.outcome);
        }
        self.tallies[done.item.scenario].add(&done.outcome, done.took);
        // One of each cause is enough to look at.
        let is_news = self.failures.is_news(&done.outcome);
        let capsule = is_news.then(|| self.capsules.keep(&done.outcome)).flatten();
        self.failures.add(&done.outcome, capsule.as_deref());
        if self.is_complete(done.item.scenario) {
            self.print_line(done.item.scenario);
        }
    }

    /// Its status, and its report, are wanted even if nobody reads the table.
    fn wants_more(&self) -> bool {
        !self.output.is_broken()
    }
}

/// What a sweep came to.
#[derive(Debug)]
pub struct Swept {
    /// By scenario, in the order of the sweep.
    pub scenarios: Vec<(String, Tally)>,
    /// Of those that were not finished, how many runs are missing; `None` if as many were planned as
    /// there is time for.
    pub missing: BTreeMap<String, Option<u64>>,
    /// All of them together.
    pub all: Tally,
    /// The runs that failed.
    pub failures: Failures,
    /// Scenarios of which too little was checked, in words.
    pub undecided: Vec<String>,
    /// All of it in one line.
    pub verdict: String,
    /// Why it ended.
    pub ended: Ended,
}

impl Swept {
    /// The exit status of a program that did nothing else.
    pub fn status(&self) -> u8 {
        match self.ended {
            _ if !self.failures.is_empty() => FAILED,
            Ended::Interrupted(signal) => signal.exit_status(),
            _ if !self.undecided.is_empty() => UNDECIDED,
            Ended::Complete | Ended::OutOfTime | Ended::Unwanted => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::num::NonZeroUsize;
    use std::time::Duration;

    use cluster::signals::Signal;

    use super::*;
    use crate::guarantees::Deliveries;
    use crate::run;
    use crate::scenario;
    use crate::sweep::ALL_SEEDS;
    use crate::sweep::Item;

    fn sweep(seeds: std::ops::Range<u64>) -> Sweep {
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
    fn a_sweep_in_which_nothing_had_to_be_delivered_is_undecided() -> Result<(), OutputError> {
        let sweep = sweep(0..1);
        let some = Deliveries {
            must: 1,
            ..Deliveries::default()
        };
        for (deliveries, status) in [(some, 0), (Deliveries::default(), UNDECIDED)] {
            let capsules = Capsules::new(None, None);
            let mut table = Table::new(&sweep, None, capsules, Output::new(io::sink()));
            let told = deliveries.to_string();
            table.next(done(&sweep, deliveries));
            assert_eq!(table.finish(Ended::Complete)?.status(), status, "{told}");
        }
        Ok(())
    }

    #[test]
    fn a_sweep_is_partial_that_did_not_get_to_its_last_seed() {
        let is_partial = |seeds, ended| {
            let sweep = sweep(seeds);
            let mut table = Table::new(
                &sweep,
                None,
                Capsules::new(None, None),
                Output::new(io::sink()),
            );
            table.tallies[0].runs = 1;
            table.is_partial(ended)
        };
        assert!(!is_partial(0..1, Ended::Complete));
        assert!(!is_partial(0..1, Ended::OutOfTime));
        assert!(is_partial(0..2, Ended::OutOfTime));
        assert!(is_partial(0..2, Ended::Interrupted(Signal::Terminate)));
        assert!(!is_partial(ALL_SEEDS, Ended::OutOfTime));
        assert!(is_partial(ALL_SEEDS, Ended::Interrupted(Signal::Terminate)));
    }

    #[test]
    fn what_is_missing_is_counted_and_a_time_that_ends_a_whole_sweep_is_no_news() {
        let ended = |seeds, ended| {
            let sweep = sweep(seeds);
            let capsules = Capsules::new(None, None);
            let mut table = Table::new(&sweep, None, capsules, Output::new(io::sink()));
            table.tallies[0].runs = 2;
            let swept = table.finish(ended).expect("nothing refuses to be written");
            let missing: Vec<_> = swept.missing.into_values().collect();
            (missing, swept.verdict.contains("the time was over"))
        };
        let interrupted = Ended::Interrupted(Signal::Interrupt);
        assert_eq!(ended(900..902, Ended::OutOfTime), (vec![], false));
        assert_eq!(ended(900..905, Ended::OutOfTime), (vec![Some(3)], true));
        assert_eq!(ended(900..905, interrupted), (vec![Some(3)], false));
        assert_eq!(ended(ALL_SEEDS, Ended::OutOfTime), (vec![], true));
        assert_eq!(ended(ALL_SEEDS, interrupted), (vec![None], false));
    }
}
