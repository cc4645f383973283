//! A load test, from which the scripts of all users follow.
//!
//! ```text
//! stage 1            settle   stage 2                  stage 3              drain
//! users log in            |   those send who are in    some come, all send  |       all leave, in turn
//! 0 --------------------- . - 33 s -------------------- 60 s ------------- until -- leave_at
//! ```
//!
//! It is read from a file ([`mod@file`], checked by `check`) or made of a few options ([`short`]). What a
//! user does is a pure function of the plan, the seed and the user's number: nothing else is drawn
//! for it, whichever process lives it. In reading order: [`rooms`], [`curve`] (rates over time),
//! [`think`], `moves` (when a user is away or does not listen), [`actions`] (all of its life, drawn
//! as it goes on), [`shares`] (which process lives whom), [`threshold`] (what must hold) and
//! [`counts`] (what is to come of all together).

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cluster::connection::Transport;
use rand::Rng;
use reports::run::Span;
use serde::{Deserialize, Serialize};

use crate::script::{Action, Do, Purpose, Reconnect, Script, rng_of};
use actions::Actions;
use curve::Curve;
use moves::{Churn, Life, SlowReaders, Storm};
use rooms::Rooms;
use short::ShortPlan;
use think::Think;
use threshold::Threshold;

pub mod actions;
mod built_in;
mod check;
pub mod counts;
pub mod curve;
mod expected;
pub mod file;
pub mod moves;
pub mod rooms;
pub mod shares;
pub mod short;
#[cfg(test)]
mod tests;
pub mod think;
pub mod threshold;

pub use built_in::{FindError, find};

/// From one leave to the next when all leave: the ends of a connection take both sides together half of that, so
/// that many thousand users do not stand still to close theirs all at once.
const LEAVE_INTERVAL: Duration = Duration::from_micros(100);

/// From the last leave to the hard stop: time for a login that is still under way to give up.
const GRACE: Duration = Duration::from_secs(15);

/// How long a second login under a name stays, if it is let in.
const DUPLICATE_STAY: Duration = Duration::from_secs(5);

/// How users come back: soon, but not all at once, and not for ever at a cluster that is down.
const RECONNECT: Reconnect = Reconnect {
    base: Duration::from_millis(500),
    max: Duration::from_secs(10),
};

/// A load test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoadPlan {
    /// What reports call it.
    pub name: String,
    /// What all chance follows from.
    pub seed: u64,
    /// What the bytes travel in.
    pub transport: Transport,
    /// Length of each content in bytes.
    pub message_len: usize,
    /// Virtual users with a name of their own, numbered from 0 in the order in which they come.
    pub users: u32,
    /// Users besides, numbered on: each logs in once under the name of one who is there, and is to be
    /// refused.
    pub duplicate_logins: u32,
    /// Who is in which room.
    pub rooms: Rooms,
    /// What happens, one after the other.
    pub stages: Arc<[Stage]>,
    /// From the last arrival of a stage to the next stage, so that all have entered when it begins;
    /// and nobody sends for so long before it goes and after it came.
    pub settle: Duration,
    /// From the last stage to the first leave: time for the last deliveries. What is accepted less than a
    /// second before a member leaves is not owed to it.
    pub drain: Duration,
    /// Who does not listen now and then.
    pub slow_readers: Option<SlowReaders>,
    /// What must hold of the figures. A process that lives a part of the users is not told: it has a part
    /// of the figures.
    #[serde(skip)]
    pub thresholds: Vec<Threshold>,
}

/// A part of a load test.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// What it is called.
    pub name: String,
    /// Since the start of the run.
    pub starts_at: Duration,
    /// Since the start of the run.
    pub ends_at: Duration,
    /// How many users came in the stages before. These send, go and come back.
    pub present: u32,
    /// Who comes.
    pub arrivals: Option<Arrivals>,
    /// When users send.
    pub sends: Option<Sends>,
    /// Who goes, comes back and changes rooms.
    pub churn: Option<Churn>,
    /// When many go and come back at once.
    pub storm: Option<Storm>,
}

