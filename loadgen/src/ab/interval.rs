//! How much slower the new build is, from pairs of runs, with an interval.
//!
//! # The experiment
//!
//! Runs come in pairs, one of each build with the same plan and seed, right after each other. The order
//! turns from pair to pair: base new, new base, base new ... (ABBA). This is the two-period cross-over
//! design (S. Senn, *Cross-over Trials in Clinical Research*, 2nd ed., chapter 3): the effect of a build
//! is estimated within pairs, so that what differs between pairs (the seed, the hour, a noisy
//! neighbour that stays) cancels; and the mean over pairs of either order is taken first, so that a
//! steady drift within pairs cancels too.
//!
//! # The interval
//!
//! Of each pair there is one difference, new minus base: of the logarithms if the effect that counts
//! is a share, else of the times. The interval is Student's, with the variance within either order and as
//! many degrees of freedom as there are pairs but two. It assumes that pairs do not depend on each
//! other, that the noise is alike in all, and that a mean of so few differences is about normal. For
//! differences with heavy tails the interval is wider than it had to be rather than too narrow. The
//! number of pairs is fixed before the first: nobody looks in between, so nothing has to be corrected
//! for looking.

use super::student;

/// What was measured of one pair of runs, as a number each: a time, or its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Of the base.
    pub base: f64,
    /// Of the new build.
    pub new: f64,
}

/// What pairs tell of the difference, new minus base.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The best guess.
    pub difference: f64,
    /// Half of the interval's width.
    pub margin: f64,
    /// The deviation of the difference of one pair.
    pub deviation: f64,
}

/// Fewest pairs that an interval can be made of: two of either order.
pub const PAIRS_MIN: u32 = 4;

/// Estimates from `pairs`, of which every second had the new build first, with an interval that misses
/// the true difference with the probability `alpha`, half of it on either side.
///
/// # Panics
///
/// If there are fewer than [`PAIRS_MIN`] pairs, or an odd number.
pub fn estimate(pairs: &[Pair], alpha: f64) -> Estimate {
    let count = u32::try_from(pairs.len()).expect("pairs take minutes each");
    assert!(
        count >= PAIRS_MIN && count.is_multiple_of(2),
        "{count} pairs"
    );
    let of_order = |first: usize| -> Vec<f64> {
        let pairs = pairs.iter().skip(first).step_by(2);
        pairs.map(|pair| pair.new - pair.base).collect()
    };
    let (base_first, new_first) = (of_order(0), of_order(1));
    let squares = squares(&base_first) + squares(&new_first);
    let deviation = (squares / f64::from(count - 2)).sqrt();
    Estimate {
        difference: (mean(&base_first) + mean(&new_first)) / 2.0,
        margin: margin(count, deviation, alpha),
        deviation,
    }
}

/// Half of the width of the interval that `count` pairs give whose differences deviate so.
pub fn margin(count: u32, deviation: f64, alpha: f64) -> f64 {
    student::quantile(count - 2, alpha / 2.0) * deviation / f64::from(count).sqrt()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The sum of the squares of how far values are from their mean.
fn squares(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(differences: &[f64]) -> Vec<Pair> {
        let pair = |(number, difference): (usize, &f64)| Pair {
            base: 100.0 * number as f64,
            new: 100.0 * number as f64 + difference,
        };
        differences.iter().enumerate().map(pair).collect()
    }

    #[test]
    fn what_differs_between_pairs_and_a_steady_drift_cancel() {
        // Whoever comes second is 3 slower, the new build is 5 slower.
        let estimate = estimate(&pairs(&[8.0, 2.0, 8.0, 2.0]), 0.05);
        assert_eq!(estimate.difference, 5.0);
        assert_eq!(estimate.margin, 0.0);
    }

    // By hand: differences 1, 3 and 5, 7 of either order; squares 2 and 2; deviation sqrt(4 / 2);
    // t(2, 0.025) = 4.3027; margin 4.3027 * sqrt(2) / 2.
    #[test]
    fn the_interval_is_students_within_either_order() {
        let estimate = estimate(&pairs(&[1.0, 5.0, 3.0, 7.0]), 0.05);
        assert_eq!(estimate.difference, 4.0);
        assert!((estimate.deviation - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!((estimate.margin - 3.0424).abs() < 1e-3, "{estimate:?}");
    }
}
