//! What users do, and what becomes of them.

use std::sync::Arc;
use std::time::Duration;

use crate::health::want::Want;
use crate::history::What;

use super::Fold;
use crate::fanout::limits::LOST_AFTER;
use crate::fanout::room::End;
use crate::fanout::user::{Ask, Early, Place, Stay};
use crate::fanout::{Login, seconds, who};

impl Fold {
    pub(super) fn live(&mut self, at: Duration, login: Login, what: &What) {
        let (number, _) = login;
        match what {
            What::Login { due } => {
                self.ledger.count_both(at, "logins_total");
                self.ledger.tried("query_entry");
                let user = self.user(number);
                user.login_due = Some(*due);
                self.set_step(number, Some(("query_entry", at)));
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
            What::Leaving { due } => {
                if let Some(Stay { room, slot }) = self.user(number).stay {
                    self.town.stop_listening(room, slot, *due);
                }
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
        self.set_step(number, Some(("connect", at)));
    }

    fn end_step(&mut self, at: Duration, number: u32) {
        if let Some((step, since)) = self.set_step(number, None) {
            self.ledger.succeeded(step, at.saturating_sub(since));
        }
    }

    /// Notes what the login of a user waits for; hands back what it waited for.
    fn set_step(
        &mut self,
        number: u32,
        next: Option<(&'static str, Duration)>,
    ) -> Option<(&'static str, Duration)> {
        let last = std::mem::replace(&mut self.user(number).step, next);
        self.ledger.logging_in += u64::from(next.is_some());
        self.ledger.logging_in -= u64::from(last.is_some());
        last
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
            self.ledger.users_entered += 1;
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
        self.ledger.count("logins_failed");
        self.ledger.count_at(at, "errors");
        self.note_failed_login(at, number, reason);
        let user = self.user(number);
        user.place = Place::Outside(reason.to_owned(), at);
        let step = self.set_step(number, None);
        self.ledger
            .failed(step.map_or("query_entry", |(step, _)| step), reason);
    }

    /// The cluster was not asked, so nothing is held against it.
    pub(super) fn be_prevented(&mut self, at: Duration, number: u32, want: Want, reason: &str) {
        self.ledger.count(want.count());
        self.ledger.count_at(at, "errors");
        self.user(number).place = Place::Outside(reason.to_owned(), at);
        if let Some((step, _)) = self.set_step(number, None) {
            self.ledger.failed(step, want.why());
        }
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

    pub(super) fn end_stay(&mut self, at: Duration, login: Login, end: End, unsure_for: Duration) {
        if let Some(Stay { room, slot }) = self.user(login.0).end_stay(at) {
            self.town.leave(room, slot, at, end, unsure_for);
            self.ledger.inside -= 1;
        }
    }

    /// Gives up what a user asked for and will have no answer to.
    pub(super) fn drop_asks(&mut self, at: Duration, login: Login) {
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
