//! One run, fully drawn: a scenario and a seed made into servers, latencies, scripts and faults.
//! From here on nothing but the simulated network and the users' back-off draws anything.

mod draw;
mod servers;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cluster::connection::Transport;
use cluster::policy::Policy;
use cluster::topology::{Frontend, Topology};
use loadgen::script::Script;
use loadgen::time_text;
use serde::{Deserialize, Serialize};

use crate::anchor::Anchored;
use crate::fault::{Fault, Planned};
use crate::guarantees::Guarantee;
use crate::kinds::FaultKind;
use crate::report::count;
use crate::scenario::{Expect, Times};
use crate::settings::Settings;
use crate::vandal;
pub use servers::SERVERS_MAX;

/// Everything that one run needs. Written down and read again, it is the same run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The scenario's name.
    pub scenario: String,
    /// How the scenario was asked for on the command line.
    pub given_as: String,
    /// The seed that it was drawn from.
    pub seed: u64,
    /// The servers; the host of each is called by its id.
    #[serde(with = "servers")]
    pub topology: Arc<Topology>,
    /// The hosts of the users.
    pub client_hosts: Vec<String>,
    /// The latency of each link, the hosts in the order of [`Case::hosts`].
    pub latencies: Vec<Latency>,
    /// The users. Each keeps its number if others are taken out.
    pub scripts: Vec<Script>,
    /// The least number of a user that is a probe; all from it on are too.
    pub probes_from: u32,
    /// Clients that send bad bytes until everything is healed.
    pub vandals: u32,
    /// The kinds of trouble that this run has at all.
    pub kinds: BTreeSet<FaultKind>,
    /// What goes wrong, heals included, in order of time.
    pub faults: Vec<Planned>,
    /// What goes wrong when something happens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchored: Vec<Anchored>,
    /// How many of a hundred polls of servers and streams are put off, see [`crate::yields`].
    #[serde(default)]
    pub yield_percent: u32,
    /// When the phases begin.
    pub times: Times,
    /// What servers, users and network are set to.
    pub settings: Settings,
    /// Whether no user may lose its connection.
    pub quiet: bool,
    /// The promises that are not checked.
    pub unchecked: BTreeSet<Guarantee>,
    /// What is to come of it.
    pub expect: Expect,
}

/// How long the way between two hosts takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latency {
    /// One host.
    pub a: String,
    /// The other.
    pub b: String,
    /// One way.
    #[serde(with = "time_text")]
    pub latency: Duration,
}

impl Case {
    /// All hosts, in the order in which they are started.
    pub fn hosts(&self) -> Vec<String> {
        hosts(&self.topology, &self.client_hosts)
    }

    /// What the host of users number `index`, counted from 0, is called.
    pub fn client_host(index: usize) -> String {
        format!("clients-{}", index + 1)
    }

    /// The host that `user` lives on.
    pub fn host_of(&self, user: u32) -> &str {
        &self.client_hosts[user as usize % self.client_hosts.len()]
    }

    /// Whether `user` only comes when the cluster has settled, to prove life.
    pub fn is_probe(&self, user: u32) -> bool {
        user >= self.probes_from
    }

    /// What the bytes of `user` travel in: neighbours differ.
    pub fn transport_of(&self, user: u32) -> Transport {
        if user.is_multiple_of(2) {
            Transport::WebSocket
        } else {
            Transport::Tcp
        }
    }

    /// What its vandals do.
    pub fn attacks(&self) -> BTreeSet<FaultKind> {
        let attacks = vandal::KINDS.into_iter();
        attacks.filter(|kind| self.kinds.contains(kind)).collect()
    }

    /// What ends `fault`: if it is a latency, the usual one.
    ///
    /// # Panics
    ///
    /// If it is the latency of no link of this case.
    pub fn heal(&self, fault: &Fault) -> Option<Fault> {
        match fault {
            Fault::Latency { a, b, .. } => Some(Fault::Latency {
                a: a.clone(),
                b: b.clone(),
                latency: self.latency(a, b),
            }),
            _ => fault.heal(),
        }
    }

    /// Where each server listens.
    pub fn addresses(&self) -> Vec<(String, u16)> {
        let frontends = self.topology.gates.iter().chain(&self.topology.connectors);
        let frontends = frontends.map(|it| (it.id.clone(), it.client_port));
        let chats = self.topology.chats.iter();
        frontends
            .chain(chats.map(|it| (it.id.clone(), it.port)))
            .collect()
    }

    /// The usual latency between two of its hosts, one way.
    ///
    /// # Panics
    ///
    /// If one of them is none of its hosts.
    pub fn latency(&self, a: &str, b: &str) -> Duration {
        latency_of(&self.latencies, a, b)
    }

    /// The same with other servers and hosts of users, by their numbers; faults stay, even on hosts
    /// that are gone.
    #[must_use]
    pub fn with_hosts(&self, connectors: usize, chats: usize, client_hosts: usize) -> Self {
        let mut case = self.clone();
        case.topology = Arc::new(servers::topology(connectors, chats));
        case.client_hosts.truncate(client_hosts);
        let hosts = case.hosts();
        let is_there = |link: &Latency| hosts.contains(&link.a) && hosts.contains(&link.b);
        case.latencies.retain(is_there);
        case
    }

    /// The gate that all users ask.
    pub fn gate(&self) -> &Frontend {
        self.topology
            .gates
            .first()
            .expect("a simulated cluster has a gate")
    }
}

