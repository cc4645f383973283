//! Trials on a real cluster.

use std::convert::Infallible;
use std::future;
use std::process;
use std::time::Duration;

use cluster::net::Tcp;
use cluster::signals::Signal;
use reports::capacity::{Trial, text};
use reports::output::say;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::cpu;
use super::hunt::Trials;
use super::judge::{CpuTime, Tried};
use super::own::OwnCluster;
use super::scaled::Window;
use super::search::Search;
use crate::address::Address;
use crate::drive::{Ending, Finished, access};
use crate::health;
use crate::health::cpu::{self as clocks, MachineClocks};
use crate::plan::LoadPlan;
use crate::trial::{self, TrialError};
use crate::workers::Crew;

/// A gate that answers so soon is not busy with what the trial before left behind.
const CALM: Duration = Duration::from_millis(100);

/// No longer is waited for that.
const CALM_PATIENCE: Duration = Duration::from_secs(20);

/// From one question to the next.
const CALM_INTERVAL: Duration = Duration::from_millis(500);

/// What trials are run on.
pub struct Runner {
    /// Where users ask for a connector.
    pub gate: Address,
    /// The cluster, if it is our own.
    pub own: Option<OwnCluster>,
    /// The processes that live the users.
    pub crew: Crew,
    /// The servers' processes, as far as they are known.
    pub servers: Vec<u32>,
    /// The first signal that came, if one did.
    pub signal: watch::Receiver<Option<Signal>>,
}

impl Trials for Runner {
    type Error = TrialError;

    async fn run(&mut self, plan: &LoadPlan, window: Window) -> Result<Tried, TrialError> {
        self.calm(plan).await;
        let (gate, crew) = (self.gate.clone(), self.crew.clone());
        let mut cpu = None;
        let watching = async |_| self.watch(window, &mut cpu).await;
        let finished: Finished = trial::run(plan, &gate, &crew, watching).await?;
        Ok(Tried { finished, cpu })
    }

    fn told(&mut self, number: usize, trial: &Trial, search: &Search) {
        let (held, broke) = search.ends();
        let rate = |end: Option<reports::capacity::End>, none: &str| {
            end.map_or_else(|| none.to_owned(), |end| text::rate(end.rate_per_s))
        };
        say(&format!(
            "{} interval={}..{}",
            text::line(number, trial),
            rate(held, "?"),
            rate(broke, "?")
        ));
    }
}

impl Runner {
    /// Waits until the cluster is done with what came before, but not for ever.
    async fn calm(&mut self, plan: &LoadPlan) {
        let (network, access) = (Tcp::loopback(), access(plan, &self.gate));
        let until = Instant::now() + CALM_PATIENCE;
        while Instant::now() < until && self.signal.borrow().is_none() {
            let asked_at = Instant::now();
            let answer = health::ask_gate(&network, &access).await;
            if answer.is_ok() && asked_at.elapsed() < CALM {
                return;
            }
            sleep(CALM_INTERVAL).await;
        }
    }

    /// Takes the processor time of the window, until there is a reason to stop.
    async fn watch(&mut self, window: Window, cpu: &mut Option<CpuTime>) -> Ending {
        let Self {
            own,
            servers,
            signal,
            ..
        } = self;
        let ended = async {
            match own {
                Some(own) => own.ended().await,
                None => future::pending().await,
            }
        };
        let signalled = async {
            match signal.wait_for(Option::is_some).await {
                Ok(signal) => *signal,
                Err(_nobody_listens) => future::pending().await,
            }
        };
        tokio::select! {
            reason = ended => Ending::Failed { reason },
            Some(signal) = signalled => Ending::Interrupted(signal),
            never = account(servers, window, cpu) => match never {},
        }
    }
}

/// Takes the processor time at both ends of the window.
async fn account(servers: &[u32], window: Window, cpu: &mut Option<CpuTime>) -> Infallible {
    sleep(window.from).await;
    let before = Look::now(servers);
    sleep(window.len()).await;
    *cpu = before
        .zip(Look::now(servers))
        .map(|(before, after)| after.since(before));
    future::pending().await
}

/// What was used by some time.
#[derive(Clone, Copy)]
struct Look {
    at: Instant,
    servers: Option<Duration>,
    generator: Duration,
    machine: Option<MachineClocks>,
}

impl Look {
    /// `None` where the system does not tell.
    fn now(servers: &[u32]) -> Option<Self> {
        let known = (!servers.is_empty()).then(|| cpu::time_of(servers, &[]));
        Some(Self {
            at: Instant::now(),
            servers: known.flatten(),
            // The rest of what this process is and started.
            generator: cpu::time_of(&[process::id()], servers)?,
            machine: clocks::look().and_then(|clocks| clocks.machine),
        })
    }

    /// What was used since then.
    fn since(self, before: Self) -> CpuTime {
        let servers = self.servers.zip(before.servers);
        let servers = servers.map(|(after, before)| after.saturating_sub(before));
        let generator = self.generator.saturating_sub(before.generator);
        let strangers = || {
            let (after, before_all) = self.machine.zip(before.machine)?;
            let all = after.all.saturating_sub(before_all.all);
            let busy = after.busy.saturating_sub(before_all.busy) * 1000;
            let busy = busy.checked_div(all)?;
            let time = (self.at - before.at).as_micros() as u64 * after.processors;
            let ours = (servers? + generator).as_micros() as u64 * 1000;
            Some(busy.saturating_sub(ours.checked_div(time)?))
        };
        CpuTime {
            servers,
            generator,
            strangers_permille: strangers(),
        }
    }
}
