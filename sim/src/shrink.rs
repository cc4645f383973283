//! Makes a failed run smaller: what is left out of it, one thing after the other, is whatever it
//! fails without in the same way.
//!
//! Each step is run: a smaller case counts only if the same promise is broken in it and the same is
//! said of it, but for names, numbers and times (`signature`). First goes what is far from it
//! (`hints`); then what can go (`minimise`): faults (`spells`), users and what they do (`users`),
//! servers (`hosts`). Then what is left is made weaker, shorter and rounder (`times`). All again and
//! again, until nothing changes or the time is over. What the checks count on stays: probes, the
//! leave of each user at the end, and the time that a cluster may take to recover.

use std::fmt;

use loadgen::script::Script;

use crate::capsule::{Capsule, Verdict};
use crate::case::Case;
use crate::guarantees::Violation;
use crate::report::count;
use crate::run::{self, Outcome};

mod hints;
mod hosts;
mod minimise;
pub mod regression;
mod signature;
pub mod size;
mod spells;
mod times;
mod trial;
mod users;

pub use signature::Signature;
pub use trial::Limits;

use minimise::minimise;
use size::Size;
use trial::{Candidates, Trials};

/// As many other seeds are tried at the end.
pub const OTHER_SEEDS: u64 = 5;

/// What became of a capsule.
#[derive(Debug)]
pub struct Shrunk {
    /// How it fails.
    pub signature: Signature,
    /// What there was.
    pub before: Size,
    /// What is left.
    pub after: Size,
    /// The run that is left.
    pub outcome: Outcome,
    /// Of [`OTHER_SEEDS`] other seeds, those with which it fails in the same way: they decide what
    /// is drawn while it runs. `None` if there was no time left to try.
    pub other_seeds: Option<u64>,
    /// How many runs it took.
    pub tried: usize,
    /// Why there were no more.
    pub ended: Ended,
}

/// Why a run was made no smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Nothing more can be left out.
    Smallest,
    /// The time was over.
    OutOfTime,
    /// Somebody wanted it to end.
    Interrupted,
}

impl fmt::Display for Ended {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Ended::Smallest => "nothing more can be left out",
            Ended::OutOfTime => "the time was over",
            Ended::Interrupted => "interrupted",
        })
    }
}

/// This run can't be made smaller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShrinkError {
    /// The capsule says nothing of a failure.
    #[error("the capsule does not say what was wrong")]
    NoFailure,
    /// The code has changed.
    #[error("the run does not fail in this way any more ({0}); `sim replay` says where it differs")]
    Vanished(Signature),
}

/// Makes the run of `capsule` as small as can be within `limits`; `tell` is told of each step.
///
/// # Errors
///
/// If the run does not fail any more.
pub fn shrink(
    capsule: &Capsule,
    limits: Limits<'_>,
    tell: &mut dyn FnMut(&str),
) -> Result<Shrunk, ShrinkError> {
    let signature = Signature::all(&capsule.verdict).into_iter().next();
    let signature = signature.ok_or(ShrinkError::NoFailure)?;
    let outcome = run::run(&capsule.case, false);
    let verdict = Verdict::of(&outcome);
    if !signature.is_in(&verdict) {
        return Err(ShrinkError::Vanished(signature));
    }
    let before = Size::of(&outcome);
    // What waited for something to happen has its time now, at which it is the same run; each such
    // fault can be left out like any other.
    let case = Case {
        faults: outcome.record.faults,
        anchored: Vec::new(),
        ..capsule.case.clone()
    };
    let mut shrinking = Shrinking {
        trials: Trials::new(signature.clone(), &case, limits),
        case,
        steps: 0,
        tell,
    };
    if let Some(violation) = signature.violation(&verdict) {
        shrinking.drop_far(violation);
    }
    while shrinking.round() {}
    let ended = shrinking.trials.ended();
    let other_seeds = ended.is_none().then(|| shrinking.other_seeds());
    let outcome = run::run(&shrinking.case, false);
    Ok(Shrunk {
        signature,
        before,
        after: Size::of(&outcome),
        outcome,
        other_seeds,
        tried: shrinking.trials.tried,
        ended: ended.unwrap_or(Ended::Smallest),
    })
}

struct Shrinking<'a> {
    /// The smallest so far.
    case: Case,
    /// How often it became smaller.
    steps: usize,
    trials: Trials<'a>,
    tell: &'a mut dyn FnMut(&str),
}

