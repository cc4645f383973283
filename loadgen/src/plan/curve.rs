//! A rate over time, and when so much of it has happened.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// How often something happens per second, over the time of a stage: straight pieces one after the
/// other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    pieces: Vec<Piece>,
    total: f64,
}

/// A part of a curve on which the rate rises or falls evenly.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Piece {
    /// Since the start of the stage, in seconds.
    from_s: f64,
    lasts_s: f64,
    rate_from: f64,
    rate_until: f64,
    /// How much has happened before.
    before: f64,
}

impl Piece {
    fn amount(&self) -> f64 {
        self.lasts_s * (self.rate_from + self.rate_until) / 2.0
    }
}

impl Curve {
    /// The same rate all the time.
    pub fn constant(rate: f64, duration: Duration) -> Self {
        Self::of([(duration.as_secs_f64(), rate, rate)])
    }

    /// Rises or falls evenly from one rate to another.
    pub fn ramp(from: f64, to: f64, duration: Duration) -> Self {
        Self::of([(duration.as_secs_f64(), from, to)])
    }

    /// As many constant rates as there are steps, equally long and equally far apart, the first `from`
    /// and the last `to`.
    pub fn steps(from: f64, to: f64, steps: u32, duration: Duration) -> Self {
        let lasts_s = duration.as_secs_f64() / f64::from(steps);
        let rise = (to - from) / f64::from(steps.max(2) - 1);
        Self::of((0..steps).map(|step| {
            let rate = from + rise * f64::from(step);
            (lasts_s, rate, rate)
        }))
    }

    /// The rate `base`, but `peak` for as long as `lasts` from `after` on.
    pub fn spike(
        base: f64,
        peak: f64,
        after: Duration,
        lasts: Duration,
        duration: Duration,
    ) -> Self {
        let rest = duration.saturating_sub(after.saturating_add(lasts));
        Self::of([
            (after.as_secs_f64(), base, base),
            (lasts.as_secs_f64(), peak, peak),
            (rest.as_secs_f64(), base, base),
        ])
    }

    /// Pieces by duration in seconds, and rates at their ends.
    fn of(parts: impl IntoIterator<Item = (f64, f64, f64)>) -> Self {
        let mut pieces: Vec<Piece> = Vec::new();
        let (mut from_s, mut total) = (0.0, 0.0);
        for (lasts_s, rate_from, rate_until) in parts {
            let piece = Piece {
                from_s,
                lasts_s,
                rate_from,
                rate_until,
                before: total,
            };
            from_s += lasts_s;
            total += piece.amount();
            pieces.push(piece);
        }
        Self { pieces, total }
    }

    /// How much happens over the whole time.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// How much has happened so long after the start of the stage.
    pub fn until(&self, time: Duration) -> f64 {
        let time_s = time.as_secs_f64();
        let after = self.pieces.partition_point(|piece| piece.from_s <= time_s);
        let Some(piece) = after.checked_sub(1).and_then(|last| self.pieces.get(last)) else {
            return 0.0;
        };
        let within_s = (time_s - piece.from_s).min(piece.lasts_s);
        if within_s <= 0.0 {
            return piece.before;
        }
        let slope = (piece.rate_until - piece.rate_from) / piece.lasts_s;
        piece.before + within_s * (piece.rate_from + slope * within_s / 2.0)
    }

    /// The highest rate.
    pub fn rate_max(&self) -> f64 {
        let ends = self
            .pieces
            .iter()
            .flat_map(|it| [it.rate_from, it.rate_until]);
        ends.fold(0.0, f64::max)
    }

