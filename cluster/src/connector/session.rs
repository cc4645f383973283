//! One client connection at a connector, from its first byte to its last.

use std::collections::VecDeque;
use std::error::Error;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, sleep_until};

use super::Connector;
use super::backlog::Backlog;
use super::handler::{self, Asked, Kick};
use crate::causes;
use crate::connection::{Connection, Incoming};
use crate::frontend;
use crate::limits::CLOSE_PATIENCE;
use crate::link::message::SessionId;
use crate::marks::Mark;
use crate::policy::Flaw;
use crate::queue::Queue;
use crate::wire::body;
use crate::wire::message;
use crate::wire::package::{self, Package, PackageType};

/// Serves one client until either side ends it. False if it never came to shake hands.
pub async fn serve<S>(connector: Arc<Connector>, stream: S) -> bool
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let options = &connector.options;
    let Some(connection) = frontend::greet(stream, &connector.answers, options).await else {
        return false;
    };
    let (id, queue) = connector.state().open();
    let mut session = Session {
        heartbeat_end: Instant::now() + 2 * options.heartbeat,
        request_end: None,
        is_dead: false,
        connection,
        connector: connector.clone(),
        id,
        queue,
        packages: VecDeque::new(),
        backlog: Backlog::default(),
    };
    session.put(package::heartbeat());
    let end = session.run().await;
    tracing::debug!(server = connector.id, session = id, ?end, "a session ended");
    let lingers = end == End::Kicked && options.policy.has(Flaw::KickedLingers);
    // First the room is told, then the client: it may not be listening any more.
    if !lingers {
        connector.state().close(id);
    }
    let _ = tokio::time::timeout(CLOSE_PATIENCE, session.connection.close()).await;
    if lingers {
        connector.state().close(id);
    }
    true
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The client closed, or the connection broke.
    Gone,
    /// The server kicked the client and said why.
    Kicked,
    /// The client sent what no client may send.
    BadBytes,
    /// The client's heartbeats stopped.
    Silent,
}

struct Session<S> {
    connection: Connection<S>,
    connector: Arc<Connector>,
    id: SessionId,
    queue: Arc<Queue>,
    /// Taken from the queue and not yet handed to the connection; empty between two turns.
    packages: VecDeque<Bytes>,
    /// Messages whose turn has not come.
    backlog: Backlog,
    /// When the client has been silent for too long.
    heartbeat_end: Instant,
    /// When the oldest request has to be answered.
    request_end: Option<Instant>,
    /// Whether nothing that the client says is listened to, as [`Flaw::DeadSession`] has it.
    is_dead: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn run(&mut self) -> End {
        let mut alarm = pin!(sleep_until(self.heartbeat_end));
        loop {
            if let Some(end) = self.work_off().or_else(|| self.refill()) {
                return end;
            }
            // An alarm that rings too early is set again, so most heartbeats set none.
            let due = self.next_due();
            if due < alarm.deadline() {
                alarm.as_mut().reset(due);
            }
            let is_deaf = self
                .backlog
                .is_full(self.connector.options.package_body_len_max);
            tokio::select! {
                // What the client has sent comes before what it has failed to send: after a
                // stall of this process its heartbeats are here, unread.
                biased;
                incoming = step(&mut self.connection, is_deaf) => {
                    if let Some(end) = self.take(incoming) {
                        return end;
                    }
                }
                () = self.queue.woken() => {}
                () = alarm.as_mut() => {
                    if let Some(end) = self.ring(is_deaf) {
                        return end;
                    }
                    let due = self.next_due();
                    alarm.as_mut().reset(due);
                }
            }
        }
    }

    /// Moves what waits for the client to its connection, when that has written what it had.
    fn refill(&mut self) -> Option<End> {
        if self.connection.is_flushed() || self.queue.is_kicked() {
            let kick = self.queue.take(&mut self.packages);
            for package in self.packages.drain(..) {
                self.connection.queue(package);
            }
            if let Some(reason) = kick {
                self.connection.queue(body::encode_kick(&reason));
                return Some(End::Kicked);
            }
        }
        None
    }

    fn take(
        &mut self,
        incoming: Result<Incoming, crate::connection::ConnectionError>,
    ) -> Option<End> {
        if self.cuts_by_the_clock() && self.heartbeat_end <= Instant::now() {
            return Some(End::Silent);
        }
        match incoming {
            Ok(Incoming::Package(package)) => self.handle(package),
            Ok(Incoming::Flushed) => None,
            Ok(Incoming::Closed) => Some(End::Gone),
            Err(error) if error.is_peers_fault() => Some(self.bad_bytes(&error)),
            Err(error) => {
                tracing::debug!(server = self.connector.id, session = self.id, %error, "ended");
                Some(End::Gone)
            }
        }
    }

