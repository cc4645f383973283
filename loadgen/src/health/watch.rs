//! Watches this process, and its machine, for as long as a run takes.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::num::NonZero;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::vitals::{Cpu, Vitals};
use super::{beat, cpu, files, memory, segments};

/// From one look at the machine to the next. The clocks of processors count in hundredths of a second.
const INTERVAL: Duration = Duration::from_secs(1);

/// This process while it is watched; dropping it ends that.
#[derive(Debug)]
pub struct Watch {
    vitals: Arc<Mutex<Vitals>>,
    _tasks: JoinSet<Infallible>,
}

impl Watch {
    /// Begins to watch, from tasks of the runtime that the users live in.
    pub fn start() -> Self {
        let vitals = Arc::new(Mutex::new(Vitals::default()));
        let mut tasks = JoinSet::new();
        let beating = Arc::clone(&vitals);
        tasks.spawn(async move { beat::beat(&beating).await });
        let looking = Arc::clone(&vitals);
        tasks.spawn(async move { look(&looking).await });
        Self {
            vitals,
            _tasks: tasks,
        }
    }

    /// What was seen so far, under the name of this process.
    pub fn told(&self, process: &str) -> BTreeMap<String, Vitals> {
        let vitals = lock(&self.vitals).clone();
        [(process.to_owned(), vitals)].into()
    }
}

/// Looks at the machine every second.
async fn look(vitals: &Mutex<Vitals>) -> Infallible {
    let started_at = Instant::now();
    let (mut last_at, mut last) = (started_at, cpu::look());
    let segments_before = segments::look();
    let processors = processors();
    let mut ticks = interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let (now, clocks) = (Instant::now(), cpu::look());
        let segments = segments::look().zip(segments_before);
        let (files, resident) = (files::look(), memory::resident_bytes_max());
        let mut vitals = lock(vitals);
        vitals.watched_us = (now - started_at).as_micros() as u64;
        if let (Some(last), Some(clocks)) = (last, clocks) {
            let cpu = vitals.cpu.get_or_insert_with(|| Cpu::new(processors));
            cpu.note(&last, &clocks, now - last_at);
        }
        vitals.segments = segments.map(|(now, before)| now.since(before));
        vitals.files = files.map(|files| files.after(vitals.files));
        vitals.resident_bytes_max = resident.max(vitals.resident_bytes_max);
        (last_at, last) = (now, clocks);
    }
}

/// How many processors the tasks of this runtime may use.
fn processors() -> u64 {
    let threads = Handle::current().metrics().num_workers();
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    processors.min(threads) as u64
}

/// Nobody who holds the lock can panic.
pub(super) fn lock(vitals: &Mutex<Vitals>) -> MutexGuard<'_, Vitals> {
    vitals.lock().unwrap_or_else(PoisonError::into_inner)
}