    /// When `amount` has happened, since the start of the stage, in whole microseconds, as messages
    /// carry it; `None` if so much never does.
    pub fn time_of(&self, amount: f64) -> Option<Duration> {
        if !(0.0..self.total).contains(&amount) {
            return None;
        }
        let after = self.pieces.partition_point(|piece| piece.before <= amount);
        let piece = self.pieces.get(after.checked_sub(1)?)?;
        let missing = amount - piece.before;
        // The amount is rate_from * t + slope * t^2 / 2. The usual solution of that divides by a
        // slope that may be nothing, so here is the other one.
        let slope = (piece.rate_until - piece.rate_from) / piece.lasts_s;
        let root = (piece.rate_from.powi(2) + 2.0 * slope * missing)
            .max(0.0)
            .sqrt();
        let within_s = if missing > 0.0 {
            2.0 * missing / (piece.rate_from + root)
        } else {
            0.0
        };
        let at_us = (piece.from_s + within_s.min(piece.lasts_s)) * 1e6;
        Some(Duration::from_micros(at_us as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// When each of `amounts` has happened, in milliseconds.
    fn times<const N: usize>(curve: &Curve, amounts: [f64; N]) -> [Option<u128>; N] {
        amounts.map(|amount| {
            curve
                .time_of(amount)
                .map(|it| (it.as_micros() + 500) / 1000)
        })
    }

    #[test]
    fn a_constant_rate_has_its_events_at_equal_distances() {
        let curve = Curve::constant(5.0, s(2));
        assert_eq!((curve.total(), curve.rate_max()), (10.0, 5.0));
        let at = times(&curve, [0.0, 1.0, 9.0, 10.0]);
        assert_eq!(at, [Some(0), Some(200), Some(1800), None]);
    }

    #[test]
    fn half_of_a_ramp_from_nothing_has_happened_after_seven_tenths_of_its_time() {
        let up = Curve::ramp(0.0, 10.0, s(10));
        assert_eq!(up.total(), 50.0);
        // A quarter of the area at half the time, a half at 1 / sqrt 2 of it.
        assert_eq!(
            times(&up, [0.0, 12.5, 25.0]),
            [Some(0), Some(5000), Some(7071)]
        );
        let down = Curve::ramp(10.0, 0.0, s(10));
        assert_eq!(times(&down, [37.5, 25.0]), [Some(5000), Some(2929)]);
    }

    #[test]
    fn steps_are_equally_long_and_reach_both_ends() {
        let curve = Curve::steps(1.0, 3.0, 3, s(30));
        assert_eq!((curve.total(), curve.rate_max()), (60.0, 3.0));
        let at = times(&curve, [5.0, 10.0, 20.0, 30.0, 45.0]);
        assert_eq!(at, [5000, 10_000, 15_000, 20_000, 25_000].map(Some));
        assert_eq!(Curve::steps(2.0, 9.0, 1, s(3)).total(), 6.0);
    }

    #[test]
    fn a_spike_stands_on_its_base_and_one_on_nothing_is_all_there_is() {
        let curve = Curve::spike(1.0, 10.0, s(5), s(2), s(10));
        assert_eq!(curve.total(), 28.0);
        assert_eq!(times(&curve, [15.0, 26.0]), [Some(6000), Some(8000)]);
        let lone = Curve::spike(0.0, 10.0, s(5), s(2), s(10));
        assert_eq!(
            times(&lone, [0.0, 10.0, 20.0]),
            [Some(5000), Some(6000), None]
        );
    }

    #[test]
    fn where_nothing_happens_there_is_no_time_for_anything() {
        for curve in [Curve::constant(0.0, s(9)), Curve::constant(9.0, s(0))] {
            assert_eq!(times(&curve, [0.0, 1.0]), [None, None]);
        }
    }

    #[test]
    fn how_much_has_happened_is_the_other_way_round_from_when() {
        let curves = [
            Curve::constant(5.0, s(10)),
            Curve::ramp(0.0, 10.0, s(10)),
            Curve::ramp(10.0, 0.0, s(10)),
            Curve::steps(1.0, 4.0, 4, s(10)),
            Curve::spike(1.0, 9.0, s(3), s(2), s(10)),
        ];
        for curve in curves {
            for tenth in 0..10 {
                let amount = curve.total() * f64::from(tenth) / 10.0;
                let time = curve.time_of(amount).expect("so much happens");
                assert!(
                    (curve.until(time) - amount).abs() < 1e-3,
                    "{curve:?} {amount}"
                );
            }
            assert_eq!(curve.until(Duration::ZERO), 0.0);
            assert!(
                (curve.until(s(99)) - curve.total()).abs() < 1e-9,
                "{curve:?}"
            );
        }
        assert_eq!(Curve::constant(5.0, Duration::ZERO).until(s(1)), 0.0);
    }
}
