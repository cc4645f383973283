//! One room: who is in it, and the messages and news on their way to them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::history::{MessageId, Target};

use super::ledger::Ledger;
use super::limits::{ANSWER_PATIENCE, FORGOTTEN_AFTER, SETTLED_AFTER};
use super::notices::Notices;
use super::order::{Happening, Order, Seen};
use super::row::{Row, is_owed};
use super::set::Set;
use super::{Login, seconds, who};

/// One stay of one connection in this room. Its number is free again when nothing is remembered any
/// more that it could have heard.
#[derive(Debug)]
pub struct Slot {
    /// The user and its login.
    pub login: Login,
    /// The name it has there.
    pub name: Arc<str>,
    /// When it saw its enter answered.
    pub from: Duration,
    /// When and how it was over.
    pub ended: Option<(Duration, End)>,
    /// What it saw last of what all see.
    pub last: Option<Seen>,
}

/// How a stay ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The user left, went to another room, or was still there when the run ended.
    OwnWill,
    /// The connection was lost, or its user stopped reading: nobody knows since when.
    Lost,
}

/// One who hears something in this room.
#[derive(Clone, Copy, Debug)]
pub struct Listener<'a> {
    /// The user and its login.
    pub login: Login,
    /// Its stays here that may still hear something, the latest last.
    pub slots: &'a [u32],
}

/// One room.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: Arc<str>,
    /// All stays, by number.
    pub slots: Vec<Slot>,
    /// The numbers of those who are in the room.
    pub inside: Set,
    /// Who came and went.
    pub notices: Notices,
    /// What all members see, in order.
    pub order: Order,
    inside_len: u32,
    /// Numbers that are not used any more, since when.
    resting: VecDeque<(Duration, u32)>,
    /// When the last one came.
    entered_at: Duration,
    rows: BTreeMap<MessageId, Row>,
}

impl Room {
    /// An empty room.
    pub fn new(name: Arc<str>) -> Self {
        Self {
            name,
            slots: Vec::new(),
            inside: Set::default(),
            notices: Notices::default(),
            order: Order::default(),
            inside_len: 0,
            resting: VecDeque::new(),
            entered_at: Duration::ZERO,
            rows: BTreeMap::new(),
        }
    }

