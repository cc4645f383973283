//! Gathers runs into one report: which promises held, how much happened, and the latencies that
//! users saw. In simulation these are exact: they differ only if the program does.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use loadgen::fanout::fold::Fold;
use reports::latency::Latencies;
use reports::run::{self, CASES_MAX, Kind, Plan, Program, SCHEMA, Verdict, date_now};
use reports::run_folder::{FolderError, RunFolder};
use reports::ways::{WaysError, Writer};

use crate::guarantees::Guarantee;
use crate::kinds::{self, Fired};
use crate::panics;
use crate::run::Outcome;
use crate::ways;

/// Runs on their way into a report.
#[derive(Debug)]
pub struct Gathered {
    /// Begun with the first run, so that who is ended before leaves nothing. Before the folder, which
    /// is removed only if it is empty.
    ways: Option<Writer>,
    folder: RunFolder,
    started_at: Duration,
    command: String,
    seed: Option<u64>,
    scenarios: BTreeMap<String, u64>,
    steps: Vec<String>,
    evidence: BTreeMap<Guarantee, Vec<String>>,
    broke_off: Vec<String>,
    missed: Vec<String>,
    undecided: Vec<String>,
    counts: BTreeMap<&'static str, u64>,
    fired: Fired,
    latencies: BTreeMap<String, Latencies>,
    /// Why not all ways are written, if so.
    ways_failed: Option<WaysError>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// Its folder or a file in it.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The file of the ways.
    #[error(transparent)]
    Ways(#[from] WaysError),
}

impl Gathered {
    /// Takes the folder `path` for the report of what `command` runs.
    ///
    /// # Errors
    ///
    /// If it holds anything, or can't be made.
    pub fn new(path: &Path, command: String) -> Result<Self, ReportError> {
        let folder = RunFolder::create(path)?;
        // Whether it can be written is told before anything runs.
        drop(Writer::new(path)?);
        Ok(Self {
            ways: None,
            ways_failed: None,
            folder,
            started_at: date_now(),
            command,
            seed: None,
            scenarios: BTreeMap::new(),
            steps: Vec::new(),
            evidence: BTreeMap::new(),
            broke_off: Vec::new(),
            missed: Vec::new(),
            undecided: Vec::new(),
            counts: BTreeMap::new(),
            fired: Fired::new(),
            latencies: BTreeMap::new(),
        })
    }

    /// Removes the folder if it is new: the program is about to exit without a report.
    pub fn abandon(&self) {
        if let Some(ways) = &self.ways {
            ways.abandon();
        }
        self.folder.abandon();
    }

    /// Adds one run. It becomes one that broke off if there is a panic while its figures are made.
    pub fn add(&mut self, outcome: &mut Outcome) {
        match panics::caught(|| Ok(Figures::of(outcome))) {
            Ok(figures) => self.add_figures(figures),
            Err(reason) => outcome.break_off(reason),
        }
        self.add_verdicts(outcome);
        if self.ways_failed.is_none() {
            let ways = ways::of(outcome);
            self.ways_failed = self.writer().and_then(|it| it.add(&ways)).err();
        }
    }

    fn writer(&mut self) -> Result<&mut Writer, WaysError> {
        match &mut self.ways {
            Some(ways) => Ok(ways),
            none => Ok(none.insert(Writer::new(self.folder.path())?)),
        }
    }

    fn add_verdicts(&mut self, outcome: &Outcome) {
        self.seed.get_or_insert(outcome.seed);
        *self.scenarios.entry(outcome.scenario.clone()).or_default() += 1;
        let name = outcome.name();
        for violation in &outcome.violations {
            let cases = self.evidence.entry(violation.guarantee).or_default();
            cases.push(format!("{name}: {violation}"));
        }
        let broke_off = outcome.broke_off.iter();
        self.broke_off
            .extend(broke_off.map(|reason| format!("{name}: {reason}")));
        let missed = outcome.missed.iter();
        self.missed.extend(missed.map(|it| format!("{name}: {it}")));
        if !outcome.held() {
            let faults = outcome.case.iter().flat_map(|case| &case.faults);
            self.steps
                .extend(faults.map(|fault| format!("{name}: {fault}")));
        }
        kinds::add(&mut self.fired, &outcome.record.fired);
        self.count("runs_failed", u64::from(!outcome.held()));
        self.count("runs_total", 1);
    }

    fn add_figures(&mut self, figures: Figures) {
        for (name, count) in figures.counts {
            self.count(name, count);
        }
        for (name, more) in figures.latencies {
            let known = self.latencies.entry(name.to_owned());
            known.or_default().merge(&more);
        }
    }

    fn count(&mut self, name: &'static str, more: u64) {
        *self.counts.entry(name).or_default() += more;
    }

    /// Takes down runs or scenarios of which too little was checked.
    pub fn set_undecided(&mut self, undecided: Vec<String>) {
        self.undecided = undecided;
    }

    /// Writes the report. `partial`: not all runs that were planned are in it.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn write(&mut self, partial: bool) -> Result<(), ReportError> {
        if let Some(error) = self.ways_failed.take() {
            return Err(error.into());
        }
        self.writer()?.finish()?;
        self.folder.write_run(&self.report(partial))?;
        let simulated_us = self.counts.get("simulated_us").copied().unwrap_or_default();
        let elapsed = Duration::from_micros(simulated_us);
        let written = self
            .folder
            .write_latencies(self.started_at, elapsed, &self.latencies);
        Ok(written?)
    }

