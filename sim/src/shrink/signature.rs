//! What kind of failure it is: which promise is broken, and in which words, whoever it happens to.

use std::fmt;

use crate::capsule::Verdict;
use crate::guarantees::Guarantee;

/// As much of a sentence is compared: what follows a `;` are further steps or cases.
const END: char = ';';
/// Stands for a name, a number or a time, and for a list of them.
const ANY: &str = "*";

/// A kind of failure. Two runs that differ in names, numbers and times only have the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The promise that was broken; `None` if the run broke off, or held where it should not.
    pub guarantee: Option<Guarantee>,
    /// What is said of it, without names, numbers and times.
    pub shape: String,
}

impl Signature {
    /// The kinds of failure of a run, the most important first.
    pub fn all(verdict: &Verdict) -> Vec<Self> {
        let reasons = verdict.broke_off.iter().chain(&verdict.missed);
        let broke_off = reasons.map(|reason| Self {
            guarantee: None,
            shape: shape(reason.lines().next().unwrap_or_default()),
        });
        let violations = verdict.violations.iter().map(|violation| Self {
            guarantee: Some(violation.guarantee),
            shape: shape(&violation.what),
        });
        broke_off.chain(violations).collect()
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

/// `sentence` without what is another one in another run. All names of users, sessions, messages,
/// rooms and servers have a number in them.
fn shape(sentence: &str) -> String {
    let sentence = sentence.split(END).next().unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    for word in sentence.split_whitespace() {
        let is_place = word.contains(".rs:");
        let is_any = !is_place && word.contains(|it: char| it.is_ascii_digit());
        let word = if is_any { ANY } else { word };
        match &words[..] {
            [.., ANY] if word == ANY => {}
            [.., ANY, "and" | "or"] if word == ANY => {
                words.pop();
            }
            _ => words.push(word),
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
    fn names_numbers_and_times_are_left_out() {
        for (sentence, expected) in [
            (
                "bob-3 (u2.1) heard u1.1.1 again, first at 00:05.010",
                "* heard * again, first at *",
            ),
            (
                "connector-server-2 still has room-0-1 with user-7, user-9 and probe-1",
                "connector-server-2 still has",
            ),
            (
                "room-1: no common order, since u1.1 saw u2.1.4 before u3.1.1; u2.1 sent it",
                "* no common order, since * saw * before *",
            ),
            (
                "panic at cluster/src/chat.rs:12:5: 3 of 4 are gone",
                "panic at cluster/src/chat.rs:12:5: * of * are gone",
            ),
        ] {
            let shape = shape(sentence);
            let expected = expected.replace("connector-server-2 still has", "* still has * with *");
            assert_eq!(shape, expected);
        }
    }

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
