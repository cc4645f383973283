//! Servers die, stand still and come back.

use std::time::Duration;

use crate::chaos::Faults;
use crate::incident::{Ends, HostTrouble, Incident, Kind, LinkTrouble, Role};
use crate::scenario::{Scenario, Shape, Span};
use crate::settings::Settings;
use crate::workload::{Habit, Workload};

/// Any time in the first third of the faults.
const EARLY_MS: Span = Span::of(0..=2000);
/// A supervisor starts the process again, well within the lease of 2 s.
const RESTART_MS: Span = Span::of(100..=1500);
/// Longer than the lease, and still before everything is healed.
const LATE_MS: Span = Span::of(2500..=4000);

pub(super) fn scenarios() -> Vec<Scenario> {
    let one = |name, about, kind, lasts_ms| Scenario {
        name: String::from(name),
        about: String::from(about),
        seeds: 8,
        shape: Shape::default(),
        workload: Workload {
            habits: vec![(Habit::Rejoin, 20), (Habit::Switch, 10)],
            ..Workload::default()
        },
        faults: Faults::Listed(vec![Incident {
            kind,
            after_ms: EARLY_MS,
            lasts_ms,
        }]),
        settings: Settings::default(),
        quiet: false,
    };
    vec![
        one(
            "connector-crash",
            "a connector's process dies and is started again",
            Kind::Host(HostTrouble::Crash, Role::Connector),
            RESTART_MS,
        ),
        one(
            "connector-power-cut",
            "a connector's machine loses power and boots again",
            Kind::Host(HostTrouble::PowerCut, Role::Connector),
            RESTART_MS,
        ),
        Scenario {
            quiet: true,
            ..one(
                "chat-crash",
                "a chat server's process dies and is started again within the lease",
                Kind::Host(HostTrouble::Crash, Role::Chat),
                RESTART_MS,
            )
        },
        one(
            "chat-power-cut",
            "a chat server's machine loses power and boots again within the lease",
            Kind::Host(HostTrouble::PowerCut, Role::Chat),
            RESTART_MS,
        ),
        one(
            "chat-restart-late",
            "a chat server is down for longer than the lease: its users are kicked and come back",
            Kind::Host(HostTrouble::Crash, Role::Chat),
            LATE_MS,
        ),
        chat_crash_unheard(),
        chat_crash_cut(),
        rolling(
            "rolling-restart",
            "every connector and chat server dies and is started again, one after the other",
            HostTrouble::Crash,
        ),
        rolling(
            "rolling-stop",
            "every connector and chat server is asked to stop and started again, one by one",
            HostTrouble::Stop,
        ),
        reconnect_storm(),
        paused_connector(),
    ]
}

/// What one connector has not heard dies with the chat server: it must not have been answered with
/// success, and who came and went meanwhile must be told again.
fn chat_crash_unheard() -> Scenario {
    Scenario {
        name: String::from("chat-crash-unheard"),
        about: String::from("a chat server dies and restarts while one of its links is held up"),
        seeds: 8,
        // One chat server, so that it is the one whose link is held up.
        shape: Shape {
            connectors: Span::just(3),
            chats: Span::just(1),
            rooms: Span::just(2),
            ..Shape::default()
        },
        workload: Workload {
            send_every_ms: Span::of(200..=800),
            habits: vec![(Habit::Rejoin, 40), (Habit::Switch, 20)],
            ..Workload::default()
        },
        faults: Faults::Listed(vec![
            Incident {
                kind: Kind::Link(LinkTrouble::Hold, Ends::Backend),
                after_ms: Span::of(0..=500),
                // Within the lease, so that the connector's users stay.
                lasts_ms: Span::of(1000..=1500),
            },
            Incident {
                kind: Kind::Host(HostTrouble::Crash, Role::Chat),
                after_ms: Span::of(600..=1000),
                // Before the link is whole again, or after.
                lasts_ms: Span::of(100..=800),
            },
        ]),
        settings: Settings::default(),
        quiet: true,
    }
}

/// The same over a link that has to be dialled again.
fn chat_crash_cut() -> Scenario {
    Scenario {
        name: String::from("chat-crash-cut"),
        about: String::from("a chat server dies and restarts while one of its links is cut"),
        faults: Faults::Listed(vec![
            Incident {
                kind: Kind::Link(LinkTrouble::Partition, Ends::Backend),
                after_ms: Span::of(0..=300),
                // Until after the restart, and within the lease: the link is taken up again.
                lasts_ms: Span::of(900..=1200),
            },
            Incident {
                kind: Kind::Host(HostTrouble::Crash, Role::Chat),
                after_ms: Span::of(400..=700),
                lasts_ms: Span::of(50..=200),
            },
        ]),
        // A dial that the cut swallows can cost the rest of the lease.
        quiet: false,
        ..chat_crash_unheard()
    }
}

