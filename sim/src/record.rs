//! What a finished simulated run hands to the checks.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cluster::census::Census;
use cluster::options::DuplicateLogin;
use cluster::topology::Topology;
use loadgen::history::Event;

use crate::anchor::Anchored;
use crate::fault::Planned;
use crate::kinds::Fired;
use crate::vandal::visit::Visit;

/// One finished run: what the users did and saw, what was done to the cluster, and what the
/// servers held meanwhile. All times count from the start of the run.
///
/// A run has four parts: faults until `healed_at`; time to recover until `settled_at`; then
/// the probes log in and life must be as ever; at `leaving_at` everybody leaves, and when the
/// run ends, with its last sample, nothing may be left.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// What every virtual user did and saw, in the order of recording.
    pub history: Vec<Event>,
    /// The faults as they happened, heals included, in order of time. A host is called by the
    /// id of the server on it.
    pub faults: Vec<Planned>,
    /// Those of the faults, by index, that waited for something to happen, and what ended them.
    pub anchored: BTreeSet<usize>,
    /// Those of the faults, by index, that met nobody: what they are done to was down or away.
    pub in_vain: BTreeSet<usize>,
    /// How often each kind of trouble happened, whoever made it.
    pub fired: Fired,
    /// Faults that waited for what did not happen.
    pub unmet: Vec<Anchored>,
    /// When the last fault was healed: all servers run, all links carry.
    pub healed_at: Duration,
    /// From here on membership and life must be whole again. Far enough from `healed_at` for
    /// three heartbeats (a dead connection is noticed), a lease, and a user's longest back-off.
    pub settled_at: Duration,
    /// When the users that are still there begin to leave.
    pub leaving_at: Duration,
    /// The end of the run, and the time of the last sample. Far enough from `leaving_at` for
    /// three heartbeats and a lease.
    pub ended_at: Duration,
    /// The servers. Simulated hosts have the ids of the servers on them as names.
    pub topology: Topology,
    /// The simulated host that each user lives on.
    pub user_hosts: BTreeMap<u32, String>,
    /// Users that log in only after `settled_at`, send to their room, and so prove life.
    pub probes: BTreeSet<u32>,
    /// Users that log in again whenever they lose their session.
    pub returning: BTreeSet<u32>,
    /// What vandals did and what they got back, in the order in which they came.
    pub visits: Vec<Visit>,
    /// What the servers held, every 100 ms and at the end.
    pub samples: Vec<Sample>,
    /// What the run was set up with.
    pub bounds: Bounds,
}

/// What the servers of one moment held.
#[derive(Clone, Debug)]
pub struct Sample {
    /// When.
    pub at: Duration,
    /// By server id; only servers that run (a paused one does).
    pub servers: BTreeMap<String, Census>,
}

/// The options of the cluster and of the network that the checks measure by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The longest time until a server answers a request.
    pub request_deadline: Duration,
    /// How long a client may take to shake hands.
    pub handshake_patience: Duration,
    /// Interval of heartbeats. A user sends its own one interval after the server's, and either
    /// side gives up after two more of silence.
    pub heartbeat: Duration,
    /// How long a link may be down before its sessions are given up.
    pub lease: Duration,
    /// The longest latency, one way, that any link had at any time of the run; if a host was slow,
    /// with the longest time that it held up what came.
    pub latency_max: Duration,
    /// Most packages that may wait for one client.
    pub session_queue_len: usize,
    /// Most frames of one link that may wait for their acknowledgement at any moment.
    pub outbox_len: usize,
    /// What becomes of a second login of a name.
    pub duplicate_login: DuplicateLogin,
    /// Most packages that can be under way between a session's queue and a user who reads
    /// nothing: the window of the simulated stream and what the connection writes at once.
    pub stream_len: usize,
}
