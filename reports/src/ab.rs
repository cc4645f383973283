//! Whether one build is slower than another, from pairs of load tests: the data model of `ab.json`.
//!
//! The folder of such a comparison has this file and, for each run, a folder with its `run.json`.
//! `ab.schema.json` beside this crate's sources describes the file for other programs. Times are whole
//! microseconds; what is estimated from them is a number with a fraction.

pub mod cases;
mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{self, JsonError};
use crate::run::Program;

pub use text::{sentence, write_summary};

/// The version of the data model, as [`crate::run::SCHEMA`] is of that of a run.
pub const SCHEMA: u32 = 1;

/// The file of the comparison.
pub const AB_JSON: &str = "ab.json";

/// Two builds, compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ab {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Its name, which is its folder's.
    pub name: String,
    /// What wrote it.
    pub program: Program,
    /// The command line that repeats it.
    pub command: String,
    /// When it started: RFC 3339, UTC, in seconds.
    pub date: String,
    /// How the base is started, or where it is.
    pub base: String,
    /// How the new build is started, or where it is.
    pub new: String,
    /// The options of the plan that all runs followed.
    pub plan: BTreeMap<String, Value>,
    /// The smallest difference that counts, such as `10%` or `2ms`.
    pub effect: String,
    /// How surely the intervals of all metrics together hold the true difference, in percent.
    pub confidence_percent: f64,
    /// The runs, in the order in which they were done.
    pub pairs: Vec<Pair>,
    /// Pairs that were thrown away and done again, and why: the generator or the machine was the limit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discarded: Vec<String>,
    /// What came of it, by metric; none if there were not enough pairs.
    pub metrics: Vec<Metric>,
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, one sentence each.
    pub reasons: Vec<String>,
}

/// A run of either build, one right after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pair {
    /// What the users' scripts of both runs follow from.
    pub seed: u64,
    /// Which was first.
    pub first: Build,
    /// The run of the base.
    pub base: Trial,
    /// The run of the new build.
    pub new: Trial,
}

/// Which build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Build {
    /// What it was before.
    Base,
    /// What it is now.
    New,
}

impl Build {
    /// As it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::New => "new",
        }
    }
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its folder, in that of the comparison.
    pub run: String,
    /// The checks and thresholds that did not hold, by name.
    pub broken: Vec<String>,
    /// Each metric, in microseconds.
    pub latencies_us: BTreeMap<String, u64>,
}

/// What pairs tell of one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name, such as `broadcast.last.p99`.
    pub metric: String,
    /// In what the interval is.
    pub unit: Unit,
    /// How much slower the new build is.
    pub interval: Interval,
    /// What comes of it.
    pub decision: Decision,
}

/// In what a difference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Of what base takes.
    Percent,
    /// Microseconds.
    Us,
}

/// The difference, new minus base; negative if new is quicker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The best guess.
    pub estimate: f64,
    /// At least this.
    pub low: f64,
    /// At most this.
    pub high: f64,
    /// From here on it counts.
    pub limit: f64,
}

/// What the interval of one metric decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Decision {
    /// It is not slower by as much as counts.
    Pass,
    /// It is slower by more than counts.
    Fail,
    /// The pairs do not tell.
    Inconclusive {
        /// So many in all would, if their noise stays as it is; `None`: more than 1000.
        pairs_needed: Option<u32>,
    },
}

/// What a comparison comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The generator or the machine was the limit, or base itself did not hold: nothing is said of the
    /// new build.
    Invalid,
    /// The new build is slower by more than counts, or what held of base does not hold of it.
    Fail,
    /// The pairs do not tell.
    Inconclusive,
    /// The new build is not slower by as much as counts.
    Pass,
}

impl Pair {
    /// The run of `build`.
    pub fn trial(&self, build: Build) -> &Trial {
        match build {
            Build::Base => &self.base,
            Build::New => &self.new,
        }
    }

    /// What `metric` was of `build`, in microseconds, if it was measured.
    pub fn latency_us(&self, build: Build, metric: &str) -> Option<u64> {
        self.trial(build).latencies_us.get(metric).copied()
    }
}

impl Unit {
    /// By how much `new_us` is more than `base_us`, in this.
    pub fn between(self, base_us: u64, new_us: u64) -> f64 {
        match self {
            Self::Percent => new_us as f64 / base_us.max(1) as f64 * 100.0 - 100.0,
            Self::Us => new_us as f64 - base_us as f64,
        }
    }
}

impl Decision {
    /// In capitals, as it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::Inconclusive { .. } => "INCONCLUSIVE",
        }
    }
}

impl Verdict {
    /// In capitals, as it is told.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Fail => "FAIL",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Pass => "PASS",
        }
    }

    /// The exit status of a program that comes to it.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Fail => 1,
            Self::Invalid | Self::Inconclusive => 3,
        }
    }
}

impl Ab {
    /// Reads the text of an `ab.json`; `file` is what errors name.
    ///
    /// # Errors
    ///
    /// If it is no JSON, has another schema version, or lacks or garbles a field.
    pub fn parse(text: &str, file: &Path) -> Result<Self, JsonError> {
        json::parse(text, file, SCHEMA)
    }

    /// The text of the `ab.json`, one field per line, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a comparison has text keys and finite numbers, which are always JSON");
        text.push('\n');
        text
    }
}
