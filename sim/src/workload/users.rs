//! The users of a scenario, and their habits, as they stand in its file.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::kinds::FaultKind;
use crate::scenario::{Span, span};

/// The users of a scenario, and what they do besides logging in and leaving at the end.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Users {
    /// How many, those not counted that are added (twins, probes).
    pub count: Span,
    /// Hosts that they are spread over. More than a few slow a run down: turmoil's cost grows with
    /// the cube of the hosts.
    pub hosts: u32,
    /// Rooms.
    pub rooms: Span,
    /// How many users each room gets, compared with the others; those that are not listed as the
    /// last that is. All the same if none is.
    pub room_sizes: Vec<u32>,
    /// How many of a hundred users belong to two rooms, their own and the next one, and go to and
    /// fro between them, see `overlap.rs`.
    pub overlap_percent: u32,
    /// Time from one send of a user to its next.
    #[serde(rename = "send-every", with = "span::time")]
    pub send_every_ms: Span,
    /// How many of a hundred sends go to one user instead of the room.
    pub private_percent: Span,
    /// How many go to a name that nobody has: they must be refused.
    pub nobody_percent: u32,
    /// Bytes of a message.
    pub message_len: Span,
    /// Habits and how many of a hundred users have them; the rest just chats.
    #[serde(deserialize_with = "habits")]
    pub habits: Vec<(Habit, u32)>,
    /// Each seed draws which of the habits are on at all, whether there are twins, and which attacks
    /// of vandals. Each that is on happens.
    pub swarm: bool,
    /// Pairs of users that log in at once under one name, through two connectors.
    pub twins: Span,
    /// Pairs of users of which one has a name that is to be refused, see `look_alikes.rs`.
    pub look_alikes: Span,
    /// Clients that send bad bytes to all servers while faults happen.
    pub vandals: Span,
}

impl Default for Users {
    /// 20 users in 4 rooms on two hosts; each sends every second or two, one in ten private; no
    /// habits.
    fn default() -> Self {
        Self {
            count: Span::just(20),
            hosts: 2,
            rooms: Span::just(4),
            room_sizes: Vec::new(),
            overlap_percent: 0,
            send_every_ms: Span::of(500..=2000),
            private_percent: Span::just(10),
            nobody_percent: 0,
            message_len: Span::of(0..=200),
            habits: Vec::new(),
            swarm: false,
            twins: Span::just(0),
            look_alikes: Span::just(0),
            vandals: Span::just(0),
        }
    }
}

/// What a user does while faults happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Habit {
    /// Leaves and logs in again at once or soon, up to three times.
    Rejoin,
    /// Goes to another room on the same session, up to three times.
    Switch,
    /// Goes silent without closing; half of them log in again from elsewhere.
    Vanish,
    /// Goes silent while its login or its enter is under way.
    VanishEntering,
    /// Leaves while its login or its enter is under way, and logs in again.
    Hasty,
    /// Stops reading.
    Deafen,
    /// Speaks right behind an `enter`, without waiting for the answer, and now and then before
    /// any.
    Eager,
    /// Listens, and sends nothing.
    Idle,
    /// Sends many messages at once, up to three times.
    Burst,
}

/// Reads the table of habits, in its order, in which they are drawn too.
fn habits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Habit, u32)>, D::Error> {
    struct Table;

    impl<'de> Visitor<'de> for Table {
        type Value = Vec<(Habit, u32)>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("habits with how many of a hundred users have them, such as rejoin = 20")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Self::Value, A::Error> {
            let mut habits = Vec::new();
            while let Some(habit) = table.next_entry()? {
                habits.push(habit);
            }
            Ok(habits)
        }
    }

    deserializer.deserialize_map(Table)
}

impl Habit {
    /// The kind of trouble that it is for a cluster; `None` for what users do every day.
    pub fn kind(self) -> Option<FaultKind> {
        match self {
            Habit::Rejoin | Habit::Switch | Habit::Idle | Habit::Burst => None,
            Habit::Vanish => Some(FaultKind::Gone),
            Habit::VanishEntering => Some(FaultKind::GoneEntering),
            Habit::Hasty => Some(FaultKind::Hasty),
            Habit::Deafen => Some(FaultKind::DeafReader),
            Habit::Eager => Some(FaultKind::Eager),
        }
    }
}
