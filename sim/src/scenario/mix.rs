//! Everything at once, or rather: each seed draws a cluster, users, habits and kinds of faults.

use crate::chaos::Faults;
use crate::incident::{Ends, HostTrouble, Incident, Kind, LinkTrouble, Role};
use crate::scenario::{Scenario, Shape, Span};
use crate::settings::Settings;
use crate::workload::{Habit, Workload};

/// Faults begin at any time but the last second, so that they last.
const ANY_MS: Span = Span::of(0..=5000);
/// From a blink to twice the lease.
const LASTS_MS: Span = Span::of(50..=4000);

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: String::from("random-mix"),
        about: String::from("cluster, users, habits and faults are all drawn from the seed"),
        seeds: 100,
        shape: Shape {
            connectors: Span::of(1..=3),
            chats: Span::of(1..=3),
            client_hosts: 2,
            users: Span::of(10..=40),
            rooms: Span::of(2..=6),
            latency_ms: Span::of(1..=20),
        },
        workload: Workload {
            private_percent: Span::of(0..=40),
            habits: vec![
                (Habit::Rejoin, 20),
                (Habit::Switch, 20),
                (Habit::Vanish, 10),
                (Habit::VanishEntering, 10),
                (Habit::Hasty, 10),
                (Habit::Deafen, 5),
                (Habit::Eager, 15),
            ],
            swarm: true,
            twins: Span::of(0..=3),
            vandals: Span::of(0..=2),
            ..Workload::default()
        },
        faults: Faults::Random {
            kinds: kinds(),
            count: Span::of(1..=6),
        },
        settings: Settings::default(),
        quiet: false,
    }]
}

fn kinds() -> Vec<Incident> {
    let kinds = [
        Kind::Host(HostTrouble::Crash, Role::Gate),
        Kind::Host(HostTrouble::Crash, Role::Connector),
        Kind::Host(HostTrouble::Crash, Role::Chat),
        Kind::Host(HostTrouble::PowerCut, Role::Connector),
        Kind::Host(HostTrouble::PowerCut, Role::Chat),
        Kind::Host(HostTrouble::Pause, Role::Connector),
        Kind::Host(HostTrouble::Pause, Role::Chat),
        Kind::Link(LinkTrouble::Hold, Ends::Backend),
        Kind::Link(LinkTrouble::Hold, Ends::Client),
        Kind::Link(LinkTrouble::Partition, Ends::Backend),
        Kind::Link(LinkTrouble::Partition, Ends::Client),
        Kind::Link(LinkTrouble::OneWay, Ends::Backend),
        Kind::Link(LinkTrouble::OneWay, Ends::Client),
        Kind::Link(LinkTrouble::Slow, Ends::Backend),
        Kind::Link(LinkTrouble::Slow, Ends::Client),
        Kind::Host(HostTrouble::Stutter, Role::Connector),
        Kind::Host(HostTrouble::Stutter, Role::Chat),
        Kind::Link(LinkTrouble::Jitter, Ends::Backend),
        Kind::Link(LinkTrouble::Jitter, Ends::Client),
        Kind::Link(LinkTrouble::Flap, Ends::Backend),
    ];
    kinds
        .map(|kind| Incident {
            kind,
            after_ms: ANY_MS,
            lasts_ms: LASTS_MS,
        })
        .to_vec()
}