/// Users that come in a stage: those from number `present` on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrivals {
    /// How many.
    pub users: u32,
    /// How they are spread over the time; of its rates only the proportions count.
    pub curve: Curve,
    /// How regular they are.
    pub spacing: Spacing,
}

/// Whether events of a known rate are regular.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spacing {
    /// At equal distances, as long as the rate does not change.
    Even,
    /// As of people who do not wait for one another.
    Poisson,
}

/// When the users of a stage send.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Sends {
    /// So often per second all together, whoever came in the stages before.
    Rate {
        /// The rate over time.
        curve: Curve,
        /// How regular the sends are.
        spacing: Spacing,
    },
    /// Each after having thought, also those who come in this stage. What became of the last send does
    /// not matter: times count from its planned time.
    Think(Think),
}

impl LoadPlan {
    /// Plans for `users` with the defaults for everything else.
    ///
    /// # Panics
    ///
    /// If there are no users, or a million.
    pub fn new(users: u32, seed: u64) -> Self {
        let plan = ShortPlan::new(users, seed).plan();
        plan.expect("what is usual is sound for any number of users that a machine carries")
    }

    /// When the last user has come and had the time to enter, since the start of the run.
    pub fn arrived_at(&self) -> Duration {
        let mut last = self.stages.iter().rev();
        let last = last.find(|stage| stage.arrivals.is_some());
        last.map_or(Duration::ZERO, |stage| stage.ends_at + self.settle)
    }

    /// When the last stage ends: from then on nothing is sent.
    pub fn stages_end_at(&self) -> Duration {
        let last = self.stages.last();
        last.map_or(Duration::ZERO, |stage| stage.ends_at)
    }

    /// When users begin to leave.
    pub fn leave_at(&self) -> Duration {
        self.stages_end_at() + self.drain
    }

    /// When `user` leaves. They go in turn, room by room, so that hardly anybody is left behind to be told.
    pub fn leaves_at(&self, user: u32) -> Duration {
        self.leave_at() + LEAVE_INTERVAL * self.rooms.place_of(user)
    }

    /// When all have left.
    pub fn gone_at(&self) -> Duration {
        self.leave_at() + LEAVE_INTERVAL * self.users
    }

    /// When the run ends, whoever has not.
    pub fn stop_at(&self) -> Duration {
        self.gone_at() + GRACE
    }

    /// What the part of the run is called that `at` is in.
    pub fn stage_name(&self, at: Duration) -> &str {
        if at >= self.leave_at() {
            return "leaving";
        }
        if at >= self.stages_end_at() {
            return "waiting for the last deliveries";
        }
        let after = self.stages.partition_point(|stage| stage.starts_at <= at);
        let stage = self.stages.get(after.saturating_sub(1));
        stage.map_or("", |stage| &stage.name)
    }

    /// What happens in each stage, a line each.
    pub fn steps(&self) -> Vec<String> {
        self.stages.iter().map(Stage::to_string).collect()
    }

    /// When each stage is.
    pub fn spans(&self) -> Vec<Span> {
        let spans = self.stages.iter().map(|stage| Span {
            name: stage.name.clone(),
            starts_us: stage.starts_at.as_micros() as u64,
            ends_us: stage.ends_at.as_micros() as u64,
        });
        spans.collect()
    }

    /// All virtual users, each with a connection of its own: those with a name, and behind them those
    /// who take one that is in use.
    pub fn connections(&self) -> u32 {
        self.users + self.duplicate_logins
    }

    /// Whose name the user has that logs in under one that is in use; `None` for all others.
    pub fn namesake(&self, user: u32) -> Option<u32> {
        let number = user.checked_sub(self.users)?;
        let share = u64::from(number) * u64::from(self.users) / u64::from(self.duplicate_logins);
        Some(share as u32)
    }

    /// Whether somebody is going to log in under the name of `user`. Such a user stays, so that its
    /// name is in use.
    pub fn has_namesake(&self, user: u32) -> bool {
        let Some(all) = u64::from(self.duplicate_logins).checked_sub(1) else {
            return false;
        };
        // The only number that can lead here is the first whose share is not below.
        let number = (u64::from(user) * (all + 1)).div_ceil(u64::from(self.users));
        number <= all && self.namesake(self.users + number as u32) == Some(user)
    }

