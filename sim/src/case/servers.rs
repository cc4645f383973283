//! The servers of a case, which are known by their numbers: all else about them follows.

use std::sync::Arc;

use cluster::topology::{Backend, Frontend, Topology};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Most servers of a kind: one host each, and more take a simulation for ever.
pub const SERVERS_MAX: usize = 100;
/// Where clients reach a server; each host has one server, so all ports can be the same.
const CLIENT_PORT: u16 = 3014;
/// Where connectors reach a chat server.
const LINK_PORT: u16 = 6050;

/// One gate, and that many connectors and chat servers.
pub fn topology(connectors: usize, chats: usize) -> Topology {
    let frontend = |id: String| Frontend {
        client_host: id.clone(),
        client_port: CLIENT_PORT,
        id,
    };
    let backend = |id: String| Backend {
        host: id.clone(),
        port: LINK_PORT,
        id,
    };
    let numbered = |role: &'static str, count| {
        (1..=count).map(move |number| format!("{role}-server-{number}"))
    };
    Topology {
        gates: numbered("gate", 1).map(frontend).collect(),
        connectors: numbered("connector", connectors).map(frontend).collect(),
        chats: numbered("chat", chats).map(backend).collect(),
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Servers {
    connectors: usize,
    chats: usize,
}

/// Writes their numbers.
pub fn serialize<S: Serializer>(
    topology: &Arc<Topology>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let servers = Servers {
        connectors: topology.connectors.len(),
        chats: topology.chats.len(),
    };
    servers.serialize(serializer)
}

/// Reads their numbers.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<Topology>, D::Error> {
    let Servers { connectors, chats } = Servers::deserialize(deserializer)?;
    if connectors.max(chats) > SERVERS_MAX {
        let what = format!("there can be at most {SERVERS_MAX} servers of a kind");
        return Err(D::Error::custom(what));
    }
    Ok(Arc::new(topology(connectors, chats)))
}
