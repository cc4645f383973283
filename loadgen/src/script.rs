//! What one virtual user is going to do: a list with times, fixed before the run starts.
//!
//! A script is an open loop: a send is due when the script says so, whatever became of the sends
//! before it. So a cluster that stalls meets the same load as one that does not.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use crate::history::Target;
use crate::time_text;

/// The life of one virtual user. Its actions are a list, or are drawn one after the other when the
/// user comes to them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script<Actions = Vec<Action>> {
    /// The user's number, its identity in the history.
    pub user: u32,
    /// The name it enters rooms under.
    pub name: String,
    /// The `uid` it asks the gate with; its name if `None`. Another key can bring the same name to
    /// another connector.
    pub gate_key: Option<String>,
    /// The room it enters first.
    pub room: String,
    /// Length of each content in bytes; at least what [`crate::message_text`] needs.
    pub message_len: usize,
    /// What it does, in the order of time. A user whose last action is not [`Do::Leave`] or
    /// [`Do::Vanish`] stays until its future is dropped.
    pub actions: Actions,
    /// How it comes back after a connection that it lost or a login that failed; `None`: it
    /// does not, until the next [`Do::Login`].
    pub reconnect: Option<Reconnect>,
}

/// One thing to do and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Since the start of the run.
    #[serde(with = "time_text")]
    pub at: Duration,
    /// What.
    pub what: Do,
}

/// What a virtual user can do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Do {
    /// Asks the gate, connects, enters the room. Nothing for a user with a connection.
    Login,
    /// Sends a message. Noted as unsent by a user who is not in a room, or between two.
    Send(Target),
    /// Sends a message, in a room or not: behind an `enter` without waiting for its answer, too.
    /// Without a session, it is what the user says first in the next one, before `enter`.
    SendAtOnce(Target),
    /// Goes to another room on the same session. Without a session, the next login goes there.
    Enter {
        /// The room.
        room: String,
    },
    /// Closes the connection as a client does; without one, stops trying to come back.
    Leave,
    /// Goes silent: the connection stays open until the end of the run, but is neither read nor
    /// written. The user can log in again from elsewhere.
    Vanish,
    /// Stops reading, but goes on sending what is due and its heartbeats.
    Deafen,
    /// Reads again. Nothing for a user who does.
    Listen,
}

/// How long a user waits before it logs in again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconnect {
    /// The wait after the first failure, at most; it doubles with each failure in a row.
    #[serde(with = "time_text")]
    pub base: Duration,
    /// The longest wait.
    #[serde(with = "time_text")]
    pub max: Duration,
}

impl Reconnect {
    /// Draws the wait after `failures` logins in a row that came to nothing (the first is 1):
    /// between half and the whole of the doubled wait, so that users who were cut off together do
    /// not come back together.
    pub fn wait(&self, failures: u32, rng: &mut StdRng) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let whole = self.base.saturating_mul(1 << doublings).min(self.max);
        whole.mul_f64(rng.random_range(0.5..=1.0))
    }
}

/// What a user's generators are for, so that one more draw in one moves nothing in the other.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Purpose {
    /// Drawing the script.
    Script = 0,
    /// What is drawn while the user lives (waits before it comes back).
    Life = 1,
    /// Drawing when it goes and comes back, and when it does not listen.
    Moves = 2,
    /// Drawing when it comes.
    Arrival = 3,
    /// Drawing the size of a room, whose number stands for that of a user.
    Room = 4,
}

/// The generator of user `user` in a run with `seed`: it depends on nothing else, so that
/// one more user changes no other.
pub fn rng_of(seed: u64, user: u32, purpose: Purpose) -> StdRng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..12].copy_from_slice(&user.to_le_bytes());
    key[12] = purpose as u8;
    StdRng::from_seed(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_lie_between_half_and_whole() {
        let reconnect = Reconnect {
            base: Duration::from_millis(100),
            max: Duration::from_secs(1),
        };
        let mut rng = rng_of(1, 1, Purpose::Life);
        for (failures, whole_ms) in [(1, 100), (2, 200), (4, 800), (5, 1000), (4_000_000, 1000)] {
            for _ in 0..100 {
                let wait = reconnect.wait(failures, &mut rng);
                let whole = Duration::from_millis(whole_ms);
                assert!(wait >= whole / 2 && wait <= whole, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn generators_differ_by_seed_user_and_purpose_and_by_nothing_else() {
        let draw = |seed, user, purpose| rng_of(seed, user, purpose).random::<u64>();
        let first = draw(1, 2, Purpose::Script);
        assert_eq!(first, draw(1, 2, Purpose::Script));
        assert_ne!(first, draw(2, 2, Purpose::Script));
        assert_ne!(first, draw(1, 3, Purpose::Script));
        assert_ne!(first, draw(1, 2, Purpose::Life));
    }
}
