//! Makes faults happen: the only place that touches turmoil's hosts and links during a run.
//!
//! What peers of a host see when it goes down, and when it is back:
//!
//! - *Crash*: turmoil drops the process, whose streams say goodbye: each peer reads the end of
//!   its stream one latency later. What it writes from then on is answered with a reset once the
//!   host runs again; meanwhile it waits at the host's door.
//! - *Power cut*: all links of the host are partitioned before the process is dropped, so the
//!   goodbyes are lost and peers see nothing: a read waits for ever, a write seems to succeed, a
//!   new connection neither opens nor fails. The links come back only with the restart, since a
//!   host without power carries nothing. From then on bytes on an old connection meet no socket
//!   and are answered with a reset, as by a machine that booted; a peer that only reads still
//!   sees nothing.
//! - *Stop*: the process does what it does when it is asked to stop, and ends, which peers see as
//!   they see a crash. What has not ended when it is to start again is killed.
//! - *Pause*: connections stay open and take what arrives, up to their window; new ones wait.
//! - *Reset*: whoever reads or writes a connection that is open, at either end, is told at once.
//!   What was on its way is lost. One that is still being opened is not touched.

use std::collections::{BTreeMap, BTreeSet};

use crate::connections::Connections;
use crate::fault::Fault;
use crate::process::Process;
use crate::throttle::Throttle;

/// The hosts of one simulation and what is wrong with them now.
pub struct Injector {
    hosts: Vec<String>,
    handles: Handles,
    links: BTreeMap<(String, String), Broken>,
    without_power: BTreeSet<String>,
}

/// What faults are done with, besides turmoil itself; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Handles {
    /// The processes that can be stopped, paused and slowed down, by host.
    pub processes: BTreeMap<String, Process>,
    /// What holds users back, by their number.
    pub throttles: BTreeMap<u32, Throttle>,
    /// All open connections.
    pub connections: Connections,
}

/// How a link is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Broken {
    Held,
    Cut,
    CutFrom(String),
}

impl Injector {
    /// `hosts` are all hosts of the simulation.
    pub fn new(hosts: Vec<String>, handles: Handles) -> Self {
        Self {
            hosts,
            handles,
            links: BTreeMap::new(),
            without_power: BTreeSet::new(),
        }
    }

    /// Does `fault` to `sim`. Tells whether there was anything that it could be done to: a process
    /// that is down neither crashes nor stops, stands still or gets slow, who has no connection reads
    /// none slowly, and where none is open none is reset. What then is still wrong when a process
    /// is started or a user connects is wrong with them too.
    ///
    /// # Panics
    ///
    /// If a host is not one of the simulation's, a client host is to be crashed, stopped, paused or
    /// slowed down, or there is no such user.
    pub fn apply(&mut self, sim: &mut turmoil::Sim<'_>, fault: &Fault) -> bool {
        let takes_hold = self.has_victim(fault);
        match fault {
            Fault::Reset { a, b } => return self.handles.connections.reset(a, b),
            Fault::Slow { host, delay } => self.process(host).slow_down(*delay),
            Fault::Quick { host } => self.process(host).speed_up(),
            Fault::Throttle { user, bytes_per_s } => self.throttle(*user).limit(*bytes_per_s),
            Fault::Unthrottle { user } => self.throttle(*user).lift(),
            Fault::Crash { host, goodbye } => self.crash(sim, host, *goodbye),
            Fault::Stop { host } => self.process(host).stop(),
            Fault::Restart { host } => self.restart(sim, host),
            Fault::Pause { host } => self.process(host).pause(),
            Fault::Resume { host } => self.process(host).resume(),
            Fault::Hold { a, b } => self.set_link(sim, a, b, Some(Broken::Held)),
            Fault::Partition { a, b } => self.set_link(sim, a, b, Some(Broken::Cut)),
            Fault::PartitionOneway { from, to } => {
                self.set_link(sim, from, to, Some(Broken::CutFrom(from.clone())));
            }
            Fault::Release { a, b } | Fault::Repair { a, b } => self.set_link(sim, a, b, None),
            Fault::Latency { a, b, latency } => {
                sim.set_link_latency(a.as_str(), b.as_str(), *latency);
            }
        }
        takes_hold
    }

    /// Whether the process runs, or the user has a connection, that `fault` happens to.
    fn has_victim(&self, fault: &Fault) -> bool {
        match fault {
            Fault::Crash { host, .. } | Fault::Pause { host } | Fault::Slow { host, .. } => {
                self.process(host).is_running()
            }
            Fault::Stop { host } => {
                let process = self.process(host);
                process.is_running() && !process.is_stopping()
            }
            Fault::Throttle { user, .. } => self.throttle(*user).is_reading(),
            _ => true,
        }
    }

    fn crash(&mut self, sim: &mut turmoil::Sim<'_>, host: &str, goodbye: bool) {
        if !goodbye {
            self.without_power.insert(host.to_owned());
            self.refresh_links_of(sim, host);
        }
        self.kill(sim, host);
    }

    fn restart(&mut self, sim: &mut turmoil::Sim<'_>, host: &str) {
        if self.without_power.remove(host) {
            self.refresh_links_of(sim, host);
        }
        if self.process(host).is_stopping() {
            self.kill(sim, host);
        }
        if !sim.is_host_running(host) {
            sim.bounce(host);
        }
    }

    fn kill(&self, sim: &mut turmoil::Sim<'_>, host: &str) {
        self.process(host).die();
        sim.crash(host);
        // Also if it stood still, or was about to stop, when it was killed.
        self.process(host).revive();
    }

    fn process(&self, host: &str) -> &Process {
        let processes = &self.handles.processes;
        processes
            .get(host)
            .unwrap_or_else(|| panic!("{host} is no server of this simulation"))
    }

    fn throttle(&self, user: u32) -> &Throttle {
        let throttles = &self.handles.throttles;
        throttles
            .get(&user)
            .unwrap_or_else(|| panic!("there is no user {user} in this simulation"))
    }

    fn set_link(&mut self, sim: &turmoil::Sim<'_>, a: &str, b: &str, broken: Option<Broken>) {
        match broken {
            Some(broken) => self.links.insert(link(a, b), broken),
            None => self.links.remove(&link(a, b)),
        };
        self.refresh(sim, a, b);
    }

    fn refresh_links_of(&self, sim: &turmoil::Sim<'_>, host: &str) {
        for other in self.hosts.iter().filter(|other| *other != host) {
            self.refresh(sim, host, other);
        }
    }

    /// Makes turmoil's link what it should be, whatever it was: power first, then the link's own
    /// fault, else it is whole.
    fn refresh(&self, sim: &turmoil::Sim<'_>, a: &str, b: &str) {
        if self.without_power.contains(a) || self.without_power.contains(b) {
            sim.partition(a, b);
            return;
        }
        match self.links.get(&link(a, b)) {
            // Releasing repairs too, and delivers what was held, if anything was.
            None => sim.release(a, b),
            Some(Broken::Held) => {
                sim.repair(a, b);
                sim.hold(a, b);
            }
            Some(Broken::Cut) => sim.partition(a, b),
            Some(Broken::CutFrom(from)) => {
                let to = if from == a { b } else { a };
                sim.release(a, b);
                sim.partition_oneway(from.as_str(), to);
            }
        }
    }
}

fn link(a: &str, b: &str) -> (String, String) {
    let (first, second) = if a < b { (a, b) } else { (b, a) };
    (first.to_owned(), second.to_owned())
}
