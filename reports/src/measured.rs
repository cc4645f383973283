//! What one process measured, and how what several measured becomes one.
//!
//! All of it can be merged: [`Measured::merge`] adds count by count and bucket by bucket, so that the
//! measurement of a run is the same however its users were spread over processes, and in whatever
//! order these are merged. Times are since the start of the run, which all processes share.
//!
//! In reading order: [`broadcasts`] (classes, the slowest), [`fit`] (what one more recipient costs),
//! [`faults`], and `log`, which takes the histograms apart from the rest for `latencies.hdr`.

pub mod broadcasts;
pub mod faults;
pub mod fit;
mod log;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::buckets::Buckets;
use crate::hdr_log::{Interval, LogError};
use crate::json::{self, JsonError};
use crate::latency::Latencies;
use broadcasts::{Broadcast, Class, Worst};
use faults::Faults;
use fit::Fit;

/// The version of `measured.json` that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// How long the time of one row is: whole milliseconds.
    #[serde(rename = "interval_us", with = "micros")]
    interval: Duration,
    /// How many of each over the whole run, by the names that `run.json` has.
    pub counts: BTreeMap<String, u64>,
    /// By the number of the interval since the start of the run. A row without events may be absent.
    pub rows: BTreeMap<u32, Row>,
    /// Broadcasts by how many members their rooms had: see [`broadcasts::class_of`].
    pub classes: BTreeMap<u32, Class>,
    /// The delay of the last recipient against the number of recipients, over all broadcasts.
    pub fit: Fit,
    /// The slowest broadcasts.
    pub worst: Worst,
    /// What was not as promised, by the names that thresholds have: `lost`, `doubled` ...
    pub faults: BTreeMap<String, Faults>,
    /// The steps of a user's way: `query_entry`, `connect`, `enter`, `send`, `leave`.
    pub funnel: BTreeMap<String, Step>,
    /// By the connector that users came through.
    pub connectors: BTreeMap<String, Share>,
}

/// One interval of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// How many of each in this interval, or at its end if it is about users: `sends_planned`,
    /// `sends_total`, `sends_accepted`, `sends_open_us` (the sum of how long each send that had no answer yet
    /// was open in it), `deliveries_total`, `logins_total`, `errors`,
    /// `users_connected`, `users_entered`. Those of several processes are added, states of users too.
    pub counts: BTreeMap<String, u64>,
    /// By the name of the metric, which has no comma, blank and line end and none of the prefixes
    /// `class.` and `funnel.`: `broadcast.last`, `request` ... In `latencies.hdr`, not in JSON.
    #[serde(skip)]
    pub latencies: BTreeMap<String, Buckets>,
}

/// One step of a user's way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// How often it was begun.
    pub tried: u64,
    /// How often it was done.
    pub succeeded: u64,
    /// How often it failed, by why; the reasons are few, not one for each case.
    pub failed: BTreeMap<String, u64>,
    /// How long it took when it was done. In `latencies.hdr`, not in JSON.
    #[serde(skip)]
    pub latencies: Buckets,
}

/// What one connector had of the load.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// Users that came in through it.
    pub users: u64,
    /// Messages that they heard.
    pub deliveries: u64,
}

/// Why two measurements can't become one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// Their rows are of different lengths.
    #[error("one has a row each {ours:?}, the other each {theirs:?}")]
    Interval {
        /// The length of a row here.
        ours: Duration,
        /// The length of a row there.
        theirs: Duration,
    },
}

impl Measured {
    /// Starts without anything; each row is to be of `interval`.
    ///
    /// # Panics
    ///
    /// If `interval` is not some whole milliseconds: the log of latencies knows no finer time.
    pub fn new(interval: Duration) -> Self {
        assert!(is_usable(interval), "rows of {interval:?}");
        Self {
            interval,
            counts: BTreeMap::new(),
            rows: BTreeMap::new(),
            classes: BTreeMap::new(),
            fit: Fit::default(),
            worst: Worst::default(),
            faults: BTreeMap::new(),
            funnel: BTreeMap::new(),
            connectors: BTreeMap::new(),
        }
    }

    /// How long the time of one row is.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The row of what happened `at` after the start of the run.
    pub fn row_at(&mut self, at: Duration) -> &mut Row {
        let number = at.as_millis() / self.interval.as_millis();
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        self.rows.entry(number).or_default()
    }

    /// Notes a broadcast that is over: it counts for its class, for the fit if it was complete, and may
    /// be one of the slowest. One that nobody heard has no latency, and counts for its class only.
    pub fn note_broadcast(&mut self, broadcast: &Broadcast) {
        let class = broadcasts::class_of(broadcast.members);
        self.classes.entry(class).or_default().note(broadcast);
        if let Some(delays) = &broadcast.delays {
            // A last recipient that is not the last would make the cost of one look smaller.
            if broadcast.is_complete() {
                self.fit.note(broadcast.got, delays.last_us);
            }
            self.worst.note(broadcast);
        }
    }