impl Shrinking<'_> {
    /// Tries everything once, and tells whether anything became smaller. What makes runs quicker
    /// comes first.
    fn round(&mut self) -> bool {
        let steps_before = self.steps;
        self.improve("vandals", hosts::with_fewer_vandals);
        self.improve("yields", hosts::with_fewer_yields);
        self.drop_faults();
        self.drop_kinds();
        self.drop_users();
        self.improve("hosts", hosts::fewer);
        self.drop_actions();
        self.improve("rooms", users::with_one_room_less);
        self.improve("kinds of faults", with_weaker_faults);
        self.improve("time between", times::with_shorter_gaps);
        self.improve("time of faults", times::with_shorter_faults);
        self.improve("latencies", hosts::plainer);
        self.improve("messages", users::with_short_messages);
        self.improve("times", times::with_round_times);
        self.steps > steps_before
    }

    /// Leaves out what has nothing to do with the `violation`, by its own words.
    fn drop_far(&mut self, violation: &Violation) {
        self.improve("what is near", |case| hints::nearer(case, violation));
    }

    fn drop_faults(&mut self) {
        self.minimise("faults", spells::of, |case, _, kept| {
            let mut case = case.clone();
            spells::set(&mut case, kept);
            case
        });
    }

    /// What happens without a fault that is planned: what vandals do, and tasks that yield.
    fn drop_kinds(&mut self) {
        let kinds = |case: &Case| case.kinds.iter().copied().collect();
        self.minimise("kinds of trouble", kinds, |case, _, kept| Case {
            kinds: kept.iter().copied().collect(),
            ..case.clone()
        });
    }

    fn drop_users(&mut self) {
        let scripts = |case: &Case| case.scripts.clone();
        self.minimise("users", scripts, |case, _, kept: &[Script]| {
            users::with(case, kept)
        });
    }

    fn drop_actions(&mut self) {
        self.minimise("actions", users::needless, users::with_actions);
    }

    /// Leaves out of a list of the case what is not needed.
    fn minimise<T: Clone>(
        &mut self,
        what: &str,
        list: impl Fn(&Case) -> Vec<T>,
        with: impl Fn(&Case, &[T], &[T]) -> Case,
    ) {
        let whole = self.case.clone();
        let all = list(&whole);
        let mut kept = all.clone();
        minimise(&mut kept, |shorter| {
            self.first(
                what,
                Box::new(shorter.map(|kept| with(&whole, &all, &kept))),
            )
        });
    }

    /// Goes on to a smaller case as long as there is one. What is not taken is not tried again
    /// before the next round.
    fn improve(&mut self, what: &str, smaller: impl Fn(&Case) -> Candidates<'_>) {
        let mut from = 0;
        loop {
            let case = self.case.clone();
            let rest = smaller(&case).skip(from);
            let Some(found) = self.first(what, Box::new(rest)) else {
                return;
            };
            from += found;
        }
    }

    /// Goes on to the first of `candidates` that fails in the wanted way and was not tried before.
    fn first(&mut self, what: &str, candidates: Candidates<'_>) -> Option<usize> {
        let (index, case) = self.trials.first(candidates)?;
        self.case = case;
        self.steps += 1;
        let size = Size::planned(&self.case);
        let tried = count(self.trials.tried, "run");
        (self.tell)(&format!("{what}: {size}, {tried}"));
        Some(index)
    }

    /// With how many other seeds it fails in the same way.
    fn other_seeds(&mut self) -> u64 {
        let others = (1..=OTHER_SEEDS).map(|more| Case {
            seed: self.case.seed.wrapping_add(more),
            ..self.case.clone()
        });
        let others: Vec<_> = others.collect();
        let fails = self.trials.all(&others.iter().collect::<Vec<_>>());
        fails.iter().filter(|fails| **fails).count() as u64
    }
}

fn with_weaker_faults(case: &Case) -> Candidates<'_> {
    let all = spells::of(case);
    let each = all.clone().into_iter().enumerate();
    let weaker = each.flat_map(|(index, spell)| {
        let weaker = spells::weaker(case, &spell).into_iter();
        weaker.map(move |weaker| (index, weaker))
    });
    Box::new(weaker.map(move |(index, weaker)| {
        let (mut case, mut all) = (case.clone(), all.clone());
        all[index] = weaker;
        spells::set(&mut case, &all);
        case
    }))
}
