//! When one end of a link writes: at once; or, while it has much to say, a moment later, with all that
//! comes until then.
//!
//! Each write costs both ends system calls and wakes a task, whatever is in it. Links have far more to say
//! than clients are told: each message that is said is a request, and then, at each connector with a
//! member, a push and its acknowledgement.

use std::time::Duration;

use tokio::time::Instant;

use crate::limits::{LINK_PAUSE, ROUND};

/// What one connection of a link has written lately.
#[derive(Debug)]
pub struct Pace {
    /// Frames in one [`ROUND`] from which on the next is busy.
    busy: usize,
    /// When the round ends.
    end: Instant,
    /// Frames in this round.
    frames: usize,
    is_busy: bool,
}

impl Pace {
    /// Nothing yet. After a round of `busy` frames the next is busy.
    pub fn new(busy: usize, now: Instant) -> Self {
        Self {
            busy,
            end: now + ROUND,
            frames: 0,
            is_busy: false,
        }
    }

    /// Counts frames that are written now.
    pub fn wrote(&mut self, frames: usize, now: Instant) {
        self.turn(now);
        self.frames += frames;
    }

    /// How long what there is to write now is to wait for more.
    pub fn pause(&mut self, now: Instant) -> Option<Duration> {
        self.turn(now);
        self.is_busy.then_some(LINK_PAUSE)
    }

    fn turn(&mut self, now: Instant) {
        if now < self.end {
            return;
        }
        let just_ended = now < self.end + ROUND;
        self.is_busy = just_ended && self.frames >= self.busy;
        self.frames = 0;
        self.end = now + ROUND;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: usize = 10;

    #[tokio::test(start_paused = true)]
    async fn who_has_little_to_say_never_waits() {
        let begin = Instant::now();
        let mut pace = Pace::new(BUSY, begin);
        for round in 0..5 {
            let now = begin + round * ROUND;
            assert_eq!(pace.pause(now), None);
            pace.wrote(BUSY - 1, now);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_round_with_much_to_say_each_write_waits_until_one_with_little() {
        let begin = Instant::now();
        let mut pace = Pace::new(BUSY, begin);
        pace.wrote(BUSY, begin);
        assert_eq!(pace.pause(begin + ROUND / 2), None, "of this round");
        for round in 1..5 {
            let now = begin + round * ROUND;
            assert_eq!(pace.pause(now), Some(LINK_PAUSE), "round {round}");
            pace.wrote(BUSY / 2, now);
            pace.wrote(BUSY / 2, now + ROUND / 2);
        }
        assert_eq!(pace.pause(begin + 5 * ROUND), Some(LINK_PAUSE));
        assert_eq!(pace.pause(begin + 6 * ROUND), None);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_silence_the_first_does_not_wait() {
        let begin = Instant::now();
        let mut pace = Pace::new(BUSY, begin);
        pace.wrote(BUSY, begin);
        assert_eq!(pace.pause(begin + 2 * ROUND), None);
    }
}
