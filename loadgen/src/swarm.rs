//! All users of a run, each in a task of its own.

use cluster::client::Client;
use cluster::net::Network;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use crate::record::Record;
use crate::script::{Action, Script};
use crate::user::{self, Access};

/// The users of a run. If it is dropped, all stop where they are: whoever has not ended yet may hear that
/// others went who did not, so nothing that is recorded from then on counts.
pub struct Swarm<N: Network> {
    users: JoinSet<Vec<Client<N::Stream>>>,
    /// Connections that users vanished from stay open as long as this.
    vanished: Vec<Client<N::Stream>>,
}

impl<N: Network> Swarm<N> {
    /// Begins to live all `scripts`, each with the generator beside it.
    pub fn start<R, Actions>(
        scripts: impl IntoIterator<Item = (Script<Actions>, StdRng)>,
        network: &N,
        access: &Access,
        recorder: &R,
    ) -> Self
    where
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
        let vanished = Vec::new();
        Self { users, vanished }
    }

    /// Waits until all have ended or it is `stop_at`, and says how many have not.
    ///
    /// # Panics
    ///
    /// If a user does.
    pub async fn ended(&mut self, stop_at: Instant) -> usize {
        while let Ok(Some(ended)) = timeout_at(stop_at, self.users.join_next()).await {
            match ended {
                Ok(connections) => self.vanished.extend(connections),
                // Nobody aborts a user, so this is a panic.
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            }
        }
        self.users.len()
    }
}
