//! What a process that makes load may be like, for the figures to be of the cluster.
//!
//! | measure | limit | why |
//! | --- | --- | --- |
//! | `send_late_us_p99` | [`LATENESS_MAX`] | latencies count from the planned time |
//! | `loop_late_us_p99` | [`LATENESS_MAX`] | what came meanwhile was heard later than it came |
//! | `stall_us_max` | [`STALL_MAX`] | users who answer nothing are no users |
//! | `seconds_saturated` | one in [`SECONDS_SHARE`] | answers wait for the generator; without a cluster in the same process |
//! | `seconds_crowded` | one in [`SECONDS_SHARE`] | others have what the cluster needs; with a cluster in the same process |
//! | `segments_resent` | one in [`RESENT_SHARE`] | the network is what is slow |
//! | `ports_exhausted`, `files_exhausted` | 0 | users who could not come say nothing |

use std::time::Duration;

/// By how much one of a hundred sends, or of the turns of a task, may be late. Percentiles are judged to
/// the 99th, and the tightest demand that is usual is some ten times this.
pub const LATENESS_MAX: Duration = Duration::from_millis(10);

/// For how long a process may stand still, be it once in a long run: the cluster's heartbeats and
/// deadlines (3 s) begin to see other users than were planned.
pub const STALL_MAX: Duration = Duration::from_secs(1);

/// One of so many seconds may be bad. What is worse for a shorter time shows in the lateness, if it
/// matters.
pub const SECONDS_SHARE: u64 = 10;

/// So many seconds may be bad in a short run: a second is cut off wherever it was when it began.
pub const SECONDS_MIN: u64 = 2;

/// A process that uses so much of what it may use has no time left for what comes unevenly.
pub const SATURATED_PERMILLE: u64 = 900;

/// A machine that is so busy has nothing left: its clock counts in hundredths of a second, so that no
/// more than this is sure.
pub const FULL_PERMILLE: u64 = 950;

/// How much of a full machine others may have.
pub const CROWDED_PERMILLE: u64 = 100;

/// One of so many segments may be sent again. It comes a fifth of a second late at least; with ten
/// recipients that is the last recipient of every hundredth broadcast.
pub const RESENT_SHARE: u64 = 1000;

/// Fewer segments that were sent again are no share of anything.
pub const RESENT_MIN: u64 = 10;
