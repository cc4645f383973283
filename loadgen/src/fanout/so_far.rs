//! The latencies of a run up to now, for those who watch it.
//!
//! The rows of time have them all, but to add a thousand rows takes as long as it sounds. So each
//! interval is added once, when it ends; the few values that belong to an interval that has ended
//! (a broadcast is judged when it was answered, which may be later than its last recipient heard it)
//! are added one by one.

use std::collections::BTreeMap;
use std::time::Duration;

use reports::buckets::Buckets;
use reports::measured::{Measured, Row};

use crate::plan::threshold::LATENCIES;
use crate::status::{RECENT, Recent, add_latencies};

/// By metric, of those that a plan can demand: all values of the intervals that have ended.
#[derive(Debug, Default)]
pub struct SoFar(BTreeMap<String, Buckets>);

impl SoFar {
    /// Adds an interval that has ended.
    pub fn add(&mut self, row: &Row) {
        for metric in LATENCIES {
            if let Some(latencies) = row.latencies.get(metric) {
                let all = self.0.entry(metric.to_owned());
                all.or_default().merge(latencies);
            }
        }
    }

    /// Adds one value of an interval that was added.
    pub fn record(&mut self, metric: &str, latency: Duration) {
        if LATENCIES.contains(&metric) {
            let all = self.0.entry(metric.to_owned());
            all.or_default().record(latency);
        }
    }

    /// All of it, with the interval that has not ended: `current` is its row, `deliveries` are those
    /// that are not in the row yet.
    pub fn with(
        &self,
        current: Option<&Row>,
        deliveries: Option<Buckets>,
    ) -> BTreeMap<String, Buckets> {
        let mut all = Self(self.0.clone());
        if let Some(row) = current {
            all.add(row);
        }
        if let Some(deliveries) = deliveries {
            all.0
                .entry("broadcast".to_owned())
                .or_default()
                .merge(&deliveries);
        }
        all.0
    }
}

/// The last intervals before the one with the number `current`.
pub fn recent(measured: &Measured, current: u32) -> Recent {
    let interval = measured.interval();
    let wanted = RECENT.as_micros().div_ceil(interval.as_micros()) as u32;
    let first = current.saturating_sub(wanted);
    let span = interval * (current - first);
    let mut recent = Recent {
        span_us: span.as_micros() as u64,
        ..Recent::default()
    };
    for (_, row) in measured.rows.range(first..current) {
        for (name, count) in &row.counts {
            // How many users there are says the status itself.
            if !name.starts_with("users_") {
                *recent.counts.entry(name.clone()).or_default() += count;
            }
        }
        add_latencies(&mut recent.latencies, &row.latencies);
    }
    recent
}
