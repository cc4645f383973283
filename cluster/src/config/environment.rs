//! One environment: its lists of servers, and what must hold between servers.

use std::collections::BTreeMap;

use super::Config;
use super::json::{Kind, Node, Source, joined};
use super::problem::{Problem, What, nearest, quoted, shown};
use super::server::{self, Server, ServerType};
use crate::topology::{Backend, Frontend, Topology};

/// Reads the environment `name`; `None` if it is not an object. Where problems are added, the
/// result is incomplete.
pub(super) fn read(
    source: &Source<'_>,
    name: &str,
    node: Node<'_>,
    problems: &mut Vec<Problem>,
) -> Option<Config> {
    let path = shown(name);
    let line = source.line(node);
    if node.kind() != Kind::Object {
        let what = What::wrong_type("the lists gate, connector and chat", Kind::Object, node);
        problems.push(Problem {
            line,
            field: path,
            what,
        });
        return None;
    }
    let mut servers: BTreeMap<ServerType, Vec<Server>> = BTreeMap::new();
    let mut warnings = Vec::new();
    for (key, member) in source.object(&path, node, problems).in_order() {
        let field = joined(&path, &shown(key));
        match ServerType::from_name(key) {
            Some(kind) => {
                let list = list(source, &field, kind, member.value, problems, &mut warnings);
                servers.insert(kind, list);
            }
            None => problems.push(Problem {
                line: source.line(member.key),
                field,
                what: What::UnknownServerType {
                    nearest: nearest(key, &ServerType::NAMES),
                },
            }),
        }
    }
    for kind in ServerType::ALL {
        if !servers.contains_key(&kind) {
            problems.push(missing(line, &path, kind));
        }
    }
    unique_ids(&servers, problems);
    unique_ports(&servers, problems);
    Some(Config {
        topology: topology(servers),
        warnings,
    })
}

/// The servers of one type.
fn list(
    source: &Source<'_>,
    field: &str,
    kind: ServerType,
    node: Node<'_>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Vec<Server> {
    let line = source.line(node);
    let Some(items) = node.items() else {
        let what = What::wrong_type("a list of servers in [ ]", Kind::Array, node);
        let field = field.to_owned();
        problems.push(Problem { line, field, what });
        return Vec::new();
    };
    if items.is_empty() {
        let what = What::MissingServerType {
            server_type: kind.name(),
        };
        let field = field.to_owned();
        problems.push(Problem { line, field, what });
    }
    let (mut servers, mut clustered) = (Vec::new(), 0);
    for (index, item) in items.into_iter().enumerate() {
        let field = format!("{field}[{index}]");
        let clustered = &mut clustered;
        servers.extend(server::read(
            source, &field, kind, item, clustered, problems, warnings,
        ));
    }
    servers
}

fn missing(line: usize, path: &str, kind: ServerType) -> Problem {
    Problem {
        line,
        field: joined(path, kind.name()),
        what: What::MissingServerType {
            server_type: kind.name(),
        },
    }
}

fn unique_ids(servers: &BTreeMap<ServerType, Vec<Server>>, problems: &mut Vec<Problem>) {
    let mut seen: BTreeMap<&str, &Server> = BTreeMap::new();
    for server in servers.values().flatten() {
        let Some(id) = &server.id else { continue };
        match seen.get(id.value.as_str()) {
            Some(first) => problems.push(Problem {
                line: id.line,
                field: id.field.clone(),
                what: What::DuplicateId {
                    id: quoted(&id.value),
                    first: first.field.clone(),
                    first_line: first.id.as_ref().map_or(first.line, |id| id.line),
                },
            }),
            None => {
                seen.insert(&id.value, server);
            }
        }
    }
}

/// Ports for clients and ports for servers together: both are bound on the same host.
fn unique_ports(servers: &BTreeMap<ServerType, Vec<Server>>, problems: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for server in servers.values().flatten() {
        let Some(host) = &server.host else { continue };
        for port in server.port.iter().chain(&server.client_port) {
            let key = (same_host(&host.value), port.value);
            match seen.get(&key) {
                None => {
                    seen.insert(key, port);
                }
                Some(first) => problems.push(Problem {
                    line: port.line,
                    field: port.field.clone(),
                    what: What::DuplicatePort {
                        port: port.value,
                        host: host.value.clone(),
                        first: first.field.clone(),
                        first_line: first.line,
                    },
                }),
            }
        }
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
