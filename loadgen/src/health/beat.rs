//! Whether tasks of this process come to their turn in time: a task that is due a hundred times a second
//! and notes by how much it was late.
//!
//! Whatever keeps it keeps every user as well: a processor that others have, a thread that is blocked, too
//! many tasks that are ready, a process that was stopped. A message that came in such a time was heard
//! later than it came. Each time that the task was due counts, also those that it missed, so that a
//! stall of a second is a hundred beats that were late and not one.

use std::convert::Infallible;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::limits::LATENESS_MAX;
use super::vitals::{Beat, Vitals};
use super::watch::lock;

/// From one beat to the next.
pub const INTERVAL: Duration = Duration::from_millis(10);

/// Beats, until this future is dropped.
pub async fn beat(vitals: &Mutex<Vitals>) -> Infallible {
    let mut due_at = Instant::now() + INTERVAL;
    loop {
        sleep_until(due_at).await;
        let late = due_at.elapsed();
        due_at += INTERVAL * lock(vitals).beat.note(late);
    }
}

impl Beat {
    /// Notes that the task was `late`; says how many beats were due until now.
    fn note(&mut self, late: Duration) -> u32 {
        let mut missed = 0;
        while let Some(late) = late.checked_sub(INTERVAL * missed) {
            self.lateness.record(late);
            missed += 1;
        }
        if late > LATENESS_MAX {
            let stall_us = late.as_micros() as u64;
            self.stalls_us += stall_us;
            self.stall_us_max = self.stall_us_max.max(stall_us);
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// By how much the task was late each time, and the beats that were due meanwhile.
    fn beat(late_ms: &[u64]) -> (Beat, u32) {
        let mut beat = Beat::default();
        let due = late_ms.iter().map(|late| beat.note(ms(*late))).sum();
        (beat, due)
    }

    #[test]
    fn a_task_that_is_in_time_has_one_beat_each_time_and_no_stall() {
        let (beat, due) = beat(&[0, 1, 2, 9]);
        assert_eq!((due, beat.lateness.count()), (4, 4));
        assert_eq!((beat.stalls_us, beat.stall_us_max), (0, 0));
    }

    #[test]
    fn a_stall_is_told_once_and_each_beat_in_it_was_late() {
        let (beat, due) = beat(&[1, 1000, 1, 35]);
        // Of the second: 1000, 990 ... 0 ms late; of the 35 ms: 35, 25, 15 and 5 ms.
        assert_eq!((due, beat.lateness.count()), (1 + 101 + 1 + 4, 107));
        assert_eq!((beat.stalls_us, beat.stall_us_max), (1_035_000, 1_000_000));
        let late = |(us, _): &(u64, u64)| *us > 10_050;
        let late: u64 = beat
            .lateness
            .iter()
            .filter(late)
            .map(|(_, count)| count)
            .sum();
        assert_eq!(late, 99 + 3);
    }

    #[test]
    fn one_percent_of_the_time_stalled_is_where_the_p99_turns() {
        // 60 s of beats, but for one stall: of 500 ms, and of 700 ms.
        let p99 = |stall_ms: u64| {
            let mut late = vec![1; 6000 - stall_ms as usize / 10];
            late.push(stall_ms);
            Duration::from_micros(beat(&late).0.lateness.quantile_us(0.99))
        };
        assert!(p99(500) < LATENESS_MAX, "{:?}", p99(500));
        assert!(p99(700) > LATENESS_MAX, "{:?}", p99(700));
    }
}
