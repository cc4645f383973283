//! Many runs on many threads. Threads are outside of runs only: each run is wholly in one, and
//! what comes out is in the order of the plan, whatever the number of threads.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use cluster::signals::{Signal, Signals};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::run::{self, Outcome};
use crate::scenario::Scenario;
use crate::workers;

/// As many seeds as there is time for.
pub const ALL_SEEDS: Range<u64> = 0..u64::MAX;

/// Time between two ticks of [`Watch`]: a log of an hour has a few hundred lines.
const TICK_INTERVAL: Duration = Duration::from_secs(10);

/// Which runs to do, and how.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The scenarios and the seeds of each.
    pub scenarios: Vec<(Scenario, Range<u64>)>,
    /// Threads.
    pub jobs: NonZeroUsize,
    /// When to stop beginning runs. With a time, runs go round the scenarios, so that each gets
    /// its part of it; without, one scenario is done after the other.
    pub time: Option<Duration>,
}

/// One run of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The index of its scenario in the sweep.
    pub scenario: usize,
    /// Its seed.
    pub seed: u64,
}

/// One finished run of a sweep.
#[derive(Debug)]
pub struct Done {
    /// Which.
    pub item: Item,
    /// What became of it.
    pub outcome: Outcome,
    /// How long it took, in real time.
    pub took: Duration,
}

/// Who is told how a sweep goes.
pub trait Watch {
    /// A run is done, in whatever order; [`Self::next`] follows when its turn has come.
    fn finished(&mut self, _done: &Done) {}

    /// Some seconds have passed.
    fn tick(&mut self) {}

    /// Somebody wants the sweep to end. No more runs are begun.
    fn interrupted(&mut self) {}

    /// Somebody wants the process to end now. It does, without anything else.
    fn abandoned(&mut self) {}

    /// The next run in the order of the plan is done.
    fn next(&mut self, done: Done);

    /// Whether the traces of runs are to be kept. Asked once, before the first.
    fn keeps_traces(&self) -> bool {
        false
    }

    /// Whether there is any use in more runs.
    fn wants_more(&self) -> bool {
        true
    }
}

/// Why a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All runs are done.
    Complete,
    /// Its time was over.
    OutOfTime,
    /// By a signal. The runs that had begun were finished.
    Interrupted(Signal),
    /// Who watched wanted no more. The runs that had begun were finished.
    Unwanted,
}

impl Sweep {
    /// How many runs there are.
    pub fn len(&self) -> usize {
        let lens = self
            .scenarios
            .iter()
            .map(|(_, seeds)| seeds.end.saturating_sub(seeds.start));
        usize::try_from(lens.fold(0, u64::saturating_add)).unwrap_or(usize::MAX)
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether nothing but its time ends it: there is no number of runs that it should come to.
    pub fn is_open_ended(&self) -> bool {
        let mut scenarios = self.scenarios.iter();
        scenarios.any(|(_, seeds)| seeds.end == ALL_SEEDS.end)
    }

    /// Does the runs and tells `watch`. A signal ends them early, a second one ends the process.
    ///
    /// # Errors
    ///
    /// If the runtime that waits for signals can't be started.
    #[expect(
        clippy::disallowed_methods,
        reason = "the threads are around the runs, each of which is in one"
    )]
    pub fn run(&self, watch: &mut dyn Watch) -> io::Result<Ended> {
        let (runtime, signals) = workers::listen()?;
        let queue = Queue::new(self, watch.keeps_traces());
        let (done, finished) = mpsc::unbounded_channel();
        Ok(thread::scope(|threads| {
            for _ in 0..self.jobs.get().min(self.len()) {
                let done = done.clone();
                threads.spawn(|| work(&queue, done));
            }
            drop(done);
            runtime.block_on(collect(self, &queue, finished, signals, watch))
        }))
    }
}

/// Runs one item after the other until there is none.
fn work(queue: &Queue<'_>, done: mpsc::UnboundedSender<(usize, Done)>) {
    while let Some((index, item)) = queue.next() {
        let started_at = Instant::now();
        let (scenario, _) = &queue.sweep.scenarios[item.scenario];
        let outcome = match run::draw(scenario, item.seed) {
            Ok(case) => run::run(&case, queue.keeps_traces),
            Err(outcome) => *outcome,
        };
        let took = started_at.elapsed();
        let sent = done.send((
            index,
            Done {
                item,
                outcome,
                took,
            },
        ));
        sent.expect("the collector waits until all workers have ended");
    }
}

