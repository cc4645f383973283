//! What one more recipient costs: `last = a + b * n`, fitted by least squares.

use serde::{Deserialize, Serialize};

/// Sums over broadcasts, from which the line is computed. They are whole numbers, and so the line
/// is the same in whatever order they were added.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fit {
    /// How many broadcasts.
    pub count: u64,
    /// The sum of their recipients, n.
    pub n: u128,
    /// The sum of n squared.
    pub nn: u128,
    /// The sum of the last recipients' delays in microseconds.
    pub last: u128,
    /// The sum of n times the delay.
    pub n_last: u128,
    /// The sum of the delays squared.
    pub last_last: u128,
}

/// `last = a + b * n`, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What a broadcast costs at all.
    pub a_us: f64,
    /// What each recipient adds.
    pub b_us: f64,
    /// How far off the line a broadcast is: the standard deviation of the delays from it.
    pub residual_us: f64,
    /// Which share of the variance of the delays the line explains, 0 to 1.
    pub r_squared: f64,
}

impl Fit {
    pub(super) fn note(&mut self, recipients: u32, last_us: u64) {
        let (n, last) = (u128::from(recipients), u128::from(last_us));
        self.merge(&Self {
            count: 1,
            n,
            nn: n * n,
            last,
            n_last: n * last,
            last_last: last * last,
        });
    }

    /// Adds the sums of `other`.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.n += other.n;
        self.nn += other.nn;
        self.last += other.last;
        self.n_last += other.n_last;
        self.last_last += other.last_last;
    }

    /// The line; `None` if all rooms were of one size, through which any line goes.
    pub fn line(&self) -> Option<Line> {
        let count = self.count as f64;
        // Whole numbers until the differences are taken: floating point would lose them.
        let covariance = |xy: u128, x: u128, y: u128| {
            let (whole, product) = (u128::from(self.count).checked_mul(xy)?, x.checked_mul(y)?);
            let difference = whole.abs_diff(product) as f64;
            Some(
                if whole < product {
                    -difference
                } else {
                    difference
                } / (count * count),
            )
        };
        let n_variance = covariance(self.nn, self.n, self.n)?;
        let variance = covariance(self.last_last, self.last, self.last)?;
        if self.count == 0 || n_variance <= 0.0 {
            return None;
        }
        let b_us = covariance(self.n_last, self.n, self.last)? / n_variance;
        let explained = b_us * b_us * n_variance;
        Some(Line {
            a_us: (self.last as f64 - b_us * self.n as f64) / count,
            b_us,
            residual_us: (variance - explained).max(0.0).sqrt(),
            r_squared: if variance > 0.0 {
                (explained / variance).min(1.0)
            } else {
                1.0
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit(points: &[(u32, u64)]) -> Fit {
        let mut fit = Fit::default();
        for (n, last_us) in points {
            fit.note(*n, *last_us);
        }
        fit
    }

    #[test]
    fn points_on_a_line_give_that_line() {
        let points: Vec<_> = (1..=1000).map(|n| (n, 1500 + 7 * u64::from(n))).collect();
        let line = fit(&points).line().expect("there are many sizes");
        assert!((line.a_us - 1500.0).abs() < 1e-6, "{line:?}");
        assert!((line.b_us - 7.0).abs() < 1e-9, "{line:?}");
        assert!(
            line.residual_us < 1e-3 && line.r_squared > 0.999_999,
            "{line:?}"
        );
    }

    #[test]
    fn points_beside_the_line_are_told_by_the_residual() {
        // Each 100 above or below 1000 + 2n, evenly.
        let points = [(10, 1120), (10, 920), (20, 1140), (20, 940)];
        let line = fit(&points).line().expect("there are two sizes");
        assert!((line.a_us - 1000.0).abs() < 1e-6 && (line.b_us - 2.0).abs() < 1e-6);
        assert!((line.residual_us - 100.0).abs() < 1e-6, "{line:?}");
        // The variance along the line is 10 * 10 of 10,100 in all.
        assert!((line.r_squared - 100.0 / 10_100.0).abs() < 1e-9, "{line:?}");
    }

    #[test]
    fn one_size_of_room_gives_no_line() {
        assert_eq!(fit(&[]).line(), None);
        assert_eq!(fit(&[(5, 100), (5, 900)]).line(), None);
    }

    #[test]
    fn hours_of_the_longest_delays_fit_into_the_sums() {
        let longest_us = 3_600_000_000;
        let one = fit(&[(1, longest_us), (u32::MAX, longest_us)]);
        let mut sum = Fit::default();
        for _ in 0..20 {
            let half = sum;
            sum.merge(&half);
            sum.merge(&one);
        }
        assert!(sum.count > 1_000_000 && sum.line().is_some(), "{sum:?}");
    }
}