/// The plan: what is printed before a run.
impl fmt::Display for Case {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Topology {
            gates,
            connectors,
            chats,
        } = &*self.topology;
        writeln!(
            out,
            "{} seed {}: {}, {}, {}, {} on {}",
            self.scenario,
            self.seed,
            count(gates.len(), "gate"),
            count(connectors.len(), "connector"),
            count(chats.len(), "chat server"),
            count(self.scripts.len(), "user"),
            count(self.client_hosts.len(), "host"),
        )?;
        if self.settings.policy != Policy::hardened() {
            writeln!(out, "flaws: {}", self.settings.policy)?;
        }
        if let Some(drag) = self.settings.drag {
            writeln!(out, "slower: {drag}")?;
        }
        if self.vandals > 0 {
            writeln!(out, "{}", count(self.vandals as usize, "vandal"))?;
        }
        if self.yield_percent > 0 {
            writeln!(out, "{} % of polls are put off", self.yield_percent)?;
        }
        if self.faults.is_empty() && self.anchored.is_empty() {
            writeln!(out, "no faults")?;
        }
        for anchored in &self.anchored {
            writeln!(out, "{anchored}")?;
        }
        for planned in &self.faults {
            writeln!(out, "{planned}")?;
        }
        Ok(())
    }
}

fn hosts(topology: &Topology, client_hosts: &[String]) -> Vec<String> {
    let frontends = topology.gates.iter().chain(&topology.connectors);
    let servers = frontends
        .map(|frontend| &frontend.id)
        .chain(topology.chats.iter().map(|chat| &chat.id));
    servers.chain(client_hosts).cloned().collect()
}

fn latency_of(latencies: &[Latency], a: &str, b: &str) -> Duration {
    let mut links = latencies.iter();
    let link = links.find(|link| (link.a == a && link.b == b) || (link.a == b && link.b == a));
    link.expect("every pair of hosts has a latency").latency
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    #[test]
    fn a_seed_draws_the_same_case_again_and_another_draws_another() {
        for scenario in scenario::built_in() {
            let draw = |seed| format!("{:?}", Case::draw(&scenario, seed));
            assert_eq!(draw(7), draw(7), "{}", scenario.name);
            assert_ne!(draw(7), draw(8), "{}", scenario.name);
        }
    }

    #[test]
    fn a_case_that_is_written_and_read_is_the_same() -> serde_json::Result<()> {
        for scenario in scenario::built_in() {
            let case = Case::draw(&scenario, 7);
            let again: Case = serde_json::from_str(&serde_json::to_string(&case)?)?;
            assert_eq!(format!("{again:?}"), format!("{case:?}"));
        }
        Ok(())
    }

    #[test]
    fn a_chat_server_that_a_fault_hits_owns_a_room_that_users_are_in() {
        for scenario in scenario::built_in() {
            for seed in 0..100 {
                let case = Case::draw(&scenario, seed);
                let rooms = case.scripts.iter().map(|script| &script.room);
                let owners: BTreeSet<_> = rooms.map(|room| case.topology.chat_of(room)).collect();
                let plan = format!("{:?}", case.faults);
                for (index, chat) in case.topology.chats.iter().enumerate() {
                    let is_hit = plan.contains(&chat.id);
                    let what = format!("{} {seed}: {}", scenario.name, chat.id);
                    assert!(!is_hit || owners.contains(&Some(index)), "{what}");
                }
            }
        }
    }

    #[test]
    fn every_plan_ends_healed() {
        for scenario in scenario::built_in() {
            for seed in 0..100 {
                let case = Case::draw(&scenario, seed);
                let broken = still_broken(&case);
                assert!(broken.is_empty(), "{} {seed}: {broken:?}", scenario.name);
            }
        }
    }

    /// What the plan, replayed until everything is to be healed, leaves broken, down or slow.
    fn still_broken(case: &Case) -> BTreeSet<String> {
        let mut broken = BTreeSet::new();
        let link = |what: &str, a: &str, b: &str| format!("{what} {} {}", a.min(b), a.max(b));
        for planned in &case.faults {
            assert!(planned.at <= case.times.healed_at, "{planned}");
            let (is_broken, what) = match &planned.fault {
                Fault::Crash { host, .. } | Fault::Stop { host } => (true, format!("down {host}")),
                Fault::Restart { host } => (false, format!("down {host}")),
                Fault::Pause { host } => (true, format!("paused {host}")),
                Fault::Resume { host } => (false, format!("paused {host}")),
                Fault::Slow { host, .. } => (true, format!("slow {host}")),
                Fault::Quick { host } => (false, format!("slow {host}")),
                Fault::Throttle { user, .. } => (true, format!("user {user}")),
                Fault::Unthrottle { user } => (false, format!("user {user}")),
                Fault::Reset { .. } => continue,
                Fault::Hold { a, b }
                | Fault::Partition { a, b }
                | Fault::PartitionOneway { from: a, to: b } => (true, link("cut", a, b)),
                Fault::Release { a, b } | Fault::Repair { a, b } => (false, link("cut", a, b)),
                Fault::Latency { a, b, latency } => {
                    let usual = latency_of(&case.latencies, a, b);
                    (*latency != usual, link("slow", a, b))
                }
            };
            if is_broken {
                broken.insert(what);
            } else {
                broken.remove(&what);
            }
        }
        broken
    }

    #[test]
    fn a_plan_without_its_last_heal_is_seen() {
        let scenario = scenario::find("random-mix").expect("it is built in");
        let mut case = Case::draw(&scenario, 3);
        // Those that do not end by themselves are ended by faults of no kind.
        let is_heal = |planned: &Planned| planned.kind().is_none();
        let last = case.faults.iter().rposition(is_heal);
        let last = last.map(|last| case.faults.remove(last));
        assert_eq!(still_broken(&case).len(), 1, "without {last:?}");
    }
}
