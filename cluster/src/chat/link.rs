//! A chat server's links: a connector's hello, frames that come and go, leases that run out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::time::Instant;

use super::channel::Ticket;
use super::state::{ConnectorIndex, State};
use super::turns::Turns;
use super::{recovery, remote};
use crate::drag::Drag;
use crate::limits::{self, OUTBOX_BURST, OUTBOX_BYTES};
use crate::link::frame::{Header, Hello, VERSION, Welcome};
use crate::link::half::Half;
use crate::link::message;
use crate::link::{Connection, LinkError};
use crate::marks::Mark;
use crate::policy::Flaw;

/// Incarnations of a connector that are remembered: more than can begin while a hello of the oldest
/// is still under way.
const INCARNATIONS_KEPT: usize = 16;

/// The link of one connector process.
#[derive(Debug)]
pub(super) struct Link {
    incarnation: u64,
    dial: u64,
    pub(super) connection: Connection,
    pub(super) half: Half,
    heard_at: Instant,
    /// Deliveries that wait for this connector, by rising number on the link.
    pub(super) awaited: VecDeque<Awaited>,
    pub(super) turns: Turns,
    /// Since when its outbox has held more than it may for long.
    behind_since: Option<Instant>,
    /// Its outbox ran over: nothing more is sent, and when its lease has run out, so that the
    /// connector has kicked its sessions, they leave.
    pub(super) is_cut_off: bool,
}

/// A delivery that waits for an acknowledgement of this link.
#[derive(Debug)]
pub(super) struct Awaited {
    pub(super) seq: u64,
    pub(super) room: Arc<str>,
    pub(super) ticket: Ticket,
    pub(super) for_answer: bool,
}

impl Link {
    fn new(hello: &Hello, connection: Connection, now: Instant) -> Self {
        Self {
            incarnation: hello.incarnation,
            dial: hello.dial,
            connection,
            half: Half::default(),
            heard_at: now,
            awaited: VecDeque::new(),
            turns: Turns::default(),
            behind_since: None,
            is_cut_off: false,
        }
    }

    fn cut_off(&mut self) {
        self.is_cut_off = true;
        self.half = Half::default();
        self.connection.stop.notify_one();
    }

    fn replace_connection(&mut self, connection: Connection, dial: u64, now: Instant) {
        self.connection.stop.notify_one();
        self.connection = connection;
        self.dial = dial;
        self.heard_at = now;
    }
}

impl State {
    /// Takes the hello of a connector: resumes its link or starts a fresh one.
    ///
    /// # Errors
    ///
    /// The sentence to refuse it with.
    pub fn hello(&mut self, hello: &Hello, now: Instant) -> Result<(Connection, Welcome), String> {
        let connector = self.admit(hello)?;
        let resumed = self.resume(connector, hello)?;
        if resumed.is_none() {
            // A new process, or one that has given up this link: in both cases the sessions
            // that this chat server knew of it are gone.
            if self.links.contains_key(&connector) {
                Mark::ConnectorRestarted.reached();
            }
            self.drop_link(connector);
        }
        let incarnations = self.incarnations.entry(connector).or_default();
        if incarnations.front() != Some(&hello.incarnation) {
            incarnations.push_front(hello.incarnation);
            incarnations.truncate(INCARNATIONS_KEPT);
        }
        self.connections += 1;
        let connection = Connection::new(connector, self.connections);
        match self.links.get_mut(&connector) {
            Some(link) => link.replace_connection(connection.clone(), hello.dial, now),
            None => {
                let link = Link::new(hello, connection.clone(), now);
                self.links.insert(connector, link);
            }
        }
        self.settle(now);
        let welcome = Welcome {
            incarnation: self.incarnation,
            resumed,
        };
        Ok((connection, welcome))
    }

