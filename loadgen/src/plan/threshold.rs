//! What a plan demands of the figures of its run, such as `broadcast.last.p99 < 80ms`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cluster::config::nearest;
use reports::run::threshold::{Comparison, Unit};
use serde::{Deserialize, Deserializer, de};

/// Latencies that can be demanded; each with a statistic behind it.
pub const LATENCIES: [&str; 10] = [
    "broadcast",
    "broadcast.first",
    "broadcast.median",
    "broadcast.p99",
    "broadcast.last",
    "broadcast.last.raw",
    "request",
    "request.raw",
    "login",
    "send_lateness",
];

/// Counts that can be demanded.
pub const COUNTS: [&str; 31] = [
    "answers_unasked",
    "broadcasts_unjudged",
    "connections_lost",
    "deliveries_expected",
    "deliveries_total",
    "deliveries_unjudged",
    "doubled",
    "late",
    "logins_failed",
    "logins_refused",
    "logins_total",
    "lost",
    "names_shared",
    "not_admitted",
    "notices_doubled",
    "notices_expected",
    "notices_missing",
    "notices_total",
    "notices_unjudged",
    "pushes_strange",
    "reordered",
    "sends_accepted",
    "sends_refused",
    "sends_total",
    "sends_unanswered",
    "sends_unsent",
    "users_entered",
    "users_outside",
    "users_total",
    "users_unfinished",
    "wrong_room",
];

/// Of these, those that are known only when a run is over, so that it can't be stopped by them.
pub const AT_THE_END: [&str; 3] = ["users_outside", "users_total", "users_unfinished"];

/// What can be said of many latencies.
const STATISTICS: [&str; 7] = ["mean", "min", "p50", "p90", "p99", "p99_9", "max"];

/// Longer signs first, as a shorter one is the beginning of a longer one.
const COMPARISONS: [Comparison; 5] = [
    Comparison::AtMost,
    Comparison::AtLeast,
    Comparison::Equal,
    Comparison::Less,
    Comparison::More,
];

/// What must hold of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The name of a count, or of latencies with a statistic behind it.
    pub metric: String,
    /// Of the bound.
    pub unit: Unit,
    /// How the value is to stand to the bound.
    pub comparison: Comparison,
    /// In microseconds for a latency.
    pub bound: u64,
}

/// A demand, and what comes of a run that breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// What must hold.
    pub demand: Demand,
    /// A run that breaks it is stopped, once it has run for so long.
    pub abort_after: Option<Duration>,
}

impl Demand {
    /// A value as it is read: with its unit, if it has one.
    pub fn shown(&self, value: u64) -> String {
        match self.unit {
            Unit::Us => format!("{:?}", Duration::from_micros(value)),
            Unit::Count => value.to_string(),
        }
    }
}

/// Why a text is no demand.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DemandError {
    /// There is nothing to compare.
    #[error("`{0}` compares nothing: write such as broadcast.last.p99 < 80ms, or lost == 0")]
    Shape(String),
    /// No metric has this name.
    #[error("there is no metric `{name}`; {remedy}")]
    Metric {
        /// The name.
        name: String,
        /// What was probably meant, or what is known.
        remedy: String,
    },
    /// It does not say what of the latencies is meant.
    #[error("of the latencies `{name}` say which: write such as {name}.p99; known are {known}")]
    Statistic {
        /// Which latencies.
        name: String,
        /// All statistics.
        known: String,
    },
    /// A latency is a time.
    #[error("`{0}` is not a time with its unit: write such as 80ms")]
    Time(String),
    /// How many is a whole number.
    #[error("`{0}` is not a whole number, as which {1} are counted")]
    Number(String, String),
    /// Nothing is below nothing.
    #[error("nothing is less than 0: write == 0")]
    BelowNothing,
}

impl FromStr for Demand {
    type Err = DemandError;

