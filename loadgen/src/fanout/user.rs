//! What is known of one user while it lives: its connection, where it is and was, what it asked for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::history::MessageId;

use super::limits::FORGOTTEN_AFTER;
use super::notices::Kind;

/// One user.
#[derive(Debug, Default)]
pub struct User {
    /// Its latest login.
    pub login: u32,
    /// It was in a room at some time.
    pub was_inside: bool,
    /// Where it is in its life, for those who ask when the run has ended.
    pub place: Place,
    /// When the login that has yet to lead into a room was first due.
    pub login_due: Option<Duration>,
    /// What its login waits for, since when.
    pub step: Option<(&'static str, Duration)>,
    /// The connector it came through, by number.
    pub connector: Option<usize>,
    /// It has a connection.
    pub connected: bool,
    /// Messages sent in this login.
    pub sent: u32,
    /// The room it asked for last, and sends to.
    pub room: Option<usize>,
    /// Where it is.
    pub stay: Option<Stay>,
    /// What it asked for and has no answer to. Answers come in this order.
    pub asks: VecDeque<Ask>,
    /// Where it was in this login, for as long as something can be heard from there.
    past: Vec<(Stay, Duration)>,
}

/// Where a user is when the run ends.
#[derive(Debug)]
pub enum Place {
    /// Not in its room, what kept it out last, and since when.
    Outside(String, Duration),
    /// In its room.
    Inside,
    /// It was in its room and left by itself, which only the end of a script makes it do.
    Gone,
}

/// One stay of a user in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stay {
    /// The number of the room.
    pub room: usize,
    /// The number of the stay there.
    pub slot: u32,
}

/// A room that a user asked to enter.
#[derive(Debug)]
pub struct Ask {
    /// The name it wants to have there.
    pub name: Arc<str>,
    /// The number of the room.
    pub room: usize,
    /// When it asked.
    pub at: Duration,
    /// What it was pushed before the answer.
    pub early: Vec<(Duration, Early)>,
}

/// A push that came before the answer to an enter.
#[derive(Debug)]
pub enum Early {
    /// A message.
    Heard(MessageId),
    /// A notice about a name.
    Told(Kind, String),
}

impl Default for Place {
    fn default() -> Self {
        Self::Outside("it never got so far".to_owned(), Duration::ZERO)
    }
}

impl User {
    /// Begins another login.
    pub fn log_in(&mut self, login: u32) {
        self.login = login;
        self.sent = 0;
        self.past.clear();
    }

    /// Ends the stay where it is; it can be heard from for a while.
    pub fn end_stay(&mut self, at: Duration) -> Option<Stay> {
        let stay = self.stay.take()?;
        self.past.retain(|(_, ended_at)| is_fresh(*ended_at, at));
        self.past.push((stay, at));
        Some(stay)
    }

    /// The rooms it is and was in, the present one first.
    pub fn rooms(&self, at: Duration) -> impl Iterator<Item = usize> + '_ {
        let past = self.past.iter().rev();
        let past = past.filter(move |(_, ended_at)| is_fresh(*ended_at, at));
        let present = self.stay.iter().map(|stay| stay.room);
        present.chain(past.map(|(stay, _)| stay.room))
    }

    /// Its stays in `room`, the latest last, most often without a list being made of them.
    pub fn slots_in<'a>(&'a self, room: usize, at: Duration, list: &'a mut Vec<u32>) -> &'a [u32] {
        match &self.stay {
            Some(stay) if self.past.is_empty() => std::slice::from_ref(&stay.slot),
            _ => {
                let past = self.past.iter();
                let past = past.filter(|(_, ended_at)| is_fresh(*ended_at, at));
                let stays = past.map(|(stay, _)| stay).chain(&self.stay);
                list.extend(stays.filter(|stay| stay.room == room).map(|stay| stay.slot));
                list
            }
        }
    }
}

fn is_fresh(ended_at: Duration, now: Duration) -> bool {
    ended_at + FORGOTTEN_AFTER >= now
}