    /// The metrics of which there are latencies in the rows.
    pub fn metrics(&self) -> BTreeSet<&str> {
        let rows = self.rows.values();
        rows.flat_map(|row| row.latencies.keys().map(String::as_str))
            .collect()
    }

    /// All latencies of a metric: those of the rows in one.
    pub fn latencies(&self, metric: &str) -> Buckets {
        // Of many rows: buckets in order would be copied for each.
        let mut all = Latencies::new();
        for row in self.rows.values() {
            if let Some(latencies) = row.latencies.get(metric) {
                all.add(latencies);
            }
        }
        Buckets::from(&all)
    }

    /// Adds what `other` measured of the same run.
    ///
    /// # Errors
    ///
    /// If its rows are of another length; then nothing is added.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.interval != other.interval {
            return Err(MergeError::Interval {
                ours: self.interval,
                theirs: other.interval,
            });
        }
        add_counts(&mut self.counts, &other.counts);
        merge_each(&mut self.rows, &other.rows, Row::merge);
        merge_each(&mut self.classes, &other.classes, Class::merge);
        self.fit.merge(&other.fit);
        self.worst.merge(&other.worst);
        merge_each(&mut self.faults, &other.faults, Faults::merge);
        merge_each(&mut self.funnel, &other.funnel, Step::merge);
        merge_each(&mut self.connectors, &other.connectors, Share::merge);
        Ok(())
    }

    /// The text of a `measured.json`: all but the histograms, which are [`Measured::intervals`].
    pub fn to_json(&self) -> String {
        let file = File {
            schema: SCHEMA,
            measured: self,
        };
        let mut text = serde_json::to_string(&file)
            .expect("text and numbers are keys, and plain values are always JSON");
        text.push('\n');
        text
    }

    /// Reads the text of a `measured.json`; `file` is what errors name. The histograms are missing:
    /// [`Measured::place`] puts them back.
    ///
    /// # Errors
    ///
    /// If it is no JSON, has another schema version, or lacks or garbles a field.
    pub fn parse(text: &str, file: &Path) -> Result<Self, JsonError> {
        let File { measured, .. } = json::parse(text, file, SCHEMA)?;
        Ok(measured)
    }

    /// The histograms, in the order in which a log has them.
    pub fn intervals(&self) -> impl Iterator<Item = Interval<'_>> {
        log::intervals(self)
    }

    /// Puts a histogram back where [`Measured::intervals`] took it from.
    ///
    /// # Errors
    ///
    /// If there is no such place.
    pub fn place(&mut self, interval: Interval) -> Result<(), LogError> {
        log::place(self, interval)
    }
}

impl Row {
    /// Adds one to a count.
    pub fn count(&mut self, name: &str) {
        add(&mut self.counts, name, 1);
    }

    /// Counts one latency of a metric.
    pub fn record(&mut self, metric: &str, latency: Duration) {
        match self.latencies.get_mut(metric) {
            Some(latencies) => latencies.record(latency),
            None => {
                let latencies = self.latencies.entry(metric.to_owned()).or_default();
                latencies.record(latency);
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        add_counts(&mut self.counts, &other.counts);
        merge_each(&mut self.latencies, &other.latencies, Buckets::merge);
    }
}

impl Step {
    fn merge(&mut self, other: &Self) {
        self.tried += other.tried;
        self.succeeded += other.succeeded;
        add_counts(&mut self.failed, &other.failed);
        self.latencies.merge(&other.latencies);
    }
}

impl Share {
    fn merge(&mut self, other: &Self) {
        self.users += other.users;
        self.deliveries += other.deliveries;
    }
}

/// A `measured.json`.
#[derive(Serialize, Deserialize)]
struct File<M> {
    schema: u32,
    measured: M,
}

fn is_usable(interval: Duration) -> bool {
    !interval.is_zero() && interval == Duration::from_millis(interval.as_millis() as u64)
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str, count: u64) {
    match counts.get_mut(name) {
        Some(sum) => *sum += count,
        None => {
            counts.insert(name.to_owned(), count);
        }
    }
}

fn add_counts(counts: &mut BTreeMap<String, u64>, others: &BTreeMap<String, u64>) {
    for (name, count) in others {
        add(counts, name, *count);
    }
}

fn merge_each<K: Ord + Clone, V: Clone>(
    ours: &mut BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
    merge: fn(&mut V, &V),
) {
    for (key, other) in theirs {
        match ours.get_mut(key) {
            Some(value) => merge(value, other),
            None => {
                ours.insert(key.clone(), other.clone());
            }
        }
    }
}

/// The length of a row in JSON.
mod micros {
    use std::time::Duration;

    use serde::de::{Deserialize, Deserializer, Error};
    use serde::ser::Serializer;

    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.as_micros() as u64)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let time = Duration::from_micros(u64::deserialize(deserializer)?);
        if !super::is_usable(time) {
            return Err(Error::custom("a row is of some whole milliseconds"));
        }
        Ok(time)
    }
}
