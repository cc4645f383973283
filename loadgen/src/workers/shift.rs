//! All workers of one run, and what there is of it so far.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cluster::causes;
use reports::measured::Measured;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::child::{ChildError, Worker};
use super::words::{Order, Over, Task};
use super::{Crew, REPORT_PATIENCE, WorkerFailed, clock};
use crate::address::Address;
use crate::drive::{Ending, Finished, interval_of};
use crate::health::vitals::Vitals;
use crate::plan::LoadPlan;
use crate::status::Status;

/// From telling the workers when to begin to the beginning, and more for each user: by then all users are
/// there and wait.
const LEAD: Duration = Duration::from_secs(1);
const LEAD_PER_USER: Duration = Duration::from_micros(20);

/// The workers of one run.
pub struct Shift {
    /// A task for each: what it has in the end.
    workers: JoinSet<Result<(Over, Measured), WorkerFailed>>,
    said: Said,
    stop: watch::Sender<bool>,
    /// All that those have who have ended.
    measured: Measured,
    elapsed: Duration,
    stuck: usize,
    processes: BTreeMap<String, Vitals>,
}

/// What each worker said last on how far it is; clones share it.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<Status>>>);

impl Shift {
    /// Nobody works yet.
    pub fn new(plan: &LoadPlan) -> Self {
        Self {
            workers: JoinSet::new(),
            said: Said::default(),
            stop: watch::Sender::new(false),
            measured: Measured::new(interval_of(plan)),
            elapsed: Duration::ZERO,
            stuck: 0,
            processes: BTreeMap::new(),
        }
    }

    /// Starts the workers and tells them what to do; they begin at the instant that this returns.
    ///
    /// # Errors
    ///
    /// If one of them can't.
    pub async fn begin(
        &mut self,
        crew: &Crew,
        plan: &LoadPlan,
        gate: &Address,
    ) -> Result<Instant, WorkerFailed> {
        let of = crew.workers;
        let failed = |index| {
            move |cause| WorkerFailed {
                number: index + 1,
                of,
                cause,
            }
        };
        let mut workers = Vec::new();
        for index in 0..of {
            workers.push((index, Worker::start(&crew.program).map_err(failed(index))?));
        }
        for (index, worker) in &mut workers {
            let task = Order::Live(Box::new(Task {
                plan: plan.clone(),
                gate: gate.clone(),
                worker: *index,
                workers: of,
            }));
            worker.prepare(&task).await.map_err(failed(*index))?;
        }
        let at = clock::now() + LEAD + LEAD_PER_USER * plan.connections();
        for (index, worker) in &mut workers {
            let told = worker.tell(&Order::Start { at }).await;
            told.map_err(failed(*index))?;
        }
        self.said.lock().resize(workers.len(), Status::default());
        for (index, worker) in workers {
            let said = self.said();
            let listener = move |status| said.lock()[index as usize] = status;
            let followed = follow(worker, interval_of(plan), listener, self.stop.subscribe());
            let failed = failed(index);
            let task = async move { followed.await.map_err(failed) };
            self.workers.spawn(task);
        }
        Ok(clock::instant_of(at))
    }

    /// What they say on how far they are.
    pub fn said(&self) -> Said {
        self.said.clone()
    }

    /// Waits until all have ended, or one failed. Cancel safe.
    pub async fn work(&mut self) -> Ending {
        while let Some(ended) = self.workers.join_next().await {
            // Nobody aborts such a task, so this is a panic.
            let ended = ended.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
            match ended {
                Ok(part) => self.take(part),
                Err(error) => {
                    let reason = causes::sentence(&error);
                    return Ending::Invalid { reason };
                }
            }
        }
        match self.stuck {
            0 => Ending::Complete,
            users => Ending::Stuck { users },
        }
    }

    /// Stops those who still work, and puts together what all have. One that has nothing to hand over
    /// makes the run invalid, however it ended.
    pub async fn end(mut self, mut ending: Ending) -> Finished {
        self.stop.send_replace(true);
        while !self.workers.is_empty() {
            let invalid = Some(self.work().await).filter(Ending::is_invalid);
            // The first reason is that of those behind it.
            if let Some(invalid) = invalid.filter(|_| !ending.is_invalid()) {
                ending = invalid;
            }
        }
        Finished {
            measured: self.measured,
            elapsed: self.elapsed,
            ending,
            processes: self.processes,
        }
    }
    fn take(&mut self, (over, measured): (Over, Measured)) {
        let merged = self.measured.merge(&measured);
        merged.expect("the rows of all are as long as the plan has them");
        self.elapsed = self.elapsed.max(over.elapsed);
        self.stuck += over.stuck;
        self.processes.extend(over.processes);
    }
}

impl Said {
    /// How far all are together.
    pub fn status(&self) -> Status {
        let mut all = Status::default();
        for status in self.lock().iter() {
            all.merge(status);
        }
        all
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Status>> {
        // Each is replaced whole: there is nothing half done to find.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears what `worker` has to say, until it is over or told to stop, and lets it go. What it says on how
/// far it is goes to `listener`.
async fn follow(
    mut worker: Worker,
    interval: Duration,
    listener: impl Fn(Status),
    stop: watch::Receiver<bool>,
) -> Result<(Over, Measured), ChildError> {
    let over = tokio::select! {
        over = worker.hear_until_over(&listener) => over?,
        () = told_to(stop) => {
            worker.tell(&Order::Stop).await?;
            in_time(worker.hear_until_over(&listener)).await?
        }
    };
    let measured = in_time(worker.hear_measured(&over)).await?;
    if measured.interval() != interval {
        return Err(ChildError::Rows(measured.interval()));
    }
    worker.dismiss().await;
    Ok((over, measured))
}

async fn told_to(mut stop: watch::Receiver<bool>) {
    // An error means that nobody is left who could want more of it.
    let _ = stop.wait_for(|stopped| *stopped).await;
}

async fn in_time<T>(heard: impl Future<Output = Result<T, ChildError>>) -> Result<T, ChildError> {
    let heard = timeout(REPORT_PATIENCE, heard).await;
    heard.unwrap_or(Err(ChildError::Late(REPORT_PATIENCE)))
}
