//! What users say and hear.

use std::sync::Arc;
use std::time::Duration;

use crate::history::{MessageId, Target};

use super::Fold;
use crate::fanout::limits::EARLY_MAX;
use crate::fanout::notices::{Kind, Notice};
use crate::fanout::room::Listener;
use crate::fanout::user::{Early, Stay};
use crate::fanout::{Login, seconds, who};

impl Fold {
    pub(super) fn send(
        &mut self,
        at: Duration,
        message: MessageId,
        due: Duration,
        target: &Target,
    ) {
        self.ledger.open_send(at);
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

    pub(super) fn answer(&mut self, at: Duration, message: MessageId, ok: bool) {
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
        self.ledger.close_send(at);
        if ok {
            self.ledger.count_both(at, "sends_accepted");
            self.ledger.record(at, "request", at.saturating_sub(due));
            self.ledger
                .record(at, "request.raw", at.saturating_sub(sent_at));
            self.ledger.succeeded("send", at.saturating_sub(sent_at));
        } else {
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

    pub(super) fn hear_message(&mut self, at: Duration, login: Login, message: MessageId) {
        let connector = self.user(login.0).connector;
        self.ledger.count_delivery(connector);
        self.deliver(at, login, message);
    }

    pub(super) fn deliver(&mut self, at: Duration, login: Login, message: MessageId) {
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

    pub(super) fn note_wrong_room(
        &mut self,
        at: Duration,
        login: Login,
        message: MessageId,
        room: &str,
    ) {
        self.ledger.fault("wrong_room", at, || {
            let (who, at) = (who(login), seconds(at));
            format!("{who} heard {message} at {at}, sent to {room}")
        });
    }

    pub(super) fn hear_notice(&mut self, at: Duration, login: Login, kind: Kind, name: &str) {
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
