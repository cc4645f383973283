//! One server of `servers.json`: its fields, and what each must be.

use super::fields::{Fields, Placed};
use super::json::{Kind, Node};
use super::problem::What;
use super::words::quoted;

/// What a server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ServerType {
    Gate,
    Connector,
    Chat,
}

/// A server as far as it could be read.
pub(super) struct Server {
    pub(super) field: String,
    pub(super) line: usize,
    pub(super) id: Option<Placed<String>>,
    pub(super) host: Option<Placed<String>>,
    pub(super) port: Option<Placed<u16>>,
    pub(super) client_host: Option<Placed<String>>,
    pub(super) client_port: Option<Placed<u16>>,
}

/// A port of one server, or of the first of several, each with the next (`"3050++"`).
#[derive(Clone, Copy)]
struct Port {
    first: u16,
    counts_up: bool,
}

impl Port {
    fn of(self, index: u16) -> u16 {
        self.first + if self.counts_up { index } else { 0 }
    }
}

/// Fields that mean something here.
const FIELDS: [&str; 7] = [
    "id",
    "host",
    "port",
    "clientPort",
    "clientHost",
    "frontend",
    "clusterCount",
];

/// Most servers of one entry with a `clusterCount`.
const CLUSTER_COUNT_MAX: u16 = 1000;

/// Fields by which Pomelo's master starts and watches processes. Here whoever starts the process
/// (a container, systemd) does that, so they are read over.
pub(super) const IGNORED: [&str; 4] = ["args", "cpu", "auto-restart", "restart-force"];

impl ServerType {
    pub(super) const ALL: [Self; 3] = [Self::Gate, Self::Connector, Self::Chat];
    pub(super) const NAMES: [&str; 3] = ["gate", "connector", "chat"];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gate => "gate",
            Self::Connector => "connector",
            Self::Chat => "chat",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn is_frontend(self) -> bool {
        matches!(self, Self::Gate | Self::Connector)
    }
}

/// Reads the entry at `path`: one server, or with a `clusterCount` as many as that. `clustered` counts
/// the servers of this type that come from such entries.
///
/// As Pomelo does, the servers of an entry with a `clusterCount` are called
/// `cluster-server-<type>-<number>`, whatever its id, and numbered over all such entries of a type;
/// a port that ends in `++` is that of the first, and each has the next.
pub(super) fn read(
    mut fields: Fields<'_, '_>,
    path: &str,
    kind: ServerType,
    clustered: &mut usize,
) -> Vec<Server> {
    fields.reject_unknown(&FIELDS, &IGNORED);
    check_frontend(&mut fields, kind);
    let count = cluster_count(&mut fields);
    let server_type = kind.name();
    let id = if count.is_none() {
        let name = format!("\"{server_type}-server-1\"");
        let id = fields.id(&format!("a name such as {name}"));
        let remedy = format!("add \"id\": {name}, unique in the cluster");
        fields.require("id", &id, &remedy);
        id
    } else {
        None
    };
    let host = fields.host("host", "an address such as \"127.0.0.1\"");
    let remedy = "add \"host\": \"127.0.0.1\", where this server runs";
    fields.require("host", &host, remedy);
    let port = port(&mut fields, "port", count.as_ref());
    let (mut client_host, mut client_port) = (None, None);
    if kind.is_frontend() {
        client_host = fields.host("clientHost", "the address that clients connect to");
        client_port = self::port(&mut fields, "clientPort", count.as_ref());
        let remedy = format!("add \"clientPort\": 3050, where clients reach this {server_type}");
        fields.require("clientPort", &client_port, &remedy);
    } else {
        let remedy = "add \"port\": 6050, where connectors reach this server";
        fields.require("port", &port, remedy);
    }
    let first = *clustered;
    *clustered += count.as_ref().map_or(0, |count| count.value.into());
    let one = |index: u16| Server {
        field: path.to_owned(),
        line: fields.line(),
        id: match &count {
            Some(count) => Some(count.with(format!(
                "cluster-server-{server_type}-{}",
                first + usize::from(index)
            ))),
            None => id.clone(),
        },
        host: host.clone(),
        port: port.as_ref().map(|port| port.with(port.value.of(index))),
        client_host: client_host.clone(),
        client_port: client_port
            .as_ref()
            .map(|port| port.with(port.value.of(index))),
    };
    (0..count.as_ref().map_or(1, |count| count.value))
        .map(one)
        .collect()
}

/// What clients need is there on servers that they reach, and nowhere else.
fn check_frontend(fields: &mut Fields<'_, '_>, kind: ServerType) {
    if !kind.is_frontend() {
        for name in ["clientPort", "clientHost"] {
            if let Some(value) = fields.value(name) {
                fields.report(value, name, What::NotABackend);
            }
        }
    }
    let Some(value) = fields.value("frontend") else {
        if kind.is_frontend() {
            let remedy = format!(
                "add \"frontend\": true, as clients connect to a {}",
                kind.name()
            );
            fields.require::<bool>("frontend", &None, &remedy);
        }
        return;
    };
    match (value.raw(), kind.is_frontend()) {
        ("true", true) | ("false", false) => {}
        ("true", false) => fields.report(value, "frontend", What::NotABackend),
        ("false", true) => {
            let server_type = kind.name();
            fields.report(value, "frontend", What::NotAFrontend { server_type });
        }
        (_, is_frontend) => {
            let what = What::wrong_type(&is_frontend.to_string(), Kind::Boolean, value);
            fields.report(value, "frontend", what);
        }
    }
}

/// How many servers the entry stands for; Pomelo writes the number as text.
fn cluster_count(fields: &mut Fields<'_, '_>) -> Option<Placed<u16>> {
    let node = fields.value("clusterCount")?;
    let written = node.text().unwrap_or_else(|| node.raw().to_owned());
    let count = written.parse().ok();
    let count = count.filter(|count| (1..=CLUSTER_COUNT_MAX).contains(count));
    if count.is_none() {
        let value = quoted(&written);
        let max = CLUSTER_COUNT_MAX;
        fields.report(node, "clusterCount", What::NotACount { value, max });
    }
    // A wrong one stands for one server, so that the rest is checked.
    Some(fields.placed(node, "clusterCount", count.unwrap_or(1)))
}

/// A port, which in an entry with a `clusterCount` may count up.
fn port(
    fields: &mut Fields<'_, '_>,
    name: &str,
    count: Option<&Placed<u16>>,
) -> Option<Placed<Port>> {
    let node = fields.value(name)?;
    let Some(first) = first_of_several(node) else {
        let port = fields.port(name)?;
        let (first, counts_up) = (port.value, false);
        return Some(port.with(Port { first, counts_up }));
    };
    let what = match (first.parse::<u16>(), count) {
        (Err(_) | Ok(0), _) => {
            let value = node.excerpt();
            What::NotAPort { value }
        }
        (_, None) => What::CountsUpAlone,
        (Ok(first), Some(count)) if first.checked_add(count.value - 1).is_none() => {
            let count = count.value;
            What::CountsTooFar { first, count }
        }
        (Ok(first), _) => {
            let counts_up = true;
            return Some(fields.placed(node, name, Port { first, counts_up }));
        }
    };
    fields.report(node, name, what);
    None
}

/// The number in a port such as `"3050++"`.
fn first_of_several(node: Node<'_>) -> Option<String> {
    Some(node.text()?.strip_suffix("++")?.to_owned())
}
