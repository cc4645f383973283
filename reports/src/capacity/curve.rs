//! The Universal Scalability Law: throughput against how much is under way at once.
//!
//! ```text
//! X(N) = γ N / (1 + σ (N - 1) + κ N (N - 1))
//! ```
//!
//! N requests under way at once would have γ N answers per second if they did not meet. That they wait
//! for one another (σ, contention) bends the curve to a plateau of γ / σ; that they have to agree with each other
//! (κ, coherency) makes it fall again. After N. J. Gunther, *Guerrilla Capacity Planning*, chapter 4.

use serde::{Deserialize, Serialize};

/// A law that was fitted, or why there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The law; absent without enough points.
    pub law: Option<Law>,
    /// How well it describes the points; absent without a law.
    pub fit: Option<Fit>,
    /// Why it must not be believed; absent if it may be.
    pub meaningless: Option<String>,
}

/// The parameters of the law.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Law {
    /// Throughput of one at a time, per second: γ.
    pub gamma: f64,
    /// What each loses by waiting for others: σ.
    pub sigma: f64,
    /// What each pair loses by having to agree: κ.
    pub kappa: f64,
}

/// How well a law describes the points that it was fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// How many points.
    pub points: u32,
    /// Which share of the variance of the throughputs it explains; below 0 if their mean does better.
    pub r_squared: f64,
    /// The standard deviation of the throughputs from the curve, per second.
    pub residual_per_s: f64,
    /// What each point is above the curve, per second, in the order of the trials.
    pub residuals_per_s: Vec<f64>,
    /// The most that were under way in a trial: beyond, the law is a guess.
    pub in_flight_max: f64,
    /// The highest throughput by the law; absent if the curve rises for ever.
    pub peak: Option<Peak>,
}

/// The top of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peak {
    /// Throughput, per second.
    pub per_s: f64,
    /// How many are under way there; absent if it is a plateau that is never reached.
    pub in_flight: Option<f64>,
    /// Its standard error by leaving out one point after the other (jackknife), per second.
    pub error_per_s: f64,
}

impl Law {
    /// The throughput with so many under way.
    pub fn throughput(&self, in_flight: f64) -> f64 {
        let Self {
            gamma,
            sigma,
            kappa,
        } = self;
        let n = in_flight;
        gamma * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0))
    }

    /// The highest throughput, and with how many under way; `None` if there is no highest.
    pub fn peak(&self) -> Option<(f64, Option<f64>)> {
        if self.kappa > 0.0 {
            let in_flight = ((1.0 - self.sigma) / self.kappa).max(0.0).sqrt();
            return Some((self.throughput(in_flight), Some(in_flight)));
        }
        (self.sigma > 0.0).then(|| (self.gamma / self.sigma, None))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_has_the_throughput_of_one() {
        let law = Law {
            gamma: 40.0,
            sigma: 0.1,
            kappa: 0.01,
        };
        assert_eq!(law.throughput(1.0), 40.0);
        assert_eq!(law.throughput(0.0), 0.0);
    }

    #[test]
    fn the_peak_is_where_more_and_fewer_give_less() {
        let law = Law {
            gamma: 40.0,
            sigma: 0.1,
            kappa: 0.01,
        };
        let (top, at) = law.peak().expect("it falls again");
        let at = at.expect("kappa is more than nothing");
        for beside in [at * 0.99, at * 1.01] {
            assert!(law.throughput(beside) < top, "{beside}");
        }
    }

    #[test]
    fn a_queue_with_one_server_has_a_plateau_at_its_rate() {
        // L = ρ / (1 - ρ), so that X = μ L / (1 + L): γ = μ / 2, σ = 1 / 2.
        let law = Law {
            gamma: 50.0,
            sigma: 0.5,
            kappa: 0.0,
        };
        assert!((law.throughput(9.0) - 90.0).abs() < 1e-9);
        assert_eq!(law.peak(), Some((100.0, None)));
    }

    #[test]
    fn without_contention_there_is_no_peak() {
        let law = Law {
            gamma: 1.0,
            sigma: 0.0,
            kappa: 0.0,
        };
        assert_eq!(law.peak(), None);
    }
}
