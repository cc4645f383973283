//! What can go wrong in a simulated run, as data.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One thing that happens to the simulated hosts or to the network between them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Fault {
    /// The process on `host` dies.
    Crash {
        /// Where.
        host: String,
        /// Its peers see the end of their streams; otherwise (a power cut) they see nothing.
        goodbye: bool,
    },
    /// The process on `host` starts again.
    Restart {
        /// Where.
        host: String,
    },
    /// The process on `host` stands still.
    Pause {
        /// Where.
        host: String,
    },
    /// The process on `host` goes on.
    Resume {
        /// Where.
        host: String,
    },
    /// What is sent between the two waits for the release.
    Hold {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// What was held is delivered.
    Release {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// What is sent between the two is lost.
    Partition {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// What `from` sends to `to` is lost.
    PartitionOneway {
        /// The sending host.
        from: String,
        /// The receiving host.
        to: String,
    },
    /// Ends a partition.
    Repair {
        /// One host.
        a: String,
        /// The other.
        b: String,
    },
    /// From now on the way between the two takes this long.
    Latency {
        /// One host.
        a: String,
        /// The other.
        b: String,
        /// One way.
        latency: Duration,
    },
}

/// A fault and when it happens, since the start of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// When.
    pub at: Duration,
    /// What.
    pub fault: Fault,
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}  {:?}", self.at, self.fault)
    }
}
