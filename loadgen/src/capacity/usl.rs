//! Fits the Universal Scalability Law to what was measured.
//!
//! Over the mean time of a request the law is a parabola: N / X = c₀ + c₁ N + c₂ N², with
//! c₂ = κ / γ, c₁ = (σ - κ) / γ and c₀ = (1 - σ) / γ. So least squares give it directly, each point weighted so that it
//! is the error of the throughput X that is squared. A parameter below 0 has no meaning: then the best
//! law without it is taken.

use reports::capacity::curve::{Curve, Fit, Law, Peak};

/// With fewer points a law with three parameters describes chance.
const POINTS_MIN: usize = 6;

/// A law that explains less is not the law of these points.
const R_SQUARED_MIN: f64 = 0.9;

/// With less between the fewest and the most that were under way, the curve is not seen to bend.
const SPAN_MIN: f64 = 4.0;

/// How much was under way at once on average, and the throughput per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// N.
    pub in_flight: f64,
    /// X.
    pub per_s: f64,
}

/// Fits the law to `points`.
pub fn fit(points: &[Point]) -> Curve {
    if points.len() < POINTS_MIN {
        let what = format!(
            "{} points are too few for a law with three parameters: at least {POINTS_MIN} are needed",
            points.len()
        );
        return Curve {
            meaningless: Some(what),
            ..Curve::default()
        };
    }
    let Some(law) = law(points) else {
        return Curve {
            meaningless: Some("no law of this kind describes the points at all".to_owned()),
            ..Curve::default()
        };
    };
    let fit = judged(&law, points);
    Curve {
        meaningless: doubt(&fit, points),
        law: Some(law),
        fit: Some(fit),
    }
}

/// Why a fit must not be believed.
fn doubt(fit: &Fit, points: &[Point]) -> Option<String> {
    let all = points.iter().map(|point| point.in_flight);
    let (least, most) = (
        all.clone().fold(f64::INFINITY, f64::min),
        all.fold(0.0, f64::max),
    );
    if most < least * SPAN_MIN {
        return Some(format!(
            "between {least:.2} and {most:.2} requests under way the curve is not seen to bend: the trials are too \
             near each other"
        ));
    }
    (fit.r_squared < R_SQUARED_MIN).then(|| {
        format!(
            "the law explains {:.0} % of the variance of the throughputs only",
            (fit.r_squared * 100.0).max(0.0)
        )
    })
}

fn judged(law: &Law, points: &[Point]) -> Fit {
    let residuals = points
        .iter()
        .map(|it| it.per_s - law.throughput(it.in_flight));
    let residuals: Vec<f64> = residuals.collect();
    let count = points.len() as f64;
    let mean = points.iter().map(|it| it.per_s).sum::<f64>() / count;
    let variance: f64 = points.iter().map(|it| (it.per_s - mean).powi(2)).sum();
    let unexplained: f64 = residuals.iter().map(|it| it.powi(2)).sum();
    Fit {
        points: points.len() as u32,
        r_squared: if variance > 0.0 {
            1.0 - unexplained / variance
        } else {
            0.0
        },
        residual_per_s: (unexplained / count).sqrt(),
        residuals_per_s: residuals,
        in_flight_max: points.iter().map(|it| it.in_flight).fold(0.0, f64::max),
        peak: law.peak().map(|(per_s, in_flight)| Peak {
            per_s,
            in_flight,
            error_per_s: jackknife(points),
        }),
    }
}

/// The standard error of the peak: how it moves if one point after the other is left out. A point without
/// which there is no peak moves it without bound.
fn jackknife(points: &[Point]) -> f64 {
    let peaks = (0..points.len()).map(|left_out| {
        let mut rest = points.to_vec();
        rest.remove(left_out);
        let peak = law(&rest).and_then(|law| law.peak());
        peak.map_or(f64::MAX.sqrt(), |(per_s, _)| per_s)
    });
    let peaks: Vec<f64> = peaks.collect();
    let count = peaks.len() as f64;
    let mean = peaks.iter().sum::<f64>() / count;
    let squares: f64 = peaks.iter().map(|peak| (peak - mean).powi(2)).sum();
    ((count - 1.0) / count * squares).sqrt()
}

