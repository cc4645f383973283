//! A process that can be made to stand still, as SIGSTOP or a long garbage collection does, or slow,
//! as a host with too much to do does; that can be asked to stop, as by SIGTERM; and that dies in an
//! orderly way.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Sleep, sleep};

use crate::yields::{PutOff, Yields};

/// Whether the tasks of one host run. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Process {
    state: Arc<State>,
    yields: Yields,
}

#[derive(Debug, Default)]
struct State {
    is_paused: AtomicBool,
    is_dying: AtomicBool,
    is_stopping: AtomicBool,
    /// From the waking of a task to its turn, in milliseconds.
    delay_ms: AtomicU64,
    /// Signalled when it is to stop.
    stop: Notify,
    /// Tasks that something happened to while they stood still, in the order in which it did.
    waiting: Mutex<Vec<Waker>>,
    tasks: Mutex<Tasks>,
}

/// The tasks that live, in the order in which they began.
#[derive(Debug, Default)]
struct Tasks {
    alive: BTreeMap<u64, Arc<dyn Mortal>>,
    ever: u64,
}

impl Process {
    /// A process whose tasks and streams are put off now and then.
    pub fn with_yields(yields: Yields) -> Self {
        Self {
            yields,
            ..Self::default()
        }
    }

    /// What puts its tasks off.
    pub fn yields(&self) -> &Yields {
        &self.yields
    }

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

    /// From now on each task gets its turn so much later than it is woken. Tasks wait side by side:
    /// what is woken for twice meanwhile is one turn.
    pub fn slow_down(&self, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.state.delay_ms.store(delay_ms, Ordering::Relaxed);
    }

    /// Ends that; who waits for its turn still has it when it was to.
    pub fn speed_up(&self) {
        self.slow_down(Duration::ZERO);
    }

    /// Asks the process to stop.
    pub fn stop(&self) {
        self.state.is_stopping.store(true, Ordering::Relaxed);
        self.state.stop.notify_one();
    }

    /// Whether anything of it runs: it was started, and has not ended since. One that stands still
    /// runs.
    pub fn is_running(&self) -> bool {
        !self.tasks().alive.is_empty()
    }

    /// Whether it was asked to stop and has not been started again since.
    pub fn is_stopping(&self) -> bool {
        self.state.is_stopping.load(Ordering::Relaxed)
    }

    /// Ends when the process is asked to stop.
    pub fn asked_to_stop(&self) -> impl Future<Output = ()> + Send + use<> {
        let process = self.clone();
        async move {
            // What is left of an earlier signal may wake a process that was started since.
            while !process.is_stopping() {
                process.state.stop.notified().await;
            }
        }
    }

    /// Says that the process is about to be dropped: with its first task all end, in the order in
    /// which they began.
    ///
    // tokio ends the tasks of a runtime in an order that depends on how many tasks this program
    // had before, in all runs of all threads. Each stream that is dropped says goodbye, so that
    // peers would see another order each time.
    pub fn die(&self) {
        self.state.is_dying.store(true, Ordering::Relaxed);
    }

    /// Begins anew after [`Self::die`]: the process that is started next runs.
    pub fn revive(&self) {
        self.state.is_stopping.store(false, Ordering::Relaxed);
        self.state.is_dying.store(false, Ordering::Relaxed);
        self.resume();
    }

    /// Runs `task`, except while the process is paused.
    pub fn gate<F>(&self, task: F) -> impl Future<Output = F::Output> + Send + use<F>
    where
        F: Future + Send + 'static,
    {
        let task = Arc::new(Life(Mutex::new(Some(Box::pin(task)))));
        let enlisted = self.enlist(task.clone());
        async move {
            let mut turn = None;
            let mut last = PutOff::default();
            poll_fn(|context| {
                let process = &enlisted.process;
                if process.holds(context.waker()) {
                    return Poll::Pending;
                }
                // First, since a turn that is taken and put off would be waited for again.
                ready!(process.yields.poll_task(&mut last, context));
                ready!(process.poll_turn(&mut turn, context));
                task.poll(context)
            })
            .await
        }
    }

