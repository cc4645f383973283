//! A clock that all processes of one machine share, so that they can begin at one instant.
//!
//! It is the monotonic one: it begins when the machine does, so that it means the same in every
//! process, and it does not jump when somebody sets the date, as the clock on the wall does.

use std::time::Duration;

use tokio::time::Instant;

/// How often two clocks are read to see how far they are apart.
const LOOKS: usize = 10;

/// What the shared clock says.
#[cfg(unix)]
pub fn now() -> Duration {
    use rustix::time::{ClockId, clock_gettime};

    let now = clock_gettime(ClockId::Monotonic);
    Duration::try_from(now).expect("the monotonic clock counts up from the start of the machine")
}

/// What the shared clock says: the time since 1970, where no other clock is shared.
#[cfg(not(unix))]
pub fn now() -> Duration {
    reports::run::date_now()
}

/// When the shared clock says `at`, which may be to come, as this process counts time.
pub fn instant_of(at: Duration) -> Instant {
    // Between two readings the process may have to wait: the closest pair is the truest.
    let looks = (0..LOOKS).map(|_| {
        let before = now();
        let instant = Instant::now();
        (now() - before, before, instant)
    });
    let closest = looks.min_by_key(|(apart, ..)| *apart);
    let (_, shared, own) = closest.expect("there is more than one look");
    match at.checked_sub(shared) {
        Some(ahead) => own + ahead,
        None => own - (shared - at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_of_the_shared_clock_is_that_of_this_process() {
        let before = Instant::now();
        let at = now();
        let after = Instant::now();
        // One reading can lie a little outside of another clock's two, by what the closest pair took.
        let slack = Duration::from_millis(100);
        let found = instant_of(at);
        assert!(found + slack >= before && found <= after + slack);
        let ahead = Duration::from_secs(5);
        assert!(instant_of(at + ahead) >= found + ahead - slack);
        assert!(instant_of(at - ahead) <= found + slack - ahead);
    }
}
