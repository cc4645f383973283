//! The data model of `capacity.json`: the highest rate of sends that a cluster carries, how it was
//! found, and how sure that is.
//!
//! [`SCHEMA`], times and counts follow the rules of `run.json` (see [`crate::run`]); rates are per second,
//! of all users together. `capacity.schema.json` beside this crate's sources describes the file for other
//! programs. In reading order: this, [`curve`] (the Universal Scalability Law), [`text`] (what is printed) and
//! [`cases`] (what CI servers are told).

pub mod cases;
pub mod curve;
pub mod text;

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::json::{self, JsonError};
use crate::latency::Figures;
use crate::measured::fit::Line;
use crate::run::Program;
use crate::run::threshold::Threshold;
use curve::Curve;

/// The version of the data model that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// The search for a capacity, and what it found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Capacity {
    /// Always [`SCHEMA`].
    pub schema: u32,
    /// Its name, which is its folder's.
    pub name: String,
    /// What wrote it.
    pub program: Program,
    /// What all chance came from; each trial has a seed of its own that follows from it.
    pub seed: u64,
    /// The command line that repeats it.
    pub command: String,
    /// When it started: RFC 3339, UTC, in seconds.
    pub date: String,
    /// How long it took, in microseconds.
    pub elapsed_us: u64,
    /// It was stopped before its end: what it says is what was known by then.
    pub partial: bool,
    /// Its options by name, as plain values.
    pub options: BTreeMap<String, Value>,
    /// What it found.
    pub answer: Answer,
    /// Each trial, in order.
    pub trials: Vec<Trial>,
    /// How throughput follows from what is under way at once, over all trials that could tell.
    pub curve: Curve,
    /// What one more recipient costs at the highest rate that held; absent if all rooms were of one
    /// size.
    pub cost: Option<Line>,
    /// What makes its figures less than certain, one sentence each.
    pub warnings: Vec<String>,
    /// Where it ran: processor, memory, system ... in words.
    pub environment: BTreeMap<String, String>,
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// How it ended.
    pub outcome: Outcome,
    /// The highest rate that held; absent if none did.
    pub held: Option<End>,
    /// The lowest rate that broke, above it; absent if none did.
    pub broke: Option<End>,
    /// What broke first: a metric such as `broadcast.last.p99`, a check such as `kept`, or `generator`.
    /// Absent if nothing did.
    pub broke_first: Option<String>,
    /// The same in a sentence.
    pub because: Option<String>,
    /// What was measured at the highest rate that held, as a mean over its trials that held.
    pub at_held: Option<AtHeld>,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Both ends of the interval are confirmed, and as close as was asked for.
    Found,
    /// The highest rate that may be tried held.
    AtLeast,
    /// The lowest rate that may be tried broke.
    Below,
    /// Above the highest rate that held, the generator was the limit.
    Generator,
    /// It ended before it was sure.
    Undecided,
}

/// One end of the interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// Sends per second.
    pub rate_per_s: f64,
    /// Trials that held.
    pub held: u32,
    /// Trials that broke.
    pub broke: u32,
    /// How sure it is that a trial at this rate is more likely to end so than not, in percent: after
    /// these trials, if all chances were equally likely before.
    pub sure_percent: u32,
    /// Whether that was enough.
    pub confirmed: bool,
}

/// What the highest rate that held is worth.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AtHeld {
    /// Messages heard per second, by all members together.
    pub deliveries_per_s: f64,
    /// What it cost in processor time; absent where it can't be told.
    pub cpu: Option<Cpu>,
}

/// Processor time, in seconds per million deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cpu {
    /// Of the servers; absent if their processes are not known.
    pub servers_s_per_million: Option<f64>,
    /// Of the generator.
    pub generator_s_per_million: f64,
}

/// One trial: a whole load test at one rate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// What it was tried for.
    pub phase: Phase,
    /// Sends per second that were planned.
    pub rate_per_s: f64,
    /// What its chance came from.
    pub seed: u64,
    /// What it came to.
    pub verdict: Verdict,
    /// What broke, or why it can't be told; none if it held.
    pub reasons: Vec<Reason>,
    /// What was measured when the warm-up was over.
    pub figures: TrialFigures,
}

/// What a trial is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Up or down in large steps until there is a rate that holds and one that breaks.
    Climb,
    /// Between the highest that held and the lowest that broke.
    Bisect,
    /// Once more at one of them, since one trial may have been lucky or unlucky.
    Confirm,
}

/// What a trial came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All that must hold did.
    Held,
    /// Something did not.
    Broke,
    /// It can't be told: the generator or the machine may have been the limit.
    Unknown,
}

/// Why a trial did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A metric, a check of the audit, or `generator`.
    pub what: String,
    /// In a sentence.
    pub text: String,
}

/// What was measured in a trial, without its warm-up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TrialFigures {
    /// For how long, in microseconds.
    pub window_us: u64,
    /// Sends per second.
    pub sends_per_s: f64,
    /// Sends per second that were accepted.
    pub accepted_per_s: f64,
    /// Messages heard per second, by all members together.
    pub deliveries_per_s: f64,
    /// What the figures had to be, and what they were.
    pub thresholds: Vec<Threshold>,
    /// Latencies by name; one without a single value is absent.
    pub latencies: BTreeMap<String, Figures>,
    /// Little's law; absent if nothing was sent.
    pub little: Option<Little>,
    /// What it cost in processor time; absent where it can't be told.
    pub cpu: Option<Cpu>,
}

/// Little's law, L = λ · W, of requests from when they are sent until they are answered: its sides are
/// measured apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Little {
    /// L: how many requests were under way, weighted by time.
    pub in_flight: f64,
    /// λ: answers per second.
    pub per_s: f64,
    /// W: the mean time of a request, in microseconds.
    pub mean_us: f64,
    /// How far λ · W is from L, in percent of the larger.
    pub off_percent: f64,
    /// Whether that is within what chance can do.
    pub holds: bool,
}

impl Little {
    /// λ · W.
    pub fn product(&self) -> f64 {
        self.per_s * self.mean_us / 1e6
    }
}

impl Trial {
    /// The latency that the first demand on a latency speaks of, in microseconds.
    pub fn judged_us(&self) -> Option<u64> {
        let thresholds = self.figures.thresholds.iter();
        let mut latencies = thresholds.filter(|it| it.unit == crate::run::threshold::Unit::Us);
        latencies.next()?.measured
    }
}

impl Capacity {
    /// Whether it ran to its end and knows a capacity.
    pub fn is_found(&self) -> bool {
        let is_found = matches!(self.answer.outcome, Outcome::Found | Outcome::AtLeast);
        is_found && !self.partial
    }

    /// Reads the text of a `capacity.json`; `file` is what errors name.
    ///
    /// # Errors
    ///
    /// If it is no JSON, has another schema version, or lacks or garbles a field.
    pub fn parse(text: &str, file: &Path) -> Result<Self, JsonError> {
        json::parse(text, file, SCHEMA)
    }

    /// The text of the `capacity.json`, one field per line, with a line end.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self)
            .expect("a search has text keys and plain values, which are always JSON");
        text.push('\n');
        text
    }
}
