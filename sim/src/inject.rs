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

use std::collections::{BTreeMap, BTreeSet};

use crate::fault::Fault;
use crate::process::Process;

/// The hosts of one simulation and what is wrong with them now.
pub struct Injector {
    processes: BTreeMap<String, Process>,
    hosts: Vec<String>,
    links: BTreeMap<(String, String), Broken>,
    without_power: BTreeSet<String>,
}

/// How a link is broken.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Broken {
    Held,
    Cut,
    CutFrom(String),
}

impl Injector {
    /// `hosts` are all hosts of the simulation, `processes` those that can be paused.
    pub fn new(hosts: Vec<String>, processes: BTreeMap<String, Process>) -> Self {
        Self {
            processes,
            hosts,
            links: BTreeMap::new(),
            without_power: BTreeSet::new(),
        }
    }

    /// Does `fault` to `sim`.
    ///
    /// # Panics
    ///
    /// If a host is not one of the simulation's, or a client host is to be crashed, stopped or
    /// paused.
    pub fn apply(&mut self, sim: &mut turmoil::Sim<'_>, fault: &Fault) {
        match fault {
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
        self.processes
            .get(host)
            .unwrap_or_else(|| panic!("{host} is no server of this simulation"))
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
