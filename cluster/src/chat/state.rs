//! Everything that a chat server knows, and the one way in which it changes: a frame arrives, a
//! lease runs out, the wait after a restart ends. No IO and no waiting in here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::channel::{Channel, Delivery, Ticket};
use super::recovery::Recovery;
use super::{handler, recovery, remote};
use crate::limits::OUTBOX_BYTES;
use crate::link::LinkError;
use crate::link::frame::{Header, Hello, VERSION, Welcome};
use crate::link::half::Half;
use crate::link::message::{self, Event, Position, Push, ToChat, ToConnector};
use crate::options::Options;
use crate::topology::Topology;

/// A connector's place in the configured list.
pub type ConnectorIndex = usize;

/// What a chat server knows.
#[derive(Debug)]
pub struct State {
    topology: Arc<Topology>,
    options: Options,
    incarnation: u64,
    links: BTreeMap<ConnectorIndex, Link>,
    /// The rooms with members.
    pub(super) channels: BTreeMap<Arc<str>, Channel>,
    /// The place of the latest event of any room.
    pub(super) position: Position,
    /// After a start: what the connectors have reported so far.
    pub(super) recovery: Option<Recovery>,
    /// Connectors whose outbox has just run over.
    overrun: Vec<ConnectorIndex>,
    connections: u64,
    outbox_len_max: usize,
}

/// The link of one connector process.
#[derive(Debug)]
struct Link {
    incarnation: u64,
    dial: u64,
    connection: Connection,
    half: Half,
    heard_at: Instant,
    /// Deliveries that wait for this connector, by rising number on the link.
    awaited: VecDeque<Awaited>,
}

/// One TCP connection of a link. A newer one takes its place.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Whose it is.
    pub connector: ConnectorIndex,
    number: u64,
    /// Signalled when there is something to send.
    pub wake: Arc<Notify>,
    /// Signalled when the connection is to end.
    pub stop: Arc<Notify>,
}

#[derive(Debug)]
struct Awaited {
    seq: u64,
    room: Arc<str>,
    ticket: Ticket,
    for_answer: bool,
}

/// Who caused an event, and what it is told.
pub struct Origin {
    /// Its connector.
    pub connector: ConnectorIndex,
    /// What that connector gets in place of the event, if not the event itself.
    pub instead: Option<ToConnector>,
    /// What it gets when all other connectors have the event; `None` for a notify.
    pub answer: Option<ToConnector>,
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
        }
    }

    fn replace_connection(&mut self, connection: Connection, dial: u64, now: Instant) {
        self.connection.stop.notify_one();
        self.connection = connection;
        self.dial = dial;
        self.heard_at = now;
    }
}

