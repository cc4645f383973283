//! How long a user thinks between two sends.

use std::time::Duration;

use rand::Rng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

/// How many think times a user has behind it when it begins: so many that it does not matter any
/// more when it once began.
const PAST: f64 = 10.0;

/// How think times are spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Think {
    /// By what law.
    pub law: Law,
    /// No one thinks longer.
    pub cap: Option<Duration>,
}

/// A law that think times follow.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Law {
    /// Always the same.
    Constant(Duration),
    /// Anything between the two.
    Uniform(Duration, Duration),
    /// As between events that know nothing of one another, with this mean.
    Exponential(Duration),
    /// Often short and now and then very long: the logarithm is normal.
    LogNormal {
        /// Half of all are shorter.
        median: Duration,
        /// Standard deviation of the natural logarithm.
        sigma: f64,
    },
}

impl Think {
    /// Draws one.
    pub fn draw(&self, rng: &mut StdRng) -> Duration {
        let drawn_s = match self.law {
            Law::Constant(time) => time.as_secs_f64(),
            Law::Uniform(least, most) => rng.random_range(least.as_secs_f64()..=most.as_secs_f64()),
            Law::Exponential(mean) => mean.as_secs_f64() * exponential(rng),
            Law::LogNormal { median, sigma } => median.as_secs_f64() * (sigma * normal(rng)).exp(),
        };
        let cap_s = self.cap.map_or(f64::INFINITY, |cap| cap.as_secs_f64());
        seconds(drawn_s.min(cap_s))
    }

    /// The mean without the cap, or the cap if that is less.
    pub fn mean(&self) -> Duration {
        let mean_s = match self.law {
            Law::Constant(time) | Law::Exponential(time) => time.as_secs_f64(),
            Law::Uniform(least, most) => (least + most).as_secs_f64() / 2.0,
            Law::LogNormal { median, sigma } => median.as_secs_f64() * (sigma.powi(2) / 2.0).exp(),
        };
        seconds(mean_s).min(self.cap.unwrap_or(Duration::MAX))
    }

    /// Draws how long a user has yet to think who is met at any time. All who began with a whole think
    /// time would send together, and nothing before.
    pub fn draw_rest(&self, rng: &mut StdRng) -> Duration {
        let mut ahead_s = (PAST + rng.random::<f64>()) * self.mean().as_secs_f64();
        loop {
            let think_s = self.draw(rng).as_secs_f64();
            if think_s > ahead_s {
                return seconds(think_s - ahead_s);
            }
            ahead_s -= think_s;
        }
    }
}

/// Draws from the exponential distribution with mean 1.
pub fn exponential(rng: &mut StdRng) -> f64 {
    // 1 - x, as x can be 0, whose logarithm is not a number to wait for.
    -(1.0 - rng.random::<f64>()).ln()
}

/// Draws from the standard normal distribution (Box and Muller's way).
fn normal(rng: &mut StdRng) -> f64 {
    let radius = (2.0 * exponential(rng)).sqrt();
    radius * (std::f64::consts::TAU * rng.random::<f64>()).cos()
}

