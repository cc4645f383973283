//! A connector's link to one chat server: dialling, resuming, starting afresh, giving up.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::remote;
use super::state::{ChatIndex, Place, State};
use crate::limits::{self, OUTBOX_BYTES};
use crate::link::frame::{Header, Hello, Resume, VERSION, Welcome};
use crate::link::half::Half;
use crate::link::message::{self, RequestId, SessionId, ToChat};
use crate::link::{Connection, LinkError};
use crate::marks::Mark;
use crate::options::Options;
use crate::policy::Flaw;

/// The link to one chat server, as the connector keeps it.
pub struct Link {
    chat_id: String,
    half: Half,
    outbox_len_max: usize,
    /// The incarnation of the chat server that `half` belongs to.
    peer: Option<u64>,
    /// When the latest ping or hello that has been answered was *sent*; while a `report` is under
    /// way, the latest before it. The lease counts from here: the chat server heard it later, so
    /// that it gives up this connector's sessions only after this connector has kicked them.
    alive_at: Instant,
    /// The number of the message that ends the report of the rooms, and when the hello before it
    /// was sent. Until it is acknowledged nothing renews the lease: a chat server that has just
    /// started goes on without those whom it did not hear in time, and they must have kicked.
    report: Option<(u64, Instant)>,
    given_up: bool,
    /// Whether it has a connection now, as far as is known.
    pub(super) is_up: bool,
    dials: u64,
    pings: VecDeque<(u64, Instant)>,
    pings_ever: u64,
    connection: Connection,
    /// Signalled when a lease begins.
    leased: Arc<Notify>,
    /// Whether all that was put on it has been written to its connection.
    is_written: bool,
    /// Signalled when it is, while the server stops, or can't be.
    written: Arc<Notify>,
}

impl Link {
    /// A link that has not been dialled. It gets one lease to come up.
    pub fn new(chat: ChatIndex, chat_id: &str, now: Instant) -> Self {
        Self {
            chat_id: chat_id.to_owned(),
            half: Half::default(),
            outbox_len_max: 0,
            peer: None,
            alive_at: now,
            report: None,
            given_up: false,
            is_up: false,
            dials: 0,
            pings: VecDeque::new(),
            pings_ever: 0,
            connection: Connection::new(chat, 0),
            leased: Arc::default(),
            is_written: true,
            written: Arc::default(),
        }
    }

    /// Puts an encoded message on the link; once it is given up there is nobody to tell.
    pub fn send(&mut self, payload: Bytes) {
        if !self.given_up {
            self.half.push(payload);
            self.is_written = false;
            self.outbox_len_max = self.outbox_len_max.max(self.half.unacked_len());
            self.connection.wake.notify_one();
        }
    }

    /// Whether a request may be put on the link: neither given up, nor too far behind.
    pub fn takes_requests(&self, options: &Options) -> bool {
        !self.given_up
            && self.half.unacked_len() < options.outbox_len
            && self.half.unacked_bytes() < OUTBOX_BYTES
    }

    /// Notes that there is no connection: what was to be written to it is not.
    pub(super) fn go_down(&mut self) {
        self.is_up = false;
        self.written.notify_one();
    }

    /// Says that this connector stops on purpose.
    pub fn say_goodbye(&mut self) {
        self.half.note(Header::Goodbye);
        self.is_written = false;
        self.connection.wake.notify_one();
    }

    /// The number of the latest connection that was welcomed.
    pub fn connection_number(&self) -> u64 {
        self.connection.number
    }

    /// Frames that the chat server has not acknowledged.
    pub fn outbox_len(&self) -> usize {
        self.half.unacked_len()
    }

    /// The most that there ever were.
    pub fn outbox_len_max(&self) -> usize {
        self.outbox_len_max
    }

    /// Signalled when a lease begins.
    pub fn leased(&self) -> Arc<Notify> {
        self.leased.clone()
    }

    /// The chat server has answered what was sent at `sent_at`.
    fn renew(&mut self, sent_at: Instant) {
        if self.report.is_none() {
            self.alive_at = sent_at;
        } else {
            Mark::ReportHoldsLease.reached();
        }
    }

    fn acknowledge(&mut self, ack: u64) -> Result<(), LinkError> {
        self.half.acknowledge(ack)?;
        if let Some((_, sent_at)) = self.report.take_if(|(end, _)| *end <= ack) {
            self.renew(sent_at);
        }
        Ok(())
    }
}

