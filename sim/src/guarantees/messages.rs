//! What was sent, from which room, and how it was answered.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use loadgen::history::{MessageId, Target, What};

use super::sessions::Session;

/// One message that a user sent.
#[derive(Debug)]
pub struct Sent<'a> {
    /// The sending session, as an index.
    pub session: usize,
    /// When it was sent.
    pub at: Duration,
    /// To whom.
    pub target: &'a Target,
    /// The room it was sent to, and the sender's name there: of one that was sent behind an
    /// `enter`, the room that the session was in when that was answered, since the servers let it
    /// wait until then. Two or more if that answer never came, none if it was in no room.
    pub places: Vec<Place<'a>>,
    /// When it was answered, and whether with success. A second answer would be unasked.
    pub answer: Option<(Duration, bool)>,
}

/// A name in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// The room.
    pub room: &'a str,
    /// The name.
    pub name: &'a str,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in {}", self.name, self.room)
    }
}

impl Sent<'_> {
    /// When it was answered with success.
    pub fn accepted_at(&self) -> Option<Duration> {
        let (at, ok) = self.answer?;
        ok.then_some(at)
    }

    /// The places in words.
    pub fn origin(&self) -> String {
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        match places.as_slice() {
            [] => String::from("from no room"),
            places => format!("by {}", places.join(" or ")),
        }
    }

    /// The one place it was sent from; `None` if there are two or none.
    pub fn place(&self) -> Option<Place<'_>> {
        match self.places.as_slice() {
            [place] => Some(*place),
            _ => None,
        }
    }
}

/// All messages of a run.
#[derive(Debug, Default)]
pub struct Messages<'a> {
    /// By id.
    pub sent: BTreeMap<MessageId, Sent<'a>>,
}

/// Reads the messages of all sessions.
pub fn of<'a>(sessions: &[Session<'a>]) -> Messages<'a> {
    let mut messages = Messages::default();
    for (index, session) in sessions.iter().enumerate() {
        messages.read(index, session);
    }
    messages
}

impl<'a> Messages<'a> {
    fn read(&mut self, index: usize, session: &Session<'a>) {
        let mut here: Option<Place> = None;
        let mut asked = session.enters.iter();
        let mut waiting: Vec<Place> = Vec::new();
        // Messages behind a number of enters without an answer.
        let mut behind: Vec<(usize, MessageId)> = Vec::new();
        for event in &session.events {
            match &event.what {
                What::Entering { .. } => waiting.extend(asked.next().map(|enter| Place {
                    room: enter.room,
                    name: enter.name,
                })),
                What::Entered { .. } if !waiting.is_empty() => {
                    here = Some(waiting.remove(0));
                    self.answered_enter(&mut behind, here);
                }
                What::Refused { .. } if !waiting.is_empty() => {
                    waiting.remove(0);
                    self.answered_enter(&mut behind, here);
                }
                What::Sending {
                    message, target, ..
                } => {
                    let places = here.into_iter().chain(waiting.iter().copied());
                    let sent = Sent {
                        session: index,
                        at: event.at,
                        target,
                        places: places.collect(),
                        answer: None,
                    };
                    self.sent.insert(*message, sent);
                    if !waiting.is_empty() {
                        behind.push((waiting.len(), *message));
                    }
                }
                What::Answered { message, ok } => {
                    if let Some(sent) = self.sent.get_mut(message) {
                        sent.answer = Some((event.at, *ok));
                    }
                }
                _ => {}
            }
        }
    }

    /// An `enter` was answered, and the session is `here`: so are the messages that waited for no
    /// other.
    fn answered_enter(&mut self, behind: &mut Vec<(usize, MessageId)>, here: Option<Place<'a>>) {
        behind.retain_mut(|(enters, message)| {
            *enters -= 1;
            if *enters == 0
                && let Some(sent) = self.sent.get_mut(message)
            {
                sent.places = here.into_iter().collect();
            }
            *enters > 0
        });
    }
}
