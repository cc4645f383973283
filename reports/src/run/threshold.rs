//! What figures have to be, and how far they are from what they may be.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::measured::Measured;

/// What a figure has to be, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// The name of the figure: a count (`lost`), or latencies and what is said of them
    /// (`broadcast.last.p99`).
    pub metric: String,
    /// In what the numbers are.
    pub unit: Unit,
    /// How the figure has to stand to the bound.
    pub comparison: Comparison,
    /// The bound.
    pub bound: u64,
    /// The figure; absent if there was not one latency.
    pub measured: Option<u64>,
    /// How far the figure is on the good side of the bound; negative on the bad side. At `==` any
    /// distance is bad.
    pub margin: Option<i64>,
    /// Whether the figure is as it has to be; not if there is none.
    pub holds: bool,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Microseconds.
    Us,
    /// How many.
    Count,
}

/// How a figure has to stand to its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    /// Less than it.
    #[serde(rename = "<")]
    Less,
    /// It, or less.
    #[serde(rename = "<=")]
    AtMost,
    /// More than it.
    #[serde(rename = ">")]
    More,
    /// It, or more.
    #[serde(rename = ">=")]
    AtLeast,
    /// It.
    #[serde(rename = "==")]
    Equal,
}

impl Threshold {
    /// Compares what was `measured` with what it has to be.
    pub fn judged(
        metric: &str,
        unit: Unit,
        comparison: Comparison,
        bound: u64,
        measured: &Measured,
    ) -> Self {
        let measured = match unit {
            // What was never counted did not happen.
            Unit::Count => Some(count(measured, metric)),
            Unit::Us => latency_us(measured, metric),
        };
        let judged = measured.map(|measured| comparison.judge(measured, bound));
        Self {
            metric: metric.to_owned(),
            unit,
            comparison,
            bound,
            measured,
            margin: judged.map(|(_, margin)| margin),
            holds: judged.is_some_and(|(holds, _)| holds),
        }
    }

    /// The same, of another measurement.
    pub(super) fn judged_again(&self, measured: &Measured) -> Self {
        let Self {
            metric,
            unit,
            comparison,
            bound,
            ..
        } = self;
        Self::judged(metric, *unit, *comparison, *bound, measured)
    }
}

impl Comparison {
    /// Whether `value` stands so to `bound`, and how far it is on the good side of it.
    pub fn judge(self, value: u64, bound: u64) -> (bool, i64) {
        let limited =
            |distance: i128| distance.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64;
        let above = i128::from(value) - i128::from(bound);
        let (holds, margin) = match self {
            Self::Less => (above < 0, -above),
            Self::AtMost => (above <= 0, -above),
            Self::More => (above > 0, above),
            Self::AtLeast => (above >= 0, above),
            Self::Equal => (above == 0, -above.abs()),
        };
        (holds, limited(margin))
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "==",
        })
    }
}

fn count(measured: &Measured, name: &str) -> u64 {
    let faults = || measured.faults.get(name).map(|faults| faults.count);
    let count = measured.counts.get(name).copied();
    count.or_else(faults).unwrap_or_default()
}

/// The name is that of latencies, a dot, and that of a statistic, which has no dot.
fn latency_us(measured: &Measured, name: &str) -> Option<u64> {
    let (metric, statistic) = name.rsplit_once('.')?;
    let figures = measured.latencies(metric).figures()?;
    figures.statistic_us(statistic)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_margin_is_the_distance_on_the_good_side() {
        for (comparison, value, judged) in [
            (Comparison::Less, 9, (true, 1)),
            (Comparison::Less, 10, (false, 0)),
            (Comparison::AtMost, 10, (true, 0)),
            (Comparison::AtMost, 13, (false, -3)),
            (Comparison::More, 10, (false, 0)),
            (Comparison::More, 12, (true, 2)),
            (Comparison::AtLeast, 10, (true, 0)),
            (Comparison::AtLeast, 8, (false, -2)),
            (Comparison::Equal, 10, (true, 0)),
            (Comparison::Equal, 8, (false, -2)),
            (Comparison::Equal, 12, (false, -2)),
            (Comparison::Less, u64::MAX, (false, i64::MIN)),
        ] {
            let bound = if value == u64::MAX { 0 } else { 10 };
            assert_eq!(
                comparison.judge(value, bound),
                judged,
                "{value} {comparison}"
            );
        }
    }

    #[test]
    fn a_threshold_looks_its_figure_up_by_name() {
        let mut measured = Measured::new(Duration::from_secs(1));
        for ms in [1, 2, 3] {
            let row = measured.row_at(Duration::from_secs(ms));
            row.record("broadcast.last", Duration::from_millis(ms));
        }
        measured.counts.insert("sends_total".to_owned(), 7);
        let lost = measured.faults.entry("lost".to_owned()).or_default();
        lost.note(0, || "u1.1.1".to_owned());
        let judged = |metric: &str, unit| {
            let it = Threshold::judged(metric, unit, Comparison::AtMost, 2000, &measured);
            (it.measured, it.holds)
        };
        assert_eq!(judged("broadcast.last.p50", Unit::Us), (Some(2000), true));
        assert_eq!(judged("broadcast.last.max", Unit::Us), (Some(3001), false));
        assert_eq!(judged("broadcast.first.max", Unit::Us), (None, false));
        assert_eq!(judged("broadcast.last.p98", Unit::Us), (None, false));
        assert_eq!(judged("sends_total", Unit::Count), (Some(7), true));
        assert_eq!(judged("lost", Unit::Count), (Some(1), true));
        assert_eq!(judged("doubled", Unit::Count), (Some(0), true));
    }
}
