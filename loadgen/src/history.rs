//! What every virtual user did and saw, with times, kept as a whole: the guarantees of a simulation
//! are read from it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::record::{Push, Record};

/// One thing that one user did or saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Since the start of the run.
    pub at: Duration,
    /// The virtual user's number.
    pub user: u32,
    /// Which login of this user it belongs to, counted from 1; each is one session at a connector.
    pub login: u32,
    /// What was done or seen.
    pub what: What,
}

/// What a user did or saw. In the order of a user's life: first what it does, then what it sees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum What {
    /// Began a login: the gate is asked for a connector.
    Login {
        /// When it was first due, since the start of the run: a login that failed before is tried
        /// again, and the user has waited since then. Latencies count from here.
        due: Duration,
    },
    /// Asked to enter a room (the first of a session, or a switch of rooms).
    Entering {
        /// The user name.
        name: String,
        /// The room.
        room: String,
    },
    /// Sent a message.
    Sending {
        /// Which one.
        message: MessageId,
        /// When it was due by the plan, since the start of the run. Latencies count from here.
        due: Duration,
        /// To whom.
        target: Target,
    },
    /// A send came due while the user was not in a room, so nothing was sent.
    Unsent {
        /// When it was due.
        due: Duration,
    },
    /// Closed its connection, as a user who leaves does.
    Leaving {
        /// When it was due by the plan, since the start of the run: from then on it reads no more.
        due: Duration,
    },
    /// Went silent without closing: neither reads nor writes from now on.
    Vanished,
    /// Stopped reading, but goes on writing heartbeats and requests.
    Deaf,

    /// The gate named a connector.
    Located {
        /// `host:port` of the connector.
        connector: String,
    },
    /// The connector's handshake is done.
    Connected,
    /// `enter` was answered with success.
    Entered {
        /// The members, in the order of the answer, this user included.
        users: Vec<String>,
    },
    /// `enter` was answered with an error; `duplicate` if because the name is taken.
    Refused {
        /// The answer carried `error: true`.
        duplicate: bool,
    },
    /// A send was answered.
    Answered {
        /// Which one.
        message: MessageId,
        /// With success.
        ok: bool,
    },
    /// An `onChat` arrived.
    Heard {
        /// Which message, as far as a virtual user sent it.
        message: Option<MessageId>,
        /// The name it claims to come from.
        from: String,
        /// To whom it was addressed.
        target: Target,
    },
    /// An `onAdd` arrived.
    Added {
        /// The name.
        name: String,
    },
    /// An `onLeave` arrived.
    Left {
        /// The name.
        name: String,
    },
    /// A response arrived to no open request: to one that had its answer, or was never sent.
    Unasked {
        /// The id of the request that it is for, by its own word.
        id: u32,
    },
    /// A push arrived that means nothing to a user of a chat, or lacks what it must have.
    Strange {
        /// Its route.
        route: String,
    },
    /// The server kicked this session.
    Kicked {
        /// Its reason.
        reason: String,
    },
    /// The connection ended without the user having asked for it.
    Closed {
        /// What was seen.
        reason: String,
    },
    /// A login failed before `enter` was sent.
    LoginFailed {
        /// Why.
        reason: String,
    },
}

/// Identifies one message of one run: the `number`th of one login of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageId {
    /// The sender.
    pub user: u32,
    /// The sender's login, counted from 1.
    pub login: u32,
    /// The message within that login, counted from 1.
    pub number: u32,
}

/// As a message's content has it: `u17.1.4` is the fourth of the first login of user 17.
impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u{}.{}.{}", self.user, self.login, self.number)
    }
}

/// Whom a message is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Everybody in the room (`*`).
    Room,
    /// One user, by name.
    User(String),
}

/// Where the users of one run write their history; clones share it.
#[derive(Clone, Debug)]
pub struct Recorder {
    started_at: Instant,
    events: Arc<Mutex<Vec<Event>>>,
}

impl Recorder {
    /// Starts a history; its times count from `started_at`.
    pub fn new(started_at: Instant) -> Self {
        Self {
            started_at,
            events: Arc::default(),
        }
    }

    /// Takes what was recorded so far.
    pub fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.events())
    }

    fn events(&self) -> MutexGuard<'_, Vec<Event>> {
        // A user that panicked while recording has pushed its event or not; both are whole.
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record for Recorder {
    fn started_at(&self) -> Instant {
        self.started_at
    }

    fn note(&self, user: u32, login: u32, what: What) {
        let at = self.now();
        self.events().push(Event {
            at,
            user,
            login,
            what,
        });
    }

    fn hear(&self, user: u32, login: u32, push: Push<'_>) {
        self.note(user, login, push.into());
    }
}
