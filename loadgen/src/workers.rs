//! A load test that is lived by several processes of one machine: one may open too few files for all
//! users, and has one lock for what they record.
//!
//! The one that was asked for it, which lives no users itself, starts the others and tells each the whole
//! plan and which part of it is its own ([`shares`](crate::plan::shares)). When all are ready they begin at a common
//! instant of a clock that they share (`clock`), tell how far they are, and hand over what they
//! measured, which is merged. They talk over pipes (`words`, `lines`), so that each notices when the
//! other is no more: a worker whose starter died ends at once; and a worker that dies, stands still or
//! says what nobody understands makes the run invalid, with that as the reason.

mod child;
mod clock;
mod crew;
mod lines;
mod shift;
mod words;
mod worker;

use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep_until;

use crate::address::Address;
use crate::drive::{Ending, Finished};
use crate::plan::LoadPlan;
use crate::status::{self, Status};
use child::ChildError;
use shift::Shift;

pub use child::COMMAND;
pub use crew::{Crew, CrewError, WORKERS_MAX};
pub use worker::{WorkerError, work};

/// How long workers may take to hand over what they measured once it is time.
const REPORT_PATIENCE: Duration = Duration::from_secs(60);

/// A worker failed.
#[derive(Debug, thiserror::Error)]
#[error("worker {number} of {of}")]
pub struct WorkerFailed {
    /// Which, from 1.
    number: u32,
    /// How many there are.
    of: u32,
    /// Why.
    #[source]
    cause: ChildError,
}

/// Runs `plan` against the cluster behind `gate`, with its users in several processes, until all have
/// ended or `stopped` says how. How far they are is told `teller`.
///
/// # Errors
///
/// If a worker failed before the start. One that fails later makes the run invalid.
pub async fn run(
    crew: &Crew,
    plan: &LoadPlan,
    gate: &Address,
    teller: &watch::Sender<Status>,
    stopped: impl Future<Output = Ending>,
) -> Result<Finished, WorkerFailed> {
    let mut stopped = pin!(stopped);
    let mut shift = Shift::new(plan);
    let began = tokio::select! {
        began = shift.begin(crew, plan, gate) => began?,
        ending = &mut stopped => return Ok(shift.end(ending).await),
    };
    let too_late = began + plan.stop_at() + REPORT_PATIENCE;
    let said = shift.said();
    let look = || {
        let mut status = said.status();
        status.sends_planned = plan.sends_until(Duration::from_micros(status.elapsed_us)) as u64;
        status
    };
    let ending = tokio::select! {
        ending = shift.work() => ending,
        ending = &mut stopped => ending,
        () = sleep_until(too_late) => Ending::Invalid {
            reason: "the workers did not come to an end".to_owned(),
        },
        never = status::tell(teller, look) => match never {},
    };
    Ok(shift.end(ending).await)
}
