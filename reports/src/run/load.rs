//! What is shown of a measurement: all of it follows from [`Measured`], and so the report of merged
//! measurements is that of one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::buckets::Buckets;
use crate::latency::Figures;
use crate::measured::broadcasts::Broadcast;
use crate::measured::faults::Faults;
use crate::measured::{Measured, Row, Share, Step};
use crate::run::fan_out::FanOut;

/// As many rows a timeline has at most: more could not be told apart on a page, and the file would
/// grow with the run.
pub const ROWS_MAX: u32 = 1000;

/// The metrics whose percentiles are told over time; `latencies.hdr` has all.
pub const METRICS_OVER_TIME: [&str; 4] = ["broadcast.last", "login", "request", "send_lateness"];

/// The steps of a user's way, in its order.
const WAY: [&str; 5] = ["query_entry", "connect", "enter", "send", "leave"];

/// What users did and saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Over time.
    pub timeline: Timeline,
    /// How broadcasts reached their recipients.
    pub fan_out: FanOut,
    /// The slowest broadcasts, the slowest first.
    pub worst: Vec<Broadcast>,
    /// The steps of a user's way, in its order.
    pub funnel: Vec<FunnelStep>,
    /// What was not as promised, by name; what was looked for and never found is there with 0.
    pub audit: BTreeMap<String, Faults>,
    /// By the connector that users came through.
    pub connectors: BTreeMap<String, Share>,
}

/// Equal times, one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// How long each is, in microseconds.
    pub interval_us: u64,
    /// From the start of the run on, without a gap; at most [`ROWS_MAX`].
    pub rows: Vec<TimelineRow>,
}

/// One interval of a timeline.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRow {
    /// When it starts, since the start of the run.
    pub at_us: u64,
    /// How many of each in it; of `users_...` how many there were at its end.
    pub counts: BTreeMap<String, u64>,
    /// By metric, of [`METRICS_OVER_TIME`]; one without a single value is absent.
    pub latencies: BTreeMap<String, Band>,
}

/// What is said of the latencies of a short time, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// How many values.
    pub count: u64,
    /// The median.
    pub latency_us_p50: u64,
    /// Nine of ten values are at most this.
    pub latency_us_p90: u64,
    /// 99 of 100.
    pub latency_us_p99: u64,
    /// The largest value.
    pub latency_us_max: u64,
}

/// One step of a user's way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelStep {
    /// What it is called.
    pub name: String,
    /// How often it was begun.
    pub tried: u64,
    /// How often it was done.
    pub succeeded: u64,
    /// How often it failed, by why.
    pub failed: BTreeMap<String, u64>,
    /// How long it took when it was done; absent without a value.
    pub latency: Option<Figures>,
}

impl Load {
    /// What is shown of `measured`.
    pub fn of(measured: &Measured) -> Self {
        Self {
            timeline: Timeline::of(measured),
            fan_out: FanOut::of(measured),
            worst: measured.worst.broadcasts().to_vec(),
            funnel: funnel(measured),
            audit: measured.faults.clone(),
            connectors: measured.connectors.clone(),
        }
    }
}

impl Timeline {
    fn of(measured: &Measured) -> Self {
        let interval_us = measured.interval().as_micros() as u64;
        let Some((last, _)) = measured.rows.last_key_value() else {
            return Self::default();
        };
        let together = last / ROWS_MAX + 1;
        let interval_us = interval_us * u64::from(together);
        let rows = (0..=last / together).map(|number| {
            let first = number * together;
            let end = first.saturating_add(together - 1);
            let rows = measured.rows.range(first..=end).map(|(_, row)| row);
            row(u64::from(number) * interval_us, rows)
        });
        Self {
            interval_us,
            rows: rows.collect(),
        }
    }
}

