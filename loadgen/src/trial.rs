//! One run of a plan against a gate, and what is looked at meanwhile: the one way in which users are
//! driven over real sockets. Whose cluster is behind the gate is not its business.

use std::convert::Infallible;
use std::time::Duration;

use cluster::net::Tcp;
use tokio::sync::watch;
use tokio::time::interval;

use crate::address::Address;
use crate::drive::{Ending, Finished, access, drive, recorder};
use crate::fanout::{Recorder, Tally};
use crate::health::{self, HealthError};
use crate::plan::LoadPlan;
use crate::record::Record;

/// Time between two looks at how far a run is: as often as an eye follows numbers.
const LOOK_INTERVAL: Duration = Duration::from_millis(250);

/// How far a run is, as of now; clones share it.
#[derive(Clone, Debug)]
pub struct Live(watch::Receiver<Moment>);

/// How far a run was at some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment {
    /// Since the start of the run.
    pub elapsed: Duration,
    /// What had come of it.
    pub tally: Tally,
}

impl Live {
    /// How far it is: at most a quarter of a second ago.
    pub fn now(&self) -> Moment {
        *self.0.borrow()
    }
}

/// Why a plan was not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// The gate does not serve.
    #[error(transparent)]
    Gate(HealthError),
}

/// Runs `plan` against the cluster behind `gate`, with `watch` beside it, which is given how far the run
/// is and may stop it by ending with the reason.
///
/// # Errors
///
/// If the run could not begin.
pub async fn run(
    plan: &LoadPlan,
    gate: &Address,
    watch: impl AsyncFnOnce(Live) -> Ending,
) -> Result<Finished, TrialError> {
    let network = Tcp::loopback();
    health::ask_gate(&network, &access(plan, gate))
        .await
        .map_err(TrialError::Gate)?;
    let (publisher, live) = watch::channel(Moment::default());
    let stopped = watch(Live(live));
    let recorder = recorder(plan);
    tokio::select! {
        finished = drive(plan, &network, gate, &recorder, stopped) => Ok(finished),
        never = publish(&recorder, &publisher) => match never {},
    }
}

/// Tells all who watch how far the run of `recorder` is.
async fn publish(recorder: &Recorder, publisher: &watch::Sender<Moment>) -> Infallible {
    let mut ticks = interval(LOOK_INTERVAL);
    loop {
        ticks.tick().await;
        publisher.send_replace(Moment {
            elapsed: recorder.now(),
            tally: recorder.tally(),
        });
    }
}
