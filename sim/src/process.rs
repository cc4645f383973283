//! A process that can be made to stand still, as SIGSTOP or a long garbage collection does.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// Whether the tasks of one host run. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Process {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_paused: AtomicBool,
    /// Tasks that something happened to while they stood still, in the order in which it did.
    waiting: Mutex<Vec<Waker>>,
}

impl Process {
    /// Stops every task of the process where it is. Its sockets stay open and take what arrives,
    /// its timers expire, but nothing looks at either.
    pub fn pause(&self) {
        self.state.is_paused.store(true, Ordering::Relaxed);
    }

    /// Lets the process go on: it finds expired timers and arrived bytes all at once.
    pub fn resume(&self) {
        self.state.is_paused.store(false, Ordering::Relaxed);
        for waker in self.waiting().drain(..) {
            waker.wake();
        }
    }

    /// Runs `task`, except while the process is paused.
    pub fn gate<F>(&self, task: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future + Send + 'static,
    {
        let process = self.clone();
        async move {
            let mut task = pin!(task);
            poll_fn(move |context| {
                if process.holds(context.waker()) {
                    return Poll::Pending;
                }
                task.as_mut().poll(context)
            })
            .await
        }
    }

    fn holds(&self, waker: &Waker) -> bool {
        if !self.state.is_paused.load(Ordering::Relaxed) {
            return false;
        }
        let mut waiting = self.waiting();
        if !waiting.iter().any(|known| known.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        true
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waker>> {
        // Pushing and draining leave a whole list whatever panicked.
        self.state
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::task::JoinSet;
    use tokio::time::{Instant, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_paused_process_sees_its_timer_late() {
        let process = Process::default();
        let mut tasks = JoinSet::new();
        let started_at = Instant::now();
        tasks.spawn(process.gate(async move {
            sleep(Duration::from_secs(1)).await;
            started_at.elapsed()
        }));

        sleep(Duration::from_millis(500)).await;
        process.pause();
        sleep(Duration::from_millis(4500)).await;
        assert!(tasks.try_join_next().is_none(), "ran while it was paused");
        process.resume();

        let woken_after = tasks.join_next().await.unwrap().unwrap();
        assert_eq!(woken_after, Duration::from_secs(5));
    }
}