/// Whole microseconds, as messages carry times; and no more than there is room for.
pub fn seconds(seconds: f64) -> Duration {
    Duration::from_micros((seconds * 1e6).min(1e15) as u64)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    const DRAWS: u32 = 20_000;

    fn think(law: Law) -> Think {
        Think { law, cap: None }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn draw_many(think: Think) -> Vec<f64> {
        let mut rng = StdRng::seed_from_u64(5);
        let draws = (0..DRAWS).map(|_| think.draw(&mut rng).as_secs_f64());
        draws.collect()
    }

    /// Asserts that the mean of the draws is what the law says. The mean of n draws has a standard
    /// deviation of `deviation / sqrt(n)`; a right law is more than four of them off once in 16,000
    /// seeds.
    fn assert_mean(think: Think, mean_s: f64, deviation_s: f64) {
        let draws = draw_many(think);
        let found = draws.iter().sum::<f64>() / f64::from(DRAWS);
        let tolerance = 4.0 * deviation_s / f64::from(DRAWS).sqrt() + 1e-6;
        if think.cap.is_none() {
            let said = think.mean().as_secs_f64();
            assert!((said - mean_s).abs() < 2e-6, "{think:?}: {said}");
        }
        assert!((found - mean_s).abs() < tolerance, "{think:?}: {found}");
    }

    #[test]
    fn think_times_have_the_mean_of_their_law() {
        assert_mean(think(Law::Constant(ms(2000))), 2.0, 0.0);
        let width = 8.0;
        assert_mean(
            think(Law::Uniform(ms(1000), ms(9000))),
            5.0,
            width / 12f64.sqrt(),
        );
        assert_mean(think(Law::Exponential(ms(5000))), 5.0, 5.0);
        let (median, sigma) = (ms(1000), 0.5f64);
        let mean = (sigma.powi(2) / 2.0).exp();
        let deviation = mean * (sigma.powi(2).exp() - 1.0).sqrt();
        assert_mean(think(Law::LogNormal { median, sigma }), mean, deviation);
    }

    #[test]
    fn so_many_think_longer_as_their_law_says() {
        // The share of n draws beyond a point has a deviation of sqrt(p (1 - p) / n); four of them.
        let assert_share = |law: Law, beyond_s: f64, share: f64| {
            let draws = draw_many(think(law));
            let found = draws.iter().filter(|it| **it > beyond_s).count();
            let found = found as f64 / f64::from(DRAWS);
            let tolerance = 4.0 * (share * (1.0 - share) / f64::from(DRAWS)).sqrt();
            assert!((found - share).abs() < tolerance, "{law:?}: {found}");
        };
        assert_share(Law::Uniform(ms(1000), ms(9000)), 7.0, 0.25);
        assert_share(Law::Exponential(ms(5000)), 10.0, (-2f64).exp());
        let law = Law::LogNormal {
            median: ms(1000),
            sigma: 0.5,
        };
        assert_share(law, 1.0, 0.5);
        // One standard deviation above: 15.87 of a hundred.
        assert_share(law, 0.5f64.exp(), 0.1587);
    }

    #[test]
    fn nobody_thinks_longer_than_the_cap_and_all_who_would_think_so_long() {
        let capped = Think {
            law: Law::Exponential(ms(5000)),
            cap: Some(ms(10_000)),
        };
        let draws = draw_many(capped);
        let at_cap = draws.iter().filter(|it| **it == 10.0).count() as f64;
        let share = (-2f64).exp();
        let tolerance = 4.0 * (share * (1.0 - share) * f64::from(DRAWS)).sqrt();
        assert!(
            (at_cap - share * f64::from(DRAWS)).abs() < tolerance,
            "{at_cap}"
        );
        assert!(draws.iter().all(|it| *it <= 10.0));
        // The mean of an exponential cut at c is m (1 - e^(-c/m)); the cut only narrows it.
        assert_mean(capped, 5.0 * (1.0 - share), 5.0);
    }

    #[test]
    fn whoever_is_met_at_any_time_has_half_a_constant_think_time_to_go_on_average() {
        let rest_of = |law: Law| {
            let mut rng = StdRng::seed_from_u64(6);
            let rests = (0..DRAWS).map(|_| think(law).draw_rest(&mut rng).as_secs_f64());
            rests.sum::<f64>() / f64::from(DRAWS)
        };
        // By the inspection paradox the mean rest is E[x^2] / (2 E[x]): half of a constant, all of an
        // exponential, and 2.5 s + 8^2 / 12 / 10 s for the uniform one.
        let four_deviations = 4.0 / f64::from(DRAWS).sqrt();
        let constant = rest_of(Law::Constant(ms(2000)));
        assert!(
            (constant - 1.0).abs() < four_deviations * 2.0 / 12f64.sqrt(),
            "{constant}"
        );
        let exponential = rest_of(Law::Exponential(ms(5000)));
        assert!(
            (exponential - 5.0).abs() < four_deviations * 5.0,
            "{exponential}"
        );
        let uniform = rest_of(Law::Uniform(ms(1000), ms(9000)));
        // The rest is at most 9 s, so its deviation is below 3 s.
        assert!((uniform - 3.033).abs() < four_deviations * 3.0, "{uniform}");
    }
}
