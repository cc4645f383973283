//! Histograms of latencies.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::buckets::Buckets;

/// The longest latency that is told apart; a longer one counts as this long. No wait of a
/// virtual user is as long, and a histogram of this range takes 200 KiB.
pub const LATENCY_MAX: Duration = Duration::from_secs(3600);

/// Significant decimal digits of a recorded value: it is at most 0.1 % off.
const DIGITS: u8 = 3;

/// How often each latency occurred, in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Latencies {
    histogram: Histogram<u64>,
}

/// What is said of a histogram: its count, and its latencies in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How many values.
    pub count: u64,
    /// The mean, rounded.
    pub latency_us_mean: u64,
    /// The smallest value.
    pub latency_us_min: u64,
    /// The median.
    pub latency_us_p50: u64,
    /// Nine of ten values are at most this.
    pub latency_us_p90: u64,
    /// 99 of 100.
    pub latency_us_p99: u64,
    /// 999 of 1000.
    pub latency_us_p99_9: u64,
    /// The largest value.
    pub latency_us_max: u64,
}

impl Figures {
    /// What is said of the latencies under this name: `mean`, `min`, `p50`, `p90`, `p99`, `p99_9` or
    /// `max`.
    pub fn statistic_us(&self, name: &str) -> Option<u64> {
        match name {
            "mean" => Some(self.latency_us_mean),
            "min" => Some(self.latency_us_min),
            "p50" => Some(self.latency_us_p50),
            "p90" => Some(self.latency_us_p90),
            "p99" => Some(self.latency_us_p99),
            "p99_9" => Some(self.latency_us_p99_9),
            "max" => Some(self.latency_us_max),
            _ => None,
        }
    }
}

impl Latencies {
    /// Starts without a value.
    pub fn new() -> Self {
        let max_us = LATENCY_MAX.as_micros() as u64;
        let histogram = Histogram::new_with_bounds(1, max_us, DIGITS)
            .expect("1 to 3,600,000,000 with 3 digits are bounds that a histogram can have");
        Self { histogram }
    }

    /// Counts one latency; one above [`LATENCY_MAX`] as that.
    pub fn record(&mut self, latency: Duration) {
        let us = latency.min(LATENCY_MAX).as_micros() as u64;
        self.histogram.saturating_record(us);
    }

    /// Adds all values of `other`, bucket by bucket.
    pub fn merge(&mut self, other: &Self) {
        self.histogram
            .add(&other.histogram)
            .expect("all histograms of this type have the same bounds");
    }

    /// Adds all values of `buckets`.
    pub(crate) fn add(&mut self, buckets: &Buckets) {
        for (us, count) in buckets.iter() {
            self.histogram.saturating_record_n(us, count);
        }
    }

    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }

    /// The latency that `share` (0 to 1) of the values do not exceed, within 0.1 %.
    pub fn quantile(&self, share: f64) -> Duration {
        Duration::from_micros(self.histogram.value_at_quantile(share))
    }

    /// The figures; `None` without a value, since a zero would claim something.
    pub fn figures(&self) -> Option<Figures> {
        Buckets::from(self).figures()
    }

    pub(crate) fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }
}

impl From<&Buckets> for Latencies {
    fn from(buckets: &Buckets) -> Self {
        let mut latencies = Self::new();
        latencies.add(buckets);
        latencies
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(us: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::new();
        for us in us {
            latencies.record(Duration::from_micros(us));
        }
        latencies
    }

    #[test]
    fn figures_of_one_to_a_thousand_are_those_counted_by_hand() {
        // Up to 2,047 us each value has a bucket of its own, so these are exact.
        assert_eq!(
            recorded(1..=1000).figures(),
            Some(Figures {
                count: 1000,
                latency_us_mean: 501, // 500.5
                latency_us_min: 1,
                latency_us_p50: 500,
                latency_us_p90: 900,
                latency_us_p99: 990,
                latency_us_p99_9: 999,
                latency_us_max: 1000,
            })
        );
    }

    #[test]
    fn one_outlier_in_a_thousand_shows_above_the_p99_9_only() {
        let figures = recorded(std::iter::repeat_n(7, 999).chain([2000])).figures();
        let figures = figures.expect("there are values");
        assert_eq!(figures.latency_us_p99_9, 7);
        assert_eq!(figures.latency_us_max, 2000);
    }

    #[test]
    fn large_values_are_within_a_thousandth() {
        for us in [10_000, 123_456, 9_999_999, 3_599_999_999] {
            let seen = recorded([us]).quantile(0.5).as_micros() as u64;
            assert!(seen.abs_diff(us) <= us / 1000, "{us}: {seen}");
        }
    }

    #[test]
    fn a_latency_beyond_the_longest_counts_as_the_longest() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::MAX);
        let longest = recorded([LATENCY_MAX.as_micros() as u64]);
        assert_eq!(latencies, longest);
        assert_eq!(latencies.count(), 1);
    }

    #[test]
    fn merging_is_recording_everything_in_one() {
        let mut merged = recorded(1..=500);
        merged.merge(&recorded(501..=1000));
        merged.merge(&Latencies::new());
        assert_eq!(merged, recorded(1..=1000));
    }

    #[test]
    fn nothing_recorded_has_no_figures() {
        assert_eq!(Latencies::new().figures(), None);
        assert!(recorded([0]).figures().is_some());
    }
}
