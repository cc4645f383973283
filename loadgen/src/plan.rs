//! A load test as a few numbers, and the scripts that follow from them.
//!
//! ```text
//! ramp            settle   duration                         drain
//! users log in    |        sends, Poisson, open loop        |       all leave
//! 0 ------------- ramp --- sends_from ------------- sends_until --- leave_at
//! ```

use std::time::Duration;

use cluster::connection::Transport;
use rand::Rng;
use rand::rngs::StdRng;

use crate::history::Target;
use crate::script::{Action, Do, Purpose, Reconnect, Script, rng_of};

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
const SETTLE: Duration = Duration::from_secs(1);

/// From the last send to the leaving of all, unless told otherwise. A send is answered within 3 s
/// by a cluster with default options, and its deliveries come before the answer or soon after.
pub const DRAIN: Duration = Duration::from_secs(5);

/// From the leaving to the hard stop: time for a login that is still under way to give up.
const GRACE: Duration = Duration::from_secs(15);

/// Longest ramp and longest duration. A leak shows within a day.
pub const DURATION_MAX: Duration = Duration::from_secs(24 * 3600);

/// Most deliveries of one run. Each takes about 150 bytes in the history, which is kept in memory
/// until the end: 3 GB.
pub const DELIVERIES_MAX: f64 = 20e6;

/// Most sends per second: more than one process can make.
pub const RATE_MAX: f64 = 1e6;

/// How users come back: soon, but not all at once, and not for ever at a cluster that is down.
const RECONNECT: Reconnect = Reconnect {
    base: Duration::from_millis(500),
    max: Duration::from_secs(10),
};

/// A load test.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadPlan {
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
    /// From the last send to the leaving of all: time for the last deliveries. What is accepted
    /// less than a second before all leave is owed to nobody.
    pub drain: Duration,
}

/// What is wrong with a plan.
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
    /// The history would not fit into memory.
    #[error(
        "about {deliveries:.0} deliveries (rate x duration x users per room) are more than \
         {DELIVERIES_MAX:.0}: lower --rate or --duration, or raise --rooms"
    )]
    TooLong {
        /// How many it would be.
        deliveries: f64,
    },
}

impl LoadPlan {
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

    /// Says what makes this plan unusable.
    ///
    /// # Errors
    ///
    /// The first thing that does.
    pub fn check(&self) -> Result<(), PlanError> {
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
        let sends = self.rate_per_s * self.duration.as_secs_f64();
        let deliveries = sends * f64::from(users) / f64::from(rooms);
        if deliveries > DELIVERIES_MAX {
            return Err(PlanError::TooLong { deliveries });
        }
        Ok(())
    }

    /// When the first send can be due, since the start of the run.
    pub fn sends_from(&self) -> Duration {
        self.ramp + SETTLE
    }

    /// Until when sends are due.
    pub fn sends_until(&self) -> Duration {
        self.sends_from() + self.duration
    }

    /// When all users leave.
    pub fn leave_at(&self) -> Duration {
        self.sends_until() + self.drain
    }

    /// When the run ends, whoever has not.
    pub fn stop_at(&self) -> Duration {
        self.leave_at() + GRACE
    }

    /// What user `user` is going to do. It depends on the plan and the seed only, not on other
    /// users.
    pub fn script(&self, user: u32) -> Script {
        let seed = self.seed;
        let mut rng = rng_of(seed, user, Purpose::Script);
        let arrival = self.ramp.mul_f64(f64::from(user) / f64::from(self.users));
        let mut actions = vec![Action {
            at: arrival,
            what: Do::Login,
        }];
        actions.extend(self.sends(&mut rng).map(|at| Action {
            at,
            what: Do::Send(Target::Room),
        }));
        actions.push(Action {
            at: self.leave_at(),
            what: Do::Leave,
        });
        // With the seed in the names, two generators can load one cluster and not meet.
        Script {
            user,
            name: format!("user-{seed}-{user}"),
            gate_key: None,
            room: format!("room-{seed}-{}", user % self.rooms),
            message_len: self.message_len,
            actions,
            reconnect: Some(RECONNECT),
        }
    }

