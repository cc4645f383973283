//! One load test from its first login to its last goodbye.

use std::sync::Arc;
use std::time::Duration;

use cluster::net::Network;
use cluster::signals::Signal;

use crate::address::Address;
use crate::history::{Event, Recorder};
use crate::plan::LoadPlan;
use crate::script::{Purpose, rng_of};
use crate::swarm;
use crate::user::{Access, Patience};

/// What is left of a load test.
#[derive(Clone, Debug)]
pub struct Finished {
    /// What all users did and saw.
    pub history: Vec<Event>,
    /// How long it took; no event is later.
    pub elapsed: Duration,
    /// How it ended.
    pub ending: Ending,
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
    Finished {
        history: recorder.take(),
        elapsed: recorder.now(),
        ending,
    }
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