    fn admit(&self, hello: &Hello) -> Result<ConnectorIndex, String> {
        if hello.token != self.options.token {
            return Err("wrong token".into());
        }
        if hello.version != VERSION {
            return Err(format!(
                "link version {} here, not {}",
                VERSION, hello.version
            ));
        }
        let connectors = &self.topology.connectors;
        let connector = connectors.iter().position(|c| c.id == hello.server);
        let connector =
            connector.ok_or_else(|| format!("no connector is called {}", hello.server))?;
        let mut earlier = self
            .incarnations
            .get(&connector)
            .into_iter()
            .flatten()
            .skip(1);
        if earlier.any(|incarnation| *incarnation == hello.incarnation) {
            Mark::OldProcessRefused.reached();
            return Err("a later process of that id has been here".into());
        }
        match self.links.get(&connector) {
            Some(link) if link.incarnation != hello.incarnation => Ok(connector),
            Some(link) if link.dial >= hello.dial => {
                Mark::OldDialRefused.reached();
                Err("a later dial has been answered".into())
            }
            Some(link) if link.is_cut_off => {
                Mark::CutOffRefused.reached();
                Err("too far behind: its lease has to run out".into())
            }
            _ => Ok(connector),
        }
    }

    /// Goes on with the link that the hello asks for, if both processes are still the same.
    fn resume(&mut self, connector: ConnectorIndex, hello: &Hello) -> Result<Option<u64>, String> {
        let (Some(resume), Some(link)) = (&hello.resume, self.links.get_mut(&connector)) else {
            return Ok(None);
        };
        if resume.incarnation != self.incarnation || link.incarnation != hello.incarnation {
            return Ok(None);
        }
        let has_arrived = match self.options.policy.has(Flaw::ResendKeepsDoubles) {
            true => 0,
            false => resume.received,
        };
        link.half
            .resume(has_arrived)
            .map_err(|error| error.to_string())?;
        let received = link.half.received();
        self.acknowledged(connector, has_arrived);
        Ok(Some(received))
    }

    /// Takes one frame from `connection`.
    ///
    /// # Errors
    ///
    /// [`LinkError::Superseded`] if the connection is no longer the link's; others if the peer
    /// broke the protocol.
    pub fn arrived(
        &mut self,
        connection: &Connection,
        header: Header,
        payload: &[u8],
        now: Instant,
    ) -> Result<(), LinkError> {
        let connector = connection.peer;
        let link = self.current(connection)?;
        link.heard_at = now;
        match header {
            Header::Data { seq, ack } => {
                link.half.acknowledge(ack)?;
                let is_new = link.half.receive(seq)?;
                self.acknowledged(connector, ack);
                if is_new || self.options.policy.has(Flaw::ResendKeepsDoubles) {
                    self.take(connector, message::decode(payload)?);
                }
            }
            Header::Ack { ack } => {
                link.half.acknowledge(ack)?;
                self.acknowledged(connector, ack);
            }
            Header::Ping { nonce } => link.half.note(Header::Pong { nonce }),
            Header::Goodbye => {
                Mark::ConnectorSaidGoodbye.reached();
                self.drop_link(connector);
            }
            _ => return Err(LinkError::Protocol("a frame that connectors do not send")),
        }
        self.settle(now);
        Ok(())
    }

    /// Appends what `connection` is to carry now, and returns how many frames that are.
    ///
    /// # Errors
    ///
    /// [`LinkError::Superseded`] if it is no longer the link's.
    pub fn fill(
        &mut self,
        connection: &Connection,
        out: &mut BytesMut,
    ) -> Result<usize, LinkError> {
        if self.options.drag == Some(Drag::SerialPushes) {
            self.take_turns(connection.peer);
        }
        Ok(self.current(connection)?.half.fill(out))
    }

    fn current(&mut self, connection: &Connection) -> Result<&mut Link, LinkError> {
        let link = self.links.get_mut(&connection.peer);
        link.filter(|link| !link.is_cut_off && link.connection.number == connection.number)
            .ok_or(LinkError::Superseded)
    }

