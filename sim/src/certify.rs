//! Whether the same seeds give the same runs in whatever way they are run: on one thread or on more
//! than there are cores, with the trace kept or not, in another directory, in another time zone and
//! language, by another build.
//!
//! Each [`way`] is a process of its own, `sim hashes`, that prints the [`Chain`] of each run. Those
//! of the first way are kept, all others are compared with them as they come. The first run that
//! differs is done again in both ways with its trace, for the lines at which they part.

pub mod parting;
pub mod processes;
pub mod table;
pub mod way;

use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::process::ExitStatus;

use cluster::signals::Signal;
use serde::{Deserialize, Serialize};

use crate::chain::Chain;
use parting::Parting;
use processes::Processes;
use way::{Runs, Way};

/// Links of all chains that are kept together, 64 MB of them: 200 runs of a built-in scenario keep
/// the hash after each event, more runs fewer hashes each.
const LINKS_MAX: usize = 1 << 24;

/// One run, as `sim hashes --chains` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hashed {
    /// Its scenario's name.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// What it is recognised by.
    pub chain: Chain,
}

/// Which runs to do in which ways.
#[derive(Debug)]
pub struct Certify {
    /// The runs.
    pub runs: Runs,
    /// The ways; the first is the one that all others are compared with.
    pub ways: Vec<Way>,
    /// A folder for traces.
    pub scratch: PathBuf,
}

/// Who is told how far it is.
pub trait Watch {
    /// Another run is done.
    fn ran(&mut self);

    /// All runs of a way are done.
    fn ended(&mut self, row: &Row);
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Certificate {
    /// One for each way that was begun.
    pub rows: Vec<Row>,
    /// The first run that differs, if one does.
    pub difference: Option<Difference>,
    /// The signal that ended it early, if one did.
    pub interrupted: Option<Signal>,
}

/// What came of one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name of the way.
    pub way: String,
    /// The runs that were done.
    pub runs: usize,
    /// How many of them were another run than in the first way.
    pub differences: usize,
}

/// One run that is another in another way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// How its scenario was asked for.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The names of the two ways.
    pub ways: [String; 2],
    /// The events, counted from 0, of which the first that differs is one.
    pub events: Range<u64>,
    /// Where they parted when they were done again; `None` if they did not.
    pub again: Option<Parting>,
    /// The seeds that show it: the last is the one that differs, all others come before.
    pub seeds: Range<u64>,
    /// What does these runs in the two ways.
    pub commands: [String; 2],
}

