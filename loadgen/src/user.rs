//! One virtual user: asks the gate, connects, enters a room, sends when due, disconnects.
//!
//! The user is one task and knows nothing of its network: the same code runs over real sockets and
//! in simulation. Everything that it does and sees is recorded.
//!
//! Here is its life, in turns out of the cluster (`outside`) and in it (`inside`).

mod inside;
mod outside;

use std::iter::Peekable;
use std::sync::Arc;
use std::time::Duration;

use cluster::client::{Client, Memory};
use cluster::connection::Transport;
use cluster::net::Network;
use rand::rngs::StdRng;
use tokio::time::Instant;

use crate::address::Address;
use crate::history::{Target, What};
use crate::login;
use crate::record::Record;
use crate::script::{Action, Reconnect, Script};

/// How the users of one run reach the cluster.
#[derive(Clone, Debug)]
pub struct Access {
    /// The gate that is asked for a connector.
    pub gate: Address,
    /// What the bytes travel in, to the gate and to the connector.
    pub transport: Transport,
    /// What they remember of servers. If all users share one, only the first is sent the route
    /// dictionary and the schemas.
    pub memory: Arc<Memory>,
    /// How long a user waits for its peers.
    pub patience: Patience,
}

/// How long a user waits for a peer before it gives the connection up.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From asking the gate to the connector's finished handshake.
    pub login: Duration,
    /// From a request to its answer. Longer than the cluster's own request deadline, so that a
    /// late answer is seen as what it is.
    pub answer: Duration,
    /// For the goodbye of a connection that the user closes.
    pub close: Duration,
}

impl Default for Patience {
    /// Ten seconds for a login, ten for an answer (three times the cluster's default request
    /// deadline), one for a goodbye.
    fn default() -> Self {
        Self {
            login: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            close: Duration::from_secs(1),
        }
    }
}

/// Connections of a user that vanished: open, but neither read nor written. They end when
/// this is dropped.
pub type Vanished<S> = Vec<Client<S>>;

/// Lives `script`, whose times count from the start of `recorder`. `rng` decides what the script
/// leaves open: the waits before coming back.
///
/// It ends when the script has nothing left to do and the user is not connected; a user that is
/// connected stays, until this future is dropped. The connections that it vanished from are
/// handed back, to be kept until the end of the run.
pub fn run<N, R, Actions>(
    script: Script<Actions>,
    network: N,
    access: Access,
    recorder: R,
    rng: StdRng,
) -> impl Future<Output = Vanished<N::Stream>> + use<N, R, Actions>
where
    N: Network,
    R: Record,
    Actions: IntoIterator<Item = Action>,
{
    let mut user = User {
        user: script.user,
        name: script.name,
        gate_key: script.gate_key,
        room: script.room,
        message_len: script.message_len,
        actions: script.actions.into_iter().peekable(),
        reconnect: script.reconnect,
        network,
        access,
        recorder,
        rng,
        login: 0,
        login_due: None,
        failures: 0,
        retry_at: None,
        first_words: None,
    };
    // An `async fn` would have room for its arguments beside the user that is made of them.
    async move { user.live().await }
}

struct User<N: Network, R, Actions: Iterator> {
    user: u32,
    name: String,
    gate_key: Option<String>,
    room: String,
    message_len: usize,
    actions: Peekable<Actions>,
    reconnect: Option<Reconnect>,
    network: N,
    access: Access,
    recorder: R,
    rng: StdRng,
    /// The number of the current or last login.
    login: u32,
    /// When the login that has yet to lead into a room was first due, since the start of the run.
    login_due: Option<Duration>,
    /// Logins in a row that came to nothing.
    failures: u32,
    retry_at: Option<Instant>,
    /// To whom it speaks in the next session before it enters a room.
    first_words: Option<Target>,
}

/// How a connection of this user ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// It went, as it wanted to.
    Left,
    /// It went silent.
    Vanished,
    /// Against its will: no login, not let in, kicked, cut off.
    Lost,
}

/// All its life.
impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    async fn live(&mut self) -> Vanished<N::Stream> {
        let mut vanished = Vec::new();
        while self.wait_for_login().await {
            // What is needed for a moment only has memory of its own, which is free again when it is over:
            // in place, each of many thousand users would have room for it all its life.
            let ending = match Box::pin(self.log_in()).await {
                Ok((client, gate)) => {
                    // A user does not wait for the gate's goodbye, but neither leaves it hanging.
                    let goodbye = Box::pin(login::say_goodbye(gate, self.access.patience.close));
                    tokio::join!(self.stay(client, &mut vanished), goodbye).0
                }
                Err(error) => self.fail(&error),
            };
            self.retry_at = match ending {
                Ending::Lost => self.back_off(),
                Ending::Left | Ending::Vanished => None,
            };
        }
        vanished
    }
}

/// The script.
impl<N: Network, R: Record, Actions: Iterator<Item = Action>> User<N, R, Actions> {
    /// When the next action is due.
    fn due_at(&mut self) -> Option<Instant> {
        let next = self.actions.peek()?;
        Some(self.recorder.started_at() + next.at)
    }

    fn take_due(&mut self) -> Action {
        self.actions
            .next()
            .expect("an action is due only while there is one")
    }

    fn note(&self, what: What) {
        self.recorder.note(self.user, self.login, what);
    }
}
