//! One failed run in one file: what it was made of, what happened, and what was wrong with it.
//!
//! `sim replay` runs the case again and says whether it is still the same run; `sim shrink` makes
//! it smaller; `sim explain` tells its story. All that decides the run is in [`Case`]; the rest is
//! there to be compared with, and to be read by people.

mod bounds;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use loadgen::history::{Event, Target, What};
use loadgen::time_text;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::chain::Chain;
use crate::clock::clock;
use crate::fault::Planned;
use crate::guarantees::Violation;
use crate::run::Outcome;
use crate::versions::versions;

/// The format that this program writes and reads.
pub const FORMAT: u32 = 1;

/// As many broken promises are kept. A run that breaks one tends to break it for every user.
const VIOLATIONS_MAX: usize = 100;
/// As many bytes of one broken promise, or of the reason for which a run broke off.
const SENTENCE_LEN_MAX: usize = 2000;
/// As many things that users did. With all else that has a bound here, a capsule of a built-in
/// scenario stays below 1 MB.
const DEEDS_MAX: usize = 5000;

/// A failed run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// [`FORMAT`] of the program that wrote it.
    pub format: u32,
    /// What the run depends on besides the case, by name: this program and what it is built of.
    pub versions: BTreeMap<String, String>,
    /// What ran it, or made it of another.
    pub command: String,
    /// What was wrong.
    pub verdict: Verdict,
    /// What was done to the cluster, as it happened.
    pub faults: Vec<Planned>,
    /// What each user did, in the order of time, for people: [`Self::case`] has the plan.
    pub users: BTreeMap<u32, Vec<String>>,
    /// The run.
    pub case: Case,
    /// How much time passed in it.
    #[serde(with = "time_text")]
    pub simulated: Duration,
    /// What it is recognised by.
    pub chain: Chain,
}

/// What was wrong with a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// The broken promises, as far as they are kept.
    pub violations: Vec<Violation>,
    /// How many there were.
    pub violations_total: usize,
    /// What was not to hold, and did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
    /// Why the run broke off, if it did. There are no violations then.
    pub broke_off: Option<String>,
}

impl Verdict {
    /// The verdict on `outcome`.
    pub fn of(outcome: &Outcome) -> Self {
        let violations = outcome.violations.iter().take(VIOLATIONS_MAX);
        let violations = violations.map(|violation| Violation {
            what: cut(&violation.what),
            ..violation.clone()
        });
        Self {
            violations: violations.collect(),
            violations_total: outcome.violations.len(),
            missed: outcome.missed.clone(),
            broke_off: outcome.broke_off.as_deref().map(cut),
        }
    }

    /// Whether nothing was wrong.
    pub fn holds(&self) -> bool {
        self.violations_total == 0 && self.missed.is_none() && self.broke_off.is_none()
    }
}

impl Capsule {
    /// The capsule of a failed run; `None` if it held, or if it could not even be drawn. `command`
    /// ran it.
    pub fn of(outcome: &Outcome, command: String) -> Option<Self> {
        let verdict = Verdict::of(outcome);
        let case = outcome.case.clone().filter(|_| !verdict.holds())?;
        Some(Self {
            format: FORMAT,
            versions: versions(),
            command,
            verdict,
            faults: outcome.record.faults.clone(),
            users: deeds(&outcome.record.history),
            case,
            simulated: outcome.simulated,
            chain: outcome.chain.clone(),
        })
    }

    /// Reads the file at `path`.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is no capsule of this format.
    pub fn read(path: &Path) -> Result<Self, CapsuleError> {
        let text = fs::read_to_string(path).map_err(|source| CapsuleError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|problem| CapsuleError::Unusable {
            path: path.to_owned(),
            problem,
        })
    }

    /// Reads a capsule.
    ///
    /// # Errors
    ///
    /// If it is none of this format.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let Head { format } = serde_json::from_str(text).map_err(Problem::Foreign)?;
        if format != FORMAT {
            return Err(Problem::OtherFormat(format));
        }
        let reader = &mut serde_json::Deserializer::from_str(text);
        let capsule: Self = serde_path_to_error::deserialize(reader)
            .map_err(|error| Problem::Damaged(error.path().to_string(), error.into_inner()))?;
        bounds::check(&capsule.case)?;
        Ok(capsule)
    }

    /// As it is written: JSON, indented.
    pub fn to_json(&self) -> String {
        let text = serde_json::to_string_pretty(self);
        let text = text.expect("a capsule holds only strings, numbers and lists of them");
        text + "\n"
    }
}

#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// What the users did by themselves, one line each.
fn deeds(history: &[Event]) -> BTreeMap<u32, Vec<String>> {
    let mut deeds: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let done = history
        .iter()
        .filter_map(|event| Some((event, deed(&event.what)?)));
    for (event, deed) in done.take(DEEDS_MAX) {
        let line = format!("{}  {deed}", clock(event.at));
        deeds.entry(event.user).or_default().push(line);
    }
    deeds
}

