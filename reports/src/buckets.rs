//! Histograms to keep: only the buckets that hold something.
//!
//! A [`Latencies`] takes 200 KiB, whatever is in it, since recording has to be quick. A run keeps a
//! histogram for each metric and each second, of a few hundred buckets each: these take 16 bytes
//! for each bucket. Nothing is lost in between: the buckets are the same.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::latency::{Figures, LATENCY_MAX, Latencies};

/// How often each latency occurred, in microseconds; equal if the buckets of [`Latencies`] would be.
/// In JSON it is a list of pairs: the largest value of a bucket, and how many values are in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "Vec<(u32, u64)>", from = "Vec<(u32, u64)>")]
pub struct Buckets {
    /// The largest value of a bucket and how many values are in it, which is never 0; ascending.
    counts: Vec<(u32, u64)>,
}

impl Buckets {
    /// Counts one latency; one above [`LATENCY_MAX`] as that. It takes time for each bucket there
    /// is: what comes a hundred thousand times a second is better recorded by [`Latencies`].
    pub fn record(&mut self, latency: Duration) {
        let us = latency.min(LATENCY_MAX).as_micros() as u64;
        self.add(us, 1);
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Self) {
        // Both are ascending: one pass merges them.
        let mut merged = Vec::with_capacity(self.counts.len().max(other.counts.len()));
        let mut theirs = other.counts.iter().copied().peekable();
        for (largest, count) in self.counts.drain(..) {
            while let Some(before) = theirs.next_if(|(other, _)| *other < largest) {
                merged.push(before);
            }
            let same = theirs.next_if(|(other, _)| *other == largest);
            merged.push((largest, count + same.map_or(0, |(_, count)| count)));
        }
        merged.extend(theirs);
        self.counts = merged;
    }

    /// How many values were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|(_, count)| count).sum()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// The largest value of each bucket that holds something, in microseconds, and how many values
    /// it holds; ascending.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, u64)> + '_ {
        let counts = self.counts.iter();
        counts.map(|(largest, count)| (u64::from(*largest), *count))
    }

    /// The latency in microseconds that `share` (0 to 1) of the values do not exceed, within 0.1 %;
    /// 0 without a value.
    pub fn quantile_us(&self, share: f64) -> u64 {
        let wanted = (share.clamp(0.0, 1.0) * self.count() as f64).ceil() as u64;
        let mut seen = 0;
        let reached = self.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted.max(1)
        });
        reached.map_or(0, |(largest, _)| largest)
    }

    /// The figures; `None` without a value, since a zero would claim something.
    pub fn figures(&self) -> Option<Figures> {
        let (smallest, _) = self.iter().next()?;
        let (largest, _) = self.iter().next_back()?;
        Some(Figures {
            count: self.count(),
            latency_us_mean: self.mean_us(),
            latency_us_min: smallest - (width(smallest) - 1),
            latency_us_p50: self.quantile_us(0.5),
            latency_us_p90: self.quantile_us(0.9),
            latency_us_p99: self.quantile_us(0.99),
            latency_us_p99_9: self.quantile_us(0.999),
            latency_us_max: largest,
        })
    }

    /// The mean of the buckets' middles, rounded; 0 without a value.
    fn mean_us(&self) -> u64 {
        let values = self.iter().map(|(largest, count)| {
            let middle = largest - (width(largest) - 1) + width(largest) / 2;
            u128::from(middle) * u128::from(count)
        });
        let count = u128::from(self.count());
        let halved = values.sum::<u128>() + count / 2;
        halved.checked_div(count).unwrap_or_default() as u64
    }

    /// Counts `count` values of `us`.
    pub(crate) fn add(&mut self, us: u64, count: u64) {
        if count == 0 {
            return;
        }
        let largest = (us | (width(us) - 1)) as u32;
        match self.counts.binary_search_by_key(&largest, |(it, _)| *it) {
            Ok(index) => self.counts[index].1 += count,
            Err(index) => self.counts.insert(index, (largest, count)),
        }
    }
}

impl From<&Latencies> for Buckets {
    fn from(latencies: &Latencies) -> Self {
        let mut buckets = Self::default();
        for bucket in latencies.histogram().iter_recorded() {
            buckets.add(
                bucket.value_iterated_to(),
                bucket.count_since_last_iteration(),
            );
        }
        buckets
    }
}

impl From<Buckets> for Vec<(u32, u64)> {
    fn from(buckets: Buckets) -> Self {
        buckets.counts
    }
}

impl From<Vec<(u32, u64)>> for Buckets {
    /// Whatever the order, and wherever in its bucket a value is.
    fn from(counts: Vec<(u32, u64)>) -> Self {
        let mut buckets = Self::default();
        for (us, count) in counts {
            buckets.add(us.into(), count);
        }
        buckets
    }
}

/// How many microseconds share the bucket of `us`: one up to 2,047, then twice as many each time that
/// the value doubles, which makes three digits.
fn width(us: u64) -> u64 {
    1 << us.max(1).ilog2().saturating_sub(10)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dense(values_us: &[u64]) -> Latencies {
        let mut latencies = Latencies::new();
        for us in values_us {
            latencies.record(Duration::from_micros(*us));
        }
        latencies
    }

    fn sparse(values_us: &[u64]) -> Buckets {
        let mut buckets = Buckets::default();
        for us in values_us {
            buckets.record(Duration::from_micros(*us));
        }
        buckets
    }

    fn values() -> impl Strategy<Value = Vec<u64>> {
        // As many of each size: 0 to 4,294 seconds.
        let value = (0..32_u32, any::<u32>()).prop_map(|(shift, us)| u64::from(us >> shift));
        proptest::collection::vec(value, 0..200)
    }

    proptest! {
        #[test]
        fn what_is_kept_says_the_same_as_what_was_recorded(values in values(), share in 0.0..=1.0) {
            let (dense, sparse) = (dense(&values), sparse(&values));
            prop_assert_eq!(Buckets::from(&dense), sparse.clone());
            let histogram = dense.histogram();
            prop_assert_eq!(sparse.count(), histogram.len());
            prop_assert_eq!(sparse.quantile_us(share), histogram.value_at_quantile(share));
            prop_assert!(sparse.mean_us().abs_diff(histogram.mean().round() as u64) <= 1);
            if let Some(figures) = sparse.figures() {
                prop_assert_eq!(figures.latency_us_min, histogram.min());
                prop_assert_eq!(figures.latency_us_max, histogram.max());
            }
        }

        #[test]
        fn what_is_written_is_read_back(values in values()) {
            let buckets = sparse(&values);
            let text = serde_json::to_string(&buckets).expect("numbers are JSON");
            prop_assert_eq!(serde_json::from_str::<Buckets>(&text).ok(), Some(buckets));
        }

        #[test]
        fn merged_is_recorded_in_one(all in values(), cut in 0..200_usize) {
            let (left, right) = all.split_at(cut.min(all.len()));
            let mut merged = sparse(right);
            merged.merge(&sparse(left));
            prop_assert_eq!(merged, sparse(&all));
        }
    }

    #[test]
    fn nothing_recorded_has_no_figures() {
        let nothing = Buckets::default();
        assert!(nothing.is_empty() && nothing.figures().is_none());
        assert_eq!((nothing.quantile_us(0.5), nothing.mean_us()), (0, 0));
    }
}
