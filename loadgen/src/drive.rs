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
use crate::swarm;
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
        matches!(self.ending, Ending::Interrupted(_) | Ending::Failed { .. })
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
    /// The cluster failed as a whole.
    Failed {
        /// In words.
        reason: String,
    },
}

/// Drives the users of `plan` against the cluster behind `gate`. It ends when all have ended, at
/// the plan's hard stop, or as soon as `stopped` says how.
pub async fn drive<N: Network>(
    plan: &LoadPlan,
    network: &N,
    gate: &Address,
    recorder: &Recorder,
    stopped: impl Future<Output = Ending>,
) -> Finished {
    let access = access(plan, gate);
    let scripts = (0..plan.connections()).map(|user| {
        let rng = rng_of(plan.seed, user, Purpose::Life);
        (plan.script(user), rng)
    });
    let stop_at = recorder.started_at() + plan.stop_at();
    let ending = tokio::select! {
        stuck = swarm::run(scripts, network, &access, recorder, stop_at) => match stuck {
            0 => Ending::Complete,
            users => Ending::Stuck { users },
        },
        ending = stopped => ending,
    };
    // Who tries a name that another has does not come to the end, and should not.
    let (mut measured, elapsed) = recorder.finish(0..plan.users);
    let users_total = u64::from(plan.users);
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

/// Starts the record of a run of `plan`, which starts now. Its rows are of a second, or of as many as
/// a long run needs to have no more than 2000.
pub fn recorder(plan: &LoadPlan) -> Recorder {
    let interval_s = plan.stop_at().as_secs() / ROWS_MAX + 1;
    Recorder::new(Instant::now(), Duration::from_secs(interval_s))
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
