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
//!
//! In reading order: this, [`threshold`], [`load`] (what is shown of a load test's measurement),
//! [`fan_out`] and [`cases`] (what CI servers are told of it). `run.schema.json` beside this crate's sources describes the file for other programs.

pub mod cases;
pub mod fan_out;
pub mod load;
pub mod threshold;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{self, JsonError};
use crate::latency::Figures;
use crate::measured::Measured;
use load::Load;
use threshold::Threshold;

/// The version of the data model that this crate writes and reads.
pub const SCHEMA: u32 = 2;

/// How many cases are told as the evidence of one [`Verdict`]: enough to see a
/// pattern, few enough to read.
pub const CASES_MAX: usize = 10;

/// One run of one program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What figures had to be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<Threshold>,
    /// Why its figures say nothing of the cluster, one sentence each: the generator or the machine
    /// was the limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invalid: Vec<String>,
    /// What makes its figures less than certain or verdicts absent, one sentence each.
    pub warnings: Vec<String>,
    /// How many of each.
    pub counts: BTreeMap<String, u64>,
    /// Latencies by name; one without a single value is absent.
    pub latencies: BTreeMap<String, Figures>,
    /// What users did and saw; only of load tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Load>,
    /// How the processes that made the load, or carried it, were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub health: Vec<Health>,
    /// Where it ran: processor, memory, system, limits ... in words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
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
    /// Its parts, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<Span>,
    /// When something was done to the cluster on purpose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<Span>,
}

/// A time with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// What it is called.
    pub name: String,
    /// When it starts, since the start of the run.
    pub starts_us: u64,
    /// When it ends, since the start of the run.
    pub ends_us: u64,
}

/// How one process was during a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Which process: `loadgen`, `worker 3`, `connector-server-1` ...
    pub process: String,
    /// What was watched.
    pub measures: Vec<Measure>,
}

/// One thing that was watched of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    /// What it is; a unit is the end of its name: `cpu_busy_permille`, `stall_us_max`,
    /// `resident_bytes_max`, `files_open_max`.
    pub name: String,
    /// What it was.
    pub value: u64,
    /// What it must not exceed for the figures to be of the cluster.
    pub limit: Option<u64>,
}

/// What a run comes to, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judgement {
    /// The generator or the machine was the limit: nothing is said of the cluster.
    Invalid,
    /// A check or a threshold did not hold.
    Fail,
    /// It was stopped before its end; until then all held.
    Partial,
    /// Nothing was checked.
    Unchecked,
    /// It ran to its end, and all held.
    Pass,
}

impl Judgement {
    /// In capitals, as it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Fail => "FAIL",
            Self::Partial => "PARTIAL",
            Self::Unchecked => "UNCHECKED",
            Self::Pass => "PASS",
        }
    }
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
        let checks = self.verdicts.iter().map(|verdict| verdict.holds);
        let mut all = checks.chain(self.thresholds.iter().map(|threshold| threshold.holds));
        all.all(|holds| holds)
    }

    /// What it comes to.
    pub fn judgement(&self) -> Judgement {
        if !self.invalid.is_empty() {
            Judgement::Invalid
        } else if !self.holds() {
            Judgement::Fail
        } else if self.partial {
            Judgement::Partial
        } else if self.verdicts.is_empty() && self.thresholds.is_empty() {
            Judgement::Unchecked
        } else {
            Judgement::Pass
        }
    }

    /// Whether it ran to its end, could tell, checked something, and all of it held.
    pub fn passes(&self) -> bool {
        self.judgement() == Judgement::Pass
    }

    /// Takes over what is shown of `measured`: counts, latencies, load, and what the thresholds' figures
    /// were.
    pub fn show(&mut self, measured: &Measured) {
        self.counts.clone_from(&measured.counts);
        self.latencies = measured
            .metrics()
            .into_iter()
            .filter_map(|metric| Some((metric.to_owned(), measured.latencies(metric).figures()?)))
            .collect();
        self.load = Some(Load::of(measured));
        for threshold in &mut self.thresholds {
            *threshold = threshold.judged_again(measured);
        }
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
        let error = Run::parse(r#"{"schema": 3, "new": {}}"#, Path::new("a/run.json"))
            .expect_err("version 3 is unknown");
        assert_eq!(
            error.to_string(),
            "a/run.json: a newer program wrote it (field `schema` is 3, and this one reads 2 only)"
        );
    }

    #[test]
    fn a_run_of_an_older_program_is_refused_as_such() {
        let error = Run::parse(r#"{"schema": 1}"#, Path::new("run.json")).expect_err("old");
        assert_eq!(
            error.to_string(),
            "run.json: an older program wrote it (field `schema` is 1, and this one reads 2 only)"
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
        let text = r#"{"schema": 2, "name": "n", "program": {"name": "sim", "version": 2}}"#;
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
