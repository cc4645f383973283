//! What the users of a load test do and see, made into figures at once: for each message, who heard
//! it and how long that took; and whether everybody heard what was due, once, in one order.
//!
//! What was promised: a send that was answered with success is owed to every member that was in the
//! room (by its own knowledge) before it was sent, and heard it there or is still there, with a
//! connection that lives, a while after it was answered. A private one is owed to the name it is
//! for. What was not answered with success is owed to nobody, but may be heard. Nothing may be heard
//! twice on one connection, nor by one that was not in the room, and all members of a room see its
//! messages and notices in one common order. Each coming and going is told once to everybody whom
//! it is news for (`notices`).
//!
//! Nothing is kept for longer than it takes to judge it ([`limits`]): memory follows from the number
//! of users and from the rate, and not from the length of a run. In reading order: [`fold`] (event by
//! event), `town` and `room`, `row` (one message), `notices`, `order`, `ledger` (the figures), `in_flight`,
//! `so_far` (what of them is told meanwhile).

pub mod fold;
mod in_flight;
mod ledger;
pub mod limits;
mod notices;
mod order;
mod room;
mod row;
mod set;
mod so_far;
mod town;
mod user;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reports::measured::Measured;
use tokio::time::Instant;

use crate::health::want::Want;
use crate::history::What;
use crate::record::{Push, Record};
use crate::status::Status;
use fold::Fold;

pub use ledger::FAULTS;

/// One login of one user.
pub type Login = (u32, u32);

/// Where the users of a load test write down what they do and see; clones share it.
#[derive(Clone, Debug)]
pub struct Recorder {
    started_at: Instant,
    fold: Arc<Mutex<Fold>>,
}

impl Recorder {
    /// Starts figures with rows of `interval`; times count from `started_at`.
    pub fn new(started_at: Instant, interval: Duration) -> Self {
        Self {
            started_at,
            fold: Arc::new(Mutex::new(Fold::new(interval))),
        }
    }

    /// What was recorded so far. Users wait meanwhile, for a fraction of a millisecond.
    pub fn status(&self) -> Status {
        let mut fold = self.fold();
        fold.status(self.now())
    }

    /// Ends the figures now, and returns them with the length of the run. `users` are the numbers of all
    /// who should have come. What is recorded later is lost.
    pub fn finish(&self, users: impl IntoIterator<Item = u32>) -> (Measured, Duration) {
        let mut fold = self.fold();
        let until = self.now();
        let fold = std::mem::replace(&mut *fold, Fold::new(Duration::from_secs(1)));
        (fold.finish(until, users), until)
    }

    fn fold(&self) -> MutexGuard<'_, Fold> {
        // A user that panicked while recording ends the run: nobody reads the figures.
        self.fold.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Record for Recorder {
    fn started_at(&self) -> Instant {
        self.started_at
    }

    fn note(&self, user: u32, login: u32, what: What) {
        let mut fold = self.fold();
        // The time is taken under the lock: what was noted first is no later.
        fold.see(self.now(), (user, login), &what);
    }

    fn prevented(&self, user: u32, login: u32, want: Want, reason: String) {
        let mut fold = self.fold();
        fold.prevent(self.now(), (user, login), want, &reason);
    }

    fn hear(&self, user: u32, login: u32, push: Push<'_>) {
        let mut fold = self.fold();
        fold.hear(self.now(), (user, login), push);
    }
}

/// A login in words.
fn who((user, login): Login) -> String {
    match login {
        1 => format!("user {user}"),
        _ => format!("user {user} (login {login})"),
    }
}

/// A time of a run in words.
fn seconds(time: Duration) -> String {
    format!("{:.3}s", time.as_secs_f64())
}