    fn from_str(text: &str) -> Result<Self, DemandError> {
        let found = COMPARISONS.into_iter().find_map(|comparison| {
            let (metric, bound) = text.split_once(&comparison.to_string())?;
            Some((metric.trim(), comparison, bound.trim()))
        });
        let Some((metric, comparison, bound)) = found else {
            return Err(DemandError::Shape(text.to_owned()));
        };
        let unit = unit_of(metric)?;
        let bound = match unit {
            Unit::Us => humantime::parse_duration(bound)
                .ok()
                .and_then(|time| u64::try_from(time.as_micros()).ok())
                .ok_or_else(|| DemandError::Time(bound.to_owned()))?,
            Unit::Count => {
                let wrong = |_| DemandError::Number(bound.to_owned(), metric.to_owned());
                bound.parse().map_err(wrong)?
            }
        };
        if comparison == Comparison::Less && bound == 0 {
            return Err(DemandError::BelowNothing);
        }
        Ok(Self {
            metric: metric.to_owned(),
            unit,
            comparison,
            bound,
        })
    }
}

/// Whether a metric is a latency, and not a count.
///
/// # Errors
///
/// If there is no such metric.
pub fn is_latency(metric: &str) -> Result<bool, DemandError> {
    Ok(unit_of(metric)? == Unit::Us)
}

/// In what a metric is told. The last part of a latency's name is always the statistic, so that
/// `broadcast.p99` is that of all deliveries, and `broadcast.p99.max` the worst of all broadcasts.
fn unit_of(metric: &str) -> Result<Unit, DemandError> {
    if COUNTS.contains(&metric) {
        return Ok(Unit::Count);
    }
    let is_latency = |name: &str| LATENCIES.contains(&name);
    let (name, statistic) = metric.rsplit_once('.').unwrap_or((metric, ""));
    if is_latency(name) && STATISTICS.contains(&statistic) {
        return Ok(Unit::Us);
    }
    if let Some(name) = [metric, name].into_iter().find(|name| is_latency(name)) {
        return Err(DemandError::Statistic {
            name: name.to_owned(),
            known: STATISTICS.join(", "),
        });
    }
    let latencies = LATENCIES.iter().flat_map(|name| {
        let statistics = STATISTICS.iter();
        statistics.map(move |statistic| format!("{name}.{statistic}"))
    });
    let latencies: Vec<String> = latencies.collect();
    let known: Vec<&str> = latencies.iter().map(String::as_str).chain(COUNTS).collect();
    let remedy = match nearest(metric, &known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "known are {}, each with .{}, and {}",
            LATENCIES.join(", "),
            STATISTICS.join(", ."),
            COUNTS.join(", ")
        ),
    };
    Err(DemandError::Metric {
        name: metric.to_owned(),
        remedy,
    })
}

/// As it is written in a plan.
impl fmt::Display for Demand {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            metric, comparison, ..
        } = self;
        write!(out, "{metric} {comparison} {}", self.shown(self.bound))
    }
}

impl<'de> Deserialize<'de> for Demand {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(text: &str) -> Demand {
        text.parse().expect(text)
    }

    fn said(text: &str) -> String {
        text.parse::<Demand>().expect_err(text).to_string()
    }

    #[test]
    fn a_demand_is_read_with_or_without_spaces_and_written_in_one_way() {
        for (text, written) in [
            ("broadcast.last.p99 < 80ms", "broadcast.last.p99 < 80ms"),
            (
                "broadcast.last.raw.max<=1s 500ms",
                "broadcast.last.raw.max <= 1.5s",
            ),
            ("lost == 0", "lost == 0"),
            ("sends_total>=6000", "sends_total >= 6000"),
            ("request.p99_9 > 1us", "request.p99_9 > 1µs"),
        ] {
            assert_eq!(demand(text).to_string(), written);
        }
    }

    #[test]
    fn what_is_no_demand_is_told_what_would_be_one() {
        for (text, part) in [
            ("lost", "compares nothing"),
            (
                "lots == 0",
                "there is no metric `lots`; did you mean `lost`?",
            ),
            (
                "brodcast.last.p99 < 1s",
                "did you mean `broadcast.last.p99`?",
            ),
            ("throughput > 5", "known are broadcast, broadcast.first,"),
            (
                "broadcast.last < 1s",
                "write such as broadcast.last.p99; known are mean,",
            ),
            (
                "broadcast.last.p98 < 1s",
                "write such as broadcast.last.p99; known are mean,",
            ),
            (
                "broadcast.last.p99 < 80",
                "`80` is not a time with its unit",
            ),
            (
                "lost == 0ms",
                "`0ms` is not a whole number, as which lost are counted",
            ),
            ("lost < 0", "write == 0"),
        ] {
            let said = said(text);
            assert!(said.contains(part), "{text}: {said}");
        }
    }
}
