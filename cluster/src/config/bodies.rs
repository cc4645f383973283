//! What the cluster says to its clients and what it wants to hear from them, as far as a schema must
//! have room for it. A body that does not fit goes out empty, and a field that a schema lacks gets
//! lost, both without a word to anybody.

use serde_json::{Map, Value};

use super::words::quoted;
use crate::dispatch::{ENTER, QUERY_ENTRY, SEND};
use crate::wire::protobuf::Schema;

/// Whose messages a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// Those of the servers: pushes and answers.
    Server,
    /// Those of the clients: requests and notifies.
    Client,
}

/// A message that has no room for what is said.
pub(super) struct Place {
    /// The message, a route.
    pub(super) route: &'static str,
    /// The field as the file has it; `None` if it is not there.
    pub(super) key: Option<String>,
    pub(super) what: Misfit,
}

/// Why a message of a schema cannot hold what is said, and the remedy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misfit {
    /// A field that is not there. It would get lost.
    #[error("lacks {name:?}, which the cluster {verb}: add {remedy}")]
    Lacks {
        /// The name of the field.
        name: &'static str,
        /// `sends` or `reads`.
        verb: &'static str,
        /// The field as it should be.
        remedy: String,
    },
    /// A field of a type that does not hold it.
    #[error("cannot hold {kind} that the cluster {verb}: write {remedy}")]
    CannotHold {
        /// What it is, such as `the texts`.
        kind: &'static str,
        /// `sends` or `reads`.
        verb: &'static str,
        /// The field as it should be.
        remedy: String,
    },
    /// A required field that some bodies do not have. These would go out empty.
    #[error("is not in every answer, such as {{\"code\":500}}: write {remedy}")]
    NotAlways {
        /// The field as it should be.
        remedy: String,
    },
    /// A required field that no body has. All would go out empty.
    #[error("is never sent by the cluster: write optional, or remove it")]
    NeverSent,
    /// A field for a truth value.
    #[error("cannot hold true, which the cluster sends beside a code: remove it")]
    Flag,
}

/// One field of a body.
struct Field {
    name: &'static str,
    kind: Kind,
    /// Whether it is in each body of the route.
    always: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A whole number up to 65535.
    Number,
    Texts,
    /// `true`, of which protobuf has no type. It may be left out.
    Flag,
}

const fn always(name: &'static str, kind: Kind) -> Field {
    let always = true;
    Field { name, kind, always }
}

const fn sometimes(name: &'static str, kind: Kind) -> Field {
    let always = false;
    Field { name, kind, always }
}

type Bodies = &'static [(&'static str, &'static [Field])];

const FROM_SERVERS: Bodies = &[
    (
        "onChat",
        &[
            always("msg", Kind::Text),
            always("from", Kind::Text),
            always("target", Kind::Text),
        ],
    ),
    (
        "onAdd",
        &[always("route", Kind::Text), always("user", Kind::Text)],
    ),
    (
        "onLeave",
        &[always("route", Kind::Text), always("user", Kind::Text)],
    ),
    // The connector's address, or an error.
    (
        QUERY_ENTRY,
        &[
            always("code", Kind::Number),
            sometimes("host", Kind::Text),
            sometimes("port", Kind::Number),
        ],
    ),
    // The users, or an error, with `error` if the name is taken.
    (
        ENTER,
        &[
            sometimes("users", Kind::Texts),
            sometimes("code", Kind::Number),
            sometimes("error", Kind::Flag),
        ],
    ),
    // Nothing, or an error.
    (SEND, &[sometimes("code", Kind::Number)]),
];

const FROM_CLIENTS: Bodies = &[
    (QUERY_ENTRY, &[always("uid", Kind::Text)]),
    (
        ENTER,
        &[always("username", Kind::Text), always("rid", Kind::Text)],
    ),
    (
        SEND,
        &[always("content", Kind::Text), always("target", Kind::Text)],
    ),
];

/// All that `schema` has no room for, route by route. It is without problems of its own.
pub(super) fn misfits(direction: Direction, schema: &Schema) -> Vec<Place> {
    let bodies = match direction {
        Direction::Server => FROM_SERVERS,
        Direction::Client => FROM_CLIENTS,
    };
    let mut places = Vec::new();
    for (route, fields) in bodies {
        let Some(Value::Object(message)) = schema.to_parsed().get(*route) else {
            continue;
        };
        let mut place = |key, what| places.push(Place { route, key, what });
        for field in *fields {
            match message.get(field.name) {
                Some(found) => {
                    if let Some(what) = field.misfit(direction, found) {
                        place(Some(key(field.name, found)), what);
                    }
                }
                None if field.kind == Kind::Flag => {}
                None => {
                    let (name, remedy) = (field.name, quoted(&field.key()));
                    let verb = direction.verb();
                    place(None, Misfit::Lacks { name, verb, remedy });
                }
            }
        }
        // What clients say besides is their own affair.
        if direction == Direction::Server {
            for (name, found) in others(message, fields) {
                if found["option"] == "required" {
                    place(Some(key(name, found)), Misfit::NeverSent);
                }
            }
        }
    }
    places
}

/// The fields of `message` that are not among `known`.
fn others<'a>(
    message: &'a Map<String, Value>,
    known: &'static [Field],
) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let is_other = |name: &String| known.iter().all(|field| field.name != name);
    message.iter().filter(move |(name, _)| is_other(name))
}

/// The key of a field as its file has it.
fn key(name: &str, parsed: &Value) -> String {
    let word = |member: &str| parsed[member].as_str().unwrap_or_default().to_owned();
    format!("{} {} {name}", word("option"), word("type"))
}

impl Direction {
    fn verb(self) -> &'static str {
        match self {
            Self::Server => "sends",
            Self::Client => "reads",
        }
    }
}

impl Field {
    /// Why the field that was `found` in a schema does not hold this one.
    fn misfit(&self, direction: Direction, found: &Value) -> Option<Misfit> {
        let (option, kind) = (&found["option"], &found["type"]);
        if self.kind == Kind::Flag {
            let is_real = kind == "float" || kind == "double";
            return (!is_real || option == "required").then_some(Misfit::Flag);
        }
        let is_list = self.kind == Kind::Texts;
        let fits = match self.kind {
            Kind::Number => ["uInt32", "sInt32", "int32", "float", "double"]
                .iter()
                .any(|number| kind == number),
            _ => kind == "string",
        };
        let (verb, remedy) = (direction.verb(), quoted(&self.key()));
        if !fits || (option == "repeated") != is_list {
            let kind = self.kind.name();
            return Some(Misfit::CannotHold { kind, verb, remedy });
        }
        if option == "required" && !self.always {
            return Some(Misfit::NotAlways { remedy });
        }
        None
    }

    /// What the field is in a schema.
    fn key(&self) -> String {
        let option = match (self.kind, self.always) {
            (Kind::Texts, _) => "repeated",
            (_, true) => "required",
            (_, false) => "optional",
        };
        let kind = match self.kind {
            Kind::Text | Kind::Texts => "string",
            Kind::Number | Kind::Flag => "uInt32",
        };
        format!("{option} {kind} {}", self.name)
    }
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "the texts",
            Self::Number => "the numbers",
            Self::Texts => "the lists of texts",
            Self::Flag => "the truth values",
        }
    }
}
