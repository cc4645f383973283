//! What a failure is about, with its names, numbers and times left out: two runs that fail for one
//! cause fail in the same way.

use std::fmt;

use crate::guarantees::Guarantee;
use crate::run::Outcome;

/// What stands for everything that differs from run to run.
const ANY: &str = "_";

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

/// A sentence without what has a digit in it, as all names, numbers and times of a run do. However
/// many of these follow each other, they are one.
fn shape(sentence: &str) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in sentence.split_whitespace() {
        let has_digit = word.contains(|letter: char| letter.is_ascii_digit());
        match (has_digit, words.last()) {
            (true, Some(&ANY)) => {}
            (true, _) => words.push(ANY),
            (false, _) => words.push(word),
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guarantees::Violation;

    #[test]
    fn names_numbers_and_times_are_no_cause() {
        let one = shape("user-7 (u7.1) heard u1.1.1 again, first at 00:05.010");
        let other = shape("probe-2 (u22.3) heard u4.12.1 again, first at 00:17.999");
        assert_eq!(one, "_ heard _ again, first at _");
        assert_eq!(other, one);
        assert_eq!(shape("unheard by u1, u2, u3"), "unheard by _");
        assert_ne!(shape("user-7 never heard u1.1.1"), one);
    }

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
            Some("broke off: panic at _ no link to _")
        );
        assert_eq!(Cause::of(&outcome(None)), None);
    }
}