/// Every connector and chat server once, each while the one before is just back.
fn rolling(name: &str, about: &str, trouble: HostTrouble) -> Scenario {
    let restart = |index: u32, role| Incident {
        kind: Kind::Host(trouble, role),
        after_ms: Span::of(index * 900..=index * 900 + 300),
        lasts_ms: Span::of(100..=600),
    };
    let roles = [Role::Connector, Role::Chat].into_iter().cycle().take(6);
    Scenario {
        name: String::from(name),
        about: String::from(about),
        seeds: 6,
        shape: Shape::default(),
        workload: Workload::default(),
        faults: Faults::Listed(
            (0..)
                .zip(roles)
                .map(|(index, role)| restart(index, role))
                .collect(),
        ),
        settings: Settings::default(),
        quiet: false,
    }
}

fn reconnect_storm() -> Scenario {
    Scenario {
        name: String::from("reconnect-storm"),
        about: String::from("a connector dies with half of many users, who all come back at once"),
        seeds: 4,
        shape: Shape {
            connectors: Span::just(2),
            chats: Span::just(2),
            users: Span::just(60),
            rooms: Span::just(6),
            ..Shape::default()
        },
        workload: Workload {
            send_every_ms: Span::of(1000..=4000),
            habits: vec![(Habit::Rejoin, 40)],
            ..Workload::default()
        },
        faults: Faults::Listed(vec![Incident {
            kind: Kind::Host(HostTrouble::Crash, Role::Connector),
            after_ms: EARLY_MS,
            lasts_ms: Span::of(50..=500),
        }]),
        settings: Settings::default(),
        quiet: false,
    }
}

fn paused_connector() -> Scenario {
    Scenario {
        name: String::from("paused-connector"),
        about: String::from(
            "a connector stands still for longer than its clients' heartbeats may be late",
        ),
        seeds: 8,
        shape: Shape {
            // A client that hears others speak knows that its connector lived until it stopped.
            users: Span::just(20),
            rooms: Span::just(2),
            ..Shape::default()
        },
        workload: Workload {
            send_every_ms: Span::of(200..=800),
            ..Workload::default()
        },
        faults: Faults::Listed(vec![Incident {
            kind: Kind::Host(HostTrouble::Pause, Role::Connector),
            after_ms: EARLY_MS,
            // A heartbeat is processed up to 1 s before the stop; so after more than 1 s some
            // are late although they arrived in time. Clients themselves give up after 2 s.
            lasts_ms: Span::of(1100..=1900),
        }]),
        settings: Settings {
            // Links outlast the stop, so that nothing but its heartbeat can cut a client.
            lease: Duration::from_secs(4),
            request_deadline: Duration::from_secs(5),
            ..Settings::default()
        },
        quiet: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::fault::{Fault, Planned};
    use crate::run;

    #[test]
    fn the_members_of_a_connector_that_stops_leave_at_once() {
        let scenario = rolling("rolling-stop", "", HostTrouble::Stop);
        let mut case = Case::draw(&scenario, 1);
        let host = case.topology.connectors[0].id.clone();
        let at = Duration::from_millis(4000);
        let stop = Fault::Stop { host: host.clone() };
        case.faults = vec![Planned { at, fault: stop }];
        crate::fault::heal_all(&mut case.faults, case.times.healed_at);

        let record = run::run(&case, false).record;
        let mut samples = record.samples.iter();
        let before = samples.rfind(|sample| sample.at <= at);
        let gone = &before.expect("a sample before the stop").servers[&host].entered;
        assert!(!gone.is_empty(), "nobody was there to leave");
        // Sooner than anybody comes back, and far sooner than a lease runs out.
        let mut samples = record.samples.iter();
        let after = samples.find(|sample| sample.at >= at + Duration::from_millis(60));
        let after = after.expect("a sample after the stop");
        let rooms = after.servers.values().flat_map(|census| &census.rooms);
        for (room, members) in rooms {
            let left = gone.iter().filter(|(in_room, _)| in_room == room);
            for (_, name) in left {
                assert!(!members.contains(name), "{name} is still in {room}");
            }
        }
    }
}
