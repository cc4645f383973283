//! Which promises a scenario is checked for, and what is to come of it.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Error, IntoDeserializer, SeqAccess, Visitor};
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expect {
    /// Whether its promises are to be kept.
    pub outcome: Expected,
    /// Of which of them one is to be broken, and no other; any if none is named.
    #[serde(
        skip_serializing_if = "Vec::is_empty",
        deserialize_with = "one_or_more"
    )]
    pub guarantee: Vec<Number>,
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
    /// Parts `violations` into those that were to be, and all others.
    pub fn part(&self, violations: Vec<Violation>) -> (Vec<Violation>, Vec<Violation>) {
        let is_named = |it: &Violation| {
            self.guarantee.is_empty() || self.guarantee.contains(&Number(it.guarantee))
        };
        let is_canary = self.outcome == Expected::Violated;
        let violations = violations.into_iter();
        violations.partition(|it| is_canary && is_named(it))
    }

    /// What is to be broken, in words; `None` if nothing is.
    pub fn wanted(&self) -> Option<String> {
        if self.outcome == Expected::Held {
            return None;
        }
        let named = self.guarantee.iter().map(|Number(it)| it.to_string());
        let named: Vec<_> = named.collect();
        Some(match named.is_empty() {
            true => String::from("a promise"),
            false => named.join(" or "),
        })
    }

    /// What is said of a run that was to break a promise and did not.
    pub fn missed(&self) -> Option<String> {
        let wanted = self.wanted()?;
        Some(format!(
            "{wanted} was to be broken in this run, and was not"
        ))
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

/// Reads one number, or a list of them.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Number>, D::Error> {
    struct Numbers;

    impl<'de> Visitor<'de> for Numbers {
        type Value = Vec<Number>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a guarantee such as \"G5\", or a list of them")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok(vec![Number::deserialize(text.into_deserializer())?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut numbers = Vec::new();
            while let Some(number) = list.next_element()? {
                numbers.push(number);
            }
            Ok(numbers)
        }
    }

    deserializer.deserialize_any(Numbers)
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

    /// The numbers of what was expected and of what was not, of these that were broken.
    fn parted(expect: &Expect, broken: &[Guarantee]) -> [Vec<u8>; 2] {
        let violations = broken.iter().map(|guarantee| Violation {
            guarantee: *guarantee,
            at: Duration::ZERO,
            what: String::new(),
        });
        let (expected, others) = expect.part(violations.collect());
        let numbers = |all: Vec<Violation>| all.iter().map(|it| it.guarantee.number()).collect();
        [numbers(expected), numbers(others)]
    }

    #[test]
    fn a_canary_wants_its_own_promise_broken_and_no_other() {
        let (ghost, double) = (Guarantee::Membership, Guarantee::NoDuplicates);
        let canary = |text| toml::from_str::<Expect>(text).unwrap();
        let one = canary("outcome = 'violated'\nguarantee = 'G5'");
        assert_eq!(parted(&one, &[double, ghost]), [vec![5], vec![2]]);
        let missed = "G5 membership was to be broken in this run, and was not";
        assert_eq!(one.missed().as_deref(), Some(missed));
        let two = canary("outcome = 'violated'\nguarantee = ['G5', 'G2']");
        assert_eq!(parted(&two, &[double, ghost]), [vec![2, 5], vec![]]);
        let wanted = "G5 membership or G2 no duplicates";
        assert_eq!(two.wanted().as_deref(), Some(wanted));
        let any = canary("outcome = 'violated'");
        assert_eq!(parted(&any, &[double]), [vec![2], vec![]]);
        assert_eq!(any.wanted().as_deref(), Some("a promise"));
        let none = Expect::default();
        assert_eq!(parted(&none, &[double]), [vec![], vec![2]]);
        assert_eq!(none.missed(), None);
    }
}