impl Certify {
    /// How many runs are done in all.
    pub fn len(&self) -> usize {
        self.ways.len() * self.runs.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Does all runs in all ways, one way after the other, until all are done or a signal comes.
    ///
    /// # Errors
    ///
    /// If a process can't be started, fails, or prints anything else than these runs.
    pub fn run(&self, watch: &mut dyn Watch) -> Result<Certificate, CertifyError> {
        let mut processes = Processes::new()?;
        let mut certificate = Certificate::default();
        let mut first = Vec::new();
        let mut parted = None;
        for way in &self.ways {
            let mut row = Row::new(way);
            let is_first = certificate.rows.is_empty();
            let each = |line: &str| {
                let hashed = read(line, way)?;
                let index = row.runs;
                row.runs += 1;
                watch.ran();
                if is_first {
                    first.push(thinned(hashed, self.runs.len()));
                    return Ok(());
                }
                let events = parting(first.get(index), &hashed, way)?;
                row.differences += usize::from(events.is_some());
                let scenario = self.runs.scenario_of(index);
                parted = parted
                    .take()
                    .or_else(|| Some((way, scenario, hashed.seed, events?)));
                Ok(())
            };
            certificate.interrupted = processes.lines(way.command(&self.runs, None), each)?;
            if certificate.interrupted.is_none() {
                watch.ended(&row);
                if row.runs != self.runs.len() {
                    return Err(CertifyError::other_runs(way));
                }
            }
            certificate.rows.push(row);
            if certificate.interrupted.is_some() {
                return Ok(certificate);
            }
        }
        if let Some((way, scenario, seed, events)) = parted {
            let mut difference = Difference {
                scenario: scenario.to_owned(),
                seed,
                ways: [&self.ways[0], way].map(|way| way.name.clone()),
                events,
                again: None,
                seeds: self.runs.seeds.clone(),
                commands: [&self.ways[0], way].map(|way| way.command_line(&self.runs)),
            };
            let interrupted = self.locate(&mut processes, way, &mut difference)?;
            certificate.difference = Some(difference);
            certificate.interrupted = interrupted;
        }
        Ok(certificate)
    }

    /// Does the run that differs in `way` again: alone, then after all that came before it, which
    /// may have left something behind.
    fn locate(
        &self,
        processes: &mut Processes,
        way: &Way,
        difference: &mut Difference,
    ) -> Result<Option<Signal>, CertifyError> {
        let ways = [&self.ways[0], way];
        let trace_path = self.scratch.join("located.jsonl");
        let mut starts = vec![difference.seed, self.runs.seeds.start];
        starts.dedup();
        for start in starts {
            let runs = Runs {
                scenarios: vec![difference.scenario.clone()],
                seeds: start..difference.seed + 1,
            };
            let mut traces = [Vec::new(), Vec::new()];
            for (trace, way) in traces.iter_mut().zip(ways) {
                let command = way.command(&runs, Some(&trace_path));
                let interrupted = processes.lines(command, |_| Ok(()))?;
                if interrupted.is_some() {
                    return Ok(interrupted);
                }
                *trace = fs::read(&trace_path)?;
            }
            let [first, other] = traces;
            difference.again = Parting::of(&first, &other);
            if difference.again.is_some() {
                difference.commands = ways.map(|way| way.command_line(&runs));
                difference.seeds = runs.seeds;
                break;
            }
        }
        Ok(None)
    }
}

fn read(line: &str, way: &Way) -> Result<Hashed, CertifyError> {
    let unreadable = |source| CertifyError::Unreadable {
        way: way.name.clone(),
        source,
    };
    serde_json::from_str(line).map_err(unreadable)
}

/// `hashed`, with no more links than one of so many `runs` may have.
fn thinned(mut hashed: Hashed, runs: usize) -> Hashed {
    hashed.chain.thin((LINKS_MAX / runs.max(1)).max(1));
    hashed
}

/// Where the two part, if they do.
fn parting(
    first: Option<&Hashed>,
    other: &Hashed,
    way: &Way,
) -> Result<Option<Range<u64>>, CertifyError> {
    let same = |it: &&Hashed| (&it.scenario, it.seed) == (&other.scenario, other.seed);
    let first = first.filter(same);
    let first = first.ok_or_else(|| CertifyError::other_runs(way))?;
    Ok(first.chain.parting(&other.chain))
}

impl Row {
    fn new(way: &Way) -> Self {
        Self {
            way: way.name.clone(),
            runs: 0,
            differences: 0,
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scenario,
            seed,
            ways,
            events,
            again,
            ..
        } = self;
        let [first, other] = ways;
        writeln!(
            out,
            "{scenario} seed {seed} is another run by \"{other}\" than by \"{first}\""
        )?;
        match events.end - events.start {
            1 => writeln!(out, "the first event that differs is line {}", events.end)?,
            _ => writeln!(
                out,
                "the first event that differs is one of the lines {} to {}",
                events.start + 1,
                events.end
            )?,
        }
        match again {
            Some(parting) => writeln!(out, "done again, they part at {parting}")?,
            None => writeln!(out, "done again, they were the same: chance decides it")?,
        }
        for (way, command) in ways.iter().zip(&self.commands) {
            writeln!(out, "{way}: {command}")?;
        }
        Ok(())
    }
}

/// The ways can't be compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// The system refuses something.
    #[error("the runs can't be done")]
    Refused(#[from] io::Error),
    /// A program can't be started.
    #[error("can't start {program}")]
    Unstarted {
        /// Its path.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// A process ended in another way than with success.
    #[error("{command} ended with {status}")]
    Failed {
        /// What it was started with.
        command: String,
        /// How it ended.
        status: ExitStatus,
    },
    /// What a process printed is no run.
    #[error("\"{way}\" did not print the hashes of runs; is it another version?")]
    Unreadable {
        /// The name of its way.
        way: String,
        /// Why not.
        source: serde_json::Error,
    },
    /// A process did other runs than the first.
    #[error("\"{way}\" did not do the runs that it was asked for; is it another version?")]
    OtherRuns {
        /// The name of its way.
        way: String,
    },
}

impl CertifyError {
    fn other_runs(way: &Way) -> Self {
        let way = way.name.clone();
        Self::OtherRuns { way }
    }
}