/// The law that `points` speak for: with both losses, with one of them, or with none. A loss more always
/// comes closer to the points; whether it is more than chance is told by Akaike's criterion.
fn law(points: &[Point]) -> Option<Law> {
    let usable = |point: &&Point| point.in_flight > 0.0 && point.per_s > 0.0;
    let points: Vec<Point> = points.iter().filter(usable).copied().collect();
    // What goes with 1/γ, σ/γ and κ/γ.
    let columns: [fn(f64) -> f64; 3] = [|_| 1.0, |n| n - 1.0, |n| n * (n - 1.0)];
    let laws = [
        [true, true, true],
        [true, true, false],
        [true, false, true],
        [true, false, false],
    ];
    let laws = laws.into_iter().filter_map(|with| {
        let [one, sigma, kappa] = least_squares(&points, &columns, with)?;
        let is_sound = one > 0.0 && sigma >= 0.0 && kappa >= 0.0;
        let law = Law {
            gamma: 1.0 / one,
            sigma: sigma / one,
            kappa: kappa / one,
        };
        let parameters = with.into_iter().filter(|is_used| *is_used).count();
        is_sound.then(|| (criterion(&law, parameters, &points), law))
    });
    // Fewer than one under way and a large σ make the law turn negative: no law of these points.
    let laws = laws.filter(|(_, law)| points.iter().all(|it| law.throughput(it.in_flight) > 0.0));
    let best = laws.min_by(|(one, _), (other, _)| one.total_cmp(other));
    best.map(|(_, law)| law)
}

/// Akaike's information criterion, corrected for few points: the less, the better.
fn criterion(law: &Law, parameters: usize, points: &[Point]) -> f64 {
    let residuals = points
        .iter()
        .map(|it| it.per_s - law.throughput(it.in_flight));
    let all: f64 = points.iter().map(|it| it.per_s.powi(2)).sum();
    // No measurement is better than a millionth: what is below is rounding.
    let unexplained = residuals.map(|it| it.powi(2)).sum::<f64>().max(all * 1e-12);
    let (n, k) = (points.len() as f64, parameters as f64);
    let correction = 2.0 * k * (k + 1.0) / (n - k - 1.0).max(0.5);
    n * (unexplained / n).ln() + 2.0 * k + correction
}

/// The coefficients of the columns that are in use (of the others 0), by the normal equations of N / X.
fn least_squares(
    points: &[Point],
    columns: &[fn(f64) -> f64; 3],
    with: [bool; 3],
) -> Option<[f64; 3]> {
    let mut matrix = [[0.0; 4]; 3];
    for point in points {
        let time = point.in_flight / point.per_s;
        // An error of the time by e is one of the throughput by e N / time².
        let weight = (point.in_flight / time.powi(2)).powi(2);
        let row = columns.map(|column| column(point.in_flight));
        for (i, equation) in matrix.iter_mut().enumerate() {
            for (value, factor) in equation.iter_mut().zip(row.iter().chain([&time])) {
                *value += weight * row[i] * factor;
            }
        }
    }
    for (i, is_used) in with.into_iter().enumerate() {
        if !is_used {
            // Its equation says that it is 0, and no other speaks of it.
            matrix.iter_mut().for_each(|equation| equation[i] = 0.0);
            matrix[i] = [0.0; 4];
            matrix[i][i] = 1.0;
        }
    }
    solve(matrix)
}

