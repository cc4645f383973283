//! How many sends are under way, weighted by time: the L of Little's law, which says that it is the rate
//! of answers times their mean latency. It is taken from the events' times alone and not from the
//! latencies, so that each shows whether the other is true.

use std::time::Duration;

use super::ledger::micros;

/// Sends that have no answer yet.
#[derive(Debug, Default)]
pub struct InFlight {
    open: u64,
    /// Up to when `weight_us` is counted.
    counted_to: Duration,
    /// The sum over all sends of how long each was open, since it was last taken.
    weight_us: u64,
}

impl InFlight {
    /// One more is under way.
    pub fn begin(&mut self, at: Duration) {
        self.count_to(at);
        self.open += 1;
    }

    /// One is not any more.
    pub fn end(&mut self, at: Duration) {
        self.count_to(at);
        self.open = self.open.saturating_sub(1);
    }

    /// The sum of how long each send was open since the last time this was asked, in microseconds.
    pub fn take(&mut self, at: Duration) -> u64 {
        self.count_to(at);
        std::mem::take(&mut self.weight_us)
    }

    fn count_to(&mut self, at: Duration) {
        let since = micros(at).saturating_sub(micros(self.counted_to));
        self.weight_us += self.open * since;
        self.counted_to = self.counted_to.max(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_send_counts_for_as_long_as_it_is_open_and_once_in_each_interval() {
        let ms = Duration::from_millis;
        let mut sends = InFlight::default();
        sends.begin(ms(100));
        sends.begin(ms(400));
        // One for 900 ms, one for 600.
        assert_eq!(sends.take(ms(1000)), 1_500_000);
        sends.end(ms(1300));
        sends.end(ms(1350));
        assert_eq!(sends.take(ms(2000)), 650_000);
        assert_eq!(sends.take(ms(3000)), 0);
    }
}