    fn handle(&mut self, package: Package) -> Option<End> {
        if self.is_dead {
            return None;
        }
        match package.kind {
            PackageType::Data => {
                let now = Instant::now();
                if self.backlog.is_empty() && !self.queue.is_held() {
                    return self.handle_message(package.body, now);
                }
                Mark::WaitsBehindEnter.reached();
                self.backlog.push(&package.body, now);
            }
            PackageType::Heartbeat => {
                self.heartbeat_end = Instant::now() + 2 * self.connector.options.heartbeat;
                self.put(package::heartbeat());
            }
            // Only the first of each counts.
            PackageType::Handshake | PackageType::HandshakeAck => {}
            PackageType::Kick => return Some(End::BadBytes),
        }
        None
    }

    /// Handles what waits, as far as its turn has come.
    fn work_off(&mut self) -> Option<End> {
        while !self.backlog.is_empty()
            && !self.queue.is_held()
            && !self.queue.is_kicked()
            && let Some((message, came_at)) = self.backlog.pop()
        {
            let end = self.handle_message(message, came_at);
            if end.is_some() {
                return end;
            }
        }
        None
    }

    fn handle_message(&mut self, body: Bytes, came_at: Instant) -> Option<End> {
        let message = match message::decode(body) {
            Ok(message) => message,
            Err(_) if self.connector.options.policy.has(Flaw::DeadSession) => {
                self.is_dead = true;
                return None;
            }
            Err(error) => return Some(self.bad_bytes(&error)),
        };
        // Reading a body takes time, for which nobody else is to wait.
        let asked = match Asked::read(&self.connector.options.vocabulary, &message) {
            Ok(asked) => asked,
            Err(error) => return Some(self.bad_bytes(&error)),
        };
        if let Some(asked) = asked {
            let handled = handler::handle(&mut self.connector.state(), self.id, asked, came_at);
            if let Err(Kick(reason)) = handled {
                self.queue.kick(reason);
            }
        }
        let deadline = came_at + self.connector.options.answer_within();
        self.request_end = self.request_end.or(Some(deadline));
        None
    }

    fn bad_bytes(&self, error: &dyn Error) -> End {
        Mark::BadBytes.reached();
        let (server, session, why) = (&self.connector.id, self.id, causes::sentence(error));
        tracing::debug!(server, session, why, "bad bytes");
        End::BadBytes
    }

    /// Does what is due now. `was_deaf` tells whether the client was left unread until now.
    fn ring(&mut self, was_deaf: bool) -> Option<End> {
        let now = Instant::now();
        if self.request_end.is_some_and(|end| end <= now) {
            self.request_end = self.connector.state().expire_requests(self.id, now);
        }
        if self.heartbeat_end > now {
            return None;
        }
        let was_stalled = was_deaf || is_late(now - self.heartbeat_end);
        if was_stalled && !self.cuts_by_the_clock() {
            // This server did not listen; the client has an interval more to be heard.
            Mark::StallForgiven.reached();
            self.heartbeat_end = now + self.connector.options.heartbeat;
            return None;
        }
        Mark::ClientSilent.reached();
        Some(End::Silent)
    }

    fn cuts_by_the_clock(&self) -> bool {
        let policy = self.connector.options.policy;
        policy.has(Flaw::HeartbeatCutAfterStall)
    }

    fn next_due(&self) -> Instant {
        self.request_end
            .map_or(self.heartbeat_end, |end| end.min(self.heartbeat_end))
    }

    /// Puts a package behind all others that wait for the client.
    fn put(&self, package: Bytes) {
        self.connector.state().push(self.id, package);
    }
}

/// Reads and writes; or, while nothing more can be taken from the client, only writes.
async fn step<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
    is_deaf: bool,
) -> Result<Incoming, crate::connection::ConnectionError> {
    if !is_deaf {
        return connection.next().await;
    }
    if connection.is_flushed() {
        return std::future::pending().await;
    }
    connection.flush().await?;
    Ok(Incoming::Flushed)
}

/// An alarm that rings this late tells that the process, or its runtime, stood still.
fn is_late(lateness: Duration) -> bool {
    const STALL: Duration = Duration::from_millis(250);
    lateness >= STALL
}
