//! A worker: a process that lives a part of the users of a load test for the one that started it.

use std::io;
use std::pin::pin;
use std::time::Duration;

use cluster::net::Tcp;
use cluster::signals::Signal;
use serde::Serialize;
use tokio::io::{BufReader, Stdin, Stdout};
use tokio::time::{MissedTickBehavior, interval};

use super::clock;
use super::lines::{self, LineError, Lines};
use super::words::{Histogram, Order, Over, Task, Word};
use crate::drive::{Ending, Finished, drive, interval_of};
use crate::fanout::Recorder;
use crate::health::{self, HealthError, Watch};
use crate::plan::shares::shares;

/// From one word on how far it is to the next.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);

/// Why a worker could not do its part.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// What it was told can't be understood, or nobody told it anything.
    #[error("a worker is started by loadgen itself, and is told what to do on its standard input")]
    Orders(#[from] LineError),
    /// It is told things in another order than agreed.
    #[error("it was told to {0} when there was something else to do")]
    Order(&'static str),
    /// This process may not open as many files as its users need.
    #[error(transparent)]
    Files(#[from] HealthError),
    /// Nobody listens to what it has to say.
    #[error("nobody listens any more")]
    Unheard(#[source] io::Error),
}

/// Lives the users that it is told to on its standard input, and tells on its standard output what came
/// of them. It ends when its standard input does: whoever started it has all that it wants then, or is
/// no more.
///
/// # Errors
///
/// If it could not do its part.
pub async fn work() -> Result<(), WorkerError> {
    let mut orders = Lines::new(BufReader::new(tokio::io::stdin()));
    let mut mouth = Mouth(tokio::io::stdout());
    let task = match orders.next().await? {
        Order::Live(task) => task,
        Order::Start { .. } => return Err(WorkerError::Order("start")),
        Order::Stop => return Ok(()),
    };
    let Task {
        plan,
        gate,
        worker,
        workers,
    } = *task;
    let mut shares = shares(&plan, workers);
    let users = shares.swap_remove(worker as usize);
    health::allow_files(users.len() as u32, false)?;
    mouth.say(&Word::Ready).await?;
    let started_at = match orders.next().await? {
        Order::Start { at } => clock::instant_of(at),
        Order::Live(_) => return Err(WorkerError::Order("prepare")),
        Order::Stop => return Ok(()),
    };
    let name = format!("worker {}", worker + 1);
    let watched = Watch::start();
    let recorder = Recorder::new(started_at, interval_of(&plan));
    let look = || {
        let mut status = recorder.status();
        status.processes = watched.told(&name);
        Word::Status(Box::new(status))
    };
    // As many workers as there may be have each a group of their own.
    let network = Tcp::loopback().from_group(worker as u8 + 1);
    let stopped = stopped(&mut orders);
    let mut finished = {
        let mut driven = pin!(drive(&plan, &users, &network, &gate, &recorder, stopped));
        let mut ticks = interval(STATUS_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            // While it speaks the users go on, each as a task.
            tokio::select! {
                finished = &mut driven => break finished,
                _ = ticks.tick() => mouth.say(&look()).await?,
            }
        }
    };
    finished.processes = watched.told(&name);
    mouth.report(&finished).await?;
    // What comes now is the end.
    let _ = orders.next::<Order>().await;
    Ok(())
}

/// Waits until the worker is to end early. If whoever started it is no more, there is nothing else.
async fn stopped(orders: &mut Lines<BufReader<Stdin>>) -> Ending {
    let _ = orders.next::<Order>().await;
    Ending::Interrupted(Signal::Interrupt)
}

/// What a worker speaks with.
struct Mouth(Stdout);

impl Mouth {
    async fn say(&mut self, line: &impl Serialize) -> Result<(), WorkerError> {
        let written = lines::write(&mut self.0, line).await;
        written.map_err(WorkerError::Unheard)
    }

    async fn report(&mut self, finished: &Finished) -> Result<(), WorkerError> {
        let Finished {
            measured,
            elapsed,
            ending,
            processes,
        } = finished;
        let over = Word::Over(Over {
            elapsed: *elapsed,
            stuck: match ending {
                Ending::Stuck { users } => *users,
                _ => 0,
            },
            processes: processes.clone(),
            histograms: measured.intervals().count(),
        });
        self.say(&over).await?;
        self.say(measured).await?;
        for interval in measured.intervals() {
            self.say(&Histogram::from(interval)).await?;
        }
        Ok(())
    }
}
