//! What a process that makes load has seen of itself and of its machine.

use reports::buckets::Buckets;
use serde::{Deserialize, Serialize};

/// How a process was so far. What a system does not tell is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vitals {
    /// For how long it was watched.
    pub watched_us: u64,
    /// Whether its tasks came to their turn in time.
    pub beat: Beat,
    /// How busy the processors were.
    pub cpu: Option<Cpu>,
    /// TCP segments of its machine.
    pub segments: Option<Segments>,
    /// Files and sockets.
    pub files: Option<Files>,
    /// The most memory that it had.
    pub resident_bytes_max: Option<u64>,
}

/// A task that is due a hundred times a second, and what kept it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Beat {
    /// By how much it was late, each time that it was due.
    pub lateness: Buckets,
    /// How long nothing happened at all, each stall once.
    pub stalls_us: u64,
    /// The longest stall.
    pub stall_us_max: u64,
}

/// How busy the processors were, second by second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cpu {
    /// Processors that the process may use.
    pub processors: u64,
    /// Time of processors that the process used.
    pub own_us: u64,
    /// How much of what it may use it used in the last second, in thousandths.
    pub own_permille: u64,
    /// The most of it in any second.
    pub own_permille_max: u64,
    /// Seconds.
    pub seconds: u64,
    /// Of these, those in which it used nearly all that it may use.
    pub seconds_saturated: u64,
    /// The machine as a whole.
    pub machine: Option<Machine>,
}

/// How busy all processors of a machine were, whoever used them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Machine {
    /// The busiest second, in thousandths.
    pub busy_permille_max: u64,
    /// Seconds in which nearly nothing was left.
    pub seconds_full: u64,
    /// Of these, those in which other processes used much of it.
    pub seconds_crowded: u64,
    /// The most that others used in a second, in thousandths.
    pub others_permille_max: u64,
}

/// TCP segments that a machine sent while it was watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Segments {
    /// All, but for those that were sent again.
    pub sent: u64,
    /// Those that were sent again, but for the first ones of connections: these a server that does not
    /// accept makes its clients send again.
    pub resent: u64,
}

/// Files and sockets that a process has open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Files {
    /// The most at a time.
    pub open_max: u64,
    /// How many it may have.
    pub limit: u64,
}
