//! What kind of failure it is: which promise is broken, and in which words, whoever it happens to.

use std::fmt;

use crate::capsule::Verdict;
use crate::guarantees::{Guarantee, Violation};
use crate::shape::shape;

/// A kind of failure. Two runs that differ in names, numbers and times only have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The promise that was broken; `None` if the run broke off, or held where it should not.
    pub guarantee: Option<Guarantee>,
    /// What is said of it, without names, numbers and times.
    pub shape: String,
}

impl Signature {
    /// The kinds of failure of a run: why it broke off, else what showed first, which is nearest to
    /// the cause.
    pub fn all(verdict: &Verdict) -> Vec<Self> {
        let reasons = verdict.broke_off.iter().chain(&verdict.missed);
        let broke_off = reasons.map(|reason| Self {
            guarantee: None,
            shape: shape(reason.lines().next().unwrap_or_default()),
        });
        let mut violations: Vec<_> = verdict.violations.iter().collect();
        violations.sort_by_key(|violation| violation.at);
        broke_off
            .chain(violations.into_iter().map(Self::of))
            .collect()
    }

    fn of(violation: &Violation) -> Self {
        Self {
            guarantee: Some(violation.guarantee),
            shape: shape(&violation.what),
        }
    }

    /// What a run with `verdict` breaks in this way first.
    pub fn violation<'a>(&self, verdict: &'a Verdict) -> Option<&'a Violation> {
        let violations = verdict.violations.iter();
        let same = violations.filter(|violation| Self::of(violation) == *self);
        same.min_by_key(|violation| violation.at)
    }

    /// Whether a run with `verdict` fails in this way, be it among others.
    pub fn is_in(&self, verdict: &Verdict) -> bool {
        Self::all(verdict).contains(self)
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.guarantee {
            Some(guarantee) => write!(out, "{guarantee}: {}", self.shape),
            None => write!(out, "{}", self.shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failure_is_of_the_same_kind_if_it_happens_to_somebody_else_and_of_no_other() {
        let verdict = |guarantee, what: &str| Verdict {
            violations: vec![Violation {
                guarantee,
                at: Duration::ZERO,
                what: what.to_owned(),
            }],
            violations_total: 1,
            ..Verdict::default()
        };
        let first = verdict(Guarantee::Membership, "room-1 lacks user-1, who is there");
        let kinds = Signature::all(&first);
        let same = verdict(Guarantee::Membership, "room-2 lacks user-9, who is there");
        assert!(kinds[0].is_in(&same));
        for other in [
            verdict(Guarantee::Clean, "room-2 lacks user-9, who is there"),
            verdict(Guarantee::Membership, "room-2 has user-9, who is not there"),
            Verdict::default(),
        ] {
            assert!(!kinds[0].is_in(&other), "{other:?}");
        }
    }
}