/// Solves three linear equations, by elimination with the largest pivot; `None` if they do not
/// determine the unknowns.
fn solve(mut matrix: [[f64; 4]; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let largest = (column..3).max_by(|one, other| {
            let size = |row: usize| matrix[row][column].abs();
            size(*one).total_cmp(&size(*other))
        })?;
        matrix.swap(column, largest);
        let pivot = matrix[column];
        if pivot[column].abs() <= f64::MIN_POSITIVE {
            return None;
        }
        for (row, equation) in matrix.iter_mut().enumerate() {
            if row != column {
                let factor = equation[column] / pivot[column];
                for (value, subtrahend) in equation.iter_mut().zip(pivot) {
                    *value -= factor * subtrahend;
                }
            }
        }
    }
    let solution: [f64; 3] = std::array::from_fn(|i| matrix[i][3] / matrix[i][i]);
    solution.iter().all(|it| it.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn points(law: &Law, in_flight: &[f64]) -> Vec<Point> {
        let points = in_flight.iter().map(|in_flight| Point {
            in_flight: *in_flight,
            per_s: law.throughput(*in_flight),
        });
        points.collect()
    }

    proptest! {
        #[test]
        fn points_on_a_law_give_that_law(
            gamma in 1.0..10_000.0_f64,
            sigma in 0.0..0.6_f64,
            kappa in 0.0..0.01_f64,
        ) {
            let law = Law { gamma, sigma, kappa };
            let fitted = fit(&points(&law, &[0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]));
            prop_assert_eq!(&fitted.meaningless, &None);
            let found = fitted.law.expect("there are enough points");
            prop_assert!((found.gamma / gamma - 1.0).abs() < 1e-4, "{:?} of {:?}", found, law);
            prop_assert!((found.sigma - sigma).abs() < 1e-4, "{:?} of {:?}", found, law);
            prop_assert!((found.kappa - kappa).abs() < 1e-4, "{:?} of {:?}", found, law);
            let told = fitted.fit.expect("there is a law");
            prop_assert!(told.r_squared > 0.9999 && told.residual_per_s < gamma * 1e-3);
        }
    }

    #[test]
    fn a_queue_with_one_server_has_the_plateau_of_its_rate() {
        // λ of 10 to 95 of μ = 100: L = λ / (μ - λ).
        let queue = [10.0, 30.0, 50.0, 70.0, 80.0, 90.0, 95.0].map(|rate| Point {
            in_flight: rate / (100.0 - rate),
            per_s: rate,
        });
        let fitted = fit(&queue);
        assert_eq!(fitted.meaningless, None);
        let peak = fitted.fit.and_then(|fit| fit.peak).expect("a plateau");
        assert!((peak.per_s - 100.0).abs() < 0.1, "{peak:?}");
        assert!(peak.error_per_s < 1.0, "{peak:?}");
    }

    #[test]
    fn residuals_are_what_points_are_beside_the_curve() {
        let law = Law {
            gamma: 100.0,
            sigma: 0.2,
            kappa: 0.001,
        };
        let mut points = points(&law, &[1.0, 2.0, 4.0, 8.0, 12.0, 16.0, 20.0]);
        points[3].per_s += 20.0;
        let fit = fit(&points).fit.expect("a law");
        // The curve goes some of the way to meet it, and less far from the others.
        assert!(fit.residuals_per_s[3] > 10.0, "{fit:?}");
        assert!(fit.residual_per_s > 20.0 / 7.0, "{fit:?}");
        let most = fit
            .residuals_per_s
            .iter()
            .fold(0.0, |most: f64, it| most.max(it.abs()));
        assert_eq!(most, fit.residuals_per_s[3]);
    }

    #[test]
    fn what_can_not_be_believed_says_so() {
        let law = Law {
            gamma: 100.0,
            sigma: 0.1,
            kappa: 0.0,
        };
        let said = |points: &[Point]| fit(points).meaningless.expect("it is meaningless");
        assert!(said(&points(&law, &[1.0, 2.0, 3.0])).starts_with("3 points are too few"));
        let near = points(&law, &[5.0, 5.1, 5.2, 5.3, 5.4, 5.5]);
        assert!(said(&near).contains("not seen to bend"));
        let noise = [3.0, 90.0, 20.0, 400.0, 7.0, 150.0, 1.0];
        let noise: Vec<Point> = noise
            .iter()
            .zip(1..)
            .map(|(per_s, n)| Point {
                in_flight: f64::from(n),
                per_s: *per_s,
            })
            .collect();
        assert!(said(&noise).contains("of the variance"), "{}", said(&noise));
        let nothing = Point {
            in_flight: 0.0,
            per_s: 0.0,
        };
        assert!(said(&[nothing; 8]).contains("no law"));
    }
}