impl State {
    /// Begins without rooms, waiting for the connectors' reports for one lease.
    pub fn new(topology: Arc<Topology>, options: Options, incarnation: u64, now: Instant) -> Self {
        let recovery = Some(Recovery::new(now + options.lease));
        Self {
            topology,
            options,
            incarnation,
            links: BTreeMap::new(),
            channels: BTreeMap::new(),
            position: 0,
            recovery,
            overrun: Vec::new(),
            connections: 0,
            outbox_len_max: 0,
        }
    }

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
            self.drop_link(connector);
        }
        self.connections += 1;
        let connection = Connection {
            connector,
            number: self.connections,
            wake: Arc::default(),
            stop: Arc::default(),
        };
        match self.links.get_mut(&connector) {
            Some(link) => link.replace_connection(connection.clone(), hello.dial, now),
            None => {
                let link = Link::new(hello, connection.clone(), now);
                self.links.insert(connector, link);
            }
        }
        self.settle();
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
        match self.links.get(&connector) {
            Some(link) if link.incarnation == hello.incarnation && link.dial >= hello.dial => {
                Err("a later dial has been answered".into())
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
        link.half
            .resume(resume.received)
            .map_err(|error| error.to_string())?;
        let received = link.half.received();
        self.acknowledged(connector, resume.received);
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
        let connector = connection.connector;
        let link = self.current(connection)?;
        link.heard_at = now;
        match header {
            Header::Data { seq, ack } => {
                link.half.acknowledge(ack)?;
                let is_new = link.half.receive(seq)?;
                self.acknowledged(connector, ack);
                if is_new {
                    self.take(connector, message::decode(payload)?);
                }
            }
            Header::Ack { ack } => {
                link.half.acknowledge(ack)?;
                self.acknowledged(connector, ack);
            }
            Header::Ping { nonce } => link.half.note(Header::Pong { nonce }),
            Header::Goodbye => self.drop_link(connector),
            _ => return Err(LinkError::Protocol("a frame that connectors do not send")),
        }
        self.settle();
        Ok(())
    }

    /// Appends what `connection` is to carry now.
    ///
    /// # Errors
    ///
    /// [`LinkError::Superseded`] if it is no longer the link's.
    pub fn fill(
        &mut self,
        connection: &Connection,
        out: &mut bytes::BytesMut,
    ) -> Result<(), LinkError> {
        self.current(connection)?.half.fill(out);
        Ok(())
    }

    fn current(&mut self, connection: &Connection) -> Result<&mut Link, LinkError> {
        let link = self.links.get_mut(&connection.connector);
        link.filter(|link| link.connection.number == connection.number)
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
            recovery::finish(self);
        }
        self.settle();
        self.next_expiry(now, lease)
    }

    fn next_expiry(&self, now: Instant, lease: Duration) -> Instant {
        let leases = self.links.values().map(|link| link.heard_at + lease);
        let recovery = self.recovery.iter().map(|recovery| recovery.until);
        // A link that begins later runs out later than this.
        leases.chain(recovery).fold(now + lease, Instant::min)
    }

    /// Does what a message asks for, or keeps it until the rooms are known again.
    pub(super) fn take(&mut self, connector: ConnectorIndex, message: ToChat) {
        if let Some(recovery) = &mut self.recovery {
            recovery.take(connector, message);
            if recovery.is_complete(self.topology.connectors.len()) {
                recovery::finish(self);
            }
            return;
        }
        match message {
            ToChat::Report(report) if report.members.is_empty() => {}
            ToChat::Report(_) => self.send(connector, &ToConnector::Expired),
            ToChat::Reported => {}
            ToChat::Add {
                session,
                request,
                room,
                name,
            } => {
                remote::add(self, connector, session, request, room, name);
            }
            ToChat::Remove {
                session,
                room,
                name,
            } => {
                remote::remove(self, connector, session, &room, &name);
            }
            ToChat::Forward {
                session,
                request,
                room,
                name,
                route,
                body,
            } => {
                let asker = handler::Asker {
                    connector,
                    session,
                    request,
                    room,
                    name,
                };
                handler::dispatch(self, asker, &route, &body);
            }
        }
    }

    /// Puts an event on the way to all connectors with members in `room`, and the answer behind it.
    pub(super) fn publish(
        &mut self,
        room: &Arc<str>,
        position: Position,
        event: Event,
        origin: Option<Origin>,
    ) {
        let Some(channel) = self.channels.get_mut(room) else {
            return;
        };
        let push = message::encode(&ToConnector::Push(Push {
            room: room.clone(),
            position,
            stable: channel.stable(),
            event,
        }));
        let asker = origin.as_ref().map(|origin| origin.connector);
        let instead = origin.as_ref().and_then(|origin| origin.instead.as_ref());
        let instead = instead.map_or_else(|| push.clone(), message::encode);
        let payload_of = |connector| {
            if Some(connector) == asker {
                &instead
            } else {
                &push
            }
        };
        let connectors = channel.connectors();
        let payloads = connectors
            .iter()
            .map(|c| (*c, payload_of(*c).clone()))
            .collect();
        self.deliver(room, Some(position), payloads, origin);
    }

    /// Puts one payload per connector on its link, remembers who has to acknowledge it, and sends
    /// the answer as soon as all but the asker's connector have.
    pub(super) fn deliver(
        &mut self,
        room: &Arc<str>,
        position: Option<Position>,
        payloads: Vec<(ConnectorIndex, Bytes)>,
        origin: Option<Origin>,
    ) {
        let Some(channel) = self.channels.get_mut(room) else {
            return;
        };
        let asker = origin.as_ref().map(|origin| origin.connector);
        let ticket = channel.next_ticket();
        let (mut waits, mut answer_waits) = (0, 0);
        for (connector, payload) in payloads {
            let for_answer = Some(connector) != asker;
            let link = self.links.get_mut(&connector);
            let link = link.expect("a member's connector has a link until its members are removed");
            let seq = link.half.push(payload);
            let room = room.clone();
            link.awaited.push_back(Awaited {
                seq,
                room,
                ticket,
                for_answer,
            });
            waits += 1;
            answer_waits += usize::from(for_answer);
            self.pushed(connector);
        }
        let answer = origin.and_then(|origin| Some((origin.connector, origin.answer?)));
        let delivery = Delivery {
            position,
            waits,
            answer_waits,
            answer,
        };
        let channel = self.channels.get_mut(room).expect("looked up above");
        if let Some((connector, answer)) = channel.dispatch(delivery) {
            self.send(connector, &answer);
        }
    }

    /// Puts a message on the link of `connector`; without one there is nobody to tell.
    pub(super) fn send(&mut self, connector: ConnectorIndex, message: &ToConnector) {
        if let Some(link) = self.links.get_mut(&connector) {
            link.half.push(message::encode(message));
            self.pushed(connector);
        }
    }

    fn pushed(&mut self, connector: ConnectorIndex) {
        let link = &self.links[&connector];
        self.outbox_len_max = self.outbox_len_max.max(link.half.unacked_len());
        link.connection.wake.notify_one();
        if link.half.unacked_len() > self.options.outbox_len
            || link.half.unacked_bytes() > OUTBOX_BYTES
        {
            self.overrun.push(connector);
        }
    }

    fn acknowledged(&mut self, connector: ConnectorIndex, ack: u64) {
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

    fn delivered(&mut self, awaited: &Awaited) {
        let channel = self.channels.get_mut(&awaited.room);
        let channel = channel.expect("a channel stays until its deliveries have ended");
        let answer = channel.arrived(awaited.ticket, awaited.for_answer);
        if let Some((connector, answer)) = answer {
            self.send(connector, &answer);
        }
        self.forget_if_over(&awaited.room);
    }

    /// Forgets a room without members and deliveries.
    pub(super) fn forget_if_over(&mut self, room: &str) {
        if self.channels.get(room).is_some_and(Channel::is_over) {
            self.channels.remove(room);
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
        for awaited in &link.awaited {
            self.delivered(awaited);
        }
        remote::remove_all(self, connector);
    }

    /// Gives up the links whose outbox has run over, which may make others run over.
    fn settle(&mut self) {
        while let Some(connector) = self.overrun.pop() {
            if self.links.contains_key(&connector) {
                tracing::warn!(
                    connector = self.connector_id(connector),
                    "its outbox ran over"
                );
                self.drop_link(connector);
            }
        }
    }

    /// The place of the next event.
    pub(super) fn next_position(&mut self) -> Position {
        self.position += 1;
        self.position
    }

    fn connector_id(&self, connector: ConnectorIndex) -> &str {
        &self.topology.connectors[connector].id
    }

    /// What the tables hold now.
    pub fn census(&self) -> crate::census::Census {
        let rooms = self.channels.iter().map(|(room, channel)| {
            let users = channel.users();
            (
                room.to_string(),
                users.iter().map(ToString::to_string).collect(),
            )
        });
        crate::census::Census {
            sessions: 0,
            entered: Vec::new(),
            rooms: rooms.collect(),
            in_flight: self.channels.values().map(Channel::unanswered).sum(),
            outbox_len: self
                .links
                .values()
                .map(|link| link.half.unacked_len())
                .sum(),
            outbox_len_max: self.outbox_len_max,
            queued: 0,
            queue_len_max: 0,
            tasks: 0,
        }
    }
}
