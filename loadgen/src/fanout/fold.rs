//! Takes what users do and see, event by event, and keeps figures only.

mod living;
mod talking;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use cluster::dispatch::EVERYBODY;
use reports::measured::Measured;

use crate::health::want::Want;
use crate::history::{Target, What};
use crate::record::Push;
use crate::status::Status;

use super::Login;
use super::ledger::Ledger;
use super::limits::LOST_AFTER;
use super::notices::Kind;
use super::room::End;
use super::town::Town;
use super::user::{Early, Place, User};

/// The figures of a run so far, and what it takes to go on. Events come in the order of their times.
#[derive(Debug)]
pub struct Fold {
    users: BTreeMap<u32, User>,
    town: Town,
    ledger: Ledger,
}

/// What is kept at a time, to be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// Messages that are remembered.
    pub messages: usize,
    /// Comings and goings that are remembered.
    pub news: usize,
    /// Stays in rooms that are remembered, with those that are over.
    pub stays: usize,
}

impl Fold {
    /// Starts figures with rows of `interval`.
    pub fn new(interval: Duration) -> Self {
        Self {
            users: BTreeMap::new(),
            town: Town::default(),
            ledger: Ledger::new(interval),
        }
    }

    /// What is known `now`.
    pub fn status(&mut self, now: Duration) -> Status {
        self.ledger.advance(now);
        self.ledger.status(now)
    }

    /// What is kept.
    pub fn open(&self) -> Open {
        self.town.open()
    }

    /// Takes in what a user did or saw.
    pub fn see(&mut self, at: Duration, login: Login, what: &What) {
        match what {
            What::Heard {
                message,
                from,
                target,
            } => {
                let target = match target {
                    Target::Room => EVERYBODY,
                    Target::User(name) => name,
                };
                let message = *message;
                self.hear(
                    at,
                    login,
                    Push::Heard {
                        message,
                        from: from.into(),
                        target: target.into(),
                    },
                );
            }
            What::Added { name } => self.hear(at, login, Push::Added(name.into())),
            What::Left { name } => self.hear(at, login, Push::Left(name.into())),
            _ => {
                self.begin(at, login);
                self.live(at, login, what);
            }
        }
    }

    /// Takes in that a user could not log in for want of something of its own machine.
    pub fn prevent(&mut self, at: Duration, login: Login, want: Want, reason: &str) {
        self.begin(at, login);
        self.be_prevented(at, login.0, want, reason);
    }

    /// Takes in what a user was pushed.
    pub fn hear(&mut self, at: Duration, login: Login, push: Push<'_>) {
        self.begin(at, login);
        match push {
            Push::Heard {
                message: Some(message),
                ..
            } => self.hear_message(at, login, message),
            Push::Heard { message: None, .. } => {}
            Push::Added(name) => self.hear_notice(at, login, Kind::Came, &name),
            Push::Left(name) => self.hear_notice(at, login, Kind::Went, &name),
        }
    }

    /// Judges what is still open, the run having ended `until` now. `users` are the numbers of all who
    /// should have come.
    pub fn finish(mut self, until: Duration, users: impl IntoIterator<Item = u32>) -> Measured {
        self.ledger.advance(until);
        self.town.sweep(until, &mut self.ledger);
        for room in &mut self.town.rooms {
            room.finish(until, &mut self.ledger);
        }
        self.finish_asks();
        for number in users {
            let user = self.users.entry(number).or_default();
            tell_place(number, user, until, &mut self.ledger);
        }
        self.ledger.finish(until)
    }

    /// Who still asks was not let in before what it heard.
    fn finish_asks(&mut self) {
        let users = std::mem::take(&mut self.users);
        for (number, user) in &users {
            let asks = user.asks.iter();
            let early = asks.flat_map(|ask| ask.early.iter().map(move |early| (ask.room, early)));
            for (room, (at, early)) in early {
                let name = Arc::clone(&self.town.rooms[room].name);
                match early {
                    Early::Heard(message) => {
                        self.note_wrong_room(*at, (*number, user.login), *message, &name);
                    }
                    Early::Told(..) => self.ledger.count("notices_unjudged"),
                }
            }
        }
        self.users = users;
    }

    /// Comes to the time and the user of an event.
    fn begin(&mut self, at: Duration, (number, login): Login) {
        self.ledger.advance(at);
        self.town.sweep(at, &mut self.ledger);
        let known = match self.users.entry(number) {
            Entry::Vacant(vacant) => vacant.insert(User::default()),
            Entry::Occupied(occupied) => occupied.into_mut(),
        };
        if login > known.login {
            let earlier = (number, known.login);
            self.end_stay(at, earlier, End::Lost, LOST_AFTER);
            self.drop_asks(at, earlier);
            self.user(number).log_in(login);
        }
    }

    fn user(&mut self, number: u32) -> &mut User {
        self.users.entry(number).or_default()
    }
}

/// Notes what kept a user from its room, or from the end of its script. One that was on its way back
/// in when it was time to leave gave up, and is no user that came to the end.
fn tell_place(number: u32, user: &User, until: Duration, ledger: &mut Ledger) {
    match &user.place {
        Place::Outside(why, at) => {
            ledger.fault("users_unfinished", *at, || {
                format!("user {number} was out of its room when it was time to leave: {why}")
            });
            if !user.was_inside {
                ledger.fault("users_outside", *at, || format!("user {number}: {why}"));
            }
        }
        Place::Inside => {
            ledger.fault("users_unfinished", until, || {
                format!("user {number} never left")
            });
        }
        Place::Gone => {}
    }
}
