//! What can be wrong with a `servers.json`: where it is, what it is, what would be right.

use std::fmt;
use std::io;

use super::json::{Kind, Node};
use crate::limits::SERVER_ID_LEN_MAX;

/// Problems that are listed before the rest is only counted: more would scroll the first away.
const PROBLEMS_SHOWN: usize = 50;

/// Characters of a text from the file that are quoted in a message.
const QUOTE_LEN: usize = 60;

/// Why a `servers.json` cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is no such file, or it cannot be read as text.
    #[error("{file}: cannot be read: give the path of a readable servers.json")]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
    /// The text is not JSON; nothing else can be said about it.
    #[error(
        "{file}:{line}:{column}: not JSON: {what}: JSON has no comments and no comma after a last element"
    )]
    NotJson {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// Everything that is wrong with its contents, in reading order; at least one.
    #[error("{}", Listing(file, problems))]
    Invalid {
        /// The file as it was named.
        file: String,
        /// All problems.
        problems: Vec<Problem>,
    },
}

impl ConfigError {
    pub(super) fn not_json(file: &str, cause: serde_json::Error) -> Self {
        let (line, column) = (cause.line(), cause.column());
        let text = cause.to_string();
        let place = format!(" at line {line} column {column}");
        Self::NotJson {
            file: file.to_owned(),
            line,
            column,
            what: text.strip_suffix(&place).unwrap_or(&text).to_owned(),
        }
    }
}

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
    /// An id that is longer than [`SERVER_ID_LEN_MAX`].
    #[error("{value} is {len} bytes long, the longest is {SERVER_ID_LEN_MAX}: write {remedy}")]
    TooLong {
        /// The text, quoted.
        value: String,
        /// Its length.
        len: usize,
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

impl What {
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

impl Problem {
    pub(super) fn unknown_environment(line: usize, name: &str, known: Vec<String>) -> Self {
        Self {
            line,
            field: shown(name),
            what: What::UnknownEnvironment { known },
        }
    }
}

/// Whichever of `known` was probably meant by `name`.
pub(super) fn nearest(name: &str, known: &[&'static str]) -> Option<&'static str> {
    // One slip in three characters; `client_port` and `Client-Port` are two from `clientPort`.
    let slips_max = (name.chars().count() / 3).clamp(1, 3);
    known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .filter(|(slips, _)| *slips <= slips_max)
        .min()
        .map(|(_, known)| known)
}

/// `text` in quotes, escaped, and cut where it is too long to read.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTE_LEN) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// `name` as a part of a path: as it is where it can be read so, else quoted.
pub(super) fn shown(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_*".contains(c);
    if !name.is_empty() && name.len() <= QUOTE_LEN && name.chars().all(plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn one_of(known: &[String]) -> String {
    if known.is_empty() {
        return String::from("it has none: add \"development\" with gate, connector and chat");
    }
    let names: Vec<String> = known.iter().map(|name| shown(name)).collect();
    format!("choose one of {}", names.join(", "))
}

fn remedy_for_unknown(nearest: Option<&str>, known: &str) -> String {
    match nearest {
        Some(nearest) => format!("did you mean {nearest}?"),
        None => format!("remove it; known are {known}"),
    }
}

/// One problem a line, each with file and line number.
struct Listing<'a>(&'a str, &'a [Problem]);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(file, problems) = self;
        for (index, problem) in problems.iter().take(PROBLEMS_SHOWN).enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{file}:{}: {problem}", problem.line)?;
        }
        match problems.len().checked_sub(PROBLEMS_SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\n{file}: and {more} more"),
        }
    }
}
