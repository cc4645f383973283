//! One message on its way: who is still to hear it, and how long it took those who have.

use std::sync::Arc;
use std::time::Duration;

use reports::measured::broadcasts::Broadcast;

use crate::history::MessageId;

use super::ledger::{Ledger, Told, micros};
use super::limits::{LEAVE_SLACK, LOSS_SLACK};
use super::order::Seen;
use super::room::{End, Slot};
use super::set::Set;
use super::{seconds, who};

/// One message, from when it was sent until it is forgotten.
#[derive(Debug)]
pub struct Row {
    pub due: Duration,
    pub sent_at: Duration,
    /// The name it is for; `None` if it is for the whole room.
    pub target: Option<Arc<str>>,
    /// How many members the room had.
    pub members: u32,
    /// Those who were in the room when it was sent and have not heard it.
    pub waiting: Set,
    waiting_len: u32,
    /// Everybody who heard it.
    pub heard: Set,
    /// How long it took those who were waiting, since it was due, in microseconds.
    delays: Vec<u32>,
    last_heard_at: Duration,
    /// When it was answered, and whether with success.
    pub answer: Option<(Duration, bool)>,
    /// Nobody waits for anything any more: its figures are made, or there are none.
    pub closed: bool,
    /// Its place in the common order, once somebody has seen it.
    pub seen: Option<Seen>,
}

impl Row {
    /// A message that was just sent to a room of so many.
    pub fn new(due: Duration, sent_at: Duration, members: u32, waiting: Set) -> Self {
        let waiting_len = waiting.len();
        Self {
            due,
            sent_at,
            target: None,
            members,
            waiting,
            waiting_len,
            heard: Set::default(),
            delays: Vec::with_capacity(waiting_len as usize),
            last_heard_at: sent_at,
            answer: None,
            closed: false,
            seen: None,
        }
    }

    /// Takes `number` from those who wait: it has heard the message, or is owed nothing.
    pub fn release(&mut self, number: u32) -> bool {
        let waited = self.waiting.remove(number);
        self.waiting_len -= u32::from(waited);
        waited
    }

    /// Notes that one of those who waited has heard it.
    pub fn note_heard(&mut self, at: Duration) {
        let delay_us = micros(at.saturating_sub(self.due));
        self.delays
            .push(u32::try_from(delay_us).unwrap_or(u32::MAX));
        self.last_heard_at = at;
    }

    /// Whether everybody has heard what is promised to be heard.
    pub fn is_complete(&self) -> bool {
        !self.closed && self.waiting_len == 0 && matches!(self.answer, Some((_, true)))
    }

    /// Takes those from the waiting who are owed nothing, `until` being the end of all who are there.
    pub fn release_unowed(&mut self, slots: &[Slot], until: Duration) {
        let answer = self.answer;
        let unowed: Vec<u32> = self
            .waiting
            .iter()
            .filter(|number| !is_owed(answer, &slots[*number as usize], until))
            .collect();
        for number in unowed {
            self.release(number);
        }
    }

    /// Makes its figures: whoever still waits has lost it.
    pub fn close(&mut self, message: MessageId, room: &str, slots: &[Slot], ledger: &mut Ledger) {
        self.closed = true;
        let Some((answered_at, true)) = self.answer else {
            return;
        };
        for number in self.waiting.iter() {
            let slot = &slots[number as usize];
            ledger.fault("lost", self.sent_at, || {
                format!(
                    "{}, in {room} since {}, never heard {message}, sent at {} and accepted at {}",
                    who(slot.login),
                    seconds(slot.from),
                    seconds(self.sent_at),
                    seconds(answered_at),
                )
            });
        }
        let got = self.delays.len() as u32;
        let expected = got + self.waiting_len;
        ledger.count_many("deliveries_expected", expected.into());
        let mut delays = std::mem::take(&mut self.delays);
        self.waiting = Set::default();
        self.waiting_len = 0;
        if self.target.is_some() {
            return;
        }
        let broadcast = Broadcast {
            message: message.to_string(),
            room: room.to_owned(),
            members: self.members,
            expected,
            got,
            due_us: micros(self.due),
            sent_us: micros(self.sent_at),
            answered_us: Some(micros(answered_at)),
            delays: None,
        };
        let told = Told {
            broadcast,
            last_heard_at: self.last_heard_at,
        };
        ledger.note_broadcast(told, &mut delays);
    }
}

/// Whether a member that was there when a message was sent, and has not heard it, is owed it; those
/// who are still there are there until `until`.
pub fn is_owed(answer: Option<(Duration, bool)>, slot: &Slot, until: Duration) -> bool {
    let Some((answered_at, true)) = answer else {
        return false;
    };
    let (gone_at, slack) = match slot.ended {
        None => (until, LEAVE_SLACK),
        Some((at, End::OwnWill)) => (at, LEAVE_SLACK),
        Some((at, End::Lost)) => (at, LOSS_SLACK),
    };
    gone_at >= answered_at + slack
}
