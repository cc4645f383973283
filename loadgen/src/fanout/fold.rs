//! Takes what users do and see, event by event, and keeps figures only.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use cluster::dispatch::EVERYBODY;
use reports::measured::Measured;

use crate::history::{MessageId, Target, What};
use crate::record::Push;

use super::ledger::Ledger;
use super::limits::{EARLY_MAX, LOST_AFTER};
use super::notices::{Kind, Notice};
use super::room::{End, Listener};
use super::town::Town;
use super::user::{Ask, Early, Place, Stay, User};
use super::{Login, Tally, seconds, who};

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

    /// How far the run is.
    pub fn tally(&self) -> Tally {
        self.ledger.tally
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
                        from,
                        target,
                    },
                );
            }
            What::Added { name } => self.hear(at, login, Push::Added(name)),
            What::Left { name } => self.hear(at, login, Push::Left(name)),
            _ => {
                self.begin(at, login);
                self.live(at, login, what);
            }
        }
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
            Push::Added(name) => self.hear_notice(at, login, Kind::Came, name),
            Push::Left(name) => self.hear_notice(at, login, Kind::Went, name),
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
        self.ledger.finish()
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

/// What users do, and what becomes of them.
impl Fold {
    fn live(&mut self, at: Duration, login: Login, what: &What) {
        let (number, _) = login;
        match what {
            What::Login { due } => {
                self.ledger.count_both(at, "logins_total");
                self.ledger.tried("query_entry");
                let user = self.user(number);
                user.login_due = Some(*due);
                user.step = Some(("query_entry", at));
            }
            What::Located { connector } => self.locate(at, number, connector),
            What::Connected => {
                self.end_step(at, number);
                self.user(number).connected = true;
                self.ledger.connected += 1;
            }
            What::Entering { name, room } => self.ask(at, login, name, room),
            What::Entered { users } => self.enter(at, login, users),
            What::Refused { duplicate } => self.refuse(at, login, *duplicate),
            What::Sending {
                message,
                due,
                target,
            } => self.send(at, *message, *due, target),
            What::Answered { message, ok } => self.answer(at, *message, *ok),
            What::Unsent { due } => {
                self.ledger.count_at(*due, "sends_planned");
                self.ledger.fault("sends_unsent", at, || {
                    let (who, due) = (who(login), seconds(*due));
                    format!("{who} was in no room to send what was due at {due}")
                });
            }
            What::Leaving => {
                self.leave(at, login, End::OwnWill, Duration::ZERO);
                let user = self.user(number);
                if matches!(user.place, Place::Inside) {
                    user.place = Place::Gone;
                    self.ledger.tried("leave");
                    self.ledger.succeeded("leave", Duration::ZERO);
                }
            }
            What::Vanished => self.leave(at, login, End::Lost, LOST_AFTER),
            What::Deaf => {
                if let Some(Stay { room, slot }) = self.user(number).stay {
                    self.town.deafen(room, slot, at);
                }
            }
            What::Kicked { reason } => self.lose(at, login, "was kicked", reason),
            What::Closed { reason } => self.lose(at, login, "was cut off", reason),
            What::LoginFailed { reason } => self.fail(at, number, reason),
            What::Unasked { id } => self.ledger.fault("answers_unasked", at, || {
                let (who, at) = (who(login), seconds(at));
                format!("{who} had an answer at {at} to request {id}, which was not open")
            }),
            What::Strange { route } => self.ledger.fault("pushes_strange", at, || {
                let (who, at) = (who(login), seconds(at));
                format!("{who} could make nothing of the {route} pushed at {at}")
            }),
            What::Heard { .. } | What::Added { .. } | What::Left { .. } => {}
        }
    }

    fn locate(&mut self, at: Duration, number: u32, connector: &str) {
        self.end_step(at, number);
        self.ledger.tried("connect");
        let connector = self.ledger.connector(connector);
        let user = self.user(number);
        user.connector = Some(connector);
        user.step = Some(("connect", at));
    }

    fn end_step(&mut self, at: Duration, number: u32) {
        if let Some((step, since)) = self.user(number).step.take() {
            self.ledger.succeeded(step, at.saturating_sub(since));
        }
    }

    fn ask(&mut self, at: Duration, login: Login, name: &str, room: &str) {
        let (number, _) = login;
        self.ledger.tried("enter");
        let room = self.town.room(room);
        // Whether who enters where it is comes and goes, is not said.
        let is_same = self.user(number).stay.is_some_and(|stay| stay.room == room);
        let unsure_for = if is_same { LOST_AFTER } else { Duration::ZERO };
        self.end_stay(at, login, End::OwnWill, unsure_for);
        let name: Arc<str> = name.into();
        self.town.ask(room, &name, at);
        let user = self.user(number);
        user.room = Some(room);
        user.asks.push_back(Ask {
            name,
            room,
            at,
            early: Vec::new(),
        });
    }