/// What `rows`, which follow one another, come to.
fn row<'a>(at_us: u64, rows: impl Iterator<Item = &'a Row>) -> TimelineRow {
    let mut counts = BTreeMap::<_, u64>::new();
    let mut latencies = BTreeMap::<_, Buckets>::new();
    for row in rows {
        for (name, count) in &row.counts {
            let sum = counts.entry(name.clone()).or_default();
            // States are those at the end; events are added.
            *sum = if name.starts_with("users_") {
                *count
            } else {
                *sum + count
            };
        }
        for metric in METRICS_OVER_TIME {
            if let Some(values) = row.latencies.get(metric) {
                latencies.entry(metric).or_default().merge(values);
            }
        }
    }
    let bands = latencies.into_iter();
    TimelineRow {
        at_us,
        counts,
        latencies: bands
            .filter(|(_, values)| !values.is_empty())
            .map(|(metric, values)| (metric.to_owned(), Band::of(&values)))
            .collect(),
    }
}

impl Band {
    fn of(values: &Buckets) -> Self {
        Self {
            count: values.count(),
            latency_us_p50: values.quantile_us(0.5),
            latency_us_p90: values.quantile_us(0.9),
            latency_us_p99: values.quantile_us(0.99),
            latency_us_max: values.quantile_us(1.0),
        }
    }
}

fn funnel(measured: &Measured) -> Vec<FunnelStep> {
    let place = |name: &str| WAY.iter().position(|step| *step == name);
    let mut steps: Vec<_> = measured.funnel.iter().collect();
    // What is not on the list comes last, by name.
    steps.sort_by_key(|(name, _)| place(name).unwrap_or(WAY.len()));
    let told = |(name, step): (&String, &Step)| FunnelStep {
        name: name.clone(),
        tried: step.tried,
        succeeded: step.succeeded,
        failed: step.failed.clone(),
        latency: step.latencies.figures(),
    };
    steps.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_long_run_has_fewer_rows_that_say_the_same() {
        let mut measured = Measured::new(Duration::from_secs(1));
        for second in 0..2500 {
            let row = measured.row_at(Duration::from_secs(second));
            row.counts.insert("sends_total".to_owned(), 2);
            row.counts.insert("users_entered".to_owned(), second);
            row.record("request", Duration::from_micros(second));
            row.record("request.raw", Duration::from_micros(second));
        }
        let timeline = Timeline::of(&measured);
        assert_eq!(timeline.interval_us, 3_000_000);
        assert_eq!(timeline.rows.len(), 834);
        let row = &timeline.rows[1];
        assert_eq!(row.at_us, 3_000_000);
        assert_eq!(row.counts["sends_total"], 6);
        assert_eq!(row.counts["users_entered"], 5);
        let band = row.latencies["request"];
        assert_eq!(row.latencies.len(), 1);
        assert_eq!(
            (band.count, band.latency_us_p50, band.latency_us_max),
            (3, 4, 5)
        );
        assert_eq!(timeline.rows[833].counts["sends_total"], 2);
    }

    #[test]
    fn a_time_without_events_has_its_row() {
        let mut measured = Measured::new(Duration::from_secs(1));
        measured.row_at(Duration::from_secs(2)).count("errors");
        let rows = Timeline::of(&measured).rows;
        let errors: Vec<_> = rows.iter().map(|row| row.counts.get("errors")).collect();
        assert_eq!(errors, [None, None, Some(&1)]);
        assert_eq!(
            Timeline::of(&Measured::new(Duration::from_secs(1))).rows,
            []
        );
    }

    #[test]
    fn the_steps_are_in_the_order_of_the_way() {
        let mut measured = Measured::new(Duration::from_secs(1));
        for name in ["another", "connect", "enter", "query_entry"] {
            measured.funnel.insert(name.to_owned(), Step::default());
        }
        let names: Vec<_> = funnel(&measured)
            .into_iter()
            .map(|step| step.name)
            .collect();
        assert_eq!(names, ["query_entry", "connect", "enter", "another"]);
    }
}