impl State {
    /// The hello for the next dial.
    pub fn hello(&mut self, chat: ChatIndex) -> Hello {
        let link = &mut self.links[chat];
        link.dials += 1;
        Hello {
            version: VERSION,
            token: self.options.token.clone(),
            server: self.id.clone(),
            incarnation: self.incarnation,
            dial: link.dials,
            resume: link.peer.map(|incarnation| Resume {
                incarnation,
                received: link.half.received(),
            }),
        }
    }

    /// Takes the answer to a hello that was sent at `sent_at`.
    ///
    /// # Errors
    ///
    /// When the link was given up meanwhile but the chat server would resume it: the next dial
    /// asks for a fresh one.
    pub fn welcomed(
        &mut self,
        chat: ChatIndex,
        welcome: Welcome,
        sent_at: Instant,
        now: Instant,
    ) -> Result<Connection, LinkError> {
        self.expire_lease(chat, now);
        let keeps_doubles = self.options.policy.has(Flaw::ResendKeepsDoubles);
        let link = &mut self.links[chat];
        match (welcome.resumed, link.peer) {
            (Some(received), Some(_)) => {
                Mark::LinkResumed.reached();
                let received = match keeps_doubles {
                    true => 0,
                    false => received,
                };
                link.acknowledge(received)?;
                link.half.resume(received)?;
                if link.half.unacked_len() > 0 {
                    Mark::Resent.reached();
                }
            }
            (Some(_), None) => return Err(LinkError::Superseded),
            (None, Some(peer)) if peer == welcome.incarnation => {
                Mark::LinkForgotten.reached();
                self.give_up(chat, "had given up this connector");
                self.start_afresh(chat, welcome.incarnation, sent_at);
            }
            (None, Some(_)) => {
                Mark::ChatRestarted.reached();
                self.refuse_requests_of(chat);
                self.start_afresh(chat, welcome.incarnation, sent_at);
            }
            (None, None) => {
                // Nobody has heard what was said before the first connection.
                let unheard = std::mem::take(&mut link.half).into_unacked();
                if !unheard.is_empty() {
                    Mark::SaidBeforeLinked.reached();
                }
                self.start_afresh(chat, welcome.incarnation, sent_at);
                for payload in unheard {
                    self.links[chat].half.push(payload);
                }
            }
        }
        let link = &mut self.links[chat];
        link.given_up = false;
        link.is_up = true;
        link.renew(sent_at);
        link.pings.clear();
        link.leased.notify_one();
        link.connection = Connection::new(chat, link.connection.number + 1);
        let connection = link.connection.clone();
        self.note_linked(chat);
        Ok(connection)
    }

    /// A link without memory on either side: the chat server learns the rooms it owns.
    fn start_afresh(&mut self, chat: ChatIndex, peer: u64, sent_at: Instant) {
        if self.options.policy.has(Flaw::DeadRoomAfterChatRestart) {
            self.rooms.retain(|_, room| room.chat != chat);
        }
        let rooms = self.rooms.iter().filter(|(_, room)| room.chat == chat);
        let reports = rooms.map(|(name, room)| ToChat::Report(room.report(name)));
        let messages: Vec<_> = reports.chain([ToChat::Reported]).collect();
        let link = &mut self.links[chat];
        link.half = Half::default();
        link.peer = Some(peer);
        for message in &messages {
            link.half.push(message::encode(message));
        }
        let has_rooms = messages.len() > 1;
        link.report = has_rooms.then(|| (link.half.last(), sent_at));
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
    ) -> Result<(), LinkError> {
        let link = self.current(connection)?;
        match header {
            Header::Data { seq, ack } => {
                link.acknowledge(ack)?;
                let is_new = link.half.receive(seq)?;
                if is_new || self.options.policy.has(Flaw::ResendKeepsDoubles) {
                    remote::take(self, connection.peer, message::decode(payload)?);
                }
            }
            Header::Ack { ack } => link.acknowledge(ack)?,
            Header::Pong { nonce } => {
                while let Some((_, sent_at)) = link.pings.pop_front_if(|(n, _)| *n <= nonce) {
                    link.renew(sent_at);
                }
            }
            _ => return Err(LinkError::Protocol("a frame that chat servers do not send")),
        }
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
        let is_stopping = self.is_stopping();
        let link = self.current(connection)?;
        let frames = link.half.fill(out);
        // Whoever asks for more has written what it had.
        link.is_written = frames == 0;
        if link.is_written && is_stopping {
            link.written.notify_one();
        }
        Ok(frames)
    }

