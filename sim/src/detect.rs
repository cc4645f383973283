//! How soon each flaw is found: for each, many searches, every one over seeds of its own, until a
//! run fails that would hold without the flaw.

pub mod table;

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cluster::policy::{Flaw, Policy};
use cluster::signals::Signal;

use crate::cpu;
use crate::run::{self, Outcome};
use crate::scenario::Scenario;
use crate::workers::{self, Watch};

/// Seeds of one search. What is not found in as many is not found.
pub const SEEDS_MAX: u64 = 500;

/// Searches for flaws.
#[derive(Clone, Debug)]
pub struct Detect {
    /// Of which runs are drawn.
    pub scenario: Scenario,
    /// The flaws, each alone.
    pub flaws: Vec<Flaw>,
    /// Searches for each.
    pub starts: u64,
    /// Threads.
    pub jobs: NonZeroUsize,
}

/// What became of one search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Of which flaw.
    pub flaw: Flaw,
    /// Runs until one failed, that one included.
    pub seeds: u64,
    /// What they took of one processor: the same on a machine that has other work too.
    pub cpu: Duration,
    /// The promises that were broken then, as `G5`; empty if no run failed.
    pub broken: BTreeSet<String>,
}

impl Detect {
    /// How many searches there are.
    pub fn len(&self) -> u64 {
        self.flaws.len() as u64 * self.starts
    }

    /// Whether there is nothing to search for.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Searches and tells `watch`, until all is done or a signal comes; a second one ends the
    /// process.
    ///
    /// # Errors
    ///
    /// If the runtime that waits for signals can't be started.
    pub fn run(&self, watch: &mut dyn Watch<Found>) -> io::Result<Option<Signal>> {
        let count = self.flaws.len() * self.starts as usize;
        let search = |index: usize, is_stopped: &AtomicBool| {
            // One search for each flaw, then the next: what there is when it ends is even.
            let flaw = self.flaws[index % self.flaws.len()];
            self.search(flaw, (index / self.flaws.len()) as u64, is_stopped)
        };
        workers::work(count, self.jobs, search, watch)
    }

    /// Looks for a run that fails; `None` if it was stopped.
    fn search(&self, flaw: Flaw, start: u64, is_stopped: &AtomicBool) -> Option<Found> {
        let began_at = cpu::of_this_thread();
        let first_seed = start * SEEDS_MAX;
        let seeds = first_seed..first_seed + SEEDS_MAX;
        let failed = first_failure(&self.scenario, flaw, seeds, is_stopped);
        if failed.is_none() && is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let seeds = failed.as_ref().map(|it| it.seed - first_seed + 1);
        Some(Found {
            flaw,
            seeds: seeds.unwrap_or(SEEDS_MAX),
            cpu: cpu::of_this_thread() - began_at,
            broken: failed.as_ref().map(broken).unwrap_or_default(),
        })
    }
}

/// The first run of `scenario` with one of `seeds` that fails with `flaw` and holds without: what
/// fails without it too is not because of it. `None` if there is none, or when it is stopped.
pub fn first_failure(
    scenario: &Scenario,
    flaw: Flaw,
    mut seeds: Range<u64>,
    is_stopped: &AtomicBool,
) -> Option<Outcome> {
    let with = |policy| {
        let mut scenario = scenario.clone();
        scenario.settings.policy = policy;
        scenario
    };
    let (sound, flawed) = (
        with(Policy::hardened()),
        with(Policy::hardened().with(flaw)),
    );
    seeds.find_map(|seed| {
        if is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let outcome = run::draw_and_run(&flawed, seed);
        let is_found = !outcome.violations.is_empty() && run::draw_and_run(&sound, seed).held();
        is_found.then_some(outcome)
    })
}

fn broken(outcome: &Outcome) -> BTreeSet<String> {
    let violations = outcome.violations.iter();
    let promises = violations.map(|it| format!("G{}", it.guarantee.number()));
    promises.collect()
}
