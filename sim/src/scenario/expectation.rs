//! Which promises a scenario is checked for, and what is to come of it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::guarantees::{Guarantee, Violation};

/// Which promises are checked: all, unless one of the two lists says otherwise.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Checks {
    /// These and no others.
    pub only: Option<Vec<Number>>,
    /// All but these.
    pub except: Option<Vec<Number>>,
}

/// What is to come of each run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Whether its promises are to be kept.
    pub outcome: Expected,
    /// Which of them is to be broken; any if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guarantee: Option<Number>,
}

/// What can be expected of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// Every promise is kept.
    #[default]
    Held,
    /// One is broken: such a scenario is a canary, which shows that the checks see something.
    Violated,
}

/// A promise, written as its number: `G5`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number(pub Guarantee);

impl Checks {
    /// The promises that are not checked.
    pub fn left_out(&self) -> BTreeSet<Guarantee> {
        let is_in = |numbers: &[Number], one| numbers.contains(&Number(one));
        let is_left_out = |one: &Guarantee| match (&self.only, &self.except) {
            (Some(only), _) => !is_in(only, *one),
            (None, Some(except)) => is_in(except, *one),
            (None, None) => false,
        };
        Guarantee::all().filter(is_left_out).collect()
    }
}

impl Expect {
    /// Whether `violations` are what was expected, where some were.
    pub fn is_met_by(&self, violations: &[Violation]) -> bool {
        self.outcome == Expected::Violated
            && violations.iter().any(|it| {
                self.guarantee
                    .is_none_or(|Number(only)| it.guarantee == only)
            })
    }

    /// What is said of a run that was to break a promise and did not.
    pub fn missed(&self) -> Option<String> {
        let was_not = "was to be broken in this run, and was not";
        match (self.outcome, self.guarantee) {
            (Expected::Held, _) => None,
            (Expected::Violated, Some(Number(guarantee))) => Some(format!("{guarantee} {was_not}")),
            (Expected::Violated, None) => Some(format!("a promise {was_not}")),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "G{}", self.0.number())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let mut all = Guarantee::all().map(Number);
        all.find(|number| number.to_string() == text)
            .ok_or_else(|| {
                let known: Vec<_> = Guarantee::all().map(|it| Number(it).to_string()).collect();
                let known = known.join(", ");
                D::Error::custom(format!("there is no guarantee `{text}`; known are {known}"))
            })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_lists_say_what_is_checked() {
        let left_out = |text| {
            let checks: Checks = toml::from_str(text).unwrap();
            let left_out = checks.left_out().into_iter();
            left_out.map(Guarantee::number).collect::<Vec<_>>()
        };
        assert_eq!(left_out(""), [0; 0]);
        assert_eq!(left_out("except = ['G13', 'G4']"), [4, 13]);
        let all_but_two = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13];
        assert_eq!(left_out("only = ['G1', 'G2']"), all_but_two);
    }

    #[test]
    fn a_canary_wants_its_own_promise_broken() {
        let broken = |guarantee| Violation {
            guarantee,
            at: Duration::ZERO,
            what: String::new(),
        };
        let (ghost, double) = (Guarantee::Membership, Guarantee::NoDuplicates);
        let canary: Expect = toml::from_str("outcome = 'violated'\nguarantee = 'G5'").unwrap();
        assert!(!canary.is_met_by(&[]));
        assert!(!canary.is_met_by(&[broken(double)]));
        assert!(canary.is_met_by(&[broken(double), broken(ghost)]));
        let missed = "G5 membership was to be broken in this run, and was not";
        assert_eq!(canary.missed().as_deref(), Some(missed));
        let any: Expect = toml::from_str("outcome = 'violated'").unwrap();
        assert!(any.is_met_by(&[broken(double)]) && !any.is_met_by(&[]));
        assert!(!Expect::default().is_met_by(&[broken(double)]));
        assert_eq!(Expect::default().missed(), None);
    }
}
