//! The data model of `run.json`.
//!
//! # Versions
//!
//! [`SCHEMA`] is written into every file. It rises when a field changes its meaning or goes; a
//! reader refuses every version but its own. A field that is only added keeps the version: older
//! readers pass over it.
//!
//! # Units
//!
//! Times are whole microseconds and say so in their names (`latency_us_p99`, `elapsed_us`). Counts
//! are named `<noun>_<which>` (`sends_total`), the most significant word first.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{self, JsonError};
use crate::latency::Figures;

/// The version of the data model that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// How many cases are told as the evidence of one [`Verdict`]: enough to see a
/// pattern, few enough to read.
pub const CASES_MAX: usize = 10;

/// One run of one program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// The run's name, which is its folder's.
    pub name: String,
    /// What wrote it.
    pub program: Program,
    /// What kind of run.
    pub kind: Kind,
    /// What all chance of the run came from.
    pub seed: u64,
    /// The command line that repeats it.
    pub command: String,
    /// When it started: RFC 3339, UTC, in seconds.
    pub date: String,
    /// How long it took by its own clock (virtual in a simulation), in microseconds.
    pub elapsed_us: u64,
    /// It was stopped before its end: what it says holds for the part that ran.
    pub partial: bool,
    /// What was going to happen.
    pub plan: Plan,
    /// What had to hold, and whether it did; what the run could not tell is absent.
    pub verdicts: Vec<Verdict>,
    /// What makes its figures less than certain or verdicts absent, one sentence each.
    pub warnings: Vec<String>,
    /// How many of each.
    pub counts: BTreeMap<String, u64>,
    /// Latencies by name; one without a single value is absent.
    pub latencies: BTreeMap<String, Figures>,
}

/// The program that made a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Such as `loadgen`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// Whether a run was real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Virtual users over real sockets; times depend on the machine.
    Load,
    /// The whole cluster in one process on virtual time; times depend on the seed only.
    Simulation,
}

/// What a run was going to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its options by name, as plain values.
    pub options: BTreeMap<String, Value>,
    /// What was planned with times (faults), one printed line each, in order.
    pub steps: Vec<String>,
}

/// One check and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The check's name, one word or a few joined by `-`.
    pub name: String,
    /// What it demands, as a sentence.
    pub demands: String,
    /// Whether it held.
    pub holds: bool,
    /// What shows that it did not: the first cases, one line each.
    pub evidence: Vec<String>,
}

impl Run {
    /// Whether everything held.
    pub fn holds(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.holds)
    }

    /// Whether it ran to its end, checked something, and all of it held.
    pub fn passes(&self) -> bool {
        !self.partial && !self.verdicts.is_empty() && self.holds()
    }

    /// Reads the text of a `run.json`; `file` is what errors name.
    ///
    /// # Errors
    ///
    /// If it is no JSON, has another schema version, or lacks or garbles a field.
    pub fn parse(text: &str, file: &Path) -> Result<Self, JsonError> {
        json::parse(text, file, SCHEMA)
    }

    /// The text of the `run.json`, one field per line, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a run has text keys and plain values, which are always JSON");
        text.push('\n');
        text
    }
}

/// The time since 1970-01-01 00:00 UTC, for the stamp of a report. Nothing that is repeated from
/// a seed may ask for it.
#[expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a report is stamped with its date, outside of any run"
)]
pub fn date_now() -> Duration {
    let now = std::time::SystemTime::now();
    // A clock before 1970 is a clock that was never set.
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// A date as `run.json` has it, from the time since 1970-01-01 00:00 UTC.
pub fn date(since_epoch: Duration) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_version_is_refused_with_file_and_field() {
        let error = Run::parse(r#"{"schema": 2, "new": {}}"#, Path::new("a/run.json"))
            .expect_err("version 2 is unknown");
        assert_eq!(
            error.to_string(),
            "a/run.json: field `schema` is 2, but this program reads version 1 only"
        );
    }

    #[test]
    fn a_file_without_a_version_is_refused_by_naming_the_field() {
        let error = Run::parse("{}", Path::new("run.json")).expect_err("no version");
        let JsonError::Field { source, .. } = error else {
            panic!("{error}");
        };
        assert!(source.to_string().contains("`schema`"), "{source}");
    }

    #[test]
    fn a_field_of_a_wrong_type_is_named() {
        let text = r#"{"schema": 1, "name": "n", "program": {"name": "sim", "version": 2}}"#;
        let error = Run::parse(text, Path::new("run.json")).expect_err("no text");
        assert_eq!(error.to_string(), "run.json: field `program.version`");
        let error = Run::parse("[]", Path::new("run.json")).expect_err("no object");
        assert_eq!(error.to_string(), "run.json: field `.`");
    }

    #[test]
    fn a_date_is_written_in_utc() {
        assert_eq!(date(Duration::ZERO), "1970-01-01T00:00:00Z");
        assert_eq!(
            date(Duration::from_secs(1_709_210_096)),
            "2024-02-29T12:34:56Z"
        );
    }
}