    fn enter(&mut self, at: Duration, login: Login, users: &[String]) {
        let (number, _) = login;
        let user = self.users.entry(number).or_default();
        user.place = Place::Inside;
        if !user.was_inside {
            user.was_inside = true;
            self.ledger.tally.users_entered += 1;
        }
        // The second enter of a session is a switch, not a login.
        if let Some(due) = user.login_due.take() {
            self.ledger.record(at, "login", at.saturating_sub(due));
        }
        if let Some(connector) = user.connector {
            self.ledger.count_user(connector);
        }
        let Some(Ask {
            name,
            room,
            at: since,
            early,
        }) = user.asks.pop_front()
        else {
            return;
        };
        self.ledger.succeeded("enter", at.saturating_sub(since));
        let place = &mut self.town.rooms[room];
        if place.notices.is_contested(&name)
            && let Some(holder) = place.holder(&name)
        {
            self.ledger.fault("names_shared", at, || {
                let (who, holder, at) = (who(login), who(holder), seconds(at));
                format!("{who} was let in at {at} under the name of {holder}")
            });
        }
        let slot = place.enter(login, &name, at);
        place.notices.enter(&name, slot, users, since, at);
        user.stay = Some(Stay { room, slot });
        self.ledger.inside += 1;
        let goes_on = !user.asks.is_empty();
        for (at, early) in early {
            match early {
                Early::Heard(message) if self.town.rooms[room].knows(message) => {
                    self.deliver(at, login, message);
                }
                // All who had to hear it have, and it is forgotten.
                Early::Heard(_) => self.ledger.count("deliveries_unjudged"),
                Early::Told(kind, name) => self.hear_notice(at, login, kind, &name),
            }
        }
        if goes_on {
            // Who has asked for the next room meanwhile stays for no time that counts.
            self.end_stay(at, login, End::OwnWill, LOST_AFTER);
        }
    }

    fn refuse(&mut self, at: Duration, login: Login, duplicate: bool) {
        let why = if duplicate {
            "its name was taken"
        } else {
            "it was refused"
        };
        self.ledger.count("logins_refused");
        self.ledger.failed("enter", why);
        let user = self.user(login.0);
        user.place = Place::Outside(why.to_owned(), at);
        let ask = user.asks.pop_front();
        // A name that somebody else has is rightly refused.
        let is_rightful = duplicate
            && ask.as_ref().is_some_and(|ask| {
                let room = &self.town.rooms[ask.room];
                room.notices.is_contested(&ask.name)
            });
        if !is_rightful {
            self.ledger.count_at(at, "errors");
            self.note_failed_login(at, login.0, why);
        }
        if let Some(ask) = ask {
            self.drop_ask(at, login, ask, duplicate);
        }
    }

    fn fail(&mut self, at: Duration, number: u32, reason: &str) {
        self.ledger.tally.logins_failed += 1;
        self.ledger.count("logins_failed");
        self.ledger.count_at(at, "errors");
        self.note_failed_login(at, number, reason);
        let user = self.user(number);
        user.place = Place::Outside(reason.to_owned(), at);
        let step = user.step.take();
        self.ledger
            .failed(step.map_or("query_entry", |(step, _)| step), reason);
    }

    fn note_failed_login(&mut self, at: Duration, number: u32, why: &str) {
        self.ledger.fault("not_admitted", at, || {
            let at = at.as_secs_f64();
            format!("user {number}: {why}, {at:.3} s into the run")
        });
    }

    fn lose(&mut self, at: Duration, login: Login, how: &str, reason: &str) {
        let (number, _) = login;
        self.leave(at, login, End::Lost, Duration::ZERO);
        self.ledger.tally.connections_lost += 1;
        self.ledger.count_at(at, "errors");
        self.ledger.fault("connections_lost", at, || {
            let at = at.as_secs_f64();
            format!("user {number} {how}: {reason}, {at:.3} s into the run")
        });
        self.user(number).place = Place::Outside(reason.to_owned(), at);
    }

    /// Ends the connection of a user, for what it knows.
    fn leave(&mut self, at: Duration, login: Login, end: End, unsure_for: Duration) {
        self.end_stay(at, login, end, unsure_for);
        self.drop_asks(at, login);
        let user = self.users.entry(login.0).or_default();
        if std::mem::take(&mut user.connected) {
            self.ledger.connected -= 1;
        }
    }

    fn end_stay(&mut self, at: Duration, login: Login, end: End, unsure_for: Duration) {
        if let Some(Stay { room, slot }) = self.user(login.0).end_stay(at) {
            self.town.leave(room, slot, at, end, unsure_for);
            self.ledger.inside -= 1;
        }
    }

    /// Gives up what a user asked for and will have no answer to.
    fn drop_asks(&mut self, at: Duration, login: Login) {
        for ask in std::mem::take(&mut self.user(login.0).asks) {
            self.ledger.failed("enter", "no answer");
            self.drop_ask(at, login, ask, false);
        }
    }

    fn drop_ask(&mut self, at: Duration, login: Login, ask: Ask, is_sure: bool) {
        let room = &mut self.town.rooms[ask.room];
        room.notices
            .refuse(&ask.name, at, is_sure, &mut self.ledger);
        let name = Arc::clone(&room.name);
        for (at, early) in ask.early {
            match early {
                Early::Heard(message) => self.note_wrong_room(at, login, message, &name),
                Early::Told(..) => self.ledger.count("notices_unjudged"),
            }
        }
    }
}