    /// Ends what has run out by now, and says when to look again.
    pub fn expire(&mut self, now: Instant) -> Instant {
        let lease = self.options.lease;
        let silent = |link: &Link| link.heard_at + lease <= now;
        let late: Vec<_> = self
            .links
            .iter()
            .filter(|(_, link)| silent(link))
            .map(|(c, _)| *c)
            .collect();
        for connector in late {
            Mark::ConnectorExpired.reached();
            tracing::warn!(
                connector = self.connector_id(connector),
                "its lease ran out"
            );
            self.drop_link(connector);
        }
        if self
            .recovery
            .as_ref()
            .is_some_and(|recovery| recovery.until <= now)
        {
            Mark::ReportsOverdue.reached();
            recovery::finish(self);
        }
        self.settle(now);
        self.next_expiry(now, lease)
    }

    fn next_expiry(&self, now: Instant, lease: Duration) -> Instant {
        let leases = self.links.values().map(|link| link.heard_at + lease);
        let recovery = self.recovery.iter().map(|recovery| recovery.until);
        // A link that begins later runs out later than this.
        leases.chain(recovery).fold(now + lease, Instant::min)
    }

    fn acknowledged(&mut self, connector: ConnectorIndex, ack: u64) {
        if self.options.drag == Some(Drag::SerialPushes) {
            self.pass_turns_on();
        }
        if let Some(link) = self.links.get_mut(&connector)
            && link.half.unacked_len() <= self.options.outbox_len
            && link.behind_since.take().is_some()
        {
            Mark::CaughtUp.reached();
        }
        loop {
            let Some(link) = self.links.get_mut(&connector) else {
                return;
            };
            let Some(awaited) = link.awaited.pop_front_if(|awaited| awaited.seq <= ack) else {
                return;
            };
            self.delivered(&awaited);
        }
    }

    /// Gives up the link of `connector`: its members leave, and nothing waits for it any more.
    fn drop_link(&mut self, connector: ConnectorIndex) {
        if let Some(recovery) = &mut self.recovery {
            recovery.forget(connector);
        }
        let Some(link) = self.links.remove(&connector) else {
            return;
        };
        link.connection.stop.notify_one();
        if self.options.drag == Some(Drag::SerialPushes) {
            self.forget_turns_behind(connector);
        }
        // The leaves first: whoever hears that something was delivered to all has heard before
        // who is no longer among them.
        if !self.options.policy.has(Flaw::GhostAfterConnectorCrash) {
            remote::remove_all(self, connector);
        }
        if !link.awaited.is_empty() {
            Mark::AnsweredWithoutDead.reached();
        }
        for awaited in &link.awaited {
            self.delivered(awaited);
        }
    }

    /// Whether what is sent to `connector` may still get there.
    pub(super) fn reaches(&self, connector: ConnectorIndex) -> bool {
        let link = self.links.get(&connector);
        link.is_some_and(|link| !link.is_cut_off)
    }

    /// Cuts off the links that are too far behind.
    fn settle(&mut self, now: Instant) {
        while let Some(connector) = self.behind.pop() {
            let link = self.links.get_mut(&connector);
            let Some(link) = link.filter(|link| !link.is_cut_off) else {
                continue;
            };
            if link.behind_since.is_none() {
                Mark::FellBehind.reached();
            }
            let since = *link.behind_since.get_or_insert(now);
            let len = link.half.unacked_len();
            self.outbox_len_max = self.outbox_len_max.max(len);
            let may_catch_up = now < since + limits::behind_patience(self.options.lease)
                && len <= OUTBOX_BURST * self.options.outbox_len
                && link.half.unacked_bytes() <= OUTBOX_BYTES;
            if !may_catch_up {
                self.cut_off(connector);
            }
        }
    }

    pub(super) fn cut_off(&mut self, connector: ConnectorIndex) {
        Mark::CutOff.reached();
        let connector_id = self.connector_id(connector);
        tracing::warn!(connector = connector_id, "cut off: too far behind");
        if let Some(link) = self.links.get_mut(&connector) {
            link.cut_off();
        }
        if let Some(recovery) = &mut self.recovery {
            recovery.drop_deferred(connector);
        }
    }
}