fn deed(what: &What) -> Option<String> {
    Some(match what {
        What::Login { .. } => String::from("logs in"),
        What::Entering { name, room } => format!("asks to enter {room} as {name}"),
        What::Sending {
            message, target, ..
        } => match target {
            Target::Room => format!("sends {message} to its room"),
            Target::User(name) => format!("sends {message} to {name}"),
        },
        What::Unsent { .. } => String::from("is in no room to send to"),
        What::Leaving { .. } => String::from("leaves"),
        What::Vanished => String::from("goes silent"),
        What::Deaf => String::from("stops reading"),
        _ => return None,
    })
}

/// No more of `text` than a capsule keeps.
fn cut(text: &str) -> String {
    if text.len() <= SENTENCE_LEN_MAX {
        return text.to_owned();
    }
    format!(
        "{} ...",
        &text[..text.floor_char_boundary(SENTENCE_LEN_MAX)]
    )
}

/// This file is no capsule that can be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CapsuleError {
    /// The file system refuses.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it is of no use.
    #[error("cannot use {}", path.display())]
    Unusable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        problem: Problem,
    },
}

/// What is wrong with the text of a capsule.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// It is something else.
    #[error("it is no capsule of a run: {0}")]
    Foreign(serde_json::Error),
    /// It is of another format.
    #[error(
        "it has format {0}, and this program reads format {FORMAT}: use the version of `sim` that \
         wrote it"
    )]
    OtherFormat(u32),
    /// A field is not what it should be: where, and why.
    #[error("it is damaged at `{0}`: {1}")]
    Damaged(String, serde_json::Error),
    /// A field is what no run can have: where, and what would be right.
    #[error("no run can be made of it: `{0}`: {1}")]
    OutOfBounds(String, String),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::guarantees::Guarantee;
    use crate::run;
    use crate::scenario;

    fn failed() -> Outcome {
        let mut case = Case::draw(&scenario::built_in()[0], 7);
        case.times.ended_at = Duration::from_secs(3);
        let mut outcome = run::run(&case, false);
        outcome.violations = vec![Violation {
            guarantee: Guarantee::OneOrder,
            at: Duration::from_millis(2500),
            what: String::from("room-0: no common order"),
        }];
        outcome
    }

    fn capsule() -> Capsule {
        Capsule::of(&failed(), String::from("cargo sim run steady --seed 7")).expect("it failed")
    }

    #[test]
    fn a_capsule_is_read_as_it_was_written() -> Result<(), Problem> {
        let capsule = capsule();
        let again = Capsule::parse(&capsule.to_json())?;
        assert_eq!(format!("{again:?}"), format!("{capsule:?}"));
        Ok(())
    }

    #[test]
    fn only_what_failed_has_a_capsule() {
        let mut outcome = failed();
        outcome.violations.clear();
        assert!(Capsule::of(&outcome, String::new()).is_none());
        outcome.break_off(String::from("panic"));
        assert!(Capsule::of(&outcome, String::new()).is_some());
    }

    #[test]
    fn what_is_no_capsule_is_refused_with_the_place() {
        let good = capsule().to_json();
        let broken = |from: &str, to: &str| {
            assert!(good.contains(from), "{from}");
            let text = good.replacen(from, to, 1);
            Capsule::parse(&text).unwrap_err().to_string()
        };
        for (said, complaint) in [
            (broken("{", ""), "it is no capsule of a run: "),
            (broken("\"format\"", "\"kind\""), "missing field `format`"),
            (
                broken("\"format\": 1", "\"format\": 7"),
                "has format 7, and this program reads format 1",
            ),
            (
                broken("\"one_order\"", "\"two_orders\""),
                "damaged at `verdict.violations[0].guarantee`",
            ),
            (
                broken("\"connectors\": 3", "\"connectors\": 0"),
                "`case.topology.connectors`: there must be at least 1",
            ),
            (
                broken("\"login\"", "\"lögin\""),
                "damaged at `case.scripts[0].actions[0].what`",
            ),
        ] {
            assert!(said.contains(complaint), "{said}");
        }
        let half = &good[..good.len() / 2];
        assert!(matches!(Capsule::parse(half), Err(Problem::Foreign(_))));
    }

    #[test]
    fn a_capsule_has_a_bound() {
        let mut outcome = failed();
        let what = "ö".repeat(100_000);
        let violation = Violation {
            what,
            ..outcome.violations[0].clone()
        };
        outcome.violations = vec![violation; 1000];
        let event = outcome.record.history[0].clone();
        outcome.record.history = vec![event; 100_000];
        for event in 0..1_000_000 {
            outcome.chain.add(event);
        }
        let capsule = Capsule::of(&outcome, String::new()).expect("it failed");
        assert_eq!(capsule.verdict.violations_total, 1000);
        let len = capsule.to_json().len();
        assert!(len < 2_000_000, "{len} bytes");
    }
}
