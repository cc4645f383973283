//! The record as the checks look at it: computed once, shared by all.

use std::collections::BTreeMap;
use std::time::Duration;

use super::messages::{self, Messages};
use super::sessions::{self, Session, Stay};
use super::trouble::{self, Span, Trouble};
use crate::record::{Bounds, Record};

/// A record and what is derived from it.
pub struct View<'a> {
    /// The record itself.
    pub record: &'a Record,
    /// What the run was set up with.
    pub bounds: &'a Bounds,
    /// The faults as spans.
    pub trouble: Trouble,
    /// By user and login.
    pub sessions: Vec<Session<'a>>,
    /// What was sent.
    pub messages: Messages<'a>,
    /// Index of session and of its stay, by room.
    stays: BTreeMap<&'a str, Vec<(usize, usize)>>,
}

impl<'a> View<'a> {
    /// Reads a record.
    pub fn new(record: &'a Record) -> Self {
        let trouble = Trouble::of(record);
        let sessions = sessions::of(record);
        let messages = messages::of(&sessions);
        let mut stays: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, session) in sessions.iter().enumerate() {
            for (number, stay) in session.stays.iter().enumerate() {
                stays.entry(stay.room).or_default().push((index, number));
            }
        }
        Self {
            record,
            bounds: &record.bounds,
            trouble,
            sessions,
            messages,
            stays,
        }
    }

    /// All stays in `room`, by session.
    pub fn stays_in(&self, room: &str) -> impl Iterator<Item = (&Session<'a>, &Stay<'a>)> {
        let stays = self.stays.get(room).map_or(&[][..], Vec::as_slice);
        stays.iter().map(|(index, number)| {
            let session = &self.sessions[*index];
            (session, &session.stays[*number])
        })
    }

    /// The host of the chat server that owns `room`.
    pub fn chat_of(&self, room: &str) -> &str {
        let chats = &self.record.topology.chats;
        let owner = self.record.topology.chat_of(room);
        owner.map_or("", |index| chats[index].id.as_str())
    }

    /// What touched a session on its way to its connector, by beginning.
    pub fn trouble_of(&self, session: &Session) -> Vec<Span> {
        let connector = session.connector.unwrap_or_default();
        self.trouble_on(session, &[session.host, connector])
    }

    /// What touched a session and the hosts on a way of its, by beginning.
    pub fn trouble_on(&self, session: &Session, way: &[&str]) -> Vec<Span> {
        let mut spans = self.trouble.among(way);
        spans.extend(self.trouble.throttled_spans(session.user));
        spans.sort();
        spans
    }

    /// When whatever disturbed something that began at `at` was over, and with it the time that
    /// the cluster needs to recover: until then a session may be dead without knowing. `None` if
    /// nothing disturbed it.
    pub fn recovered_after(&self, spans: &[Span], at: Duration) -> Option<Duration> {
        let recovery = self.bounds.recovery();
        trouble::calm_after(spans, at, recovery).map(|calm| calm + recovery)
    }
}
