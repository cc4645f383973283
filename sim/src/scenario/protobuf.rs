//! Every route has a number and every body a schema, which the chat example has for one alone.

use crate::bodies::Bodies;
use crate::chaos::Faults;
use crate::incident::{Ends, HostTrouble, Incident, Kind, LinkTrouble, Role};
use crate::scenario::{Scenario, Shape, Span};
use crate::settings::Settings;
use crate::workload::{Habit, Workload};

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: String::from("all-protobuf"),
        about: String::from(
            "every body is protobuf, while a link is held up and a chat server restarts",
        ),
        seeds: 8,
        shape: Shape::default(),
        workload: Workload {
            habits: vec![(Habit::Rejoin, 30), (Habit::Switch, 20)],
            twins: Span::just(2),
            vandals: Span::just(2),
            ..Workload::default()
        },
        faults: Faults::Listed(vec![
            Incident {
                kind: Kind::Link(LinkTrouble::Hold, Ends::Backend),
                after_ms: Span::of(0..=2000),
                lasts_ms: Span::of(200..=1500),
            },
            Incident {
                kind: Kind::Host(HostTrouble::Crash, Role::Chat),
                after_ms: Span::of(2000..=3000),
                lasts_ms: Span::of(100..=1500),
            },
        ]),
        settings: Settings {
            bodies: Bodies::AllProtobuf,
            ..Settings::default()
        },
        quiet: false,
    }]
}
