//! After a start: the rooms are learnt from the connectors, who know which sessions are where.
//!
//! Each connector reports its rooms before anything else. Until all configured connectors have,
//! or one lease has passed since the start, all other messages wait. After one lease a
//! connector that has not reported has kicked its sessions, because the lease that it holds
//! began before this process did.
//!
//! All connectors have seen the events of a room in one order, each up to some point of it. The
//! one that has seen most decides: the others get the arrivals and departures they have missed
//! (the notices of the leading report), then everybody is told of those who went meanwhile.
//! Chat messages that some have missed were not answered with success, and are not repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::channel::Member;
use super::remote::{self, REPLACED};
use super::state::{ConnectorIndex, State};
use crate::limits::OUTBOX_BYTES;
use crate::link::message::{Event, Notice, Position, Push, Report, SessionId, ToChat, ToConnector};
use crate::marks::Mark;
use crate::options::DuplicateLogin;

/// Why a session is kicked of which only its connector knows that it is in the room.
pub const LOST: &str = "its place in the room was lost";

/// What has been reported so far.
#[derive(Debug)]
pub struct Recovery {
    /// When to go on with what there is.
    pub until: Instant,
    reports: BTreeMap<ConnectorIndex, Vec<Report>>,
    complete: BTreeSet<ConnectorIndex>,
    /// What came before the rooms were known.
    deferred: BTreeMap<ConnectorIndex, Deferred>,
}

/// What one connector has said that waits for the rooms. It was acknowledged, so that the
/// connector's outbox no longer bounds it.
#[derive(Debug, Default)]
struct Deferred {
    messages: Vec<ToChat>,
    bytes: usize,
}

impl Recovery {
    /// Begins to wait.
    pub fn new(until: Instant) -> Self {
        Self {
            until,
            reports: BTreeMap::new(),
            complete: BTreeSet::new(),
            deferred: BTreeMap::new(),
        }
    }

    /// Takes a message. False if its connector has more waiting here than an outbox of `len_max`
    /// messages would hold.
    pub fn take(&mut self, connector: ConnectorIndex, message: ToChat, len_max: usize) -> bool {
        match message {
            ToChat::Report(report) => self.reports.entry(connector).or_default().push(report),
            ToChat::Reported => {
                self.complete.insert(connector);
            }
            later => {
                Mark::WaitedForReports.reached();
                let deferred = self.deferred.entry(connector).or_default();
                if let ToChat::Forward { body, .. } | ToChat::Echo(body) = &later {
                    deferred.bytes += body.len();
                }
                deferred.messages.push(later);
                return deferred.messages.len() <= len_max && deferred.bytes <= OUTBOX_BYTES;
            }
        }
        true
    }

    /// Forgets what `connector` said: its link was given up.
    pub fn forget(&mut self, connector: ConnectorIndex) {
        if self.reports.remove(&connector).is_some() {
            Mark::ReportForgotten.reached();
        }
        self.complete.remove(&connector);
        self.deferred.remove(&connector);
    }

    /// Forgets what `connector` said after its report.
    pub fn drop_deferred(&mut self, connector: ConnectorIndex) {
        self.deferred.remove(&connector);
    }

    /// Whether all of `connectors` have reported.
    pub fn is_complete(&self, connectors: usize) -> bool {
        self.complete.len() == connectors
    }
}

/// Ends the wait: rebuilds the rooms, brings everybody to the same point, and goes on.
pub fn finish(state: &mut State) {
    let Some(recovery) = state.recovery.take() else {
        return;
    };
    for (room, reports) in by_room(&recovery) {
        rebuild(state, &room, &reports);
    }
    // What they had reported counts for nothing. Their leases should have run out by now; if not,
    // they are to give up those sessions.
    let cut_short = recovery
        .reports
        .keys()
        .filter(|c| !recovery.complete.contains(c));
    for connector in cut_short {
        state.send(*connector, &ToConnector::Expired);
    }
    for (connector, deferred) in recovery.deferred {
        for message in deferred.messages {
            state.take(connector, message);
        }
    }
}

