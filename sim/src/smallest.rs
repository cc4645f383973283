//! The smallest run that shows each flaw: the first one that fails because of it, shrunk.

pub mod table;

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cluster::policy::Flaw;
use cluster::signals::Signal;
use tokio::time::Instant;

use crate::capsule::Capsule;
use crate::cpu;
use crate::detect::{self, SEEDS_MAX};
use crate::report;
use crate::scenario::Scenario;
use crate::shrink::{self, Limits, Shrunk};
use crate::workers::{self, Watch};

/// What to look for, and how long.
#[derive(Clone, Debug)]
pub struct Smallest {
    /// Of which runs are drawn.
    pub scenario: Scenario,
    /// The flaws, each alone.
    pub flaws: Vec<Flaw>,
    /// To make one run smaller, without the search for it.
    pub time: Duration,
    /// Threads: each works on one flaw.
    pub jobs: NonZeroUsize,
}

/// What became of one flaw.
#[derive(Debug)]
pub struct Shown {
    /// Which.
    pub flaw: Flaw,
    /// `None` if no run failed because of it.
    pub run: Option<ShownBy>,
}

/// The run that shows a flaw.
#[derive(Debug)]
pub struct ShownBy {
    /// The seed of the run that it was made of.
    pub seed: u64,
    /// What is left of that.
    pub shrunk: Shrunk,
    /// How long it took to make it smaller.
    pub took: Duration,
    /// Of that, what its thread had of a processor.
    pub cpu: Duration,
}

impl Smallest {
    /// Looks for all flaws and tells `watch`, until all is done or a signal comes; a second one ends
    /// the process.
    ///
    /// # Errors
    ///
    /// If the runtime that waits for signals can't be started.
    pub fn run(&self, watch: &mut dyn Watch<Shown>) -> io::Result<Option<Signal>> {
        let show = |index: usize, stop: &AtomicBool| self.show(self.flaws[index], stop);
        workers::work(self.flaws.len(), self.jobs, show, watch)
    }

    /// `None` if it was stopped before there was a run that shows the flaw.
    fn show(&self, flaw: Flaw, stop: &AtomicBool) -> Option<Shown> {
        let Some(failed) = detect::first_failure(&self.scenario, flaw, 0..SEEDS_MAX, stop) else {
            let is_stopped = stop.load(Ordering::Relaxed);
            return (!is_stopped).then_some(Shown { flaw, run: None });
        };
        let capsule = Capsule::of(&failed, report::command(&failed));
        let (started_at, began_at) = (Instant::now(), cpu::of_this_thread());
        let limits = Limits {
            jobs: NonZeroUsize::MIN,
            time: self.time,
            stop,
        };
        let shrunk = shrink::shrink(&capsule.expect("it failed"), limits, &mut |_| ());
        let run = ShownBy {
            seed: failed.seed,
            shrunk: shrunk.expect("a run fails in the same way again"),
            took: started_at.elapsed(),
            cpu: cpu::of_this_thread() - began_at,
        };
        Some(Shown {
            flaw,
            run: Some(run),
        })
    }
}
