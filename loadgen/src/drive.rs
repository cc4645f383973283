//! One load test from its first login to its last goodbye.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use cluster::net::Network;
use cluster::signals::Signal;
use reports::measured::Measured;
use tokio::time::Instant;

use crate::address::Address;
use crate::fanout::Recorder;
use crate::health::vitals::Vitals;
use crate::plan::LoadPlan;
use crate::record::Record;
use crate::script::{Purpose, rng_of};
use crate::swarm::Swarm;
use crate::user::{Access, Patience};

/// Rows of time in the figures of one run: each takes up to 100 KiB, most of it for histograms.
const ROWS_MAX: u64 = 2000;

/// What is left of a load test.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What all users did and saw.
    pub measured: Measured,
    /// How long it took.
    pub elapsed: Duration,
    /// How it ended.
    pub ending: Ending,
    /// How the processes that made the load were, by their names.
    pub processes: BTreeMap<String, Vitals>,
}

impl Finished {
    /// Whether it was stopped before its end.
    pub fn is_partial(&self) -> bool {
        !matches!(self.ending, Ending::Complete | Ending::Stuck { .. })
    }
}

/// How a load test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Every user lived its script to the end.
    Complete,
    /// It was time to stop, but some users had not ended.
    Stuck {
        /// How many.
        users: usize,
    },
    /// Somebody stopped it.
    Interrupted(Signal),
    /// A part of the load was missing: what was measured says nothing of the cluster.
    Invalid {
        /// In words.
        reason: String,
    },
    /// The cluster failed as a whole.
    Failed {
        /// In words.
        reason: String,
    },
}

impl Ending {
    /// Whether a part of the load was missing.
    pub fn is_invalid(&self) -> bool {
        matches!(self, Self::Invalid { .. })
    }
}

/// Drives `users`, which are all of `plan` or those whom this process lives, against the cluster behind
/// `gate`. It ends when all have ended, at the plan's hard stop, or as soon as `stopped` says how.
pub async fn drive<N: Network>(
    plan: &LoadPlan,
    users: &[u32],
    network: &N,
    gate: &Address,
    recorder: &Recorder,
    stopped: impl Future<Output = Ending>,
) -> Finished {
    let access = access(plan, gate);
    let scripts = users.iter().map(|&user| {
        let rng = rng_of(plan.seed, user, Purpose::Life);
        (plan.script(user), rng)
    });
    let stop_at = recorder.started_at() + plan.stop_at();
    let mut swarm = Swarm::start(scripts, network, &access, recorder);
    let ending = tokio::select! {
        stuck = swarm.ended(stop_at) => match stuck {
            0 => Ending::Complete,
            users => Ending::Stuck { users },
        },
        ending = stopped => ending,
    };
    // Who tries a name that another has does not come to the end, and should not.
    let named = users.iter().copied().filter(|&user| user < plan.users);
    let users_total = named.clone().count() as u64;
    let (mut measured, elapsed) = recorder.finish(named);
    drop(swarm);
    measured
        .counts
        .insert("users_total".to_owned(), users_total);
    Finished {
        measured,
        elapsed,
        ending,
        processes: BTreeMap::new(),
    }
}

/// Starts the record of a run of `plan`, which starts now.
pub fn recorder(plan: &LoadPlan) -> Recorder {
    Recorder::new(Instant::now(), interval_of(plan))
}

/// Of what time the rows of a run of `plan` are: a second, or as many as a long run needs to have no
/// more than 2000 of them.
pub fn interval_of(plan: &LoadPlan) -> Duration {
    Duration::from_secs(plan.stop_at().as_secs() / ROWS_MAX + 1)
}

/// How the users of `plan` reach the cluster behind `gate`.
pub fn access(plan: &LoadPlan, gate: &Address) -> Access {
    Access {
        gate: gate.clone(),
        transport: plan.transport,
        memory: Arc::default(),
        patience: Patience::default(),
    }
}
