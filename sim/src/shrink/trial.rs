//! Runs candidates and says which of them still fail in the same way.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::Ended;
use super::signature::Signature;
use crate::capsule::Verdict;
use crate::case::Case;
use crate::run;
use crate::trace::Fnv;

/// How much may be spent.
#[derive(Clone, Copy, Debug)]
pub struct Limits<'a> {
    /// Runs at once. What comes out is the same for any number, but for when the time is over.
    pub jobs: NonZeroUsize,
    /// For all of it.
    pub time: Duration,
    /// Set by somebody who wants it to end.
    pub stop: &'a AtomicBool,
}

/// Smaller cases to try, in this order. Each is made when its turn comes: most never are, and a
/// case is large.
pub type Candidates<'a> = Box<dyn Iterator<Item = Case> + 'a>;

/// Tries cases.
pub struct Trials<'a> {
    wanted: Signature,
    limits: Limits<'a>,
    ends_at: Instant,
    /// The hashes of cases of which nothing new can come: they did not fail in the wanted way, or
    /// are what all others are made of.
    known: BTreeSet<u64>,
    /// How many were run.
    pub tried: usize,
}

impl<'a> Trials<'a> {
    /// Looks for cases that fail as `wanted` says, as `whole` does.
    pub fn new(wanted: Signature, whole: &Case, limits: Limits<'a>) -> Self {
        Self {
            wanted,
            limits,
            ends_at: Instant::now() + limits.time,
            known: BTreeSet::from([hash(whole)]),
            tried: 0,
        }
    }

    /// Why there are to be no more, if so.
    pub fn ended(&self) -> Option<Ended> {
        if self.limits.stop.load(Ordering::Relaxed) {
            Some(Ended::Interrupted)
        } else if Instant::now() >= self.ends_at {
            Some(Ended::OutOfTime)
        } else {
            None
        }
    }

    /// The first of `candidates` that fails in the wanted way and was not tried before, and its
    /// index. `None` if none does, or if the trials have ended.
    pub fn first(&mut self, candidates: Candidates<'_>) -> Option<(usize, Case)> {
        let mut candidates = candidates.enumerate();
        while self.ended().is_none() {
            let wave = self.wave(&mut candidates);
            if wave.is_empty() {
                return None;
            }
            let cases: Vec<&Case> = wave.iter().map(|(_, case)| case).collect();
            let fails = self.all(&cases);
            for ((index, case), fails) in wave.into_iter().zip(fails) {
                self.known.insert(hash(&case));
                if fails {
                    return Some((index, case));
                }
            }
        }
        None
    }

    /// As many as are run at once.
    fn wave(&self, candidates: &mut impl Iterator<Item = (usize, Case)>) -> Vec<(usize, Case)> {
        let new = candidates.filter(|(_, case)| !self.known.contains(&hash(case)));
        new.take(self.limits.jobs.get()).collect()
    }

    /// Whether each of `cases` fails in the wanted way, whatever the time.
    pub fn all(&mut self, cases: &[&Case]) -> Vec<bool> {
        self.tried += cases.len();
        let waves = cases.chunks(self.limits.jobs.get());
        waves.flat_map(|cases| self.at_once(cases)).collect()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the threads are around the runs, each of which is in one"
    )]
    fn at_once(&self, cases: &[&Case]) -> Vec<bool> {
        let wanted = &self.wanted;
        let fails = |case| wanted.is_in(&Verdict::of(&run::run(case, false)));
        if let [case] = cases {
            return vec![fails(case)];
        }
        thread::scope(|threads| {
            let running = cases.iter().map(|case| threads.spawn(move || fails(case)));
            let running: Vec<_> = running.collect();
            let ended = running.into_iter().map(|it| it.join());
            ended
                .map(|fails| fails.expect("a run does not panic"))
                .collect()
        })
    }
}

fn hash(case: &Case) -> u64 {
    let text = serde_json::to_vec(case);
    Fnv::of(&text.expect("a case holds only strings, numbers and lists of them"))
}
