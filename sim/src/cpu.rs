//! What a thread had of a processor: the same on a machine that has other work too.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// The time for which this thread has run so far.
pub fn of_this_thread() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("it begins at zero and only grows")
}
