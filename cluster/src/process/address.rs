//! Where the servers of a topology are reached.

use std::fmt;

use crate::topology::Topology;

/// Where one server is reached. Displayed as `connector-server-1 clients 127.0.0.1:3050`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The server.
    pub id: String,
    /// What it is for.
    pub role: Role,
    /// The host of the configuration.
    pub host: String,
    /// The bound port.
    pub port: u16,
}

/// What a server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Clients ask it for their connector.
    Gate,
    /// Clients chat through it.
    Connector,
    /// Connectors reach their rooms on it.
    Chat,
}

impl Address {
    /// The field of `servers.json` that holds the port.
    pub fn port_field(&self) -> &'static str {
        match self.role {
            Role::Gate | Role::Connector => "clientPort",
            Role::Chat => "port",
        }
    }

    /// Writes the port that was bound into `topology`.
    pub(super) fn write_port(&self, topology: &mut Topology) {
        let Topology {
            gates,
            connectors,
            chats,
        } = topology;
        for server in gates.iter_mut().chain(connectors) {
            if server.id == self.id {
                server.client_port = self.port;
            }
        }
        for server in chats {
            if server.id == self.id {
                server.port = self.port;
            }
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            id,
            role,
            host,
            port,
        } = self;
        let peers = match role {
            Role::Gate | Role::Connector => "clients",
            Role::Chat => "servers",
        };
        if host.contains(':') {
            write!(f, "{id} {peers} [{host}]:{port}")
        } else {
            write!(f, "{id} {peers} {host}:{port}")
        }
    }
}

/// Every server of `topology`: gates, connectors, chats.
pub fn addresses(topology: &Topology) -> Vec<Address> {
    let frontends = [
        (Role::Gate, &topology.gates),
        (Role::Connector, &topology.connectors),
    ];
    let frontends = frontends.into_iter().flat_map(|(role, servers)| {
        servers.iter().map(move |server| Address {
            id: server.id.clone(),
            role,
            host: server.client_host.clone(),
            port: server.client_port,
        })
    });
    let chats = topology.chats.iter().map(|server| Address {
        id: server.id.clone(),
        role: Role::Chat,
        host: server.host.clone(),
        port: server.port,
    });
    frontends.chain(chats).collect()
}
