//! A user out of the cluster: it waits for its next login, and logs in.

use std::future;

use cluster::client::Client;
use cluster::net::Network;
use tokio::time::{Instant, sleep_until, timeout};

use super::{Ending, User};
use crate::health::want::Want;
use crate::history::What;
use crate::login::{self, LoginError};
use crate::record::Record;
use crate::script::{Action, Do};

impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    /// Waits until the script or a retry asks for a login; `false` if the script is over.
    pub(super) async fn wait_for_login(&mut self) -> bool {
        loop {
            let due_at = self.due_at();
            if due_at.is_none() && self.retry_at.is_none() {
                return false;
            }
            tokio::select! {
                biased;
                () = at(due_at) => {
                    let Action { at: due, what } = self.take_due();
                    match what {
                        Do::Login => {
                            // Who is about to try again has waited since the first time.
                            if self.retry_at.is_none() {
                                self.login_due = Some(due);
                            }
                            return true;
                        }
                        Do::Send(_) => self.note(What::Unsent { due }),
                        Do::SendAtOnce(target) => self.first_words = Some(target),
                        Do::Enter { room } => self.room = room,
                        Do::Leave => self.retry_at = None,
                        Do::Vanish | Do::Deafen | Do::Listen => {}
                    }
                }
                () = at(self.retry_at) => return true,
            }
        }
    }

    /// Begins a login: asks the gate, connects to the connector it names. Hands back the connection
    /// to the connector, and the one to the gate, which is of no more use.
    pub(super) async fn log_in(
        &mut self,
    ) -> Result<(Client<N::Stream>, Client<N::Stream>), LoginError> {
        self.login += 1;
        let due = self.login_due;
        let due = due.expect("who logs in was told to by the script or by its back-off");
        self.note(What::Login { due });
        let key = self.gate_key.as_ref().unwrap_or(&self.name);
        let patience = self.access.patience.login;
        timeout(patience, async {
            let (connector, gate) = login::ask_gate(&self.network, &self.access, key).await?;
            self.note(What::Located {
                connector: connector.to_string(),
            });
            let client = login::connect(&self.network, &self.access, connector).await?;
            self.note(What::Connected);
            Ok((client, gate))
        })
        .await
        .unwrap_or(Err(LoginError::Late(patience)))
    }

    pub(super) fn fail(&mut self, error: &LoginError) -> Ending {
        let reason = error.to_string();
        match Want::behind(error) {
            Some(want) => self.recorder.prevented(self.user, self.login, want, reason),
            None => self.note(What::LoginFailed { reason }),
        }
        Ending::Lost
    }

    pub(super) fn back_off(&mut self) -> Option<Instant> {
        self.failures = self.failures.saturating_add(1);
        let wait = self.reconnect?.wait(self.failures, &mut self.rng);
        self.login_due.get_or_insert(self.recorder.now() + wait);
        Some(Instant::now() + wait)
    }
}

/// Waits until `when`; for ever, if there is no such time.
async fn at(when: Option<Instant>) {
    match when {
        Some(when) => sleep_until(when).await,
        None => future::pending().await,
    }
}
