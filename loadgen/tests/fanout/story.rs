//! Histories in the making, and what comes of them.

use std::time::Duration;

use loadgen::fanout::fold::Fold;
use loadgen::history::{Event, MessageId, Target, What};
use reports::measured::Measured;

/// Ann sends, Bob and Cat are with her.
pub const ANN: u32 = 1;
pub const BOB: u32 = 2;
pub const CAT: u32 = 3;

/// Long after everything in most histories.
pub const END: Duration = Duration::from_secs(60);

pub const HELLO: MessageId = MessageId {
    user: ANN,
    login: 1,
    number: 1,
};

/// A history in the making.
#[derive(Clone, Default)]
pub struct Story(pub Vec<Event>);

impl Story {
    /// Ann, Bob and Cat are in one room from 1 s on, and have seen one another come.
    pub fn of_three_in_a_room() -> Self {
        Self::default()
            .enters(1000, ANN, "room", &[ANN])
            .enters(1001, BOB, "room", &[ANN, BOB])
            .learns_of(1002, ANN, BOB)
            .enters(1003, CAT, "room", &[ANN, BOB, CAT])
            .learns_of(1004, ANN, CAT)
            .learns_of(1004, BOB, CAT)
    }

    /// A user closes its connection when that is due.
    pub fn leaves(self, at_ms: u64, user: u32) -> Self {
        let due = Duration::from_millis(at_ms);
        self.then(at_ms, user, What::Leaving { due })
    }

    pub fn then(mut self, at_ms: u64, user: u32, what: What) -> Self {
        self.0.push(Event {
            at: Duration::from_millis(at_ms),
            user,
            login: 1,
            what,
        });
        self
    }

    pub fn asks(self, at_ms: u64, user: u32, room: &str) -> Self {
        let (name, room) = (name(user), room.to_owned());
        self.then(at_ms, user, What::Entering { name, room })
    }

    pub fn gets_in(self, at_ms: u64, user: u32, users: &[u32]) -> Self {
        let users = users.iter().map(|user| name(*user)).collect();
        self.then(at_ms, user, What::Entered { users })
    }

    pub fn enters(self, at_ms: u64, user: u32, room: &str, users: &[u32]) -> Self {
        self.asks(at_ms, user, room).gets_in(at_ms, user, users)
    }

    /// `user` is told that `other` came.
    pub fn learns_of(self, at_ms: u64, user: u32, other: u32) -> Self {
        self.then(at_ms, user, What::Added { name: name(other) })
    }

    /// `user` is told that `other` went.
    pub fn misses(self, at_ms: u64, user: u32, other: u32) -> Self {
        self.then(at_ms, user, What::Left { name: name(other) })
    }

    pub fn says(self, at_ms: u64, message: MessageId, target: Target) -> Self {
        // Everything is sent 10 ms late.
        let due = Duration::from_millis(at_ms - 10);
        let sending = What::Sending {
            message,
            due,
            target,
        };
        self.then(at_ms, message.user, sending)
    }

    pub fn gets_answer(self, at_ms: u64, message: MessageId, ok: bool) -> Self {
        self.then(at_ms, message.user, What::Answered { message, ok })
    }

    pub fn hears(self, at_ms: u64, user: u32, message: MessageId) -> Self {
        let heard = What::Heard {
            message: Some(message),
            from: name(message.user),
            target: Target::Room,
        };
        self.then(at_ms, user, heard)
    }

    /// Ann's hello is sent at 2.010 s, though due at 2 s.
    pub fn hello_is_sent(self, target: Target) -> Self {
        self.says(2010, HELLO, target)
    }

    pub fn hello_is_answered(self, ok: bool) -> Self {
        self.gets_answer(2100, HELLO, ok)
    }

    pub fn hello_is_heard(self, at_ms: u64, user: u32) -> Self {
        self.hears(at_ms, user, HELLO)
    }

    /// What comes of it in the end.
    pub fn figures(&self) -> Figures {
        self.figures_until(END)
    }

    pub fn figures_until(&self, until: Duration) -> Figures {
        let mut fold = Fold::new(Duration::from_secs(1));
        for event in &self.0 {
            fold.see(event.at, (event.user, event.login), &event.what);
        }
        Figures(fold.finish(until, []))
    }
}

/// What was measured, with the audit's words for it.
pub struct Figures(pub Measured);

impl Figures {
    pub fn count(&self, name: &str) -> u64 {
        self.0.counts.get(name).copied().unwrap_or_default()
    }

    pub fn faults(&self, name: &str) -> u64 {
        self.0.faults.get(name).map_or(0, |faults| faults.count)
    }

    pub fn cases(&self, name: &str) -> Vec<&str> {
        let faults = self.0.faults.get(name).into_iter();
        let cases = faults.flat_map(|faults| faults.cases());
        cases.map(|case| case.text.as_str()).collect()
    }

    /// How many of each fault there are.
    pub fn all_faults(&self) -> Vec<(&str, u64)> {
        let faults = self.0.faults.iter().filter(|(_, it)| it.count > 0);
        faults.map(|(name, it)| (name.as_str(), it.count)).collect()
    }

    pub fn expected(&self) -> u64 {
        self.count("deliveries_expected")
    }
}

pub fn name(user: u32) -> String {
    format!("user-{user}")
}

pub fn kicked() -> What {
    What::Kicked {
        reason: "too slow".to_owned(),
    }
}
