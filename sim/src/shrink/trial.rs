//! Runs candidates and says which of them still fail in the same way.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tokio::time::Instant;

use super::signature::Signature;
use crate::capsule::Verdict;
use crate::case::Case;
use crate::run;

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

/// Tries cases.
pub struct Trials<'a> {
    wanted: Signature,
    limits: Limits<'a>,
    ends_at: Instant,
    /// How many were run.
    pub tried: usize,
}

impl<'a> Trials<'a> {
    /// Looks for cases that fail as `wanted` says.
    pub fn new(wanted: Signature, limits: Limits<'a>) -> Self {
        Self {
            wanted,
            limits,
            ends_at: Instant::now() + limits.time,
            tried: 0,
        }
    }

    /// Whether there is no more time, or somebody wants no more.
    pub fn are_over(&self) -> bool {
        self.limits.stop.load(Ordering::Relaxed) || Instant::now() >= self.ends_at
    }

    /// The index of the first of `cases` that fails in the wanted way. `None` if none does, or if
    /// the trials are over.
    pub fn first(&mut self, cases: &[Case]) -> Option<usize> {
        let jobs = self.limits.jobs.get();
        for (wave, cases) in cases.chunks(jobs).enumerate() {
            if self.are_over() {
                return None;
            }
            self.tried += cases.len();
            let found = self.at_once(cases).iter().position(|fails| *fails);
            if let Some(found) = found {
                return Some(wave * jobs + found);
            }
        }
        None
    }

    /// Whether each of `cases` fails in the wanted way, whatever the time.
    pub fn all(&mut self, cases: &[Case]) -> Vec<bool> {
        self.tried += cases.len();
        let waves = cases.chunks(self.limits.jobs.get());
        waves.flat_map(|cases| self.at_once(cases)).collect()
    }

    /// The same, all at once.
    #[expect(
        clippy::disallowed_methods,
        reason = "the threads are around the runs, each of which is in one"
    )]
    fn at_once(&self, cases: &[Case]) -> Vec<bool> {
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
