//! A load test as a few numbers, which are options of the program: users log in evenly for as long
//! as the ramp is, then all send, then all leave.

use std::time::Duration;

use cluster::connection::Transport;

use super::file::rates::RateFile;
use super::file::stages::{ArrivalsFile, SendsFile, StageFile};
use super::file::{PlanFile, RoomsFile};
use super::{LoadPlan, Spacing};

/// Users of a load test that says nothing else: enough to show contention, few enough for a laptop
/// that runs the cluster too.
pub const USERS: u32 = 1000;

/// Users per room, unless the number of rooms is given: a lively room, whose every message costs
/// twenty deliveries.
pub const USERS_PER_ROOM: u32 = 20;

/// Seconds between two sends of one user, unless the rate is given.
const SEND_INTERVAL_S: f64 = 5.0;

/// How long users send, unless told otherwise.
pub const DURATION: Duration = Duration::from_secs(30);

/// Length of a content in bytes, unless told otherwise: a short sentence.
pub const MESSAGE_LEN: usize = 64;

/// Longest content in bytes; the cluster takes packages of twice that (JSON escapes).
pub const MESSAGE_LEN_MAX: usize = 1024 * 1024;

/// Logins per second, unless the ramp is given. A login is two connections with their handshakes and
/// one `onAdd` for everybody in the room: about 1 ms of processor time on both sides together, so
/// that this many leave half of one processor free.
const LOGINS_PER_S: f64 = 500.0;

/// Shortest ramp, unless it is given.
const RAMP_MIN: Duration = Duration::from_secs(1);

/// From the last arrival to the first send, so that all have entered when it begins.
pub const SETTLE: Duration = Duration::from_secs(1);

/// From the last send to the leaving of all, unless told otherwise. A send is answered within 3 s
/// by a cluster with default options, and its deliveries come before the answer or soon after.
pub const DRAIN: Duration = Duration::from_secs(5);

/// Longest ramp and longest duration. A leak shows within a day.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);

/// Most sends per second: more than one process can make.
pub const RATE_MAX: f64 = 1e6;

/// A load test in short.
#[derive(Clone, Debug, PartialEq)]
pub struct ShortPlan {
    /// Virtual users, numbered from 0.
    pub users: u32,
    /// Rooms; user k is in room k mod rooms.
    pub rooms: u32,
    /// Sends per second, of all users together.
    pub rate_per_s: f64,
    /// How long they send.
    pub duration: Duration,
    /// What all chance follows from.
    pub seed: u64,
    /// What the bytes travel in.
    pub transport: Transport,
    /// Length of each content in bytes.
    pub message_len: usize,
    /// How long the arrivals take; they are evenly spread.
    pub ramp: Duration,
    /// From the last send to the first leave: time for the last deliveries. What is accepted less than a
    /// second before a member leaves is not owed to it.
    pub drain: Duration,
}

/// What is wrong with a short plan.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Nobody would do anything.
    #[error("--users must be at least 1")]
    NoUsers,
    /// A room would be empty, or there would be none.
    #[error("--rooms must be from 1 to the number of users ({users}), not {rooms}")]
    Rooms {
        /// As planned.
        rooms: u32,
        /// As planned.
        users: u32,
    },
    /// A rate that is no rate.
    #[error("--rate must be from 0 to {RATE_MAX} sends per second, not {0:?}")]
    Rate(f64),
    /// Sends at a rate for no time are none.
    #[error("--duration must be more than 0s; for users who only stay, say --rate 0")]
    NoDuration,
    /// Longer than anybody waits.
    #[error("{option} must be at most 24h")]
    Duration {
        /// Which option.
        option: &'static str,
    },
    /// Longer than servers take.
    #[error("--message-len must be at most {MESSAGE_LEN_MAX}, not {0}")]
    MessageLen(usize),
}

impl ShortPlan {
    /// Plans for `users` with the defaults for everything else.
    pub fn new(users: u32, seed: u64) -> Self {
        let ramp = Duration::from_secs_f64(f64::from(users) / LOGINS_PER_S);
        Self {
            users,
            rooms: users.div_ceil(USERS_PER_ROOM),
            rate_per_s: f64::from(users) / SEND_INTERVAL_S,
            duration: DURATION,
            seed,
            transport: Transport::WebSocket,
            message_len: MESSAGE_LEN,
            ramp: ramp.max(RAMP_MIN),
            drain: DRAIN,
        }
    }

