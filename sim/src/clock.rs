//! How a time of a run is written.

use std::time::Duration;

/// As in `00:04.200`: minutes, seconds and milliseconds since the start of the run.
pub fn clock(at: Duration) -> String {
    let millis = at.as_millis();
    format!(
        "{:02}:{:02}.{:03}",
        millis / 60_000,
        millis / 1000 % 60,
        millis % 1000
    )
}