    /// Begins a stay; returns its number.
    pub fn enter(&mut self, login: Login, name: &Arc<str>, at: Duration) -> u32 {
        let slot = Slot {
            login,
            name: Arc::clone(name),
            from: at,
            ended: None,
            last: None,
        };
        self.entered_at = at;
        self.inside_len += 1;
        let rested = self.resting.front();
        let number = match rested {
            Some((since, _)) if *since + FORGOTTEN_AFTER < at => {
                let (_, number) = self.resting.pop_front().expect("it was just looked at");
                self.slots[number as usize] = slot;
                number
            }
            _ => {
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        self.inside.insert(number);
        number
    }

    /// Ends a stay.
    pub fn leave(&mut self, number: u32, at: Duration, end: End) {
        self.deafen(number, at, end);
        self.resting.push_back((at, number));
    }

    /// Ends a stay for what is owed to it from now on; it still hears.
    pub fn deafen(&mut self, number: u32, at: Duration, end: End) {
        if self.inside.remove(number) {
            self.slots[number as usize].ended = Some((at, end));
            self.inside_len -= 1;
        }
    }

    /// Who is in the room under this name.
    pub fn holder(&self, name: &str) -> Option<Login> {
        let slots = self
            .inside
            .iter()
            .map(|number| &self.slots[number as usize]);
        let mut holders = slots.filter(|slot| *slot.name == *name);
        holders.next().map(|slot| slot.login)
    }

    /// Notes that a message was sent to this room.
    pub fn open(&mut self, message: MessageId, due: Duration, sent_at: Duration, target: &Target) {
        let mut waiting = match target {
            Target::Room => self.inside.clone(),
            Target::User(name) => {
                let is_meant = |number: &u32| *self.slots[*number as usize].name == **name;
                self.inside.iter().filter(is_meant).collect()
            }
        };
        if self.entered_at >= sent_at {
            // Whoever came at the same moment came after it as likely as before.
            let slots = &self.slots;
            let is_new = |number: &u32| slots[*number as usize].from >= sent_at;
            let new: Vec<u32> = waiting.iter().filter(is_new).collect();
            for number in new {
                waiting.remove(number);
            }
        }
        let mut row = Row::new(due, sent_at, self.inside_len, waiting);
        if let Target::User(name) = target {
            row.target = Some(name.as_str().into());
        }
        self.rows.insert(message, row);
    }

    /// Whether it remembers this message.
    pub fn knows(&self, message: MessageId) -> bool {
        self.rows.contains_key(&message)
    }

    /// Notes that somebody heard a message; `false` if it was not sent to this room, or is forgotten.
    pub fn hear(
        &mut self,
        listener: Listener<'_>,
        message: MessageId,
        at: Duration,
        ledger: &mut Ledger,
    ) -> bool {
        let Some(row) = self.rows.get_mut(&message) else {
            return false;
        };
        let Listener { login, slots } = listener;
        let own = *slots
            .last()
            .expect("who hears something has a stay to hear it in");
        if slots.iter().any(|number| row.heard.contains(*number)) {
            ledger.fault("doubled", at, || {
                let (who, sent_at) = (who(login), seconds(row.sent_at));
                let at = seconds(at);
                format!("{who} heard {message}, sent at {sent_at}, again at {at}")
            });
            return true;
        }
        row.heard.insert(own);
        ledger.record_delivery(at.saturating_sub(row.due), at.saturating_sub(row.sent_at));
        for number in slots {
            let slot = &self.slots[*number as usize];
            if row.release(*number)
                && (slot.ended.is_none() || is_owed(row.answer, slot, Duration::MAX))
            {
                row.note_heard(at);
            }
        }
        let slot = &mut self.slots[own as usize];
        match &row.target {
            None => {
                let what = || Happening::Said(message);
                let told = self.order.saw(login, &mut slot.last, &mut row.seen, what);
                if let Some(told) = told {
                    ledger.fault("reordered", at, || {
                        told.tell(login, &message, at, &self.name)
                    });
                }
            }
            Some(target) if **target != *slot.name => {
                ledger.fault("wrong_room", at, || {
                    let (who, at) = (who(login), seconds(at));
                    format!("{who} heard {message} at {at}, sent to {target} alone")
                });
            }
            Some(_) => {}
        }
        if row.is_complete() {
            row.close(message, &self.name, &self.slots, ledger);
        }
        true
    }

    /// Notes the answer to a send; returns the row's times if it is known.
    pub fn answer(
        &mut self,
        message: MessageId,
        at: Duration,
        ok: bool,
        ledger: &mut Ledger,
    ) -> Option<(Duration, Duration)> {
        let row = self.rows.get_mut(&message)?;
        row.answer.get_or_insert((at, ok));
        if row.is_complete() {
            row.close(message, &self.name, &self.slots, ledger);
        }
        Some((row.due, row.sent_at))
    }

    /// Looks at a message for the first time, when it should be settled, at `now`. Forgets it and
    /// returns `false` if it is.
    pub fn settle(&mut self, message: MessageId, ledger: &mut Ledger) -> bool {
        let Some(row) = self.rows.get_mut(&message) else {
            return false;
        };
        if !row.closed && matches!(row.answer, Some((_, true))) {
            row.release_unowed(&self.slots, Duration::MAX);
            if row.is_complete() {
                row.close(message, &self.name, &self.slots, ledger);
            }
        }
        let is_settled = row.closed;
        if row.answer.is_none() {
            note_unanswered(message, row, ledger);
            ledger.close_send(row.sent_at + SETTLED_AFTER);
            row.closed = true;
        }
        if is_settled {
            self.forget(message);
        }
        !is_settled
    }

    /// Looks at a message for the last time: who has not heard it has lost it. `until` is the end of
    /// all who are there.
    pub fn lose(&mut self, message: MessageId, until: Duration, ledger: &mut Ledger) {
        if let Some(row) = self.rows.get_mut(&message)
            && !row.closed
        {
            row.release_unowed(&self.slots, until);
            row.close(message, &self.name, &self.slots, ledger);
        }
    }

    /// Whether nobody waits for this message.
    pub fn is_settled(&self, message: MessageId) -> bool {
        self.rows.get(&message).is_none_or(|row| row.closed)
    }

    /// Forgets a message.
    pub fn forget(&mut self, message: MessageId) {
        if let Some(row) = self.rows.remove(&message)
            && let Some(seen) = row.seen
        {
            self.order.forget(seen);
        }
    }

    /// Judges everything that is still open when the run ends.
    pub fn finish(&mut self, until: Duration, ledger: &mut Ledger) {
        for (message, row) in &mut self.rows {
            if row.answer.is_none() && !row.closed {
                if row.sent_at + ANSWER_PATIENCE <= until {
                    note_unanswered(*message, row, ledger);
                }
            } else if !row.closed {
                row.release_unowed(&self.slots, until);
                row.close(*message, &self.name, &self.slots, ledger);
            }
        }
        self.notices.finish(until, &self.name, &self.slots, ledger);
    }
}

fn note_unanswered(message: MessageId, row: &Row, ledger: &mut Ledger) {
    ledger.count_at(row.sent_at, "errors");
    ledger.failed("send", "no answer");
    ledger.fault("sends_unanswered", row.sent_at, || {
        let sent_at = seconds(row.sent_at);
        format!("{message}, sent at {sent_at}, was not answered")
    });
}