    /// When `user`, one of those with a name of their own, first logs in, and the stage that it
    /// comes in.
    fn arrival(&self, user: u32) -> (usize, Duration) {
        let coming = |stage: &Stage| match &stage.arrivals {
            Some(arrivals) => stage.present + arrivals.users > user,
            None => false,
        };
        let index = self.stages.iter().position(coming);
        let index = index.expect("every user of a plan comes in one of its stages");
        let stage = &self.stages[index];
        let arrivals = stage.arrivals.as_ref();
        let arrivals = arrivals.expect("users come in a stage with arrivals");
        let share = match arrivals.spacing {
            Spacing::Even => f64::from(user - stage.present) / f64::from(arrivals.users),
            // Of a Poisson process with a known number of events, each is anywhere by itself.
            Spacing::Poisson => rng_of(self.seed, user, Purpose::Arrival).random(),
        };
        let after = arrivals.curve.time_of(arrivals.curve.total() * share);
        // Of a stage that takes no time, all is at its start.
        (index, stage.starts_at + after.unwrap_or_default())
    }

    /// What user `user` is going to do. It depends on the plan and the seed only, not on other
    /// users.
    pub fn script(&self, user: u32) -> Script<Actions> {
        match self.namesake(user) {
            Some(other) => {
                let mut script =
                    self.script_of(other, Actions::new(self, user, self.intrusion(user)));
                script.user = user;
                // Another key leads to another connector, as a rule.
                script.gate_key = Some(format!("{}-again-{user}", script.name));
                script.reconnect = None;
                script
            }
            None => self.script_of(user, Actions::new(self, user, moves::life(self, user))),
        }
    }

    fn script_of(&self, user: u32, actions: Actions) -> Script<Actions> {
        Script {
            user,
            // With the seed in the names, two generators can load one cluster and not meet.
            name: format!("user-{}-{user}", self.seed),
            gate_key: None,
            room: self.room_name(self.rooms.room_of(user)),
            message_len: self.message_len,
            actions,
            reconnect: Some(RECONNECT),
        }
    }

    /// The life of one who logs in under a name that is in use, at any time of the last stages at
    /// which all have come.
    fn intrusion(&self, user: u32) -> Life {
        let from = self.arrived_at();
        let until = self.stages_end_at().max(from);
        let share: f64 = rng_of(self.seed, user, Purpose::Arrival).random();
        let at = from + think::seconds((until - from).as_secs_f64() * share);
        let action = |at, what| Action { at, what };
        Life {
            sends_from: Duration::MAX,
            moves: vec![
                action(at, Do::Login),
                action(at + DUPLICATE_STAY, Do::Leave),
            ],
            silences: Vec::new(),
        }
    }

    fn room_name(&self, room: u32) -> String {
        format!("room-{}-{room}", self.seed)
    }
}

/// As in `3s to 33s  sending: 6000 sends`.
impl fmt::Display for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            starts_at,
            ends_at,
            ..
        } = self;
        write!(out, "{starts_at:?} to {ends_at:?}  {name}:")?;
        let mut parts = Vec::new();
        if let Some(arrivals) = &self.arrivals {
            parts.push(format!("{} users come", arrivals.users));
        }
        match &self.sends {
            Some(Sends::Rate { curve, .. }) => parts.push(format!(
                "{:.0} sends, at most {} per second",
                curve.total(),
                curve.rate_max()
            )),
            Some(Sends::Think(think)) => {
                parts.push(format!("each sends every {:?} on average", think.mean()));
            }
            None => {}
        }
        if let Some(churn) = &self.churn {
            parts.push(format!(
                "{} leave, {} rejoin and {} switch per second",
                churn.leave, churn.rejoin, churn.switch
            ));
        }
        if let Some(storm) = &self.storm {
            parts.push(format!(
                "{} of a hundred go after {:?} and are back within {:?}",
                storm.percent, storm.after, storm.within
            ));
        }
        if parts.is_empty() {
            parts.push("nothing is done".to_owned());
        }
        write!(out, " {}", parts.join("; "))
    }
}