    /// Writes a file beside the report.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn write_beside(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        fs::write(self.folder.path().join(name), bytes)
    }

    fn report(&self, partial: bool) -> run::Run {
        let counts = self.counts.iter();
        let counts = counts.map(|(name, count)| ((*name).to_owned(), *count));
        let fired = self.fired.iter();
        let fired = fired.map(|(kind, count)| (format!("fired.{kind}"), u64::from(*count)));
        let latencies = self.latencies.iter();
        let scenarios = self.scenarios.iter();
        run::Run {
            schema: SCHEMA,
            name: self.folder.name(),
            program: Program {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            kind: Kind::Simulation,
            seed: self.seed.unwrap_or_default(),
            command: self.command.clone(),
            date: run::date(self.started_at),
            elapsed_us: self.counts.get("simulated_us").copied().unwrap_or_default(),
            partial,
            plan: Plan {
                options: scenarios
                    .map(|(name, seeds)| (format!("seeds.{name}"), (*seeds).into()))
                    .collect(),
                steps: self.steps.clone(),
                ..Plan::default()
            },
            verdicts: self.verdicts(),
            thresholds: Vec::new(),
            invalid: Vec::new(),
            warnings: Vec::new(),
            counts: counts.chain(fired).collect(),
            latencies: latencies
                .filter_map(|(name, latencies)| Some((name.clone(), latencies.figures()?)))
                .collect(),
            load: None,
            health: Vec::new(),
            environment: BTreeMap::new(),
        }
    }

    fn verdicts(&self) -> Vec<Verdict> {
        let verdict = |name: String, demands: &str, cases: &[String]| Verdict {
            name,
            demands: demands.to_owned(),
            holds: cases.is_empty(),
            evidence: cases.iter().take(CASES_MAX).cloned().collect(),
        };
        let ended = verdict(
            String::from("ended"),
            "every run came to its end: no server panicked or stopped by itself",
            &self.broke_off,
        );
        let decided = verdict(
            String::from("decided"),
            "of the possible deliveries so many had to be that G4 was checked",
            &self.undecided,
        );
        let missed = verdict(
            String::from("canaries"),
            "what was to be broken in a run, so that the checks see it, was broken",
            &self.missed,
        );
        let promises = Guarantee::all().map(|guarantee| {
            let cases = self.evidence.get(&guarantee).map_or(&[][..], Vec::as_slice);
            verdict(
                guarantee.to_string().to_lowercase().replace(' ', "-"),
                guarantee.demands(),
                cases,
            )
        });
        [ended, decided, missed]
            .into_iter()
            .chain(promises)
            .collect()
    }
}

/// Longer than any run is simulated.
const WHOLE_RUN: Duration = Duration::from_secs(24 * 3600);

/// What one run adds to the figures of the report.
struct Figures {
    counts: [(&'static str, u64); 8],
    latencies: [(&'static str, Latencies); 6],
}

impl Figures {
    fn of(outcome: &Outcome) -> Self {
        // One row of time for the whole run.
        let mut fold = Fold::new(WHOLE_RUN);
        for event in &outcome.record.history {
            fold.see(event.at, (event.user, event.login), &event.what);
        }
        let measured = fold.finish(outcome.simulated, []);
        let count = |name| measured.counts.get(name).copied().unwrap_or_default();
        let latencies = |name| (name, Latencies::from(&measured.latencies(name)));
        Self {
            counts: [
                ("deliveries_may", outcome.deliveries.may_total() as u64),
                ("deliveries_must", outcome.deliveries.must as u64),
                ("events_total", outcome.chain.events),
                ("faults_total", outcome.record.faults.len() as u64),
                ("sends_accepted", count("sends_accepted")),
                ("sends_refused", count("sends_refused")),
                ("sends_total", count("sends_total")),
                ("simulated_us", micros(outcome.simulated)),
            ],
            latencies: [
                latencies("broadcast"),
                latencies("broadcast.first"),
                latencies("broadcast.last"),
                latencies("broadcast.median"),
                latencies("login"),
                latencies("request"),
            ],
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).expect("a run lasts less than 500,000 years")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_ended_before_its_first_run_is_over_leaves_no_file()
    -> Result<(), Box<dyn std::error::Error>> {
        let out = tempfile::tempdir()?;
        let gathered = Gathered::new(out.path(), String::new())?;
        assert_eq!(fs::read_dir(out.path())?.count(), 0);
        // As in a process that is killed.
        std::mem::forget(gathered);
        let mut again = Gathered::new(out.path(), String::new())?;
        again.add(&mut Outcome::default());
        again.write(false)?;
        let names = fs::read_dir(out.path())?.map(|it| it.map(|it| it.file_name()));
        let names: Vec<_> = names.collect::<Result<_, _>>()?;
        assert!(
            names.iter().any(|it| it == reports::ways::WAYS_JSONL),
            "{names:?}"
        );
        Ok(())
    }
}
