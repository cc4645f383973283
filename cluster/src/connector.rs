//! The connector: holds the client sessions, and links them to the chat servers that own their
//! rooms.
//!
//! In reading order: [`session`] (one client's bytes), [`backlog`] (its messages that wait for
//! their turn), [`handler`] (what clients ask for), [`state`] (everything it knows), [`room`] (a
//! room as this connector sees it), [`rounds`] (when clients are written to), [`route`] (which chat server owns it), [`link`] (to one chat
//! server), [`remote`] (what chat servers say).

pub mod backlog;
pub mod handler;
pub mod link;
pub mod remote;
pub mod room;
pub mod rounds;
pub mod route;
pub mod session;
pub mod state;

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use self::state::{ChatIndex, State};
use crate::causes;
use crate::census::Census;
use crate::frontend::HANDSHAKE_FITS;
use crate::limits::{self, CLOSE_PATIENCE, REDIAL_PAUSE, ROUND};
use crate::link::frame::Header;
use crate::link::pump::{self, Endpoint, pump};
use crate::link::{Connection, LinkError};
use crate::marks::Mark;
use crate::net::Network;
use crate::options::Options;
use crate::policy::Flaw;
use crate::serving::{self, Counted};
use crate::topology::{Backend, Topology};
use crate::wire::handshake::Answers;

/// One connector process.
pub struct Connector {
    id: String,
    topology: Arc<Topology>,
    options: Options,
    answers: Answers,
    state: Mutex<State>,
    tasks: AtomicUsize,
}

impl Connector {
    /// Makes the connector `id` of `topology`; `incarnation` is a number that no earlier process
    /// of that id had.
    ///
    /// # Panics
    ///
    /// The vocabulary does not fit a handshake.
    pub fn new(topology: Arc<Topology>, id: &str, options: Options, incarnation: u64) -> Arc<Self> {
        let now = Instant::now();
        let state = State::new(topology.clone(), id, options.clone(), incarnation, now);
        let answers = Answers::new(Some(options.heartbeat), options.vocabulary.clone())
            .expect(HANDSHAKE_FITS);
        Arc::new(Self {
            id: id.to_owned(),
            topology,
            options,
            answers,
            state: Mutex::new(state),
            tasks: AtomicUsize::new(0),
        })
    }

    /// Serves clients until `shutdown` ends; then they are kicked, and the chat servers are told.
    pub async fn serve<N: Network>(
        self: Arc<Self>,
        network: N,
        listener: N::Listener,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let mut links = JoinSet::new();
        links.spawn(network.task(self.clone().keep_rounds()));
        for chat in 0..self.topology.chats.len() {
            links.spawn(network.task(self.clone().keep_link(network.clone(), chat)));
        }
        let mut clients = JoinSet::new();
        let sessions_max = self.options.sessions_max;
        let accepting = serving::accept(&network, listener, &mut clients, sessions_max, |stream| {
            self.clone().serve_client(stream)
        });
        tokio::select! {
            () = shutdown => {}
            () = accepting => {}
            () = serving::drain(&mut links) => {}
        }
        self.state().stop();
        // The links go on meanwhile, so that the chat servers hear of it.
        let ending = async {
            serving::drain(&mut clients).await;
            self.told().await;
        };
        let _ = timeout(CLOSE_PATIENCE, ending).await;
    }

    /// Waits until the chat servers that can be reached have been told all there is to say.
    async fn told(&self) {
        for chat in 0..self.topology.chats.len() {
            loop {
                let Some(written) = self.state().unwritten(chat) else {
                    break;
                };
                written.notified().await;
            }
        }
    }

    /// What the tables hold now.
    pub fn census(&self) -> Census {
        Census {
            tasks: self.tasks.load(Ordering::Relaxed),
            ..self.state().census()
        }
    }

