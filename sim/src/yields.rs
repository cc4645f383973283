//! Polls that are put off by chance, so that the tasks of a host run in other orders than the one
//! that turmoil has whatever the seed.
//!
//! A task that is put off is woken at once and runs later in the same moment. Only the simulator
//! does this: a server on real sockets has nothing of it.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use rand::Rng;
use rand::rngs::StdRng;
use tokio::task::coop;

/// More than tokio lets a task do in a row.
const SHARE_MAX: u32 = 256;

/// Which polls on one host are put off; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Yields {
    /// `None`: none.
    chance: Option<Arc<Chance>>,
}

#[derive(Debug)]
struct Chance {
    percent: u32,
    rng: Mutex<StdRng>,
}

/// Whether the last poll of something was put off: no two in a row are.
#[derive(Clone, Copy, Debug, Default)]
pub struct PutOff(bool);

impl Yields {
    /// Puts off `percent` of a hundred polls, as drawn from `rng`.
    pub fn of(percent: u32, rng: StdRng) -> Self {
        let rng = Mutex::new(rng);
        let chance = (percent > 0).then(|| Arc::new(Chance { percent, rng }));
        Self { chance }
    }

    /// Pending if a task is put off; it is woken at once.
    pub fn poll_task(&self, last: &mut PutOff, context: &Context<'_>) -> Poll<()> {
        if self.puts_off(last) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// Pending if a read or a write is put off, and with it all else that its task waits for: as
    /// tokio does with a task that has had its share. A timer that is polled after a read which was
    /// put off must not find that nothing was read in time.
    pub fn poll_stream(&self, last: &mut PutOff, context: &mut Context<'_>) -> Poll<()> {
        if !self.puts_off(last) {
            return Poll::Ready(());
        }
        for _ in 0..SHARE_MAX {
            ready!(coop::poll_proceed(context)).made_progress();
        }
        // A task whose share has no end can't be put off in this way.
        Poll::Ready(())
    }

    fn puts_off(&self, last: &mut PutOff) -> bool {
        let Some(chance) = &self.chance else {
            return false;
        };
        let mut rng = chance.rng.lock().unwrap_or_else(PoisonError::into_inner);
        last.0 = !last.0 && rng.random_range(0..100) < chance.percent;
        last.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::future::poll_fn;

    use rand::SeedableRng;
    use tokio::sync::mpsc;
    use tokio::task::JoinSet;
    use tokio::time::{Duration, sleep};

    use super::*;
    use crate::process::Process;

    fn yields(percent: u32, seed: u64) -> Yields {
        Yields::of(percent, StdRng::seed_from_u64(seed))
    }

    /// Two tasks of one process speak at the same moment: who comes first.
    fn first_of_two(percent: u32, seed: u64) -> &'static str {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let process = Process::with_yields(yields(percent, seed));
        runtime.block_on(async {
            let (sender, mut said) = mpsc::unbounded_channel();
            let mut tasks = JoinSet::new();
            for name in ["one", "other"] {
                let sender = sender.clone();
                tasks.spawn(process.gate(async move {
                    sleep(Duration::from_millis(1)).await;
                    sender.send(name).unwrap();
                }));
            }
            said.recv().await.unwrap()
        })
    }

    #[test]
    fn a_race_that_always_goes_one_way_goes_both_ways_with_yields() {
        let outcomes =
            |percent| -> BTreeSet<_> { (0..50).map(|seed| first_of_two(percent, seed)).collect() };
        assert_eq!(outcomes(0).len(), 1);
        assert_eq!(outcomes(30).len(), 2);
    }

    #[test]
    fn a_seed_always_puts_off_the_same() {
        for seed in 0..20 {
            assert_eq!(first_of_two(30, seed), first_of_two(30, seed));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_put_off_is_polled_again_in_the_same_moment_and_never_twice_in_a_row() {
        let yields = yields(100, 1);
        let mut last = PutOff::default();
        let began_at = tokio::time::Instant::now();
        for _ in 0..10 {
            let mut polls = 0;
            poll_fn(|context| {
                polls += 1;
                yields.poll_task(&mut last, context)
            })
            .await;
            assert_eq!(polls, 2);
        }
        assert_eq!(began_at.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_does_not_overtake_a_read_that_is_put_off() {
        let yields = yields(100, 1);
        let mut last = PutOff::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let due = sleep(Duration::ZERO);
            sleep(Duration::from_millis(5)).await;
            tokio::select! {
                biased;
                () = poll_fn(|context| yields.poll_stream(&mut last, context)) => "read",
                () = due => "timer",
            }
        });
        assert_eq!(tasks.join_next().await.unwrap().unwrap(), "read");
    }
}
