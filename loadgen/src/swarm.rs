//! All users of a run, each in a task of its own.

use cluster::net::Network;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::record::Record;
use crate::script::{Action, Script};
use crate::user::{self, Access};

/// Lives all `scripts`, each with the generator beside it, until all have ended or it is `stop_at`;
/// then it drops those that have not, and says how many they were. Connections that users vanished
/// from stay open until then.
///
/// If this future is dropped, all its users stop where they are.
///
/// # Panics
///
/// If a user does.
pub async fn run<N, R, Actions>(
    scripts: impl IntoIterator<Item = (Script<Actions>, StdRng)>,
    network: &N,
    access: &Access,
    recorder: &R,
    stop_at: Instant,
) -> usize
where
    N: Network,
    R: Record,
    Actions: IntoIterator<Item = Action, IntoIter: Send + Sync> + Send + 'static,
{
    let mut users = JoinSet::new();
    for (script, rng) in scripts {
        let user = user::run(
            script,
            network.clone(),
            access.clone(),
            recorder.clone(),
            rng,
        );
        users.spawn(network.task(user));
    }
    let mut vanished = Vec::new();
    while let Ok(Some(ended)) = timeout_at(stop_at, users.join_next()).await {
        match ended {
            Ok(connections) => vanished.extend(connections),
            // Nobody aborts a user, so this is a panic.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    users.len()
}
