//! When the sessions of a connector write what waits for their clients.
//!
//! A write costs the system far more than all that is done for a message before, and the same
//! whatever is in it. So while a connector has much to tell, it tells its sessions in rounds: the
//! first package of a round is written at once, and what follows in the same round goes out
//! together at its end. Who has little to tell never waits.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;

use crate::marks::Mark;
use crate::queue::{Queue, TooSlow, Wake};

/// The rounds of one connector.
///
/// There is one while packages come; whoever waits for [`Rounds::begun`] ends it with [`Rounds::end`]
/// after [`ROUND`](crate::limits::ROUND). No session waits for longer.
#[derive(Debug)]
pub struct Rounds {
    /// Packages in one round from which on the next is busy.
    busy: usize,
    /// Tells a round from the one before.
    number: u64,
    is_on: bool,
    /// There was so much to tell in the round before that this one writes once to each client.
    is_busy: bool,
    /// Packages in this round.
    packages: usize,
    /// Whom to wake at its end.
    late: Vec<Arc<Queue>>,
    begun: Arc<Notify>,
}

impl Rounds {
    /// Starts without any. After a round of `busy` packages the next is busy.
    pub fn new(busy: usize) -> Self {
        Self {
            busy,
            number: 0,
            is_on: false,
            is_busy: false,
            packages: 0,
            late: Vec::new(),
            begun: Arc::default(),
        }
    }

    /// Puts a package into a queue.
    ///
    /// # Errors
    ///
    /// As [`Queue::push`].
    pub fn push(&mut self, queue: &Arc<Queue>, package: Bytes) -> Result<(), TooSlow> {
        self.packages += 1;
        if !self.is_on {
            self.is_on = true;
            self.begun.notify_one();
        }
        let round = self.is_busy.then_some(self.number);
        if queue.push(package, round)? == Wake::AtRoundEnd {
            Mark::WaitsForRound.reached();
            self.late.push(queue.clone());
        }
        Ok(())
    }

    /// Ends the round and wakes all who waited for that. True if the next one has begun, because
    /// there was enough to tell to make it busy; otherwise nobody waits in the next.
    pub fn end(&mut self) -> bool {
        self.number += 1;
        for queue in self.late.drain(..) {
            queue.wake(self.number);
        }
        self.is_busy = self.packages >= self.busy;
        self.is_on = self.is_busy;
        self.packages = 0;
        self.is_on
    }

    /// Signalled when a round has begun.
    pub fn begun(&self) -> Arc<Notify> {
        self.begun.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;
    use crate::limits::BUSY_ROUND;

    const PACKAGE: Bytes = Bytes::from_static(b"package");

    struct Client(Arc<Queue>);

    impl Client {
        fn new() -> Self {
            Self(Arc::new(Queue::new(10 * BUSY_ROUND, usize::MAX)))
        }

        /// How many packages its session writes in one go, if it has been woken.
        fn writes(&self) -> Option<usize> {
            let mut context = Context::from_waker(Waker::noop());
            let woken = pin!(self.0.woken()).poll(&mut context);
            woken.is_ready().then(|| {
                let mut packages = VecDeque::new();
                self.0.take(&mut packages);
                packages.len()
            })
        }
    }

    /// Rounds of which the one that begins is busy.
    fn busy() -> Rounds {
        let mut rounds = Rounds::new(BUSY_ROUND);
        let other = Client::new();
        for _ in 0..BUSY_ROUND {
            assert_eq!(rounds.push(&other.0, PACKAGE), Ok(()));
        }
        assert!(rounds.end());
        rounds
    }

    #[test]
    fn who_has_little_to_tell_wakes_at_once() {
        let (mut rounds, client) = (Rounds::new(BUSY_ROUND), Client::new());
        for _ in 0..3 {
            for _ in 1..BUSY_ROUND {
                assert_eq!(rounds.push(&client.0, PACKAGE), Ok(()));
                assert_eq!(client.writes(), Some(1));
            }
            assert!(!rounds.end());
        }
    }

    #[test]
    fn in_a_busy_round_the_first_is_written_at_once_and_the_others_together_at_its_end() {
        let (mut rounds, client) = (busy(), Client::new());
        for round in 0..3 {
            for number in 0..BUSY_ROUND {
                assert_eq!(rounds.push(&client.0, PACKAGE), Ok(()));
                let expected = (round == 0 && number == 0).then_some(1);
                assert_eq!(client.writes(), expected, "{number} of round {round}");
            }
            assert!(rounds.end());
            let expected = if round == 0 {
                BUSY_ROUND - 1
            } else {
                BUSY_ROUND
            };
            assert_eq!(client.writes(), Some(expected));
        }
    }

    #[test]
    fn after_a_round_with_little_to_tell_nobody_waits() {
        let (mut rounds, client) = (busy(), Client::new());
        for expected in [Some(1), None, None] {
            assert_eq!(rounds.push(&client.0, PACKAGE), Ok(()));
            assert_eq!(client.writes(), expected);
        }
        assert!(!rounds.end());
        assert_eq!(client.writes(), Some(2));
        for _ in 0..3 {
            assert_eq!(rounds.push(&client.0, PACKAGE), Ok(()));
            assert_eq!(client.writes(), Some(1));
        }
    }

    #[test]
    fn a_round_begins_with_a_package_and_only_then_is_to_be_ended() {
        let (mut rounds, client) = (Rounds::new(BUSY_ROUND), Client::new());
        let begun = rounds.begun();
        let has_begun = || {
            let mut context = Context::from_waker(Waker::noop());
            pin!(begun.notified()).poll(&mut context).is_ready()
        };
        assert!(!has_begun());
        for _ in 0..2 {
            for expected in [true, false] {
                assert_eq!(rounds.push(&client.0, PACKAGE), Ok(()));
                assert_eq!(has_begun(), expected);
            }
            assert!(!rounds.end());
        }
    }

    #[test]
    fn a_client_that_does_not_read_is_kicked_within_a_round() {
        let mut rounds = busy();
        let queue = Arc::new(Queue::new(2, 100));
        for _ in 0..2 {
            assert_eq!(rounds.push(&queue, PACKAGE), Ok(()));
        }
        let client = Client(queue);
        assert_eq!(client.writes(), Some(2));
        for _ in 0..2 {
            assert_eq!(rounds.push(&client.0, PACKAGE), Ok(()));
        }
        assert_eq!(client.writes(), None);
        assert_eq!(rounds.push(&client.0, PACKAGE), Err(TooSlow));
        assert_eq!(client.writes(), Some(0), "it is woken to be kicked");
    }
}