/// What users say and hear.
impl Fold {
    fn send(&mut self, at: Duration, message: MessageId, due: Duration, target: &Target) {
        self.ledger.tally.sends_total += 1;
        self.ledger.count_both(at, "sends_total");
        self.ledger.count_at(due, "sends_planned");
        self.ledger
            .record(at, "send_lateness", at.saturating_sub(due));
        self.ledger.tried("send");
        let user = self.users.entry(message.user).or_default();
        user.sent = user.sent.max(message.number);
        let room = user.room.unwrap_or_else(|| self.town.room(""));
        self.town
            .send(room, message, due, at, target, &mut self.ledger);
    }

    fn answer(&mut self, at: Duration, message: MessageId, ok: bool) {
        let Some(room) = self.room_of(at, message) else {
            self.ledger.fault("late", at, || {
                let at = seconds(at);
                format!("{message} was answered at {at}, when it had long been given up")
            });
            return;
        };
        let room = &mut self.town.rooms[room];
        let Some((due, sent_at)) = room.answer(message, at, ok, &mut self.ledger) else {
            return;
        };
        if ok {
            self.ledger.tally.sends_accepted += 1;
            self.ledger.count_both(at, "sends_accepted");
            self.ledger.record(at, "request", at.saturating_sub(due));
            self.ledger
                .record(at, "request.raw", at.saturating_sub(sent_at));
            self.ledger.succeeded("send", at.saturating_sub(sent_at));
        } else {
            self.ledger.tally.sends_refused += 1;
            self.ledger.count_at(at, "errors");
            self.ledger.failed("send", "refused");
            self.ledger.fault("sends_refused", sent_at, || {
                let (sent_at, at) = (seconds(sent_at), seconds(at));
                format!("{message}, sent at {sent_at}, was refused at {at}")
            });
        }
    }

    /// The room where this message is remembered.
    fn room_of(&self, at: Duration, message: MessageId) -> Option<usize> {
        let sender = self.users.get(&message.user)?;
        let mut rooms = sender.room.into_iter().chain(sender.rooms(at));
        rooms.find(|room| self.town.rooms[*room].knows(message))
    }

    fn hear_message(&mut self, at: Duration, login: Login, message: MessageId) {
        let connector = self.user(login.0).connector;
        self.ledger.count_delivery(connector);
        self.deliver(at, login, message);
    }

    fn deliver(&mut self, at: Duration, login: Login, message: MessageId) {
        let user = self.users.entry(login.0).or_default();
        for room in user.rooms(at) {
            let mut list = Vec::new();
            let slots = user.slots_in(room, at, &mut list);
            let listener = Listener { login, slots };
            if self.town.rooms[room].hear(listener, message, at, &mut self.ledger) {
                return;
            }
        }
        let rooms = &self.town.rooms;
        let mut asks = user.asks.iter_mut();
        if let Some(ask) = asks.find(|ask| rooms[ask.room].knows(message))
            && ask.early.len() < EARLY_MAX
        {
            ask.early.push((at, Early::Heard(message)));
            return;
        }
        self.deliver_astray(at, login, message);
    }

    /// Notes a message that is not on its way where it was heard.
    fn deliver_astray(&mut self, at: Duration, login: Login, message: MessageId) {
        if let Some(room) = self.room_of(at, message) {
            let name = Arc::clone(&self.town.rooms[room].name);
            self.note_wrong_room(at, login, message, &name);
            return;
        }
        let was_sent = self
            .users
            .get(&message.user)
            .is_some_and(|sender| (message.login, message.number) <= (sender.login, sender.sent));
        let who = who(login);
        if was_sent {
            self.ledger.fault("late", at, || {
                let at = seconds(at);
                format!("{who} heard {message} at {at}, when it had long been settled")
            });
        } else {
            self.ledger.fault("wrong_room", at, || {
                format!(
                    "{who} heard {message} at {}, which nobody sent",
                    seconds(at)
                )
            });
        }
    }

    fn note_wrong_room(&mut self, at: Duration, login: Login, message: MessageId, room: &str) {
        self.ledger.fault("wrong_room", at, || {
            let (who, at) = (who(login), seconds(at));
            format!("{who} heard {message} at {at}, sent to {room}")
        });
    }

    fn hear_notice(&mut self, at: Duration, login: Login, kind: Kind, name: &str) {
        let user = self.users.entry(login.0).or_default();
        if let Some(Stay { room, slot }) = user.stay {
            let notice = Notice {
                kind,
                name,
                login,
                slot,
                at,
            };
            self.town.notice(room, notice, &mut self.ledger);
        } else if let Some(ask) = user.asks.back_mut()
            && ask.early.len() < EARLY_MAX
        {
            ask.early.push((at, Early::Told(kind, name.to_owned())));
        } else {
            self.ledger.count("notices_unjudged");
        }
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
