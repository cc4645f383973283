//! The failed runs of a sweep, by cause.

use std::fmt;

use crate::cause::Cause;
use crate::report;
use crate::run::Outcome;

/// As many runs of one cause are named.
const NAMES_MAX: usize = 5;

/// All failures of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    groups: Vec<Group>,
    /// What is known of the first run that failed.
    first: Option<String>,
}

/// The runs that failed for one cause.
#[derive(Clone, Debug)]
pub struct Group {
    /// The cause.
    pub cause: Cause,
    /// The runs.
    pub runs: Vec<Run>,
}

/// One run that failed.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its scenario's name.
    pub scenario: String,
    /// The run, as it is given to `sim run`.
    pub name: String,
}

impl Failures {
    /// Whether a run failed for a cause that no other has.
    pub fn is_news(&self, outcome: &Outcome) -> bool {
        let is_new = |cause| self.groups.iter().all(|group| group.cause != cause);
        Cause::of(outcome).is_some_and(is_new)
    }

    /// Adds a run, if it failed; `capsule` says where it is kept.
    pub fn add(&mut self, outcome: &Outcome, capsule: Option<&str>) {
        let Some(cause) = Cause::of(outcome) else {
            return;
        };
        self.first
            .get_or_insert_with(|| report::failure(outcome, capsule));
        let run = Run {
            scenario: outcome.scenario.clone(),
            name: outcome.name(),
        };
        match self.groups.iter_mut().find(|group| group.cause == cause) {
            Some(group) => group.runs.push(run),
            None => self.groups.push(Group {
                cause,
                runs: vec![run],
            }),
        }
    }

    /// Whether nothing failed.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The causes, in the order in which they showed first.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}

/// As in `3 times G5 membership: _ of _ lacks _ (random-mix --seed 7, and 2 more)`.
impl fmt::Display for Group {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.runs.iter().take(NAMES_MAX).map(|run| &*run.name);
        let named: Vec<&str> = named.collect();
        let times = match self.runs.len() {
            1 => String::from("once"),
            count => format!("{count} times"),
        };
        write!(out, "{times} {} ({}", self.cause, named.join(", "))?;
        match self.runs.len() - named.len() {
            0 => write!(out, ")"),
            more => write!(out, ", and {more} more)"),
        }
    }
}

/// The causes, a line each if there are several, then all that is known of the first run that
/// failed, with the command that repeats it as the last line.
impl fmt::Display for Failures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [_, _, ..] = &self.groups[..] {
            writeln!(out, "{} causes:", self.groups.len())?;
        }
        if self.groups.iter().any(|group| group.runs.len() > 1) || self.groups.len() > 1 {
            for group in &self.groups {
                writeln!(out, "  {group}")?;
            }
            writeln!(out)?;
        }
        write!(out, "{}", self.first.as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::guarantees::{Guarantee, Violation};

    fn outcome(seed: u64, guarantee: Guarantee, what: &str) -> Outcome {
        Outcome {
            given_as: String::from("steady"),
            seed,
            violations: vec![Violation {
                guarantee,
                at: Duration::from_secs(1),
                what: what.to_owned(),
            }],
            ..Outcome::default()
        }
    }

    fn told(outcomes: &[Outcome]) -> String {
        let mut failures = Failures::default();
        outcomes
            .iter()
            .for_each(|outcome| failures.add(outcome, None));
        failures.to_string()
    }

    #[test]
    fn one_failure_is_told_as_it_is() {
        let outcome = outcome(3, Guarantee::Clean, "chat-server-1 still has 2 sessions");
        let whole = report::failure(&outcome, None);
        assert_eq!(told(&[Outcome::default(), outcome]), whole);
    }

    #[test]
    fn runs_that_fail_in_the_same_way_are_one_cause() {
        let clean = |seed| outcome(seed, Guarantee::Clean, "chat-server-1 still has 2 sessions");
        let doubled = outcome(9, Guarantee::NoDuplicates, "u1 heard u2.1.1 again");
        let mut outcomes: Vec<_> = (0..7).map(clean).collect();
        outcomes.push(doubled);
        let told = told(&outcomes);
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "2 causes:");
        assert_eq!(
            lines[1],
            "  7 times G11 clean: _ still has _ sessions (steady --seed 0, steady --seed 1, \
             steady --seed 2, steady --seed 3, steady --seed 4, and 2 more)"
        );
        assert_eq!(
            lines[2],
            "  once G2 no duplicates: _ heard _ again (steady --seed 9)"
        );
        let last = lines.last().copied();
        assert_eq!(last, Some("reproduce: cargo sim run steady --seed 0"));
    }
}