    /// Says what makes this plan unusable: the first thing that does.
    fn check(&self) -> Result<(), PlanError> {
        let &Self { users, rooms, .. } = self;
        if users == 0 {
            return Err(PlanError::NoUsers);
        }
        if rooms == 0 || rooms > users {
            return Err(PlanError::Rooms { rooms, users });
        }
        if !(0.0..=RATE_MAX).contains(&self.rate_per_s) {
            return Err(PlanError::Rate(self.rate_per_s));
        }
        if self.duration.is_zero() {
            return Err(PlanError::NoDuration);
        }
        if self.message_len > MESSAGE_LEN_MAX {
            return Err(PlanError::MessageLen(self.message_len));
        }
        for (option, duration) in [("--duration", self.duration), ("--ramp", self.ramp)] {
            if duration > DURATION_MAX {
                return Err(PlanError::Duration { option });
            }
        }
        Ok(())
    }

    /// The whole plan: all users log in, send and leave.
    ///
    /// # Errors
    ///
    /// If it is unusable.
    pub fn plan(&self) -> Result<LoadPlan, PlanError> {
        self.check()?;
        let arrive = StageFile {
            arrivals: Some(ArrivalsFile {
                users: self.users,
                rate: RateFile::one(),
                spacing: Spacing::Even,
            }),
            ..StageFile::new("logging in", self.ramp)
        };
        let send = StageFile {
            sends: Some(SendsFile {
                rate: Some(RateFile::Number(self.rate_per_s)),
                spacing: None,
                think: None,
            }),
            ..StageFile::new("sending", self.duration)
        };
        let file = PlanFile {
            name: "default".to_owned(),
            seed: self.seed,
            transport: self.transport,
            message_len: self.message_len,
            drain: self.drain,
            rooms: RoomsFile {
                count: Some(self.rooms),
                ..RoomsFile::default()
            },
            stages: vec![arrive, send],
            ..PlanFile::default()
        };
        Ok(file.plan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> ShortPlan {
        ShortPlan::new(USERS, 7)
    }

    #[test]
    fn the_default_is_a_thousand_users_in_rooms_of_twenty_for_thirty_seconds() {
        let plan = plan();
        assert_eq!(plan.check(), Ok(()));
        assert_eq!((plan.users, plan.rooms), (1000, 50));
        assert_eq!(plan.duration, Duration::from_secs(30));
        assert_eq!(plan.ramp, Duration::from_secs(2));
    }

    #[test]
    fn a_rate_that_is_out_of_the_question_is_named_in_short() {
        let plan = ShortPlan {
            rate_per_s: 1e300,
            ..plan()
        };
        let said = plan.check().expect_err("too much").to_string();
        let expected = "--rate must be from 0 to 1000000 sends per second, not 1e300";
        assert_eq!(said, expected);
    }

    #[test]
    fn unusable_plans_say_what_is_wrong() {
        let plan = plan();
        let with = |change: fn(&mut ShortPlan)| {
            let mut plan = plan.clone();
            change(&mut plan);
            plan.check()
        };
        assert_eq!(with(|plan| plan.users = 0), Err(PlanError::NoUsers));
        assert!(matches!(
            with(|plan| plan.rooms = 0),
            Err(PlanError::Rooms { .. })
        ));
        assert!(matches!(
            with(|plan| plan.rooms = 1001),
            Err(PlanError::Rooms { .. })
        ));
        assert_eq!(
            with(|plan| plan.rate_per_s = -1.0),
            Err(PlanError::Rate(-1.0))
        );
        assert!(matches!(
            with(|plan| plan.rate_per_s = f64::NAN),
            Err(PlanError::Rate(_))
        ));
        assert_eq!(
            with(|plan| plan.duration = Duration::ZERO),
            Err(PlanError::NoDuration)
        );
        for change in [
            (|plan| plan.duration = Duration::MAX) as fn(&mut ShortPlan),
            |plan| plan.ramp = Duration::MAX,
        ] {
            assert!(matches!(with(change), Err(PlanError::Duration { .. })));
        }
        assert!(matches!(
            with(|plan| plan.message_len = usize::MAX),
            Err(PlanError::MessageLen(_))
        ));
    }
}
