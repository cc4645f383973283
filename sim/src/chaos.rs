//! Draws a fault plan from a seed: which incidents, where and when.
//!
//! An incident is a fault and its heal. Two incidents never overlap on one host or on one link,
//! so that the end of one does not cut the other short.

use std::time::Duration;

use cluster::topology::Topology;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::fault::{Fault, Planned, heal_all};
use crate::scenario::{Span, Times};

/// What goes wrong in the runs of a scenario.
#[derive(Clone, Debug)]
pub enum Faults {
    /// These, in every run.
    Listed(Vec<Incident>),
    /// Some of these kinds. Each seed draws which kinds are on at all, then how many incidents
    /// happen.
    Random {
        /// The kinds that can be on.
        kinds: Vec<Incident>,
        /// How many incidents.
        count: Span,
    },
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Faults::Listed(Vec::new())
    }
}

/// One thing that goes wrong for a while.
#[derive(Clone, Copy, Debug)]
pub struct Incident {
    /// What.
    pub kind: Kind,
    /// When, in milliseconds since faults began.
    pub after_ms: Span,
    /// For how long, in milliseconds.
    pub lasts_ms: Span,
}

/// What can go wrong; the host or link is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process dies; its peers are told by the end of their streams.
    Crash(Role),
    /// A machine loses power; its peers are not told.
    PowerCut(Role),
    /// A process stands still.
    Pause(Role),
    /// A link holds everything back, then delivers it.
    Hold(Ends),
    /// A link loses everything.
    Partition(Ends),
    /// A link loses everything in one direction.
    OneWay(Ends),
    /// A link is slow.
    Slow(Ends),
}

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The gate.
    Gate,
    /// A connector.
    Connector,
    /// A chat server.
    Chat,
}

/// What a link connects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// A connector and a chat server.
    Backend,
    /// A host of clients and a connector.
    Client,
}

/// The latency of a link that is slow: some ten times the usual.
const SLOW_MS: Span = Span::of(50..=200);

/// How often a place and time are drawn for a random incident before it is dropped because the
/// run is too full. A handful of incidents over more hosts and links almost never gets there.
const ATTEMPTS_MAX: u32 = 20;

/// The hosts that faults can hit.
pub struct Targets<'a> {
    /// The servers.
    pub topology: &'a Topology,
    /// The hosts of the users.
    pub client_hosts: &'a [String],
    /// The usual latency between two hosts.
    pub latency: &'a dyn Fn(&str, &str) -> Duration,
}

/// Draws the plan of one run; it ends with everything healed.
pub fn draw(
    faults: &Faults,
    targets: &Targets<'_>,
    times: &Times,
    rng: &mut StdRng,
) -> Vec<Planned> {
    let mut schedule = Schedule::default();
    match faults {
        Faults::Listed(incidents) => {
            for incident in incidents {
                schedule.try_add(incident, targets, times, rng);
            }
        }
        Faults::Random { kinds, count } => {
            let kinds = switched_on(kinds, rng);
            for _ in 0..count.draw(rng) {
                let incident = kinds.choose(rng).expect("at least one kind is on");
                (0..ATTEMPTS_MAX).any(|_| schedule.try_add(incident, targets, times, rng));
            }
        }
    }
    let mut plan = schedule.plan;
    heal_all(&mut plan, times.healed_at);
    plan
}

/// Which kinds this seed has at all: a run with two kinds of faults finds what a run with all of
/// them hides.
fn switched_on(kinds: &[Incident], rng: &mut StdRng) -> Vec<Incident> {
    loop {
        let on: Vec<_> = kinds
            .iter()
            .filter(|_| rng.random_bool(0.5))
            .copied()
            .collect();
        if !on.is_empty() {
            return on;
        }
    }
}

#[derive(Default)]
struct Schedule {
    plan: Vec<Planned>,
    taken: Vec<Taken>,
}

/// A place that has an incident, and until when.
struct Taken {
    place: Place,
    from: Duration,
    to: Duration,
}

#[derive(Clone, PartialEq, Eq)]
enum Place {
    Host(String),
    Link(String, String),
}

impl Schedule {
    /// Draws where and when; adds nothing and returns false if that is taken.
    fn try_add(
        &mut self,
        incident: &Incident,
        targets: &Targets<'_>,
        times: &Times,
        rng: &mut StdRng,
    ) -> bool {
        let place = incident.kind.draw_place(targets, rng);
        let from = (times.arrived_at + incident.after_ms.draw_ms(rng)).min(times.healed_at);
        let to = (from + incident.lasts_ms.draw_ms(rng)).min(times.healed_at);
        let fault = incident.kind.fault(&place, rng);
        let is_taken = |taken: &Taken| taken.place == place && from <= taken.to && taken.from <= to;
        if self.taken.iter().any(is_taken) {
            return false;
        }
        let heal = match &fault {
            Fault::Latency { a, b, .. } => Some(Fault::Latency {
                a: a.clone(),
                b: b.clone(),
                latency: (targets.latency)(a, b),
            }),
            fault => fault.heal(),
        };
        self.plan.push(Planned { at: from, fault });
        self.plan
            .extend(heal.map(|fault| Planned { at: to, fault }));
        self.taken.push(Taken { place, from, to });
        true
    }
}

impl Kind {
    fn draw_place(self, targets: &Targets<'_>, rng: &mut StdRng) -> Place {
        let topology = targets.topology;
        let any = |ids: Vec<&String>, rng: &mut StdRng| -> String {
            let id = ids.choose(rng).expect("there is one of each role");
            (*id).clone()
        };
        let gates = || topology.gates.iter().map(|gate| &gate.id).collect();
        let connectors = || {
            topology
                .connectors
                .iter()
                .map(|connector| &connector.id)
                .collect()
        };
        let chats = || topology.chats.iter().map(|chat| &chat.id).collect();
        match self {
            Kind::Crash(role) | Kind::PowerCut(role) | Kind::Pause(role) => {
                Place::Host(match role {
                    Role::Gate => any(gates(), rng),
                    Role::Connector => any(connectors(), rng),
                    Role::Chat => any(chats(), rng),
                })
            }
            Kind::Hold(ends) | Kind::Partition(ends) | Kind::OneWay(ends) | Kind::Slow(ends) => {
                let connector = any(connectors(), rng);
                let other = match ends {
                    Ends::Backend => any(chats(), rng),
                    Ends::Client => any(targets.client_hosts.iter().collect(), rng),
                };
                Place::Link(connector, other)
            }
        }
    }

    fn fault(self, place: &Place, rng: &mut StdRng) -> Fault {
        match (self, place.clone()) {
            (Kind::Crash(_), Place::Host(host)) => Fault::Crash {
                host,
                goodbye: true,
            },
            (Kind::PowerCut(_), Place::Host(host)) => Fault::Crash {
                host,
                goodbye: false,
            },
            (Kind::Pause(_), Place::Host(host)) => Fault::Pause { host },
            (Kind::Hold(_), Place::Link(a, b)) => Fault::Hold { a, b },
            (Kind::Partition(_), Place::Link(a, b)) => Fault::Partition { a, b },
            (Kind::OneWay(_), Place::Link(a, b)) => {
                let (from, to) = if rng.random() { (a, b) } else { (b, a) };
                Fault::PartitionOneway { from, to }
            }
            (Kind::Slow(_), Place::Link(a, b)) => Fault::Latency {
                a,
                b,
                latency: SLOW_MS.draw_ms(rng),
            },
            (_, Place::Host(_) | Place::Link(..)) => {
                unreachable!("draw_place gives hosts to kinds of hosts and links to kinds of links")
            }
        }
    }
}
