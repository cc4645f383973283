//! All rooms of a run, and when to look at what is on its way in them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::history::{MessageId, Target};

use super::fold::Open;
use super::ledger::Ledger;
use super::limits::{FORGOTTEN_AFTER, LOST_AFTER, ROWS_MAX, SETTLED_AFTER};
use super::notices::{Notice, Notices, Place};
use super::room::{End, Room};

/// All rooms.
#[derive(Debug)]
pub struct Town {
    pub rooms: Vec<Room>,
    numbers: BTreeMap<Arc<str>, usize>,
    /// What was sent or happened, by when it is looked at next: the oldest first in each.
    to_settle: VecDeque<Item>,
    to_lose: VecDeque<Item>,
    to_forget: VecDeque<Item>,
    /// Messages that are remembered.
    rows: usize,
    rows_max: usize,
}

/// Something on its way.
#[derive(Clone, Debug)]
struct Item {
    at: Duration,
    room: usize,
    what: Which,
}

#[derive(Clone, Debug)]
enum Which {
    Message(MessageId),
    News(Arc<str>),
}

impl Default for Town {
    fn default() -> Self {
        Self {
            rooms: Vec::new(),
            numbers: BTreeMap::new(),
            to_settle: VecDeque::new(),
            to_lose: VecDeque::new(),
            to_forget: VecDeque::new(),
            rows: 0,
            rows_max: ROWS_MAX,
        }
    }
}

impl Town {
    /// The number of the room with this name.
    pub fn room(&mut self, name: &str) -> usize {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let name: Arc<str> = name.into();
        self.rooms.push(Room::new(Arc::clone(&name)));
        let number = self.rooms.len() - 1;
        self.numbers.insert(name, number);
        number
    }

    /// Notes that a message was sent.
    pub fn send(
        &mut self,
        room: usize,
        message: MessageId,
        due: Duration,
        at: Duration,
        target: &Target,
        ledger: &mut Ledger,
    ) {
        if self.rows == self.rows_max {
            self.forget_oldest(ledger);
        }
        self.rooms[room].open(message, due, at, target);
        self.rows += 1;
        let what = Which::Message(message);
        self.to_settle.push_back(Item { at, room, what });
    }

    /// Notes that `name` asked to enter.
    pub fn ask(&mut self, room: usize, name: &Arc<str>, at: Duration) {
        let Room {
            notices, inside, ..
        } = &mut self.rooms[room];
        notices.ask(name, at, inside);
        self.watch(room, name, at);
    }

    /// Ends the stay `slot`. For `unsure_for` the server may not have learned of it.
    pub fn leave(&mut self, room: usize, slot: u32, at: Duration, end: End, unsure_for: Duration) {
        let place = &mut self.rooms[room];
        place.leave(slot, at, end);
        let name = Arc::clone(&place.slots[slot as usize].name);
        place.notices.leave(&name, at, &place.inside, unsure_for);
        self.watch(room, &name, at);
    }

    /// Notes that the user of stay `slot` has read nothing since this time, when it was due to leave: on
    /// a busy machine that may be long before it leaves.
    pub fn stop_listening(&mut self, room: usize, slot: u32, since: Duration) {
        self.rooms[room].deafen(slot, since, End::OwnWill);
    }

    /// Notes that the user of stay `slot` stopped reading, and will be found out.
    pub fn deafen(&mut self, room: usize, slot: u32, at: Duration) {
        let room = &mut self.rooms[room];
        room.deafen(slot, at, End::Lost);
        room.notices.deafen(&room.slots[slot as usize].name);
    }

    /// Notes that a member was told who came or went.
    pub fn notice(&mut self, room: usize, notice: Notice<'_>, ledger: &mut Ledger) {
        let (notices, place) = parts(&mut self.rooms[room]);
        if notices.hear(notice, place, ledger) {
            self.watch(room, &notice.name.into(), notice.at);
        }
    }

    /// Looks at everything whose time has come `now`.
    pub fn sweep(&mut self, now: Duration, ledger: &mut Ledger) {
        while let Some(item) = next(&mut self.to_settle, now, SETTLED_AFTER) {
            self.settle(item, ledger);
        }
        while let Some(item) = next(&mut self.to_lose, now, LOST_AFTER) {
            self.lose(item, ledger);
        }
        while let Some(item) = next(&mut self.to_forget, now, FORGOTTEN_AFTER) {
            self.forget(&item);
        }
    }

    /// What is remembered.
    pub fn open(&self) -> Open {
        let rooms = self.rooms.iter();
        let (news, stays) = rooms.fold((0, 0), |(news, stays), room| {
            (news + room.notices.len(), stays + room.slots.len())
        });
        Open {
            messages: self.rows,
            news,
            stays,
        }
    }

    fn watch(&mut self, room: usize, name: &Arc<str>, at: Duration) {
        let what = Which::News(Arc::clone(name));
        self.to_settle.push_back(Item { at, room, what });
    }

    fn settle(&mut self, item: Item, ledger: &mut Ledger) {
        let room = &mut self.rooms[item.room];
        let is_open = match &item.what {
            Which::Message(message) => {
                let was_known = room.knows(*message);
                let is_open = room.settle(*message, ledger);
                self.rows -= usize::from(was_known && !is_open);
                is_open
            }
            Which::News(name) => room.notices.settle(name, item.at, &mut room.order),
        };
        if is_open {
            self.to_lose.push_back(item);
        }
    }

    fn lose(&mut self, item: Item, ledger: &mut Ledger) {
        let room = &mut self.rooms[item.room];
        match &item.what {
            Which::Message(message) => {
                room.lose(*message, Duration::MAX, ledger);
                self.to_forget.push_back(item);
            }
            Which::News(name) => {
                let (notices, mut place) = parts(room);
                notices.lose(name, item.at, &mut place, ledger);
            }
        }
    }

    fn forget(&mut self, item: &Item) {
        if let Which::Message(message) = item.what {
            let room = &mut self.rooms[item.room];
            self.rows -= usize::from(room.knows(message));
            room.forget(message);
        }
    }

    /// Makes room for one more message.
    fn forget_oldest(&mut self, ledger: &mut Ledger) {
        for queue in [&mut self.to_forget, &mut self.to_lose, &mut self.to_settle] {
            let is_message = |item: &Item| matches!(item.what, Which::Message(_));
            let oldest = queue.iter().position(is_message);
            if let Some(item) = oldest.and_then(|index| queue.remove(index))
                && let Which::Message(message) = item.what
            {
                let room = &mut self.rooms[item.room];
                if !room.is_settled(message) {
                    ledger.count("broadcasts_unjudged");
                }
                self.rows -= usize::from(room.knows(message));
                room.forget(message);
                return;
            }
        }
    }
}

fn parts(room: &mut Room) -> (&mut Notices, Place<'_>) {
    let Room {
        name,
        slots,
        inside,
        notices,
        order,
        ..
    } = room;
    let place = Place {
        room: name,
        slots,
        inside,
        order,
    };
    (notices, place)
}

/// The first of `queue`, if it is so old.
fn next(queue: &mut VecDeque<Item>, now: Duration, age: Duration) -> Option<Item> {
    queue.pop_front_if(|item| item.at + age <= now)
}