type Reports<'a> = Vec<(ConnectorIndex, &'a Report)>;

fn by_room(recovery: &Recovery) -> BTreeMap<Arc<str>, Reports<'_>> {
    let mut rooms: BTreeMap<Arc<str>, Reports> = BTreeMap::new();
    // A connector that is still in the middle of its report is heard again from the start, or
    // has lost its sessions: half a report counts for nothing.
    for connector in &recovery.complete {
        for report in recovery.reports.get(connector).into_iter().flatten() {
            rooms
                .entry(report.room.clone())
                .or_default()
                .push((*connector, report));
        }
    }
    rooms
}

fn rebuild(state: &mut State, room: &Arc<str>, reports: &Reports) {
    let Some((_, leader)) = reports.iter().max_by_key(|(_, report)| report.position) else {
        return;
    };
    // Later events of this process come after all that were seen of the one before it.
    state.position = state.position.max(leader.position);
    for (connector, report) in reports {
        let is_there = |(_, name): &&(SessionId, Arc<str>)| leader.announced.contains(name);
        let (there, lost): (Vec<_>, Vec<_>) = report.members.iter().partition(is_there);
        // They go before the others hear of it.
        evict_lost(state, *connector, room, &lost);
        repeat_notices(state, *connector, room, leader, report, &there);
        readmit(state, *connector, room, &there);
    }
    for name in &leader.announced {
        let is_back = state
            .channels
            .get(room)
            .is_some_and(|c| c.member(name).is_some());
        if !is_back {
            Mark::WentMeanwhile.reached();
            remote::tell_leave(state, room, name);
        }
    }
    state.forget_if_over(room);
}

type Members<'a> = [&'a (SessionId, Arc<str>)];

/// Evicts sessions that the others were told have gone. Where a later login replaces the first, that
/// is one whose name was just given away. Else it can't be while leases hold; if a clock went wrong,
/// the session goes rather than stay where others do not see it.
fn evict_lost(state: &mut State, connector: ConnectorIndex, room: &Arc<str>, lost: &Members) {
    let reason = match state.options.duplicate_login {
        DuplicateLogin::Replace => REPLACED,
        DuplicateLogin::Refuse => LOST,
    };
    for (session, _) in lost {
        evict(state, connector, room, *session, reason);
    }
}

/// Tells a connector of arrivals and departures that the leader has seen and it has not. Where the
/// name of one of its members was given away, and the new session did not come to be let in, the
/// member has it still: it does not hear that it went and came.
fn repeat_notices(
    state: &mut State,
    connector: ConnectorIndex,
    room: &Arc<str>,
    leader: &Report,
    report: &Report,
    there: &Members,
) {
    let is_missed = |(at, notice): &&(Position, Notice)| {
        let has_name = there.iter().any(|(_, name)| name == notice.name());
        *at > report.position && !has_name
    };
    for (position, notice) in leader.notices.iter().filter(is_missed) {
        Mark::NoticesRepeated.reached();
        let push = Push {
            room: room.clone(),
            position: *position,
            stable: 0,
            event: Event::Notice(notice.clone()),
        };
        state.send(connector, &ToConnector::Push(push));
    }
}

fn readmit(state: &mut State, connector: ConnectorIndex, room: &Arc<str>, there: &Members) {
    for (session, name) in there {
        let session = *session;
        let channel = state.channels.entry(room.clone()).or_default();
        // Two can't have one name while leases hold.
        if !channel.insert(name.clone(), Member { connector, session }) {
            evict(state, connector, room, session, LOST);
        }
    }
}

fn evict(
    state: &mut State,
    connector: ConnectorIndex,
    room: &Arc<str>,
    session: SessionId,
    reason: &str,
) {
    let evict = ToConnector::Evict {
        session,
        room: room.clone(),
        reason: reason.to_owned(),
    };
    state.send(connector, &evict);
}
