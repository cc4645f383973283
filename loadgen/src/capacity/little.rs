//! Little's law at each trial: what is under way on average is the rate of answers times their mean time.
//!
//! The recorder counts what is under way from the times of events alone, and latencies from the times that
//! each message carries. Where the two disagree, one of them is not true: requests that were never
//! counted, latencies that leave out a part of the wait, a clock that jumps.

use std::time::Duration;

use reports::buckets::Buckets;
use reports::capacity::Little;

/// How far off the sides may be besides what the edges of the time allow, in percent.
const OFF_MAX_PERCENT: f64 = 5.0;

/// Compares the sides for a time of `window`, in which all requests together were under way for
/// `open_us`, and those that were answered took `times`. `None` if none was.
pub fn check(open_us: u64, times: &Buckets, window: Duration) -> Option<Little> {
    let figures = times.figures()?;
    let window_s = window.as_secs_f64();
    let in_flight = open_us as f64 / 1e6 / window_s;
    let per_s = figures.count as f64 / window_s;
    let mean_us = figures.latency_us_mean as f64;
    let product = per_s * mean_us / 1e6;
    let off_percent = (in_flight - product).abs() / in_flight.max(product).max(1e-9) * 100.0;
    // A request that was under way when the time began counts with all of its time on one side and with
    // a part of it on the other, as does one that is when it ends: no more than so many times as often as
    // a long one fits into the time.
    let edges = 2.0 * figures.latency_us_p99 as f64 / 1e6 / window_s * 100.0;
    // Times are whole microseconds: of very short ones that is a part.
    let rounding = 100.0 / mean_us.max(1.0);
    Some(Little {
        in_flight,
        per_s,
        mean_us,
        off_percent,
        holds: off_percent <= OFF_MAX_PERCENT + edges + rounding,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(ms: impl IntoIterator<Item = u64>) -> Buckets {
        let mut times = Buckets::default();
        for ms in ms {
            times.record(Duration::from_millis(ms));
        }
        times
    }

    #[test]
    fn a_hundred_answers_of_20_ms_in_10_s_are_a_fifth_under_way() {
        let little = check(2_000_000, &times([20; 100]), Duration::from_secs(10));
        let little = little.expect("there are answers");
        assert!((little.in_flight - 0.2).abs() < 1e-9 && little.per_s == 10.0);
        assert!(little.holds && little.off_percent < 0.1, "{little:?}");
    }

    #[test]
    fn what_was_under_way_for_longer_than_the_latencies_say_is_noticed() {
        // Waits of 4 ms each that the latencies leave out.
        let little = check(2_400_000, &times([20; 100]), Duration::from_secs(10));
        let little = little.expect("there are answers");
        assert!(!little.holds && little.off_percent > 16.0, "{little:?}");
    }

    #[test]
    fn requests_that_are_as_long_as_the_time_itself_prove_nothing() {
        // Ten begin in the last second and are answered after it, as ten before the first were.
        let little = check(10_000_000, &times([1000; 10]), Duration::from_secs(2));
        assert!(little.expect("there are answers").holds);
    }

    #[test]
    fn of_nothing_nothing_is_said() {
        assert_eq!(check(0, &Buckets::default(), Duration::from_secs(1)), None);
    }
}