    async fn serve_client<S: AsyncRead + AsyncWrite + Unpin>(self: Arc<Self>, stream: S) {
        let counted = Counted::new(&self.tasks);
        let shook_hands = session::serve(self.clone(), stream).await;
        if !shook_hands && self.options.policy.has(Flaw::ConnectionCounterLeak) {
            counted.leak();
        }
    }

    /// Keeps the link to one chat server: dials whenever it is down, and gives it up when its
    /// lease runs out.
    async fn keep_link<N: Network>(self: Arc<Self>, network: N, chat: ChatIndex) {
        let dialling = async {
            let mut told = None;
            while self.state().is_to_be_dialled(chat) {
                let error = self.run_link(&network, chat).await;
                self.tell_once(chat, &error, &mut told);
                sleep(REDIAL_PAUSE).await;
            }
        };
        tokio::join!(dialling, self.watch_lease(chat));
    }

    /// Logs why a link is down, once for each cause: dials go on ten times a second. `told` is what
    /// was logged last, and of which connection.
    fn tell_once(&self, chat: ChatIndex, error: &LinkError, told: &mut Option<(u64, String)>) {
        let connection = self.state().links[chat].connection_number();
        let news = Some((connection, causes::sentence(error)));
        if *told != news {
            let Backend { id, host, port } = &self.topology.chats[chat];
            let why = news.as_ref().map(|(_, why)| why);
            tracing::warn!(server = self.id, chat = id, why, "no link to {host}:{port}");
            *told = news;
        }
    }

    /// Ends each round in which sessions are told what to write.
    async fn keep_rounds(self: Arc<Self>) {
        let begun = self.state().round_begun();
        loop {
            begun.notified().await;
            loop {
                sleep(ROUND).await;
                if !self.state().end_round() {
                    break;
                }
            }
        }
    }

    async fn watch_lease(&self, chat: ChatIndex) {
        let leased = self.state().links[chat].leased();
        loop {
            let end = self.state().lease_end(chat);
            match end {
                Some(end) => {
                    sleep_until(end).await;
                    self.state().expire_lease(chat, Instant::now());
                }
                None => leased.notified().await,
            }
        }
    }

    /// Dials a chat server and runs the connection until it breaks.
    async fn run_link<N: Network>(self: &Arc<Self>, network: &N, chat: ChatIndex) -> LinkError {
        let mut inbox = BytesMut::new();
        let (stream, connection) = match self.dial(network, chat, &mut inbox).await {
            Ok(dialled) => dialled,
            Err(error) => {
                if matches!(error, LinkError::Silent { .. }) {
                    Mark::DialHung.reached();
                }
                return error;
            }
        };
        let endpoint = ConnectorEnd {
            connector: self.clone(),
            connection,
        };
        let busy = self.options.busy_link;
        let error = pump(
            stream,
            inbox,
            &endpoint,
            busy,
            endpoint.ping_until_stopped(),
        )
        .await;
        self.state().unlinked(&endpoint.connection);
        error
    }

    async fn dial<N: Network>(
        &self,
        network: &N,
        chat: ChatIndex,
        inbox: &mut BytesMut,
    ) -> Result<(N::Stream, Connection), LinkError> {
        let server = &self.topology.chats[chat];
        let patience = limits::dial_patience(self.options.lease);
        let dial = timeout(patience, network.connect(&server.host, server.port));
        let what = "answer to the dial";
        let mut stream = dial
            .await
            .map_err(|_| LinkError::Silent { what, patience })??;
        let sent_at = Instant::now();
        let hello = self.state().hello(chat);
        pump::send(&mut stream, &Header::Hello(hello), patience).await?;
        match pump::receive(&mut stream, inbox, "welcome", patience).await? {
            Header::Welcome(welcome) => {
                let connection = self
                    .state()
                    .welcomed(chat, welcome, sent_at, Instant::now())?;
                let resumed = welcome.resumed.is_some();
                tracing::info!(server = self.id, chat = server.id, resumed, "linked");
                Ok((stream, connection))
            }
            Header::Refusal(reason) => Err(LinkError::Refused(reason)),
            _ => Err(LinkError::Protocol("does not begin with a welcome")),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a panic in here ends the server")
    }
}

/// The connector's end of one connection of a link.
struct ConnectorEnd {
    connector: Arc<Connector>,
    connection: Connection,
}

impl ConnectorEnd {
    /// Pings the chat server until the connection is stopped or too long silent.
    async fn ping_until_stopped(&self) -> LinkError {
        let pinging = async {
            let interval = limits::ping_interval(self.connector.options.lease);
            loop {
                sleep(interval).await;
                let now = Instant::now();
                if let Err(error) = self.connector.state().ping(&self.connection, now) {
                    return error;
                }
            }
        };
        tokio::select! {
            biased;
            () = self.connection.stop.notified() => LinkError::Superseded,
            error = pinging => error,
        }
    }
}

impl Endpoint for ConnectorEnd {
    fn arrived(&self, header: Header, payload: Bytes) -> Result<(), LinkError> {
        let mut state = self.connector.state();
        state.arrived(&self.connection, header, &payload)
    }

