//! One run of a plan against a gate, and what is looked at meanwhile: the one way in which users are
//! driven over real sockets. Whose cluster is behind the gate is not its business.

use cluster::net::Tcp;

use crate::address::Address;
use crate::drive::{Ending, Finished, access, drive, recorder};
use crate::health::{self, HealthError, Watch};
use crate::plan::LoadPlan;
use crate::record::Record;
use crate::status::{self, Live};
use crate::workers::{self, Crew, WorkerFailed};

/// What this process is called where there are several.
const PROCESS: &str = "loadgen";

/// Why a plan was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// The gate does not serve.
    #[error(transparent)]
    Gate(HealthError),
    /// A process that was to live users can't.
    #[error(transparent)]
    Worker(#[from] WorkerFailed),
}

/// Runs `plan` against the cluster behind `gate`, its users in as many processes as there are in `crew`,
/// with `watch` beside it, which is given how far the run is and may stop it by ending with the reason.
///
/// # Errors
///
/// If the run could not begin.
pub async fn run(
    plan: &LoadPlan,
    gate: &Address,
    crew: &Crew,
    watch: impl AsyncFnOnce(Live) -> Ending,
) -> Result<Finished, TrialError> {
    let network = Tcp::loopback().from_group(0);
    health::ask_gate(&network, &access(plan, gate))
        .await
        .map_err(TrialError::Gate)?;
    let (teller, live) = status::channel();
    let stopped = watch(live);
    if crew.workers > 1 {
        return Ok(workers::run(crew, plan, gate, &teller, stopped).await?);
    }
    let users: Vec<u32> = (0..plan.connections()).collect();
    let watched = Watch::start();
    let recorder = recorder(plan);
    let look = || {
        let mut status = recorder.status();
        status.sends_planned = plan.sends_until(recorder.now()) as u64;
        status.processes = watched.told(PROCESS);
        status
    };
    let mut finished = tokio::select! {
        finished = drive(plan, &users, &network, gate, &recorder, stopped) => finished,
        never = status::tell(&teller, look) => match never {},
    };
    finished.processes = watched.told(PROCESS);
    Ok(finished)
}
