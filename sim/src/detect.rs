//! How soon each flaw is found: for each, many searches, every one over seeds of its own, until a
//! run fails that would hold without the flaw.

pub mod table;

use std::collections::BTreeSet;
use std::io;
use std::num::NonZeroUsize;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cluster::policy::{Flaw, Policy};
use cluster::signals::{Signal, Signals};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::run::{self, Outcome};
use crate::scenario::Scenario;

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
    /// How long they took on one thread.
    pub took: Duration,
    /// The promises that were broken then, as `G5`; empty if no run failed.
    pub broken: BTreeSet<String>,
}

/// Who is told how the searches go.
pub trait Watch {
    /// One has ended.
    fn ended(&mut self, found: Found);

    /// Somebody wants all to end.
    fn interrupted(&mut self);
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
    #[expect(
        clippy::disallowed_methods,
        reason = "the threads are around the runs, each of which is in one"
    )]
    pub fn run(&self, watch: &mut dyn Watch) -> io::Result<Option<Signal>> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let signals = {
            let _entered = runtime.enter();
            Signals::listen()?
        };
        let queue = Queue::default();
        let (ended, searches) = mpsc::unbounded_channel();
        Ok(thread::scope(|threads| {
            for _ in 0..self.jobs.get() {
                let ended = ended.clone();
                threads.spawn(|| self.work(&queue, ended));
            }
            drop(ended);
            runtime.block_on(collect(&queue, searches, signals, watch))
        }))
    }

    fn work(&self, queue: &Queue, ended: mpsc::UnboundedSender<Found>) {
        loop {
            let index = queue.next.fetch_add(1, Ordering::Relaxed) as u64;
            // One search for each flaw, then the next: what there is when it ends is even.
            let flaws = self.flaws.len() as u64;
            let Some(flaw) = (index < self.len()).then(|| self.flaws[(index % flaws) as usize])
            else {
                return;
            };
            let Some(found) = self.search(flaw, index / flaws, &queue.is_stopped) else {
                return;
            };
            let sent = ended.send(found);
            sent.expect("the collector waits until all workers have ended");
        }
    }

    /// Runs one seed after the other until one fails; `None` if it was stopped.
    fn search(&self, flaw: Flaw, start: u64, is_stopped: &AtomicBool) -> Option<Found> {
        let mut sound = self.scenario.clone();
        sound.settings.policy = Policy::hardened();
        let mut flawed = self.scenario.clone();
        flawed.settings.policy = Policy::hardened().with(flaw);
        let started_at = Instant::now();
        let mut found = Found {
            flaw,
            seeds: 0,
            took: Duration::ZERO,
            broken: BTreeSet::new(),
        };
        while found.broken.is_empty() && found.seeds < SEEDS_MAX {
            if is_stopped.load(Ordering::Relaxed) {
                return None;
            }
            let seed = start * SEEDS_MAX + found.seeds;
            let broken = broken(&run::draw_and_run(&flawed, seed));
            // What fails without the flaw too was not found because of it.
            if !broken.is_empty() && run::draw_and_run(&sound, seed).held() {
                found.broken = broken;
            }
            found.seeds += 1;
        }
        found.took = started_at.elapsed();
        Some(found)
    }
}

fn broken(outcome: &Outcome) -> BTreeSet<String> {
    let violations = outcome.violations.iter();
    let promises = violations.map(|it| format!("G{}", it.guarantee.number()));
    promises.collect()
}

/// The searches that nobody has begun yet.
#[derive(Default)]
struct Queue {
    next: AtomicUsize,
    is_stopped: AtomicBool,
}

async fn collect(
    queue: &Queue,
    mut searches: mpsc::UnboundedReceiver<Found>,
    mut signals: Signals,
    watch: &mut dyn Watch,
) -> Option<Signal> {
    let mut interrupted = None;
    loop {
        tokio::select! {
            ended = searches.recv() => match ended {
                Some(found) => watch.ended(found),
                None => return interrupted,
            },
            signal = signals.next() => {
                if interrupted.is_some() {
                    // Threads can't be ended, and each is in the middle of a run.
                    process::exit(signal.exit_status().into());
                }
                queue.is_stopped.store(true, Ordering::Relaxed);
                interrupted = Some(signal);
                watch.interrupted();
            }
        }
    }
}
