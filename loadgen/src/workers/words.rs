//! What a worker and who started it say to each other, a line of JSON each.
//!
//! ```text
//! who started it          worker
//! Live { plan, .. }  -->
//!                    <--  Ready                     nothing is missing
//! Start { at }       -->                            the same instant for all
//!                    <--  Status                    again and again
//! Stop               -->                            if it is to end early
//!                    <--  Over, and what it measured
//! (end of input)     -->                            now the worker ends too
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use reports::buckets::Buckets;
use reports::hdr_log::Interval;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::health::vitals::Vitals;
use crate::plan::LoadPlan;
use crate::status::Status;

/// What a worker is told.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// To prepare.
    Live(Box<Task>),
    /// To begin when the clock that all processes share says so.
    Start {
        /// What it says then.
        at: Duration,
    },
    /// To end, and to hand over what there is.
    Stop,
}

/// A part of a load test.
#[derive(Debug, Serialize, Deserialize)]
pub struct Task {
    /// The whole plan.
    pub plan: LoadPlan,
    /// Whom to ask for a connector.
    pub gate: Address,
    /// Which worker this is, from 0.
    pub worker: u32,
    /// How many there are.
    pub workers: u32,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
pub enum Word {
    /// It can begin.
    Ready,
    /// How far it is.
    Status(Box<Status>),
    /// All is over. Lines with what it measured follow: [`Measured`](reports::measured::Measured), and
    /// each [`Histogram`] of it.
    Over(Over),
}

/// The end of a worker's part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Over {
    /// When it was, since the start of the run.
    pub elapsed: Duration,
    /// Users that had to be stopped when it was time.
    pub stuck: usize,
    /// How the worker was, under its name.
    pub processes: BTreeMap<String, Vitals>,
    /// How many histograms it is going to hand over.
    pub histograms: usize,
}

/// A histogram and its place in what was measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Histogram {
    start: Duration,
    length: Duration,
    tag: String,
    buckets: Buckets,
}

impl From<Interval<'_>> for Histogram {
    fn from(interval: Interval<'_>) -> Self {
        Self {
            start: interval.start,
            length: interval.length,
            tag: interval.tag.into_owned(),
            buckets: interval.latencies.into_owned(),
        }
    }
}

impl From<Histogram> for Interval<'_> {
    fn from(histogram: Histogram) -> Self {
        Self {
            start: histogram.start,
            length: histogram.length,
            tag: histogram.tag.into(),
            latencies: Cow::Owned(histogram.buckets),
        }
    }
}
