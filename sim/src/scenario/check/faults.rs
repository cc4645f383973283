//! What must hold of the faults of a scenario: that each can happen, and when and where.

use std::time::Duration;

use cluster::config::nearest;

use super::Findings;
use crate::case::SERVERS_MAX;
use crate::fault::Fault;
use crate::scenario::{Cluster, Scenario, Span};
use crate::workload::{USER, Users};

/// Finer proportions of kinds of trouble than these make no difference.
const WEIGHT_MAX: u32 = 1000;
/// Most incidents that are drawn: more than there is room for.
const INCIDENTS_MAX: u32 = 1000;

impl Findings<'_> {
    pub(super) fn check_faults(&mut self, scenario: &Scenario) {
        self.check_exact_faults(scenario);
        let work = scenario.phases.work;
        for (index, incident) in scenario.faults.iter().enumerate() {
            self.check_after(&format!("fault.{index}.after"), incident.after_ms, work);
        }
        let Some(random) = &scenario.random_faults else {
            return;
        };
        self.check_after("random-faults.after", random.after_ms, work);
        self.at_most("random-faults.count", random.count, INCIDENTS_MAX);
        let aimed = Span::just(random.aimed_percent);
        self.at_most("random-faults.aimed-percent", aimed, 100);
        if random.kinds.is_empty() {
            self.add("random-faults.kinds", "there must be one");
        }
        for (index, kind) in random.kinds.iter().enumerate() {
            let path = format!("random-faults.kinds.{index}.weight");
            let weight = Span::just(kind.weight);
            self.at_least(&path, weight, 1);
            self.at_most(&path, weight, WEIGHT_MAX);
        }
    }

    /// Those that name their place, which must be there whatever a seed draws.
    fn check_exact_faults(&mut self, scenario: &Scenario) {
        let healed_at = scenario.phases.times(&scenario.settings).healed_at;
        let hosts = Hosts::of(scenario);
        for (index, planned) in scenario.planned.iter().enumerate() {
            let path = format!("planned.{index}");
            if planned.at >= healed_at {
                let what = format!("everything is healed at {healed_at:?} (phases)");
                self.add(&format!("{path}.at"), &what);
            }
            self.check_place(&path, &planned.fault, &hosts);
        }
        for (index, anchored) in scenario.anchored.iter().enumerate() {
            let path = format!("anchored.{index}");
            if anchored.when.nth == 0 {
                self.add(&format!("{path}.when.nth"), "it is counted from 1");
            }
            let connector = anchored.when.connector.as_deref();
            if let Some(wrong) = connector.and_then(|id| hosts.wrong(id)) {
                self.add(&format!("{path}.when.connector"), &wrong);
            }
            let user = anchored.when.user.as_deref();
            if let Some(wrong) = user.and_then(|name| wrong_user(name, &scenario.users)) {
                self.add(&format!("{path}.when.user"), &wrong);
            }
            self.check_place(&path, &anchored.fault, &hosts);
        }
    }

    fn check_place(&mut self, path: &str, fault: &Fault, hosts: &Hosts) {
        for host in fault.hosts() {
            if let Some(wrong) = hosts.wrong(host) {
                self.add(&format!("{path}.fault"), &wrong);
            }
        }
        match (fault.senseless(), &fault.hosts()[..]) {
            (Some(what), _) => self.add(&format!("{path}.fault"), what),
            (None, [a, b]) if !are_linked(a, b) => {
                let what = format!(
                    "{a} and {b} have no connection: connectors have some with chat servers and \
                     clients, and the gate with clients"
                );
                self.add(&format!("{path}.fault"), &what);
            }
            (None, _) => {}
        }
        let is_of_a_client = fault.hosts().len() == 1 && fault.hosts()[0].starts_with(CLIENTS);
        if is_of_a_client {
            let what = "this happens to servers, and clients have habits";
            self.add(&format!("{path}.fault"), what);
        }
        let users = hosts.users;
        if fault.user().is_some_and(|user| user >= users) {
            let what = format!("users are counted from 0, and there are {users} at least");
            self.add(&format!("{path}.fault.user"), &what);
        }
    }

    fn check_after(&mut self, path: &str, after_ms: Span, work: Duration) {
        if Duration::from_millis(after_ms.max.into()) >= work {
            let what = format!("everything is healed {work:?} after faults begin (phases.work)");
            self.add(path, &what);
        }
    }
}

/// The hosts are called so, and numbered from 1.
const GATE: &str = "gate-server-";
const CONNECTORS: &str = "connector-server-";
const CHATS: &str = "chat-server-";
const CLIENTS: &str = "clients-";

/// Whether anything is ever sent between two hosts. Names of hosts that there are not are told
/// elsewhere.
fn are_linked(a: &str, b: &str) -> bool {
    let is_between = |one: &str, other: &str| {
        a.starts_with(one) && b.starts_with(other) || a.starts_with(other) && b.starts_with(one)
    };
    let all = [GATE, CONNECTORS, CHATS, CLIENTS];
    let is_known = |host: &str| all.iter().any(|name| host.starts_with(name));
    !is_known(a)
        || !is_known(b)
        || is_between(CONNECTORS, CHATS)
        || is_between(CONNECTORS, CLIENTS)
        || is_between(GATE, CLIENTS)
}

/// What is wrong with waiting for what happens to a user called `name`, if anything.
fn wrong_user(name: &str, users: &Users) -> Option<String> {
    let number = name.strip_prefix(USER).unwrap_or_default();
    // One of two look-alikes has more behind its number.
    let (number, _) = number.split_once('*').unwrap_or((number, ""));
    let pairs = users.twins.max.saturating_add(users.look_alikes.max);
    let end = match pairs {
        0 => users.count.min,
        // Their numbers are behind those of all others.
        _ => users.count.max.saturating_add(pairs.saturating_mul(2)),
    };
    let is_number = |parsed: &u32| parsed.to_string() == number && *parsed < end;
    let is_there = number.parse().is_ok_and(|number| is_number(&number));
    (!is_there).then(|| {
        let last = end.saturating_sub(1);
        format!("not every run has a user called `{name}`; they are called {USER}0 to {USER}{last}")
    })
}

/// What there is at least in each run.
struct Hosts {
    names: Vec<String>,
    users: u32,
}

impl Hosts {
    fn of(scenario: &Scenario) -> Self {
        // Of too many, which is told elsewhere, the names would fill the memory.
        let most = u32::try_from(SERVERS_MAX).unwrap_or(u32::MAX);
        let numbered = |name: &'static str, count: u32| {
            (1..=count.min(most)).map(move |number| format!("{name}{number}"))
        };
        let Cluster {
            connectors, chats, ..
        } = scenario.cluster;
        let names = numbered(GATE, 1)
            .chain(numbered(CONNECTORS, connectors.min))
            .chain(numbered(CHATS, chats.min))
            .chain(numbered(CLIENTS, scenario.users.hosts));
        Self {
            names: names.collect(),
            users: scenario.users.count.min,
        }
    }

    /// What is wrong with a host that is called `name`, if anything.
    fn wrong(&self, name: &str) -> Option<String> {
        if self.names.iter().any(|known| known == name) {
            return None;
        }
        let known: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("there are {}", self.names.join(", ")),
        };
        Some(format!("not every run has a host called `{name}`; {hint}"))
    }
}
