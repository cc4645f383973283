//! The chat server: owns rooms. It knows who is in each of its rooms, puts the events of a room
//! in one order, and answers a request once the connectors concerned have what it caused.
//!
//! In reading order: [`handler`] (what clients ask for), [`remote`] (what connectors ask for),
//! [`channel`] (one room), [`state`] (everything it knows), [`link`] (to the connectors),
//! [`recovery`] (after a start), `turns` (who is told first, if that is slow on purpose).

pub mod channel;
pub mod handler;
pub mod link;
pub mod recovery;
pub mod remote;
pub mod state;
mod turns;

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::state::State;
use crate::census::Census;
use crate::dispatch::SEND;
use crate::drag::{BATCHING_TIME, Drag, SLOW_SEND_TIME};
use crate::limits::{HELLO_PATIENCE, LINK_CONNECTIONS_MAX};
use crate::link::frame::Header;
use crate::link::message::{self, ToChat};
use crate::link::pump::{self, Endpoint, pump};
use crate::link::{Connection, LinkError};
use crate::net::Network;
use crate::options::Options;
use crate::serving::{self, Counted};
use crate::topology::Topology;

/// One chat server process.
pub struct Chat {
    id: String,
    topology: Arc<Topology>,
    state: Mutex<State>,
    /// The last refusal that was logged: who, and why.
    told: Mutex<(String, String)>,
    connections: AtomicUsize,
    drag: Option<Drag>,
}

impl Chat {
    /// Makes the chat server `id` of `topology`; `incarnation` is a number that no earlier
    /// process of that id had. The wait for the connectors' reports begins now.
    pub fn new(topology: Arc<Topology>, id: &str, options: Options, incarnation: u64) -> Arc<Self> {
        let drag = options.drag;
        let state = State::new(topology.clone(), options, incarnation, Instant::now());
        Arc::new(Self {
            id: id.to_owned(),
            topology,
            state: Mutex::new(state),
            told: Mutex::default(),
            connections: AtomicUsize::new(0),
            drag,
        })
    }

    /// Serves connectors until `shutdown` ends; then the links are closed, and the connectors
    /// wait for the next incarnation.
    pub async fn serve<N: Network>(
        self: Arc<Self>,
        network: N,
        listener: N::Listener,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let mut tasks = JoinSet::new();
        tasks.spawn(network.task(self.clone().watch_leases()));
        let links = serving::accept(
            &network,
            listener,
            &mut tasks,
            LINK_CONNECTIONS_MAX,
            |stream| self.clone().serve_link(stream),
        );
        tokio::select! {
            () = shutdown => {}
            () = links => {}
        }
        // Dropping the tasks closes the links.
    }

    /// What the tables hold now.
    pub fn census(&self) -> Census {
        Census {
            link_connections: self.connections.load(Ordering::Relaxed),
            ..self.state().census()
        }
    }

    async fn watch_leases(self: Arc<Self>) {
        loop {
            let again_at = self.state().expire(Instant::now());
            tokio::time::sleep_until(again_at).await;
        }
    }

    /// Runs one connection: a connector's hello, then its link until the connection breaks.
    async fn serve_link<S>(self: Arc<Self>, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin,
    {
        let _counted = Counted::new(&self.connections);
        let mut inbox = BytesMut::new();
        let connection = match self.welcome(&mut stream, &mut inbox).await {
            Ok(connection) => connection,
            Err(error) => {
                return tracing::debug!(server = self.id, %error, "no link came of a connection");
            }
        };
        let stop = connection.stop.clone();
        let stopped = async move {
            stop.notified().await;
            LinkError::Superseded
        };
        let endpoint = ChatEnd {
            chat: self.clone(),
            connection,
            drag: self.drag,
        };
        let busy = self.state().options.busy_link;
        let error = pump(stream, inbox, &endpoint, busy, stopped).await;
        let connector = &self.topology.connectors[endpoint.connection.peer].id;
        tracing::info!(server = self.id, connector, %error, "a link's connection ended");
    }

    async fn welcome<S>(
        &self,
        stream: &mut S,
        inbox: &mut BytesMut,
    ) -> Result<Connection, LinkError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let hello = match pump::receive(stream, inbox, "hello", HELLO_PATIENCE).await? {
            Header::Hello(hello) => hello,
            _ => return Err(LinkError::Protocol("does not begin with a hello")),
        };
        let answer = self.state().hello(&hello, Instant::now());
        match answer {
            Ok((connection, welcome)) => {
                tracing::info!(
                    server = self.id,
                    connector = hello.server,
                    resumed = welcome.resumed.is_some(),
                    "link"
                );
                pump::send(stream, &Header::Welcome(welcome), HELLO_PATIENCE).await?;
                Ok(connection)
            }
            Err(reason) => {
                self.tell_once(&hello.server, &reason);
                pump::send(stream, &Header::Refusal(reason), HELLO_PATIENCE).await?;
                Err(LinkError::Protocol("was turned away"))
            }
        }
    }

    /// Logs why a connector was refused, once for each cause: it dials ten times a second.
    fn tell_once(&self, connector: &str, reason: &str) {
        let news = (connector.to_owned(), reason.to_owned());
        let mut told = self.told.lock().expect("nothing in here panics");
        if *told != news {
            tracing::warn!(server = self.id, connector, reason, "refused a link");
            *told = news;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a panic in here ends the server")
    }
}

/// The chat server's end of one connection.
struct ChatEnd {
    chat: Arc<Chat>,
    connection: Connection,
    drag: Option<Drag>,
}

impl Endpoint for ChatEnd {
    fn arrived(&self, header: Header, payload: Bytes) -> Result<(), LinkError> {
        let now = Instant::now();
        self.chat
            .state()
            .arrived(&self.connection, header, &payload, now)
    }

    fn fill(&self, out: &mut BytesMut) -> Result<usize, LinkError> {
        self.chat.state().fill(&self.connection, out)
    }

    fn wake(&self) -> &Notify {
        &self.connection.wake
    }

    fn pause_before_taking(&self, payload: &Bytes) -> Option<Duration> {
        let is_slow = self.drag == Some(Drag::SlowSend);
        let is_said = || {
            let message = message::decode(payload);
            matches!(message, Ok(ToChat::Forward { route, .. }) if route == SEND)
        };
        (is_slow && is_said()).then_some(SLOW_SEND_TIME)
    }

    fn pause_before_writing(&self) -> Option<Duration> {
        (self.drag == Some(Drag::BatchingTimer)).then_some(BATCHING_TIME)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_counts_until_its_time_for_a_hello_is_over() {
        let options = Options::default();
        let chat = Chat::new(Arc::default(), "chat-server-1", options, 1);
        let (_stranger, stream) = duplex(64);
        let mut served = std::pin::pin!(chat.clone().serve_link(stream));
        assert!(timeout(HELLO_PATIENCE / 2, &mut served).await.is_err());
        assert_eq!(chat.census().link_connections, 1);
        assert!(timeout(HELLO_PATIENCE, &mut served).await.is_ok());
        assert_eq!(chat.census().link_connections, 0);
    }
}
