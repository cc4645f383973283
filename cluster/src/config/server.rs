//! One server of `servers.json`: its fields, and what each must be.

use super::json::{Kind, Member, Members, Node, Source, joined};
use super::problem::{Problem, What, nearest, quoted, shown};
use crate::limits::SERVER_ID_LEN_MAX;

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

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) field: String,
    pub(super) line: usize,
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
const IGNORED: [&str; 4] = ["args", "cpu", "auto-restart", "restart-force"];

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

/// Reads the entry at `field`: one server, or with a `clusterCount` as many as that; none if it is not
/// an object. `clustered` counts the servers of this type that come from such entries.
///
/// As Pomelo does, the servers of an entry with a `clusterCount` are called
/// `cluster-server-<type>-<number>`, whatever its id, and numbered over all such entries of a type;
/// a port that ends in `++` is that of the first, and each has the next.
pub(super) fn read(
    source: &Source<'_>,
    field: &str,
    kind: ServerType,
    node: Node<'_>,
    clustered: &mut usize,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Vec<Server> {
    let line = source.line(node);
    if node.kind() != Kind::Object {
        let what = What::wrong_type("the fields of a server in { }", Kind::Object, node);
        let field = field.to_owned();
        problems.push(Problem { line, field, what });
        return Vec::new();
    }
    let members = source.object(field, node, problems);
    let mut fields = Fields {
        source,
        path: field,
        line,
        kind,
        members,
        problems,
    };
    fields.reject_unknown(warnings);
    fields.check_frontend();
    let count = fields.cluster_count();
    let id = if count.is_none() { fields.id() } else { None };
    let host = fields.text("host", "an address such as \"127.0.0.1\"");
    let port = fields.port("port", count.as_ref());
    fields.require("host", &host);
    let (mut client_host, mut client_port) = (None, None);
    if kind.is_frontend() {
        client_host = fields.text("clientHost", "the address that clients connect to");
        client_port = fields.port("clientPort", count.as_ref());
        fields.require("clientPort", &client_port);
    } else {
        fields.require("port", &port);
    }
    if count.is_none() {
        fields.require("id", &id);
    }
    let first = *clustered;
    *clustered += count.as_ref().map_or(0, |count| count.value.into());
    let one = |index: u16| Server {
        field: field.to_owned(),
        line,
        id: match &count {
            Some(count) => Some(count.with(format!(
                "cluster-server-{}-{}",
                kind.name(),
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

impl<T> Placed<T> {
    /// Another value, at the same place.
    fn with<U>(&self, value: U) -> Placed<U> {
        Placed {
            value,
            field: self.field.clone(),
            line: self.line,
        }
    }
}

/// The fields of one server while they are read.
struct Fields<'a, 's> {
    source: &'s Source<'a>,
    path: &'s str,
    line: usize,
    kind: ServerType,
    members: Members<'a>,
    problems: &'s mut Vec<Problem>,
}

impl Fields<'_, '_> {
    fn reject_unknown(&mut self, warnings: &mut Vec<String>) {
        for (name, member) in self.members.in_order() {
            let line = self.source.line(member.key);
            let field = joined(self.path, &shown(name));
            if IGNORED.contains(&name) {
                warnings.push(format!(
                    "line {line}: {field} is ignored: processes are started and watched from outside"
                ));
            } else if !FIELDS.contains(&name) {
                let what = What::UnknownField {
                    nearest: nearest(name, &FIELDS),
                    known: FIELDS.join(", "),
                };
                self.problems.push(Problem { line, field, what });
            } else if !self.kind.is_frontend() && name.starts_with("client") {
                let what = What::NotABackend;
                self.problems.push(Problem { line, field, what });
            }
        }
    }

    fn check_frontend(&mut self) {
        let Some(Member { value, .. }) = self.members.get("frontend").copied() else {
            if self.kind.is_frontend() {
                self.report_missing("frontend");
            }
            return;
        };
        match (value.raw(), self.kind.is_frontend()) {
            ("true", true) | ("false", false) => {}
            ("true", false) => self.report(value, "frontend", What::NotABackend),
            ("false", true) => {
                let server_type = self.kind.name();
                self.report(value, "frontend", What::NotAFrontend { server_type });
            }
            (_, is_frontend) => {
                let what = What::wrong_type(&is_frontend.to_string(), Kind::Boolean, value);
                self.report(value, "frontend", what);
            }
        }
    }

    fn id(&mut self) -> Option<Placed<String>> {
        let remedy = format!("a name such as \"{}-server-1\"", self.kind.name());
        let id = self.text("id", &remedy)?;
        let len = id.value.len();
        if len <= SERVER_ID_LEN_MAX {
            return Some(id);
        }
        let value = quoted(&id.value);
        self.problems.push(Problem {
            line: id.line,
            field: id.field,
            what: What::TooLong { value, len, remedy },
        });
        None
    }

    /// An id or a host.
    fn text(&mut self, name: &str, remedy: &str) -> Option<Placed<String>> {
        let node = self.members.get(name)?.value;
        let remedy = remedy.to_owned();
        let what = match node.text() {
            None => What::wrong_type(&remedy, Kind::String, node),
            Some(text) if text.is_empty() => What::Empty { remedy },
            // They are printed and parsed as words: in logs, in the lines of `cluster start`.
            Some(text) if text.contains(|c: char| c.is_whitespace() || c.is_control()) => {
                let value = quoted(&text);
                What::WhiteSpace { value, remedy }
            }
            Some(text) => return Some(self.placed(node, name, text)),
        };
        self.report(node, name, what);
        None
    }

    /// How many servers the entry stands for; Pomelo writes the number as text.
    fn cluster_count(&mut self) -> Option<Placed<u16>> {
        let node = self.members.get("clusterCount")?.value;
        let written = node.text().unwrap_or_else(|| node.raw().to_owned());
        let count = written.parse().ok();
        let count = count.filter(|count| (1..=CLUSTER_COUNT_MAX).contains(count));
        if count.is_none() {
            let value = quoted(&written);
            let max = CLUSTER_COUNT_MAX;
            self.report(node, "clusterCount", What::NotACount { value, max });
        }
        // A wrong one stands for one server, so that the rest is checked.
        Some(self.placed(node, "clusterCount", count.unwrap_or(1)))
    }

    fn port(&mut self, name: &str, count: Option<&Placed<u16>>) -> Option<Placed<Port>> {
        let node = self.members.get(name)?.value;
        let text = node.text();
        let first = text.as_deref().and_then(|text| text.strip_suffix("++"));
        let number = first.unwrap_or(node.raw());
        let counts_up = first.is_some();
        let what = match number.parse::<u16>() {
            Ok(first) if first != 0 => match count {
                None if counts_up => What::CountsUpAlone,
                Some(count) if counts_up && first.checked_add(count.value - 1).is_none() => {
                    let count = count.value;
                    What::CountsTooFar { first, count }
                }
                _ => return Some(self.placed(node, name, Port { first, counts_up })),
            },
            _ if node.kind() == Kind::Number || counts_up => {
                let value = node.raw().chars().take(40).collect();
                What::NotAPort { value }
            }
            _ => {
                let remedy = "a whole number from 1 to 65535, without quotes";
                What::wrong_type(remedy, Kind::Number, node)
            }
        };
        self.report(node, name, what);
        None
    }

    /// Reports the field `name` if it is not there at all; a wrong one was reported before.
    fn require<T>(&mut self, name: &str, read: &Option<Placed<T>>) {
        if read.is_none() && self.members.get(name).is_none() {
            self.report_missing(name);
        }
    }

    fn report_missing(&mut self, name: &str) {
        let server_type = self.kind.name();
        let remedy = match name {
            "id" => format!("add \"id\": \"{server_type}-server-1\", unique in the cluster"),
            "host" => String::from("add \"host\": \"127.0.0.1\", where this server runs"),
            "port" => String::from("add \"port\": 6050, where connectors reach this server"),
            "frontend" => format!("add \"frontend\": true, as clients connect to a {server_type}"),
            _ => format!("add \"{name}\": 3050, where clients reach this {server_type}"),
        };
        self.problems.push(Problem {
            line: self.line,
            field: joined(self.path, name),
            what: What::MissingField { remedy },
        });
    }

    fn report(&mut self, node: Node<'_>, name: &str, what: What) {
        self.problems.push(Problem {
            line: self.source.line(node),
            field: joined(self.path, name),
            what,
        });
    }

    fn placed<T>(&self, node: Node<'_>, name: &str, value: T) -> Placed<T> {
        Placed {
            value,
            field: joined(self.path, name),
            line: self.source.line(node),
        }
    }
}
