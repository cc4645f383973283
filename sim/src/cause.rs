//! What a failure is about, with its names, numbers and times left out: two runs that fail for one
//! cause fail in the same way.

use std::fmt;

use crate::guarantees::Guarantee;
use crate::run::Outcome;
use crate::shape::shape;

/// Why a run failed, in general.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The promise that broke first; `None` if the run broke off, or none broke and one should have.
    pub guarantee: Option<Guarantee>,
    /// How it showed, as a sentence.
    pub shape: String,
}

impl Cause {
    /// Why a run failed; `None` if it held. Of several broken promises the one that showed first
    /// counts: the others may follow from it.
    pub fn of(outcome: &Outcome) -> Option<Self> {
        if let Some(reason) = &outcome.broke_off {
            return Some(Self {
                guarantee: None,
                shape: format!("broke off: {}", shape(reason)),
            });
        }
        if let Some(missed) = &outcome.missed {
            return Some(Self {
                guarantee: None,
                shape: missed.clone(),
            });
        }
        let first = outcome.violations.iter().min_by_key(|it| it.at)?;
        Some(Self {
            guarantee: Some(first.guarantee),
            shape: shape(&first.what),
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.guarantee {
            Some(guarantee) => write!(out, "{guarantee}: {}", self.shape),
            None => out.write_str(&self.shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guarantees::Violation;

    #[test]
    fn the_promise_that_broke_first_is_the_cause() {
        let violation = |guarantee, at, what: &str| Violation {
            guarantee,
            at: Duration::from_secs(at),
            what: what.to_owned(),
        };
        let outcome = Outcome {
            violations: vec![
                violation(Guarantee::Isolation, 9, "u1 saw more"),
                violation(Guarantee::Clean, 7, "chat-server-1 still has 2 rooms"),
            ],
            ..Outcome::default()
        };
        let cause = Cause::of(&outcome).map(|cause| cause.to_string());
        assert_eq!(cause.as_deref(), Some("G11 clean: _ still has _ rooms"));
    }

    #[test]
    fn a_run_that_broke_off_has_a_cause_and_one_that_held_has_none() {
        let outcome = |reason: Option<&str>| Outcome {
            broke_off: reason.map(str::to_owned),
            ..Outcome::default()
        };
        let cause = Cause::of(&outcome(Some("panic at chat.rs:7: no link to 3")));
        assert_eq!(
            cause.map(|cause| cause.to_string()).as_deref(),
            Some("broke off: panic at chat.rs:7: no link to _")
        );
        assert_eq!(Cause::of(&outcome(None)), None);
    }
}
