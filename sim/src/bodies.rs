//! How bodies are written in a run: JSON, or protobuf by schemas that both sides know.

use std::sync::Arc;

use cluster::dispatch::HANDLERS;
use cluster::options::Options;
use cluster::wire::dictionary::Dictionary;
use cluster::wire::protobuf::{Protos, Schema};
use cluster::wire::vocabulary::Vocabulary;
use serde::{Deserialize, Serialize};

/// Which routes have a number, and which bodies a schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bodies {
    /// As Pomelo's chat example: `onChat` is protobuf, all else JSON.
    #[default]
    ChatExample,
    /// All JSON, routes by name.
    Json,
    /// Every route has a number and every body a schema.
    AllProtobuf,
}

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

impl Bodies {
    /// What connectors tell their clients.
    pub fn vocabulary(self) -> Vocabulary {
        match self {
            Bodies::ChatExample => Options::default().vocabulary,
            Bodies::Json => Vocabulary::default(),
            Bodies::AllProtobuf => all_protobuf(),
        }
    }
}

fn all_protobuf() -> Vocabulary {
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