    fn fill(&self, out: &mut BytesMut) -> Result<usize, LinkError> {
        self.connector.state().fill(&self.connection, out)
    }

    fn wake(&self) -> &Notify {
        &self.connection.wake
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use tokio::io::duplex;

    use super::*;
    use crate::limits::BUSY_ROUND;
    use crate::link::frame::Welcome;
    use crate::policy::Policy;

    #[tokio::test(start_paused = true)]
    async fn each_lease_is_watched_to_its_end() -> Result<(), LinkError> {
        let chat = Backend {
            id: "chat-server-1".to_owned(),
            host: String::new(),
            port: 1,
        };
        let topology = Topology {
            chats: vec![chat],
            ..Topology::default()
        };
        let options = Options::default();
        let lease = options.lease;
        let connector = Connector::new(Arc::new(topology), "connector-server-1", options, 1);
        let mut watched = std::pin::pin!(connector.watch_lease(0));
        for incarnation in [7, 8] {
            let begin = Instant::now();
            let welcome = Welcome {
                incarnation,
                resumed: None,
            };
            connector.state().welcomed(0, welcome, begin, begin)?;
            assert_eq!(connector.state().lease_end(0), Some(begin + lease));
            assert!(timeout(2 * lease, &mut watched).await.is_err());
            assert_eq!(connector.state().lease_end(0), None, "it was given up");
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_in_a_busy_round_waits_no_longer_than_a_round() {
        let options = Options::default();
        let connector = Connector::new(Arc::default(), "connector-server-1", options, 1);
        let (session, queue) = connector.state().open();
        let push = || {
            connector
                .state()
                .push(session, Bytes::from_static(b"package"))
        };
        let mut packages = VecDeque::new();
        let story = async {
            (0..BUSY_ROUND).for_each(|_| push());
            sleep(ROUND + ROUND / 2).await;
            queue.take(&mut packages);
            packages.clear();
            queue.woken().await;
            push();
            queue.woken().await;
            queue.take(&mut packages);
            packages.clear();
            let begin = Instant::now();
            push();
            queue.woken().await;
            assert!(begin.elapsed() > Duration::ZERO && begin.elapsed() <= ROUND);
        };
        tokio::select! {
            () = connector.clone().keep_rounds() => {}
            () = story => {}
        }
    }

    #[tokio::test]
    async fn connection_counter_leak() {
        let counted = async |policy| {
            let options = Options {
                policy,
                ..Options::default()
            };
            let connector = Connector::new(Arc::default(), "connector-server-1", options, 1);
            let (client, stream) = duplex(64);
            drop(client);
            connector.clone().serve_client(stream).await;
            connector.census().tasks
        };
        let leaky = Policy::hardened().with(Flaw::ConnectionCounterLeak);
        assert_eq!(counted(Policy::hardened()).await, 0);
        assert_eq!(counted(leaky).await, 1);
    }
}