async fn collect(
    sweep: &Sweep,
    queue: &Queue<'_>,
    mut finished: mpsc::UnboundedReceiver<(usize, Done)>,
    mut signals: Signals,
    watch: &mut dyn Watch,
) -> Ended {
    let out_of_time = async {
        match sweep.time {
            Some(time) => sleep_until(Instant::now() + time).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(out_of_time);

    let mut ticks = interval(TICK_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.reset();

    let mut ended = Ended::Complete;
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    loop {
        tokio::select! {
            run = finished.recv() => {
                let Some((index, done)) = run else { return ended };
                watch.finished(&done);
                waiting.insert(index, done);
                while let Some(done) = waiting.remove(&next) {
                    next += 1;
                    watch.next(done);
                }
                if ended == Ended::Complete && !watch.wants_more() {
                    queue.stop();
                    ended = Ended::Unwanted;
                }
            }
            _ = ticks.tick() => watch.tick(),
            () = &mut out_of_time, if ended == Ended::Complete => {
                queue.stop();
                ended = Ended::OutOfTime;
            }
            signal = signals.next() => {
                if matches!(ended, Ended::Interrupted(_)) {
                    watch.abandoned();
                    // Threads can't be ended, and each is in the middle of a run.
                    process::exit(signal.exit_status().into());
                }
                queue.stop();
                ended = Ended::Interrupted(signal);
                watch.interrupted();
            }
        }
    }
}

/// The runs that nobody has begun yet.
struct Queue<'a> {
    sweep: &'a Sweep,
    keeps_traces: bool,
    next: AtomicUsize,
    is_stopped: AtomicBool,
}

impl<'a> Queue<'a> {
    fn new(sweep: &'a Sweep, keeps_traces: bool) -> Self {
        Self {
            sweep,
            keeps_traces,
            next: AtomicUsize::new(0),
            is_stopped: AtomicBool::new(false),
        }
    }

    fn stop(&self) {
        self.is_stopped.store(true, Ordering::Relaxed);
    }

    fn next(&self) -> Option<(usize, Item)> {
        if self.is_stopped.load(Ordering::Relaxed) {
            return None;
        }
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let item = match self.sweep.time {
            None => one_after_the_other(&self.sweep.scenarios, index),
            Some(_) => round_and_round(&self.sweep.scenarios, index),
        };
        Some((index, item?))
    }
}

fn one_after_the_other(scenarios: &[(Scenario, Range<u64>)], index: usize) -> Option<Item> {
    let mut left = index as u64;
    for (scenario, (_, seeds)) in scenarios.iter().enumerate() {
        let len = seeds.end.saturating_sub(seeds.start);
        if left < len {
            let seed = seeds.start + left;
            return Some(Item { scenario, seed });
        }
        left -= len;
    }
    None
}

fn round_and_round(scenarios: &[(Scenario, Range<u64>)], index: usize) -> Option<Item> {
    let scenario = index % scenarios.len();
    let (_, seeds) = &scenarios[scenario];
    let seed = seeds.start.checked_add((index / scenarios.len()) as u64)?;
    seeds.contains(&seed).then_some(Item { scenario, seed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{self, Span};

    #[test]
    fn runs_come_in_the_order_of_the_plan() {
        let scenario = &scenario::built_in()[0];
        let scenarios = [(scenario.clone(), 5..7), (scenario.clone(), 1..2)];
        let items = |order: fn(&[_], usize) -> _| -> Vec<_> {
            (0..4)
                .map_while(|index| order(&scenarios, index))
                .map(|Item { scenario, seed }| (scenario, seed))
                .collect()
        };
        assert_eq!(items(one_after_the_other), [(0, 5), (0, 6), (1, 1)]);
        assert_eq!(items(round_and_round), [(0, 5), (1, 1), (0, 6)]);
    }

    #[derive(Default)]
    struct Runs(Vec<Outcome>);

    impl Watch for Runs {
        fn next(&mut self, done: Done) {
            self.0.push(done.outcome);
        }
    }

    #[test]
    fn a_sweep_ends_early_if_nobody_wants_more() -> io::Result<()> {
        struct One(usize);
        impl Watch for One {
            fn next(&mut self, _done: Done) {
                self.0 += 1;
            }
            fn wants_more(&self) -> bool {
                false
            }
        }
        let sweep = Sweep {
            scenarios: vec![(scenario::built_in().swap_remove(0), ALL_SEEDS)],
            jobs: NonZeroUsize::MIN,
            time: None,
        };
        let mut one = One(0);
        assert_eq!(sweep.run(&mut one)?, Ended::Unwanted);
        assert!(one.0 > 0);
        Ok(())
    }

    #[test]
    fn a_run_that_cannot_be_drawn_fails_and_the_others_are_done() -> io::Result<()> {
        let good = scenario::built_in().swap_remove(0);
        let mut bad = good.clone();
        bad.users.count = Span { min: 2, max: 1 };
        let sweep = Sweep {
            scenarios: vec![(bad, 3..5), (good, 0..1)],
            jobs: NonZeroUsize::MIN,
            time: None,
        };
        let mut runs = Runs::default();
        assert_eq!(sweep.run(&mut runs)?, Ended::Complete);
        let held: Vec<_> = runs.0.iter().map(|run| (run.seed, run.held())).collect();
        assert_eq!(held, [(3, false), (4, false), (0, true)]);
        Ok(())
    }
}
