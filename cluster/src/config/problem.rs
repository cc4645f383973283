//! What can be wrong in a file of the configuration: where it is, what it is, what would be right.

use super::bodies::Misfit;
use super::json::{Kind, Node};
use super::words::{one_of, printable, remedy_for_unknown, without_place};
use crate::options::Clash;
use crate::wire::dictionary::ROUTES_MAX;
use crate::wire::protobuf;

/// One thing that is wrong. Displayed as `field: what is wrong: what would be right`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {what}")]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The field, such as `development.connector[1].clientPort`.
    pub field: String,
    /// What is wrong with it.
    pub what: What,
}

/// What is wrong with a field, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum What {
    /// The environment that was asked for is not there.
    #[error("no such environment in this file: {}", one_of(known))]
    UnknownEnvironment {
        /// Those that are.
        known: Vec<String>,
    },
    /// A list of servers that is neither of gates, connectors nor chats.
    #[error("unknown server type: {}", remedy_for_unknown(*nearest, "gate, connector and chat"))]
    UnknownServerType {
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// A field that neither this cluster nor Pomelo knows here.
    #[error("unknown field: {}", remedy_for_unknown(*nearest, known))]
    UnknownField {
        /// What was probably meant.
        nearest: Option<&'static str>,
        /// All that is possible.
        known: String,
    },
    /// A field that this server cannot do without.
    #[error("missing: {remedy}")]
    MissingField {
        /// What to write.
        remedy: String,
    },
    /// No server of a type that the cluster cannot do without.
    #[error("missing: add a list with at least one {server_type} server")]
    MissingServerType {
        /// `gate`, `connector` or `chat`.
        server_type: &'static str,
    },
    /// A string where a number is due, and the like.
    #[error("{found} where {expected} is due: write {remedy}")]
    WrongType {
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
        /// An example of it.
        remedy: String,
    },
    /// A number that is not a port.
    #[error("{value} is not a port: write a whole number from 1 to 65535")]
    NotAPort {
        /// The number as it is written.
        value: String,
    },
    /// A `clusterCount` that is no number of servers.
    #[error("{value} is not a number of servers: write a whole number from 1 to {max}")]
    NotACount {
        /// What stands there, quoted.
        value: String,
        /// The most.
        max: u16,
    },
    /// A port such as `"65530++"` whose last is none.
    #[error("{count} ports from {first} on go beyond 65535: begin at {} at most", 65_536 - u32::from(*count))]
    CountsTooFar {
        /// The first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// A port such as `"3050++"` in an entry without `clusterCount`.
    #[error("counts up, but the entry is one server: add clusterCount, or write a number only")]
    CountsUpAlone,
    /// An id or host that is empty.
    #[error("is empty: write {remedy}")]
    Empty {
        /// What to write.
        remedy: String,
    },
    /// An id or host with white space or control characters in it.
    #[error("{value} has white space or control characters: write {remedy}")]
    WhiteSpace {
        /// The text, quoted.
        value: String,
        /// What to write.
        remedy: String,
    },
    /// A host that is neither an IP address nor a name.
    #[error(
        "{value} is neither an IP address nor the name of a host: write {remedy}, alone: \
         the port has its own field"
    )]
    NotAHost {
        /// The text, quoted.
        value: String,
        /// What to write.
        remedy: String,
    },
    /// An id or a route that is too long.
    #[error("{value} is {len} bytes long, the longest is {max}: write {remedy}")]
    TooLong {
        /// The text, quoted.
        value: String,
        /// Its length.
        len: usize,
        /// The most.
        max: usize,
        /// What to write.
        remedy: String,
    },
    /// `frontend` of a gate or connector is `false`.
    #[error("is false, but clients connect to a {server_type}: write true")]
    NotAFrontend {
        /// `gate` or `connector`.
        server_type: &'static str,
    },
    /// A chat server with fields of a frontend.
    #[error("clients never connect to a chat server: remove it")]
    NotABackend,
    /// A text that is no time.
    #[error(
        "{value} is not a time: write one from \"1ms\" to \"60m\", such as \"3s\" or \"500ms\""
    )]
    NotATime {
        /// The text, quoted.
        value: String,
    },
    /// A number that is not whole, or below 0.
    #[error("{value} is not a whole number: write one in digits")]
    NotANumber {
        /// The number as it is written.
        value: String,
    },
    /// A time or number with which the servers would not keep their promises.
    #[error("{value} is out of range: write {range} ({why})")]
    OutOfRange {
        /// What stands there.
        value: String,
        /// What may.
        range: String,
        /// What it counts, or why this is the range.
        why: &'static str,
    },
    /// A text that must be one of a few.
    #[error("{value} is unknown here: write {known}")]
    NotOneOf {
        /// The text, quoted.
        value: String,
        /// All that is possible.
        known: String,
    },
    /// Settings that do not go together.
    #[error(transparent)]
    Clash(#[from] Clash),
    /// More servers of one type than are taken.
    #[error("more than {max} servers of one type: remove some")]
    TooManyServers {
        /// The most.
        max: usize,
    },
    /// More environments than are read.
    #[error("{count} environments, of which at most {max} are read: remove some")]
    TooManyEnvironments {
        /// How many there are.
        count: usize,
        /// The most.
        max: usize,
    },
    /// A port of the master that a server of the same host has.
    #[error("port {port} of {host} is already {first} ({place}): choose another")]
    PortOfServer {
        /// The port.
        port: u16,
        /// The host.
        host: String,
        /// The field that has it.
        first: String,
        /// Its file and line.
        place: String,
    },
    /// More routes than there are codes.
    #[error("{count} routes, with those of the handlers, are more than {ROUTES_MAX}: remove some")]
    TooManyRoutes {
        /// How many there are.
        count: usize,
    },
    /// A schema file that clients would wait for.
    #[error(
        "is {len} bytes long, the longest is {max}: remove messages, as each client is sent them"
    )]
    SchemaTooLong {
        /// Its length.
        len: usize,
        /// The most.
        max: usize,
    },
    /// A dictionary or schema with which a handshake is no package any more.
    #[error(
        "makes the answer to a handshake {len} bytes long, the longest is {max}: remove routes"
    )]
    HandshakeTooLong {
        /// The length of the answer.
        len: usize,
        /// The most.
        max: usize,
    },
    /// JSON that no program reads whole.
    #[error("{what}: nest it less deep, with numbers that are less large and whole characters")]
    NotReadable {
        /// What the parser says.
        what: String,
    },
    /// What is wrong with a schema in itself.
    #[error("{}", printable(&.0.to_string()))]
    Schema(protobuf::What),
    /// What a schema has no room for.
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// A key that comes twice in one object.
    #[error("comes twice (first on line {first_line}): remove one of them")]
    DuplicateKey {
        /// Where it was first.
        first_line: usize,
    },
    /// An id that two servers have.
    #[error("{id} is already the id of {first} (line {first_line}): give each server its own")]
    DuplicateId {
        /// The id, quoted.
        id: String,
        /// The server that has it.
        first: String,
        /// Its line.
        first_line: usize,
    },
    /// A port that two servers of one host have, or one server twice.
    #[error("port {port} of {host} is already {first} (line {first_line}): choose another")]
    DuplicatePort {
        /// The port.
        port: u16,
        /// The host.
        host: String,
        /// The field that has it.
        first: String,
        /// Its line.
        first_line: usize,
    },
}

impl Problem {
    /// Where it is.
    pub(super) fn place(&self) -> (usize, &str) {
        (self.line, &self.field)
    }
}

impl What {
    pub(super) fn not_readable(cause: &serde_json::Error) -> Self {
        let what = without_place(cause);
        Self::NotReadable { what }
    }

    pub(super) fn wrong_type(remedy: &str, expected: Kind, found: Node<'_>) -> Self {
        let found = match found.kind() {
            Kind::String if found.text().is_none() => String::from("half a surrogate pair"),
            kind => kind.to_string(),
        };
        Self::WrongType {
            found,
            expected: expected.to_string(),
            remedy: remedy.to_owned(),
        }
    }
}
