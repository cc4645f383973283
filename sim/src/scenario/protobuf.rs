//! Every route has a number and every body a schema, which the chat example has for one alone.

use std::sync::Arc;

use cluster::dispatch::HANDLERS;
use cluster::options::Options;
use cluster::wire::dictionary::Dictionary;
use cluster::wire::protobuf::{Protos, Schema};
use cluster::wire::vocabulary::Vocabulary;

use crate::chaos::Faults;
use crate::incident::{Ends, HostTrouble, Incident, Kind, LinkTrouble, Role};
use crate::scenario::{Scenario, Settings, Shape, Span};
use crate::workload::{Habit, Workload};

const SERVER_PROTOS: &str = r#"{
    "onChat": {"required string msg": 1, "required string from": 2, "required string target": 3},
    "onAdd": {"required string route": 1, "required string user": 2},
    "onLeave": {"required string route": 1, "required string user": 2},
    "gate.gateHandler.queryEntry":
        {"required uInt32 code": 1, "optional string host": 2, "optional uInt32 port": 3},
    "connector.entryHandler.enter":
        {"optional uInt32 code": 1, "optional float error": 2, "repeated string users": 3},
    "chat.chatHandler.send": {"optional uInt32 code": 1}
}"#;

const CLIENT_PROTOS: &str = r#"{
    "gate.gateHandler.queryEntry": {"required string uid": 1},
    "connector.entryHandler.enter": {"required string username": 1, "required string rid": 2},
    "chat.chatHandler.send": {"required string content": 1, "required string target": 2}
}"#;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![Scenario {
        name: "all-protobuf",
        about: "every body is protobuf, while a link is held up and a chat server restarts",
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
            options: Options {
                vocabulary: vocabulary(),
                ..Settings::default().options
            },
            ..Settings::default()
        },
        quiet: false,
    }]
}

fn vocabulary() -> Vocabulary {
    let schema = |text| {
        let (schema, problems) = Schema::from_text(text).expect("it is an object");
        assert_eq!(problems, [], "the schemas above are sound");
        schema
    };
    let pushes = ["onChat", "onAdd", "onLeave"].map(String::from);
    let dictionary = Dictionary::new(&HANDLERS, &pushes).expect("six routes fit");
    Vocabulary {
        dictionary: Some(Arc::new(dictionary)),
        protos: Some(Arc::new(Protos::new(
            schema(SERVER_PROTOS),
            schema(CLIENT_PROTOS),
        ))),
    }
}
