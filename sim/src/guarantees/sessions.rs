//! Who was where when: one session per login, read from the users' history.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

use loadgen::history::{Event, What};

use crate::record::Record;

/// One login of one user, as the user knows it.
#[derive(Debug)]
pub struct Session<'a> {
    /// The user's number.
    pub user: u32,
    /// Which login of the user, counted from 1.
    pub login: u32,
    /// The simulated host of the user.
    pub host: &'a str,
    /// The host of the connector that the gate named.
    pub connector: Option<&'a str>,
    /// When the gate was asked.
    pub login_at: Option<Duration>,
    /// When the handshake was done.
    pub connected_at: Option<Duration>,
    /// Every `enter`, in order.
    pub enters: Vec<Enter<'a>>,
    /// Every stay in a room, in order.
    pub stays: Vec<Stay<'a>>,
    /// From when on the user did not read.
    pub deaf_at: Option<Duration>,
    /// How and when it ended, if it did.
    pub end: Option<(Duration, End)>,
    /// Everything that the user did and saw in it.
    pub events: Vec<&'a Event>,
}

/// A request to enter a room.
#[derive(Debug)]
pub struct Enter<'a> {
    /// When it was sent.
    pub asked_at: Duration,
    /// The name.
    pub name: &'a str,
    /// The room.
    pub room: &'a str,
    /// When and how it was answered.
    pub answer: Option<(Duration, EnterAnswer)>,
}

/// The answer to a request to enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnterAnswer {
    /// With success.
    Entered,
    /// The name is taken.
    Duplicate,
    /// Another error.
    Failed,
}

/// The time that a session is in one room.
#[derive(Debug)]
pub struct Stay<'a> {
    /// The room.
    pub room: &'a str,
    /// The name there.
    pub name: &'a str,
    /// When it asked to enter.
    pub asked_at: Duration,
    /// When it saw the answer.
    pub since: Duration,
    /// The members that the answer named.
    pub users: &'a [String],
    /// When it asked for another room and did not get an error: from then on it may be gone.
    pub switching_at: Option<Duration>,
    /// When it saw the answer of the switch, or when the session ended.
    pub until: Option<Duration>,
    /// What it saw and did there, as a range of the session's events.
    pub range: Range<usize>,
}

/// How a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user closed it.
    Left,
    /// The user went silent.
    Vanished,
    /// The server kicked it.
    Kicked,
    /// The connection ended.
    Closed,
    /// It never came to `enter`.
    Failed,
}

impl Stay<'_> {
    /// Whether the stay is known to span the whole time.
    pub fn spans(&self, from: Duration, until: Duration) -> bool {
        self.since <= from && self.until.is_none_or(|end| end >= until)
    }
}

impl<'a> Session<'a> {
    /// When the end came; never, if it did not.
    pub fn end_at(&self) -> Duration {
        self.end.map_or(Duration::MAX, |(at, _)| at)
    }

    /// When this user last was someone who reads: the end, or when it went deaf.
    pub fn attentive_until(&self) -> Duration {
        self.end_at().min(self.deaf_at.unwrap_or(Duration::MAX))
    }

    /// What happened during a stay, the answer to `enter` excluded.
    pub fn events_of(&self, stay: &Stay) -> &[&'a Event] {
        &self.events[stay.range.clone()]
    }

