//! One room, in which somebody speaks a hundred times a second, as its members take it down.

use std::time::Duration;

use loadgen::fanout::fold::Fold;
use loadgen::history::{Event, MessageId, Target, What};
use loadgen::record::Push;

/// Messages whose events are kept at most; a simulation keeps those of a whole run.
const KEPT_MAX: u32 = 1000;

/// A room whose members record what they hear.
pub struct Talk {
    members: u32,
    now: Duration,
    number: u32,
    fold: Fold,
    history: Vec<Event>,
}

impl Talk {
    /// So many are in the room.
    pub fn with_members(members: u32) -> Self {
        let mut talk = Self {
            members,
            now: Duration::ZERO,
            number: 0,
            fold: Fold::new(Duration::from_secs(1)),
            history: Vec::new(),
        };
        for user in 0..members {
            let entering = What::Entering {
                name: format!("user-1-{user}"),
                room: "room-1-1".to_owned(),
            };
            talk.fold.see(talk.now, (user, 1), &entering);
            let users = Vec::new();
            let entered = What::Entered { users };
            talk.fold.see(talk.now, (user, 1), &entered);
        }
        talk
    }

    /// Folds one message, its deliveries and its answer.
    pub fn fold(&mut self) {
        let (message, sending) = self.say();
        let push = Push::Heard {
            message: Some(message),
            from: "user-1-0".into(),
            target: "*".into(),
        };
        self.fold.see(self.now, (0, 1), &sending);
        for user in 0..self.members {
            self.fold.hear(self.now, (user, 1), push.clone());
        }
        let ok = true;
        let answered = What::Answered { message, ok };
        self.fold.see(self.now, (0, 1), &answered);
    }

    /// Keeps the same events.
    pub fn keep(&mut self) {
        if self.number.is_multiple_of(KEPT_MAX) {
            self.history = Vec::new();
        }
        let (message, sending) = self.say();
        self.push(0, sending);
        for user in 0..self.members {
            let push = Push::Heard {
                message: Some(message),
                from: "user-1-0".into(),
                target: "*".into(),
            };
            self.push(user, push.into());
        }
        self.push(0, What::Answered { message, ok: true });
    }

    fn push(&mut self, user: u32, what: What) {
        self.history.push(Event {
            at: self.now,
            user,
            login: 1,
            what,
        });
    }

    fn say(&mut self) -> (MessageId, What) {
        self.now += Duration::from_millis(10);
        self.number += 1;
        let message = MessageId {
            user: 0,
            login: 1,
            number: self.number,
        };
        let (due, target) = (self.now, Target::Room);
        let sending = What::Sending {
            message,
            due,
            target,
        };
        (message, sending)
    }
}