    /// Draws when one user sends: a Poisson process, as of people who do not wait for one another.
    fn sends(&self, rng: &mut StdRng) -> impl Iterator<Item = Duration> {
        let until = self.sends_until();
        let rate_per_s = self.rate_per_s / f64::from(self.users);
        let mut at = self.sends_from();
        std::iter::from_fn(move || {
            // 1 - x, as x can be 0, whose logarithm is not a number to wait for.
            let gap_s = -(1.0 - rng.random::<f64>()).ln() / rate_per_s;
            // Whole microseconds, as the message carries it; and no more than there is room for.
            let gap_us = (gap_s * 1e6).min(1e15) as u64;
            at += Duration::from_micros(gap_us);
            (at < until).then_some(at)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> LoadPlan {
        LoadPlan::new(USERS, 7)
    }

    fn sends(script: &Script) -> Vec<Duration> {
        let is_send = |action: &&Action| matches!(action.what, Do::Send(_));
        let sends = script.actions.iter().filter(is_send);
        sends.map(|action| action.at).collect()
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
    fn the_same_seed_gives_the_same_script_and_another_seed_another() {
        let plan = plan();
        assert_eq!(plan.script(3), plan.script(3));
        let other = LoadPlan {
            seed: 8,
            ..plan.clone()
        };
        assert_ne!(sends(&plan.script(3)), sends(&other.script(3)));
        assert_ne!(sends(&plan.script(3)), sends(&plan.script(4)));
    }

    #[test]
    fn more_users_at_the_same_rate_each_move_no_send_of_the_others() {
        let mut few = plan();
        few.ramp = Duration::from_secs(4);
        let many = LoadPlan {
            users: 2 * few.users,
            rate_per_s: 2.0 * few.rate_per_s,
            ..few.clone()
        };
        assert_eq!(sends(&few.script(3)), sends(&many.script(3)));
    }

    #[test]
    fn a_script_is_a_login_sends_in_their_time_and_a_leave() {
        let plan = plan();
        for user in [0, 1, 999] {
            let script = plan.script(user);
            let (first, rest) = script.actions.split_first().expect("a login");
            let (last, _) = rest.split_last().expect("a leave");
            assert_eq!(first.what, Do::Login);
            assert!(first.at < plan.ramp);
            assert_eq!(last.what, Do::Leave);
            assert_eq!(last.at, plan.leave_at());
            for at in sends(&script) {
                assert!(at >= plan.sends_from() && at < plan.sends_until(), "{at:?}");
            }
            assert!(script.actions.is_sorted_by_key(|action| action.at));
        }
    }

    #[test]
    fn all_users_together_send_at_the_rate() {
        let plan = plan();
        let total: usize = (0..plan.users).map(|k| sends(&plan.script(k)).len()).sum();
        // 6,000 on average; four standard deviations of a Poisson count are 310.
        assert!(total.abs_diff(6000) < 310, "{total}");
    }

    #[test]
    fn a_rate_of_zero_sends_nothing() {
        let plan = LoadPlan {
            rate_per_s: 0.0,
            ..plan()
        };
        assert_eq!(plan.check(), Ok(()));
        assert_eq!(sends(&plan.script(0)), []);
    }

    #[test]
    fn users_are_spread_over_the_rooms_in_turn() {
        let plan = plan();
        assert_eq!(plan.script(0).room, plan.script(50).room);
        assert_ne!(plan.script(0).room, plan.script(1).room);
    }

    #[test]
    fn a_rate_that_is_out_of_the_question_is_named_in_short() {
        let plan = LoadPlan {
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
        let with = |change: fn(&mut LoadPlan)| {
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
            (|plan| plan.duration = Duration::MAX) as fn(&mut LoadPlan),
            |plan| plan.ramp = Duration::MAX,
        ] {
            assert!(matches!(with(change), Err(PlanError::Duration { .. })));
        }
        assert!(matches!(
            with(|plan| plan.message_len = usize::MAX),
            Err(PlanError::MessageLen(_))
        ));
        assert!(matches!(
            with(|plan| plan.rate_per_s = 1e6),
            Err(PlanError::TooLong { .. })
        ));
    }
}