    /// Waits until a task that was woken has its turn, which it takes.
    fn poll_turn(&self, turn: &mut Option<Pin<Box<Sleep>>>, context: &mut Context<'_>) -> Poll<()> {
        if turn.is_none() {
            match self.state.delay_ms.load(Ordering::Relaxed) {
                0 => return Poll::Ready(()),
                delay_ms => *turn = Some(Box::pin(sleep(Duration::from_millis(delay_ms)))),
            }
        }
        if let Some(waiting) = turn {
            ready!(waiting.as_mut().poll(context));
        }
        *turn = None;
        Poll::Ready(())
    }

    fn enlist(&self, task: Arc<dyn Mortal>) -> Enlisted {
        let mut tasks = self.tasks();
        let number = tasks.ever;
        tasks.ever += 1;
        tasks.alive.insert(number, task);
        Enlisted {
            process: self.clone(),
            number,
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

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        // As above.
        self.state
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a task in the list of its process until it is dropped, in whatever way it ends.
struct Enlisted {
    process: Process,
    number: u64,
}

impl Drop for Enlisted {
    fn drop(&mut self) {
        let ended = if self.process.state.is_dying.load(Ordering::Relaxed) {
            std::mem::take(&mut self.process.tasks().alive)
        } else {
            let ended = self.process.tasks().alive.remove_entry(&self.number);
            ended.into_iter().collect()
        };
        // Out of the list's lock: what a task drops may be tasks too.
        for task in ended.values() {
            task.end();
        }
    }
}

/// A task that can be ended from outside.
trait Mortal: Send + Sync + std::fmt::Debug {
    fn end(&self);
}

/// A task until it has ended.
struct Life<F>(Mutex<Option<Pin<Box<F>>>>);

impl<F: Future> Life<F> {
    fn poll(&self, context: &mut Context<'_>) -> Poll<F::Output> {
        let mut life = self.lock();
        let Some(task) = life.as_mut() else {
            return Poll::Pending;
        };
        let polled = task.as_mut().poll(context);
        if polled.is_ready() {
            *life = None;
        }
        polled
    }
}

impl<F> Life<F> {
    fn lock(&self) -> MutexGuard<'_, Option<Pin<Box<F>>>> {
        // A task that panicked is not polled again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Send> Mortal for Life<F> {
    fn end(&self) {
        let task = self.lock().take();
        drop(task);
    }
}

impl<F> std::fmt::Debug for Life<F> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Life")
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
        assert!(process.is_running());
        process.resume();

        let woken_after = tasks.join_next().await.unwrap().unwrap();
        assert_eq!(woken_after, Duration::from_secs(5));
        assert!(!process.is_running(), "its only task has ended");
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_process_that_is_asked_stops() {
        let process = Process::default();
        process.stop();
        process.asked_to_stop().await;
        process.stop();
        process.revive();
        let next = tokio::time::timeout(Duration::from_secs(1), process.asked_to_stop());
        assert!(next.await.is_err(), "the next process was never asked");
    }

    #[test]
    fn the_tasks_of_a_process_that_dies_end_in_the_order_in_which_they_began() {
        struct Last(usize, Arc<Mutex<Vec<usize>>>);
        impl Drop for Last {
            fn drop(&mut self) {
                self.1.lock().unwrap().push(self.0);
            }
        }

        let ended = Arc::default();
        let process = Process::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let mut tasks = JoinSet::new();
        for number in 0..20 {
            let last = Last(number, Arc::clone(&ended));
            let task = process.gate(async move {
                std::future::pending::<()>().await;
                drop(last);
            });
            tasks.spawn_on(task, runtime.handle());
        }
        process.die();
        drop(runtime);
        assert_eq!(*ended.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }
}
