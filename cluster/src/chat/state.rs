//! Everything that a chat server knows, and the one way in which it changes: a frame arrives, a
//! lease runs out, the wait after a restart ends. No IO and no waiting in here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::channel::{Channel, Delivery};
use super::link::{Awaited, Link};
use super::recovery::Recovery;
use super::{handler, recovery, remote};
use crate::census::Census;
use crate::drag::Drag;
use crate::limits::OUTBOX_BYTES;
use crate::link::message::{self, Event, Position, Push, ToChat, ToConnector};
use crate::marks::Mark;
use crate::options::Options;
use crate::policy::Flaw;
use crate::topology::Topology;

/// A connector's place in the configured list.
pub type ConnectorIndex = usize;

/// What a chat server knows.
#[derive(Debug)]
pub struct State {
    pub(super) topology: Arc<Topology>,
    pub(super) options: Options,
    pub(super) incarnation: u64,
    pub(super) links: BTreeMap<ConnectorIndex, Link>,
    /// The rooms with members.
    pub(super) channels: BTreeMap<Arc<str>, Channel>,
    /// The place of the latest event of any room.
    pub(super) position: Position,
    /// After a start: what the connectors have reported so far.
    pub(super) recovery: Option<Recovery>,
    /// Connectors whose outbox has just grown and holds more than it may for long.
    pub(super) behind: Vec<ConnectorIndex>,
    /// The latest incarnations of each connector, the present one first: the hello of an earlier one
    /// may still be under way.
    pub(super) incarnations: BTreeMap<ConnectorIndex, VecDeque<u64>>,
    pub(super) connections: u64,
    pub(super) outbox_len_max: usize,
}

/// Who caused an event, and what it is told.
pub struct Origin {
    /// Its connector.
    pub connector: ConnectorIndex,
    /// What that connector gets in place of the event, if not the event itself.
    pub instead: Option<ToConnector>,
    /// What it gets when all other connectors have the event.
    pub answer: ToConnector,
    /// A connector that may have no members left, but must have heard all that it was told before
    /// the answer is given.
    pub evicted: Option<ConnectorIndex>,
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
            behind: Vec::new(),
            incarnations: BTreeMap::new(),
            connections: 0,
            outbox_len_max: 0,
        }
    }

    /// Does what a message asks for, or keeps it until the rooms are known again.
    pub(super) fn take(&mut self, connector: ConnectorIndex, message: ToChat) {
        if let Some(recovery) = &mut self.recovery {
            if !recovery.take(connector, message, self.options.outbox_len) {
                return self.cut_off(connector);
            }
            if recovery.is_complete(self.topology.connectors.len()) {
                Mark::AllReported.reached();
                recovery::finish(self);
            }
            return;
        }
        match message {
            ToChat::Report(_) => {
                // Its lease should have run out before.
                Mark::ReportTooLate.reached();
                self.send(connector, &ToConnector::Expired);
            }
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
            ToChat::Echo(message) => {
                if self.options.drag == Some(Drag::ExtraHop) {
                    self.send(connector, &ToConnector::Echo(message));
                }
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
        let is_told_before =
            self.options.policy.has(Flaw::OwnMembersFirst) && matches!(event, Event::Chat { .. });
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
        let is_told = |connector| Some(connector) != asker || !is_told_before;
        let mut payloads: Vec<_> = connectors
            .iter()
            .map(|c| (*c, is_told(*c).then(|| payload_of(*c).clone())))
            .collect();
        let evicted = origin.as_ref().and_then(|origin| origin.evicted);
        payloads.extend(
            evicted
                .filter(|c| !connectors.contains(c))
                .map(|c| (c, None)),
        );
        self.deliver(room, Some(position), payloads, origin);
    }

    /// Puts one payload per connector on its link, remembers who has to acknowledge it, and sends
    /// the answer as soon as all but the asker's connector have. A connector without a payload has
    /// to acknowledge what it was told before.
    pub(super) fn deliver(
        &mut self,
        room: &Arc<str>,
        position: Option<Position>,
        payloads: Vec<(ConnectorIndex, Option<Bytes>)>,
        origin: Option<Origin>,
    ) {
        let Some(channel) = self.channels.get_mut(room) else {
            return;
        };
        let asker = origin.as_ref().map(|origin| origin.connector);
        let ticket = channel.next_ticket();
        let policy = self.options.policy;
        let is_answered_at_once = policy.has(Flaw::AnswerBeforePushIsSafe)
            && origin
                .as_ref()
                .is_some_and(|origin| matches!(origin.answer, ToConnector::Answer { .. }));
        let is_serial = self.options.drag == Some(Drag::SerialPushes);
        let (mut waits, mut answer_waits, mut before) = (0, 0, None);
        for (connector, payload) in payloads {
            let for_answer = Some(connector) != asker && !is_answered_at_once;
            let link = self.links.get_mut(&connector);
            if link.is_none() && policy.has(Flaw::GhostAfterConnectorCrash) {
                continue;
            }
            let link = link.expect("a member's connector has a link until its members are removed");
            let is_told = payload.is_some();
            let seq = match payload {
                // It is waited for until its lease is over and its members have gone.
                _ if link.is_cut_off => u64::MAX,
                Some(payload) => link.half.push(payload),
                None => link.half.last(),
            };
            if is_serial
                && is_told
                && let Some(before) = before.replace((connector, seq))
            {
                link.turns.wait(seq, before);
            }
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
        let answer = origin.map(|origin| (origin.connector, origin.answer));
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
        let link = self.links.get_mut(&connector);
        if let Some(link) = link.filter(|link| !link.is_cut_off) {
            link.half.push(message::encode(message));
            self.pushed(connector);
        }
    }

    fn pushed(&mut self, connector: ConnectorIndex) {
        let link = &self.links[&connector];
        link.connection.wake.notify_one();
        let (len, bytes) = (link.half.unacked_len(), link.half.unacked_bytes());
        if len > self.options.outbox_len || bytes > OUTBOX_BYTES {
            self.behind.push(connector);
        } else {
            self.outbox_len_max = self.outbox_len_max.max(len);
        }
    }

    pub(super) fn delivered(&mut self, awaited: &Awaited) {
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

    /// The place of the next event.
    pub(super) fn next_position(&mut self) -> Position {
        self.position += 1;
        self.position
    }

    pub(super) fn connector_id(&self, connector: ConnectorIndex) -> &str {
        &self.topology.connectors[connector].id
    }

    /// What the tables hold now.
    pub fn census(&self) -> Census {
        let rooms = self.channels.iter().map(|(room, channel)| {
            let users = channel.users();
            (
                room.to_string(),
                users.iter().map(ToString::to_string).collect(),
            )
        });
        Census {
            rooms: rooms.collect(),
            in_flight: self.channels.values().map(Channel::unanswered).sum(),
            outbox_len: self
                .links
                .values()
                .map(|link| link.half.unacked_len())
                .sum(),
            outbox_len_max: self.outbox_len_max,
            ..Census::default()
        }
    }
}
