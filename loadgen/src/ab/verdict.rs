//! Whether the new build is slower by as much as counts.
//!
//! The interval lies below the smallest effect that counts: PASS. It lies above: FAIL. Else the pairs do
//! not tell: INCONCLUSIVE, with the number of pairs that would, if their noise stays as it is. So of
//! builds that are slower by no more than the effect, at most half of alpha fail; and of builds that are slower
//! by at least the effect, at most half of alpha pass. Where several metrics decide, alpha is shared out among
//! them (Bonferroni), so that the share holds for all together.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reports::ab::{Decision, Interval};

use super::interval::{self, Pair};

/// The smallest difference that counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Effect {
    /// A share of what base takes, such as 0.1.
    Share(f64),
    /// A time.
    Time(Duration),
}

/// Largest share that can be asked for: ten times as slow.
const SHARE_MAX: f64 = 10.0;

/// More pairs nobody runs.
const PAIRS_MAX: u32 = 1000;

/// What the times of pairs, in microseconds and above 0, come to.
///
/// # Panics
///
/// As [`interval::estimate`].
pub fn judge(times_us: &[(u64, u64)], effect: Effect, alpha: f64) -> (Interval, Decision) {
    let pairs: Vec<Pair> = times_us
        .iter()
        .map(|(base, new)| Pair {
            base: effect.scale(*base),
            new: effect.scale(*new),
        })
        .collect();
    let estimate = interval::estimate(&pairs, alpha);
    let (low, high) = (
        estimate.difference - estimate.margin,
        estimate.difference + estimate.margin,
    );
    let limit = effect.limit();
    let decision = if high < limit {
        Decision::Pass
    } else if low > limit {
        Decision::Fail
    } else {
        let distance = (estimate.difference - limit).abs();
        let count = u32::try_from(pairs.len()).expect("pairs take minutes each");
        Decision::Inconclusive {
            pairs_needed: pairs_needed(count, estimate.deviation, distance, alpha),
        }
    };
    let told = |value| effect.told(value);
    let interval = Interval {
        estimate: told(estimate.difference),
        low: told(low),
        high: told(high),
        limit: told(limit),
    };
    (interval, decision)
}

/// How many pairs it would take in all, more than `count`, until the interval is as narrow as the
/// distance; `None` if it is more than anybody runs.
fn pairs_needed(count: u32, deviation: f64, distance: f64, alpha: f64) -> Option<u32> {
    let is_enough = |count| interval::margin(count, deviation, alpha) < distance;
    // In halves of pairs, as their number is even; more pairs always give a narrower interval.
    let (mut too_few, mut enough) = (count / 2, PAIRS_MAX / 2);
    if !is_enough(2 * enough) {
        return None;
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if is_enough(2 * middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    Some(2 * enough)
}

impl Effect {
    /// In what differences are taken.
    fn scale(self, us: u64) -> f64 {
        match self {
            Self::Share(_) => (us as f64).ln(),
            Self::Time(_) => us as f64,
        }
    }

    fn limit(self) -> f64 {
        match self {
            Self::Share(share) => share.ln_1p(),
            Self::Time(time) => time.as_micros() as f64,
        }
    }

    /// A difference as it is told: percent, or microseconds.
    fn told(self, difference: f64) -> f64 {
        match self {
            Self::Share(_) => difference.exp_m1() * 100.0,
            Self::Time(_) => difference,
        }
    }

    /// In what differences are told.
    pub fn unit(self) -> reports::ab::Unit {
        match self {
            Self::Share(_) => reports::ab::Unit::Percent,
            Self::Time(_) => reports::ab::Unit::Us,
        }
    }
}

/// `10%`, or a time such as `2ms`.
impl FromStr for Effect {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is neither a share from 0.1% to 1000% such as 10%, nor a time such as 2ms"
            )
        };
        if let Some(percent) = text.strip_suffix('%') {
            let share = percent.trim().parse::<f64>().map_err(|_| wrong())? / 100.0;
            let is_usable = (0.001..=SHARE_MAX).contains(&share);
            return is_usable.then_some(Self::Share(share)).ok_or_else(wrong);
        }
        let time = humantime::parse_duration(text).map_err(|_| wrong())?;
        let is_usable = (Duration::from_micros(1)..=Duration::from_secs(60)).contains(&time);
        is_usable.then_some(Self::Time(time)).ok_or_else(wrong)
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(share) => write!(out, "{}%", share * 100.0),
            Self::Time(time) => {
                let time = humantime::format_duration(*time).to_string();
                out.write_str(&time.replace(' ', ""))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_below_the_effect_passes_above_it_fails_and_across_it_decides_nothing() {
        let ten_percent = Effect::Share(0.1);
        let decided = |news: [u64; 4]| {
            let times: Vec<_> = news.iter().map(|new| (10_000, *new)).collect();
            judge(&times, ten_percent, 0.05).1
        };
        assert_eq!(decided([10_010, 9_990, 10_000, 10_000]), Decision::Pass);
        assert_eq!(decided([15_010, 14_990, 15_000, 15_000]), Decision::Fail);
        let Decision::Inconclusive { pairs_needed } = decided([9_000, 14_000, 10_000, 13_000])
        else {
            panic!("it is not clear");
        };
        assert!(
            pairs_needed.is_some_and(|pairs| pairs > 4),
            "{pairs_needed:?}"
        );
    }

    #[test]
    fn an_effect_is_a_share_or_a_time() {
        for text in ["10%", "2.5%", "1000%", "2ms", "1s500ms", "1us"] {
            let effect: Effect = text.parse().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(effect.to_string(), text);
        }
        for wrong in [
            "",
            "%",
            "10",
            "0%",
            "-5%",
            "1001%",
            "NaN%",
            "0s",
            "2h",
            "2 parsecs",
        ] {
            let error = wrong.parse::<Effect>().expect_err(wrong);
            assert!(error.contains("such as 10%"), "{error}");
        }
    }

    #[test]
    fn differences_are_told_in_percent_or_in_time() {
        let times = [(1000, 2000); 4];
        let told = |effect| judge(&times, effect, 0.05).0;
        let share = told(Effect::Share(0.1));
        assert!((share.estimate - 100.0).abs() < 1e-9 && (share.limit - 10.0).abs() < 1e-9);
        assert_eq!(
            told(Effect::Time(Duration::from_micros(500))).estimate,
            1000.0
        );
    }
}
