//! Quantiles of Student's t distribution, for intervals from few values.
//!
//! The distribution function is the regularised incomplete beta function, by its continued fraction
//! (NIST Digital Library of Mathematical Functions, 8.17.22) evaluated as Lentz does; the quantile is
//! found by halving, which is slow and can't go wrong.

use std::f64::consts::PI;

/// The value that a t distribution with `freedom` degrees of freedom exceeds with the probability
/// `tail`, which is from 0 to 0.5.
///
/// # Panics
///
/// If `tail` is not from 1e-9 to 0.5, or there is no degree of freedom.
pub fn quantile(freedom: u32, tail: f64) -> f64 {
    assert!(freedom > 0, "nothing varies freely");
    assert!((1e-9..=0.5).contains(&tail), "not a tail: {tail}");
    let (mut low, mut high) = (0.0, 1.0);
    while upper_tail(freedom, high) > tail {
        low = high;
        high *= 2.0;
    }
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if upper_tail(freedom, middle) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// After so many halvings an interval of numbers is as small as numbers tell apart.
const HALVINGS: u32 = 60;

/// The probability of more than `t`, which is at least 0.
fn upper_tail(freedom: u32, t: f64) -> f64 {
    let freedom = f64::from(freedom);
    beta(freedom / 2.0, 0.5, freedom / (freedom + t * t)) / 2.0
}

/// The regularised incomplete beta function.
fn beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    // The fraction converges quickly on one side of the peak only.
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta(b, a, 1.0 - x);
    }
    let log_beta = log_gamma(a) + log_gamma(b) - log_gamma(a + b);
    let front = (a * x.ln() + b * (1.0 - x).ln() - log_beta).exp() / a;
    front * fraction(a, b, x)
}

/// Its continued fraction.
fn fraction(a: f64, b: f64, x: f64) -> f64 {
    const STEPS: u32 = 500;
    const TINY: f64 = 1e-300;
    let not_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut value = d;
    for step in 1..=STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let mut factor = 1.0;
        for term in [even, odd] {
            d = 1.0 / not_zero(1.0 + term * d);
            c = not_zero(1.0 + term / c);
            factor = c * d;
            value *= factor;
        }
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}

/// The logarithm of the gamma function of a positive number: Stirling's series (DLMF 5.11.1) where it
/// is exact to all digits, and the recurrence from there.
fn log_gamma(x: f64) -> f64 {
    const EXACT_FROM: f64 = 12.0;
    if x < EXACT_FROM {
        return log_gamma(x + 1.0) - x.ln();
    }
    let series = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
    ];
    let square = x * x;
    let rest = series
        .iter()
        .rev()
        .fold(0.0, |sum, term| sum / square + term)
        / x;
    (x - 0.5) * x.ln() - x + (2.0 * PI).ln() / 2.0 + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    // The values of any printed table, such as that of the NIST/SEMATECH e-Handbook, 1.3.6.7.2.
    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        for (freedom, tail, value) in [
            (1, 0.025, 12.706),
            (2, 0.025, 4.303),
            (2, 0.005, 9.925),
            (3, 0.025, 3.182),
            (6, 0.05, 1.943),
            (10, 0.01, 2.764),
            (14, 0.025, 2.145),
            (30, 0.025, 2.042),
            (100, 0.005, 2.626),
        ] {
            let found = quantile(freedom, tail);
            assert!(
                (found - value).abs() < 6e-4,
                "t({freedom}, {tail}) = {found}"
            );
        }
    }

    // Both have a closed form.
    #[test]
    fn with_one_and_two_degrees_of_freedom_quantiles_are_exact() {
        for tail in [0.4, 0.1, 0.025, 1e-3, 1e-6] {
            let cauchy = (PI * (0.5 - tail)).tan();
            assert!((quantile(1, tail) / cauchy - 1.0).abs() < 1e-9, "{tail}");
            let share = 1.0 - 2.0 * tail;
            let two = share * (2.0 / (1.0 - share * share)).sqrt();
            assert!((quantile(2, tail) / two - 1.0).abs() < 1e-9, "{tail}");
        }
    }

    #[test]
    fn half_of_all_is_above_the_middle() {
        assert!(quantile(5, 0.5).abs() < 1e-9);
    }
}
