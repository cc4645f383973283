//! The lists of servers of one environment, and what must hold between servers.

use std::collections::BTreeMap;

use super::environment::Contents;
use super::fields::{Fields, Placed, or_the_file};
use super::findings::Findings;
use super::json::{Kind, Node, Source, joined};
use super::problem::What;
use super::server::{self, Server, ServerType};
use super::words::{nearest, quoted, shown};
use crate::topology::{Backend, Frontend, Topology};

/// Most servers of one type: more than a chat server takes connections of connectors.
const SERVERS_MAX: usize = 10_000;

/// What stands in a `servers.json`.
pub(super) const CONTENTS: Contents = Contents {
    members: &ServerType::NAMES,
    remedy: "environments such as \"development\"",
};

/// The servers of one environment.
pub(super) struct Servers {
    pub(super) topology: Topology,
    pub(super) ports: Ports,
}

/// The ports of all servers. Ports for clients and ports for servers together: both are bound on
/// the same host.
#[derive(Default)]
pub(super) struct Ports(BTreeMap<(String, u16), Placed<u16>>);

/// Reads the lists at `path`; `None` if there are none. Where problems are found, the result is
/// incomplete.
pub(super) fn read(
    source: &Source<'_>,
    path: &str,
    node: Node<'_>,
    findings: &mut Findings,
) -> Option<Servers> {
    let line = source.line(node);
    if node.kind() != Kind::Object {
        let what = What::wrong_type("the lists gate, connector and chat", Kind::Object, node);
        findings.problem(line, or_the_file(path), what);
        return None;
    }
    let mut servers: BTreeMap<ServerType, Vec<Server>> = BTreeMap::new();
    for (key, member) in source.object(path, node, findings).in_order() {
        let field = joined(path, &shown(key));
        match ServerType::from_name(key) {
            Some(kind) => {
                let list = list(source, &field, kind, member.value, findings);
                servers.insert(kind, list);
            }
            None => {
                let nearest = nearest(key, &ServerType::NAMES);
                let what = What::UnknownServerType { nearest };
                findings.problem(source.line(member.key), field, what);
            }
        }
    }
    for kind in ServerType::ALL {
        if !servers.contains_key(&kind) {
            findings.problem(line, joined(path, kind.name()), missing(kind));
        }
    }
    unique_ids(&servers, findings);
    let ports = unique_ports(&servers, findings);
    Some(Servers {
        topology: topology(servers),
        ports,
    })
}

/// The servers of one type.
fn list(
    source: &Source<'_>,
    field: &str,
    kind: ServerType,
    node: Node<'_>,
    findings: &mut Findings,
) -> Vec<Server> {
    let line = source.line(node);
    let Some(items) = node.items() else {
        let what = What::wrong_type("a list of servers in [ ]", Kind::Array, node);
        findings.problem(line, field, what);
        return Vec::new();
    };
    if items.is_empty() {
        findings.problem(line, field, missing(kind));
    }
    let (mut servers, mut clustered) = (Vec::new(), 0);
    for (index, item) in items.into_iter().enumerate() {
        let field = format!("{field}[{index}]");
        let remedy = "the fields of a server in { }";
        if let Some(fields) = Fields::open(source, &field, item, remedy, findings) {
            servers.extend(server::read(fields, &field, kind, &mut clustered));
        }
        // An entry with a clusterCount is many.
        if servers.len() > SERVERS_MAX {
            let what = What::TooManyServers { max: SERVERS_MAX };
            findings.problem(source.line(item), field, what);
            break;
        }
    }
    servers
}

fn missing(kind: ServerType) -> What {
    What::MissingServerType {
        server_type: kind.name(),
    }
}

fn unique_ids(servers: &BTreeMap<ServerType, Vec<Server>>, findings: &mut Findings) {
    let mut seen: BTreeMap<&str, &Server> = BTreeMap::new();
    for server in servers.values().flatten() {
        let Some(id) = &server.id else { continue };
        match seen.get(id.value.as_str()) {
            Some(first) => {
                let what = What::DuplicateId {
                    id: quoted(&id.value),
                    first: first.field.clone(),
                    first_line: first.id.as_ref().map_or(first.line, |id| id.line),
                };
                findings.problem(id.line, &id.field, what);
            }
            None => {
                seen.insert(&id.value, server);
            }
        }
    }
}

fn unique_ports(servers: &BTreeMap<ServerType, Vec<Server>>, findings: &mut Findings) -> Ports {
    let mut ports = Ports::default();
    for server in servers.values().flatten() {
        let Some(host) = &server.host else { continue };
        for port in server.port.iter().chain(&server.client_port) {
            match ports.owner(&host.value, port.value) {
                None => {
                    let key = (same_host(&host.value), port.value);
                    ports.0.insert(key, port.clone());
                }
                Some(first) => {
                    let what = What::DuplicatePort {
                        port: port.value,
                        host: host.value.clone(),
                        first: first.field.clone(),
                        first_line: first.line,
                    };
                    findings.problem(port.line, &port.field, what);
                }
            }
        }
    }
    ports
}

impl Ports {
    /// The field that has `port` of `host` already.
    pub(super) fn owner(&self, host: &str, port: u16) -> Option<&Placed<u16>> {
        self.0.get(&(same_host(host), port))
    }
}

/// One name for each host that is known to have two.
fn same_host(host: &str) -> String {
    let host = host.to_ascii_lowercase();
    if host == "localhost" {
        String::from("127.0.0.1")
    } else {
        host
    }
}

fn topology(mut servers: BTreeMap<ServerType, Vec<Server>>) -> Topology {
    let mut take = |kind| servers.remove(&kind).unwrap_or_default().into_iter();
    Topology {
        gates: take(ServerType::Gate).filter_map(frontend).collect(),
        connectors: take(ServerType::Connector).filter_map(frontend).collect(),
        chats: take(ServerType::Chat).filter_map(backend).collect(),
    }
}

fn frontend(server: Server) -> Option<Frontend> {
    Some(Frontend {
        id: server.id?.value,
        client_host: server.client_host.or(server.host)?.value,
        client_port: server.client_port?.value,
    })
}

fn backend(server: Server) -> Option<Backend> {
    Some(Backend {
        id: server.id?.value,
        host: server.host?.value,
        port: server.port?.value,
    })
}