    /// What is signalled when the chat server has been told all, if it can be and has not.
    pub fn unwritten(&self, chat: ChatIndex) -> Option<Arc<Notify>> {
        let link = &self.links[chat];
        (link.is_up && !link.is_written).then(|| link.written.clone())
    }

    /// Puts a ping on `connection`.
    ///
    /// # Errors
    ///
    /// [`LinkError::Silent`] if one has been unanswered for too long. What else comes from the chat
    /// server does not count: it comes also when nothing gets there.
    pub fn ping(&mut self, connection: &Connection, now: Instant) -> Result<(), LinkError> {
        let patience = limits::ping_patience(self.options.lease);
        let link = self.current(connection)?;
        let oldest = link.pings.front();
        if oldest.is_some_and(|(_, sent_at)| now >= *sent_at + patience) {
            Mark::PingUnanswered.reached();
            let what = "answer to a ping";
            return Err(LinkError::Silent { what, patience });
        }
        link.pings_ever += 1;
        link.pings.push_back((link.pings_ever, now));
        link.half.note(Header::Ping {
            nonce: link.pings_ever,
        });
        link.connection.wake.notify_one();
        Ok(())
    }

    fn current(&mut self, connection: &Connection) -> Result<&mut Link, LinkError> {
        let link = &mut self.links[connection.peer];
        match link.connection.number == connection.number {
            true => Ok(link),
            false => Err(LinkError::Superseded),
        }
    }

    /// When the lease of the link runs out; `None` if it has, or never does.
    pub fn lease_end(&self, chat: ChatIndex) -> Option<Instant> {
        let link = &self.links[chat];
        let has_none = link.given_up || self.options.policy.has(Flaw::LeaseIgnored);
        (!has_none).then(|| link.alive_at + self.options.lease)
    }

    /// Whether a chat server that there is no connection to is to be dialled.
    pub fn is_to_be_dialled(&self, chat: ChatIndex) -> bool {
        let is_over = self.links[chat].given_up && self.options.policy.has(Flaw::NeverDialledAgain);
        !self.is_stopping() && !is_over
    }

    /// Gives up the link if its lease has run out.
    pub fn expire_lease(&mut self, chat: ChatIndex, now: Instant) {
        if self.lease_end(chat).is_some_and(|end| end <= now) {
            Mark::LeaseRanOut.reached();
            let why = format!("could not be reached for {:?}", self.options.lease);
            self.give_up(chat, &why);
        }
    }

    /// Gives up the link, for what the chat server did (`why`): it has removed this connector's
    /// sessions, or is about to. A session whose room it owns is kicked, because it would miss what
    /// is said there.
    pub(super) fn give_up(&mut self, chat: ChatIndex, why: &str) {
        let link = &mut self.links[chat];
        tracing::warn!(server = self.id, chat = link.chat_id, why, "gave up a link");
        link.given_up = true;
        link.go_down();
        link.peer = None;
        link.half = Half::default();
        link.report = None;
        link.connection.number += 1;
        link.connection.stop.notify_one();
        let reason = format!("{} {why}", link.chat_id);
        self.refuse_requests_of(chat);
        let is_there = |place: &Place| place.chat == chat;
        let sessions = self
            .sessions
            .iter()
            .filter(|(_, s)| s.place.as_ref().is_some_and(is_there));
        let cut_off: Vec<SessionId> = sessions.map(|(id, _)| *id).collect();
        if !cut_off.is_empty() {
            Mark::SessionsGivenUp.reached();
        }
        for id in cut_off {
            self.kick(id, &reason);
        }
    }

    /// Refuses all requests that wait for `chat`: it no longer knows them.
    fn refuse_requests_of(&mut self, chat: ChatIndex) {
        if self.options.policy.has(Flaw::RequestHangs) {
            return;
        }
        let open = self.sessions.iter().flat_map(|(id, session)| {
            let requests = session.unanswered_by(chat);
            requests.into_iter().map(|request| (*id, request))
        });
        let open: Vec<(SessionId, RequestId)> = open.collect();
        if !open.is_empty() {
            Mark::RequestsRefused.reached();
        }
        for (id, request) in open {
            match self.end_enter(id, request) {
                true => self.fail_enter(id, request),
                false => self.refuse(id, request),
            }
        }
    }
}
