//! The queue between the server and one client: packages to be written to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::Notify;

/// Packages waiting for one client. The server puts them in without ever waiting; the session's
/// task takes them out as fast as the client reads.
#[derive(Debug)]
pub struct Queue {
    waiting: Mutex<Waiting>,
    len_max: usize,
    bytes_max: usize,
    /// Signalled when there is something to take out, or [`Self::is_held`] changed.
    wake: Notify,
    held: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    packages: VecDeque<Bytes>,
    bytes: usize,
    longest: usize,
    /// The round (see [`Rounds`](crate::connector::rounds::Rounds)) in which the session was woken last.
    round: u64,
    /// Set once: the session ends with this reason after what is in the queue.
    kick: Option<String>,
}

/// When the session's task is to take out what was put in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// It has been told, or will be when it comes back from a write.
    Told,
    /// When the round ends: then [`Queue::wake`] is to be called.
    AtRoundEnd,
}

/// The client reads too slowly: the queue was full. It has been emptied and ends in a kick.
#[derive(Debug, PartialEq, Eq)]
pub struct TooSlow;

impl Queue {
    /// Makes a queue of at most `len_max` packages and `bytes_max` bytes.
    pub fn new(len_max: usize, bytes_max: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            len_max,
            bytes_max,
            wake: Notify::new(),
            held: AtomicBool::new(false),
        }
    }

    /// Adds a package. After a kick it is dropped: the session is over.
    ///
    /// In a `round` whose number is given, a session is told once of what it has to take out.
    ///
    /// # Errors
    ///
    /// [`TooSlow`] if it is one too many. What was waiting is dropped, so that a client that does
    /// not read holds no memory, and the session ends with a kick.
    pub fn push(&self, package: Bytes, round: Option<u64>) -> Result<Wake, TooSlow> {
        let mut waiting = self.lock();
        if waiting.kick.is_some() {
            return Ok(Wake::Told);
        }
        let len = waiting.packages.len() + 1;
        let bytes = waiting.bytes + package.len();
        if len > self.len_max || (bytes > self.bytes_max && len > 1) {
            waiting.kick = Some(format!("too slow: {} messages were waiting", len - 1));
            waiting.packages = VecDeque::new();
            waiting.bytes = 0;
            self.wake.notify_one();
            return Err(TooSlow);
        }
        waiting.bytes = bytes;
        waiting.longest = waiting.longest.max(len);
        waiting.packages.push_back(package);
        // Of what waited before, the session has been told or will be.
        if len > 1 {
            return Ok(Wake::Told);
        }
        if let Some(round) = round
            && std::mem::replace(&mut waiting.round, round) == round
        {
            return Ok(Wake::AtRoundEnd);
        }
        drop(waiting);
        self.wake.notify_one();
        Ok(Wake::Told)
    }

    /// Tells the session to take out what is there, in the `round` that begins.
    pub fn wake(&self, round: u64) {
        self.lock().round = round;
        self.wake.notify_one();
    }

    /// Ends the session after what is waiting, telling the client `reason`. The first reason stays.
    pub fn kick(&self, reason: &str) {
        let mut waiting = self.lock();
        if waiting.kick.is_none() {
            waiting.kick = Some(reason.to_owned());
            self.wake.notify_one();
        }
    }

    /// Moves all packages into `packages`, which must be empty (the two trade their memory), and
    /// returns the reason of a kick that follows them.
    pub fn take(&self, packages: &mut VecDeque<Bytes>) -> Option<String> {
        assert!(packages.is_empty(), "packages would change their order");
        let mut waiting = self.lock();
        waiting.bytes = 0;
        std::mem::swap(&mut waiting.packages, packages);
        waiting.kick.clone()
    }

    /// Whether the session is to end in a kick.
    pub fn is_kicked(&self) -> bool {
        self.lock().kick.is_some()
    }

    /// Waits until there may be something to take out.
    pub async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Whether the client's next messages must wait for now, because one that must come first (an
    /// `enter`), or too many, are unanswered.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// Sets [`Self::is_held`].
    pub fn hold(&self, held: bool) {
        if self.held.swap(held, Ordering::AcqRel) != held {
            self.wake.notify_one();
        }
    }

    /// Packages waiting now.
    pub fn len(&self) -> usize {
        self.lock().packages.len()
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The most packages that ever waited.
    pub fn longest(&self) -> usize {
        self.lock().longest
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting
            .lock()
            .expect("nothing in here panics while it holds the lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_does_not_read_is_kicked_and_holds_no_memory() {
        let queue = Queue::new(2, 100);
        assert_eq!(queue.push(Bytes::from_static(b"a"), None), Ok(Wake::Told));
        assert_eq!(queue.push(Bytes::from_static(b"b"), None), Ok(Wake::Told));
        assert_eq!(queue.push(Bytes::from_static(b"c"), None), Err(TooSlow));
        let mut packages = VecDeque::new();
        let kick = queue.take(&mut packages);
        assert!(packages.is_empty());
        assert_eq!(kick.as_deref(), Some("too slow: 2 messages were waiting"));
        assert_eq!(queue.longest(), 2);
    }

    #[test]
    fn bytes_count_too_but_one_large_package_always_fits() {
        let queue = Queue::new(100, 10);
        assert_eq!(queue.push(Bytes::from(vec![0; 50]), None), Ok(Wake::Told));
        assert_eq!(queue.push(Bytes::from_static(b"a"), None), Err(TooSlow));
    }

    #[test]
    fn what_was_waiting_comes_before_the_kick_and_nothing_after_it() {
        let queue = Queue::new(2, 100);
        assert_eq!(queue.push(Bytes::from_static(b"a"), None), Ok(Wake::Told));
        queue.kick("first");
        queue.kick("second");
        assert_eq!(queue.push(Bytes::from_static(b"b"), None), Ok(Wake::Told));
        let mut packages = VecDeque::new();
        let kick = queue.take(&mut packages);
        assert_eq!(packages, [Bytes::from_static(b"a")]);
        assert_eq!(kick.as_deref(), Some("first"));
    }

    #[test]
    fn in_a_round_a_session_is_told_at_once_of_the_first_package_alone() {
        let queue = Queue::new(10, 100);
        let mut packages = VecDeque::new();
        let push = |round| queue.push(Bytes::from_static(b"a"), Some(round));
        assert_eq!(push(1), Ok(Wake::Told));
        // It has not been there since.
        assert_eq!(push(1), Ok(Wake::Told));
        queue.take(&mut packages);
        packages.clear();
        assert_eq!(push(1), Ok(Wake::AtRoundEnd));
        // Once is enough.
        assert_eq!(push(1), Ok(Wake::Told));
        queue.wake(2);
        queue.take(&mut packages);
        assert_eq!(packages.len(), 2);
        packages.clear();
        assert_eq!(push(2), Ok(Wake::AtRoundEnd));
        queue.take(&mut packages);
        packages.clear();
        assert_eq!(push(4), Ok(Wake::Told));
    }
}
