//! Draws a case: a scenario and a seed made into servers, latencies, scripts and faults.

use std::collections::BTreeSet;
use std::sync::Arc;

use cluster::topology::Topology;

use super::servers::topology;
use super::{Case, Latency, hosts, latency_of};
use crate::chaos::{self, Targets};
use crate::kinds::FaultKind;
use crate::scenario::{Scenario, Span};
use crate::seeds::Seeds;
use crate::settings::Settings;
use crate::workload::{self, Sizes};
use crate::{swarm, vandal};

impl Case {
    /// Draws the run number `seed` of `scenario`.
    pub fn draw(scenario: &Scenario, seed: u64) -> Self {
        let seeds = Seeds::new(seed);
        let Shape {
            topology,
            sizes,
            vandals,
            kinds,
            yield_percent,
            latencies_ms,
            settings,
        } = Shape::draw(scenario, seeds);
        let hosts = scenario.users.hosts as usize;
        let client_hosts: Vec<_> = (0..hosts).map(Self::client_host).collect();
        let latencies = draw_latencies(&topology, &client_hosts, latencies_ms, seeds);
        let times = scenario.phases.times(&settings);
        let owners = owners(&topology, sizes.rooms);
        let targets = Targets {
            topology: &topology,
            owners: &owners,
            client_hosts: &client_hosts,
            users: sizes.users,
            latency: &|a, b| latency_of(&latencies, a, b),
        };
        let faults = chaos::draw(
            &scenario.planned,
            &scenario.faults,
            scenario.random_faults.as_ref(),
            &kinds,
            &targets,
            &times,
            &mut seeds.faults(),
        );
        let (users, reconnect) = (&scenario.users, settings.reconnect());
        let cast = workload::draw(users, &kinds, sizes, &topology, &times, reconnect, seeds);
        Self {
            scenario: scenario.name.clone(),
            given_as: scenario.given_as.clone(),
            seed,
            topology: Arc::new(topology),
            client_hosts,
            latencies,
            scripts: cast.scripts,
            probes_from: cast.probes_from,
            vandals,
            kinds,
            faults,
            anchored: scenario.anchored.clone(),
            yield_percent,
            times,
            settings,
            quiet: scenario.quiet,
            unchecked: scenario.guarantees.left_out(),
            expect: scenario.expect.clone(),
        }
    }
}

/// What there is in a run, and how much of it.
struct Shape {
    topology: Topology,
    sizes: Sizes,
    vandals: u32,
    kinds: BTreeSet<FaultKind>,
    yield_percent: u32,
    /// Between servers, and between servers and users.
    latencies_ms: [Span; 2],
    settings: Settings,
}

impl Shape {
    fn draw(scenario: &Scenario, seeds: Seeds) -> Self {
        let Scenario { cluster, users, .. } = scenario;
        let rng = &mut seeds.shape();
        let (connectors, chats) = (cluster.connectors.draw(rng), cluster.chats.draw(rng));
        let mut shape = Self {
            topology: topology(connectors as usize, chats as usize),
            sizes: Sizes {
                users: users.count.draw(rng),
                rooms: users.rooms.draw(rng),
                twins: users.twins.draw(rng),
                look_alikes: 0,
            },
            vandals: users.vandals.draw(rng),
            kinds: BTreeSet::new(),
            yield_percent: 0,
            latencies_ms: [false, true].map(|to_users| scenario.network.latency_ms(to_users)),
            settings: scenario.settings.clone(),
        };
        shape.sizes.look_alikes = users.look_alikes.draw(rng);
        let rng = &mut seeds.swarm();
        shape.kinds = swarm::draw(scenario, rng);
        shape.yield_percent = cluster.yield_percent.draw(rng);
        if users.swarm {
            let (kinds, sizes) = (&shape.kinds, &mut shape.sizes);
            shape.yield_percent = swarm::some_or_none(shape.yield_percent, rng);
            sizes.twins = at_least_one(sizes.twins, kinds.contains(&FaultKind::DuplicateLogin));
            let attacks = vandal::KINDS.iter().any(|it| kinds.contains(it));
            shape.vandals = at_least_one(shape.vandals, attacks);
            shape.latencies_ms = shape.latencies_ms.map(|span| swarm::part_of(span, rng));
        }
        let variations = swarm::some_of(0..scenario.variations.len(), swarm::USUAL_PERCENT, rng);
        shape.settings = scenario.varied_settings(&variations);
        swarm::turn_one_on(scenario, &mut shape.kinds, rng);
        shape
    }
}

/// As drawn, but some if there are to be any at all, and none else.
fn at_least_one(drawn: u32, is_on: bool) -> u32 {
    if is_on { drawn.max(1) } else { 0 }
}

fn draw_latencies(
    topology: &Topology,
    client_hosts: &[String],
    latencies_ms: [Span; 2],
    seeds: Seeds,
) -> Vec<Latency> {
    let mut latencies = Vec::new();
    let rng = &mut seeds.latencies();
    let hosts = hosts(topology, client_hosts);
    for (index, a) in hosts.iter().enumerate() {
        for b in &hosts[index + 1..] {
            let is_clients = |host| client_hosts.contains(host);
            let span = latencies_ms[usize::from(is_clients(a) || is_clients(b))];
            latencies.push(Latency {
                a: a.clone(),
                b: b.clone(),
                latency: span.draw_ms(rng),
            });
        }
    }
    latencies
}

/// The chat servers that own one of the rooms.
fn owners(topology: &Topology, rooms: u32) -> Vec<String> {
    let rooms = workload::room_names(rooms, topology);
    let owned: BTreeSet<_> = rooms
        .iter()
        .filter_map(|room| topology.chat_of(room))
        .collect();
    let owners = owned.iter().map(|chat| topology.chats[*chat].id.clone());
    owners.collect()
}