    fn take(&mut self, event: &'a Event) {
        let at = event.at;
        self.events.push(event);
        match &event.what {
            What::Login { .. } => self.login_at = Some(at),
            What::Located { connector } => {
                self.connector = connector.rsplit_once(':').map(|(host, _)| host);
            }
            What::Connected => self.connected_at = Some(at),
            What::Entering { name, room } => self.enters.push(Enter {
                asked_at: at,
                name,
                room,
                answer: None,
            }),
            What::Entered { users } => self.entered(at, users),
            What::Refused { duplicate: true } => {
                self.answer(at, EnterAnswer::Duplicate);
            }
            What::Refused { duplicate: false } => {
                self.answer(at, EnterAnswer::Failed);
            }
            What::Deaf => self.deaf_at = Some(at),
            What::Leaving { .. } => self.finish(at, End::Left),
            What::Vanished => self.finish(at, End::Vanished),
            What::Kicked { .. } => self.finish(at, End::Kicked),
            What::Closed { .. } => self.finish(at, End::Closed),
            What::LoginFailed { .. } => self.finish(at, End::Failed),
            What::Sending { .. }
            | What::Unsent { .. }
            | What::Answered { .. }
            | What::Heard { .. }
            | What::Added { .. }
            | What::Left { .. }
            | What::Unasked { .. }
            | What::Strange { .. } => {}
        }
    }

    /// Answers come in the order of the requests, so this one is for the oldest.
    fn answer(&mut self, at: Duration, answer: EnterAnswer) -> Option<&Enter<'a>> {
        let mut enters = self.enters.iter_mut();
        let waiting = enters.find(|enter| enter.answer.is_none())?;
        waiting.answer = Some((at, answer));
        Some(waiting)
    }

    fn entered(&mut self, at: Duration, users: &'a [String]) {
        let begin = self.events.len();
        let Some(enter) = self.answer(at, EnterAnswer::Entered) else {
            return;
        };
        let stay = Stay {
            room: enter.room,
            name: enter.name,
            asked_at: enter.asked_at,
            since: at,
            users,
            switching_at: None,
            until: None,
            range: begin..begin,
        };
        self.end_stay(Some(at), begin - 1, Some(stay.asked_at));
        if self.end.is_none() {
            self.stays.push(stay);
        }
    }

    /// Only the first end counts: a user whose connection broke may still be told to leave.
    fn finish(&mut self, at: Duration, how: End) {
        if self.end.is_none() {
            self.end = Some((at, how));
            self.end_stay(Some(at), self.events.len() - 1, self.waiting_since());
        }
    }

    /// Ends the current stay, whose events are those before `events_end`.
    fn end_stay(
        &mut self,
        until: Option<Duration>,
        events_end: usize,
        switching_at: Option<Duration>,
    ) {
        if let Some(stay) = self.stays.last_mut()
            && stay.until.is_none()
        {
            stay.until = until;
            stay.switching_at = switching_at;
            stay.range.end = events_end;
        }
    }

    /// When the oldest `enter` without an answer was sent.
    fn waiting_since(&self) -> Option<Duration> {
        let waiting = self.enters.iter().find(|enter| enter.answer.is_none());
        waiting.map(|enter| enter.asked_at)
    }

    /// The end of the record: whoever is there stays.
    fn close(&mut self) {
        self.end_stay(None, self.events.len(), self.waiting_since());
    }
}

impl fmt::Display for Session<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.enters.first() {
            Some(enter) => write!(out, "{} (u{}.{})", enter.name, self.user, self.login),
            None => write!(out, "u{}.{}", self.user, self.login),
        }
    }
}

/// The sessions of a run, by user and login.
pub fn of(record: &Record) -> Vec<Session<'_>> {
    let mut sessions = BTreeMap::new();
    for event in &record.history {
        sessions
            .entry((event.user, event.login))
            .or_insert_with(|| fresh(record, event))
            .take(event);
    }
    let mut sessions: Vec<Session> = sessions.into_values().collect();
    for session in &mut sessions {
        session.close();
    }
    sessions
}

fn fresh<'a>(record: &'a Record, event: &Event) -> Session<'a> {
    Session {
        user: event.user,
        login: event.login,
        host: record
            .user_hosts
            .get(&event.user)
            .map_or("", String::as_str),
        connector: None,
        login_at: None,
        connected_at: None,
        enters: Vec::new(),
        stays: Vec::new(),
        deaf_at: None,
        end: None,
        events: Vec::new(),
    }
}
