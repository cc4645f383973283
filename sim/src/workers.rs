//! Long work on several threads, which a signal ends early. Threads are outside of runs only: each
//! run is wholly in one.

use std::io;
use std::num::NonZeroUsize;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use cluster::signals::{Signal, Signals};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

/// Who is told how the work goes.
pub trait Watch<T> {
    /// A piece of it has ended, in whatever order.
    fn ended(&mut self, result: T);

    /// Somebody wants all of it to end.
    fn interrupted(&mut self);
}

/// Does the pieces of work from 0 to `count` on `jobs` threads and tells `watch`, until all are done
/// or a signal comes, which is returned; a second one ends the process.
///
/// `work` is given the number of a piece and what is set by a signal. After that no piece is begun,
/// and one under way should end soon: with a result, or with `None` if what it has is of no use.
///
/// # Errors
///
/// If the runtime that waits for signals can't be started.
#[expect(
    clippy::disallowed_methods,
    reason = "the threads are around the runs, each of which is in one"
)]
pub fn work<T: Send>(
    count: usize,
    jobs: NonZeroUsize,
    work: impl Fn(usize, &AtomicBool) -> Option<T> + Sync,
    watch: &mut dyn Watch<T>,
) -> io::Result<Option<Signal>> {
    let (runtime, signals) = listen()?;
    let (next, is_stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (ended, results) = mpsc::unbounded_channel();
    let worker = |ended: mpsc::UnboundedSender<T>| {
        while !is_stopped.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let result = (number < count).then(|| work(number, &is_stopped));
            let Some(result) = result.flatten() else {
                return;
            };
            let sent = ended.send(result);
            sent.expect("the collector waits until all workers have ended");
        }
    };
    Ok(thread::scope(|threads| {
        for _ in 0..jobs.get().min(count) {
            let ended = ended.clone();
            threads.spawn(|| worker(ended));
        }
        drop(ended);
        runtime.block_on(collect(&is_stopped, results, signals, watch))
    }))
}

/// A runtime to wait for signals in, which no longer end this process from now on.
///
/// # Errors
///
/// If it can't be started.
pub fn listen() -> io::Result<(Runtime, Signals)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let signals = {
        let _entered = runtime.enter();
        Signals::listen()?
    };
    Ok((runtime, signals))
}

async fn collect<T>(
    is_stopped: &AtomicBool,
    mut results: mpsc::UnboundedReceiver<T>,
    mut signals: Signals,
    watch: &mut dyn Watch<T>,
) -> Option<Signal> {
    let mut interrupted = None;
    loop {
        tokio::select! {
            ended = results.recv() => match ended {
                Some(result) => watch.ended(result),
                None => return interrupted,
            },
            signal = signals.next() => {
                if interrupted.is_some() {
                    // Threads can't be ended, and each is in the middle of a run.
                    process::exit(signal.exit_status().into());
                }
                is_stopped.store(true, Ordering::Relaxed);
                interrupted = Some(signal);
                watch.interrupted();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Results(Vec<usize>);

    impl Watch<usize> for Results {
        fn ended(&mut self, result: usize) {
            self.0.push(result);
        }

        fn interrupted(&mut self) {}
    }

    #[test]
    fn each_piece_is_done_once_on_any_number_of_threads() -> io::Result<()> {
        for jobs in [1, 3] {
            let jobs = NonZeroUsize::new(jobs).expect("some");
            let mut results = Results::default();
            let signal = work(10, jobs, |number, _| Some(number), &mut results)?;
            results.0.sort_unstable();
            assert_eq!(results.0, (0..10).collect::<Vec<_>>());
            assert!(signal.is_none());
        }
        Ok(())
    }

    #[test]
    fn what_ends_after_it_was_stopped_is_told_and_nothing_else_is_begun() -> io::Result<()> {
        let mut results = Results::default();
        let stopped_at_3 = |number, is_stopped: &AtomicBool| {
            is_stopped.store(number == 3, Ordering::Relaxed);
            Some(number)
        };
        work(10, NonZeroUsize::MIN, stopped_at_3, &mut results)?;
        assert_eq!(results.0, [0, 1, 2, 3]);
        Ok(())
    }
}
