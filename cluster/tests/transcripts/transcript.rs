//! A recorded session: who connected where, and what was sent each way, step by step.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use crate::package::{self, Kind, Package};
use crate::payload::Payload;

/// What a request is answered with that goes wrong.
pub const REFUSAL: &str = r#"{"code":500}"#;

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcript {
    /// The file that it was read from.
    pub file: String,
    /// The recorder kept sessions alive, and did not write it down.
    pub auto_heartbeats: bool,
    /// The recorder's connections, by the names that it gave them.
    pub connections: BTreeMap<String, Peer>,
    /// What it did, one after the other. The tear-down is left out: nothing is expected of it.
    pub steps: Vec<Step>,
}

/// What a connection leads to, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    pub transport: Transport,
    pub server: Server,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Transport {
    #[serde(rename = "tcp")]
    Tcp,
    #[serde(rename = "ws")]
    WebSocket,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Server {
    #[serde(rename = "gate")]
    Gate,
    #[serde(rename = "connector-1")]
    Connector1,
    #[serde(rename = "connector-2")]
    Connector2,
    #[serde(rename = "connector-3")]
    Connector3,
}

/// Some actions of the recorder and all that came of them: it waited before it went on.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub number: u64,
    pub what: String,
    pub events: Vec<Event>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Since the recording began.
    pub at: Duration,
    pub connection: String,
    pub happened: Happened,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    Client(Action),
    Server(Seen),
}

/// What a client does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Connects, with the upgrade if it is a WebSocket.
    Open,
    /// Sends one WebSocket message, or writes once on TCP.
    Send {
        frame: Frame,
        payload: Bytes,
        /// Sizes that a WebSocket message is cut into, if it is.
        fragments: Vec<usize>,
    },
    /// Ends the connection.
    Close,
}

/// What a client sees.
#[derive(Clone, Debug, PartialEq)]
pub enum Seen {
    /// A WebSocket message, or one package on TCP.
    Message { frame: Frame, payload: Payload },
    /// The server ended the connection.
    Closed,
    /// The server broke the protocol of the transport. No recording has this.
    Broken(String),
}

/// Kinds of WebSocket messages. Packages on TCP count as binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Frame {
    Binary,
    Text,
    Ping,
    Pong,
    Close,
}

impl Transcript {
    /// All that happened, in order.
    pub fn events_mut(&mut self) -> impl Iterator<Item = &mut Event> {
        self.steps.iter_mut().flat_map(|step| &mut step.events)
    }
}

impl Step {
    /// What the server says in it on one connection.
    pub fn expected(&self, connection: &str) -> Vec<Seen> {
        let of_it = self
            .events
            .iter()
            .filter(|event| event.connection == connection);
        of_it.filter_map(Event::seen).cloned().collect()
    }

    /// Adds what the server says on one connection.
    pub fn expect(&mut self, connection: &str, seen: Seen) {
        self.events.push(Event {
            at: self.events.last().map_or(Duration::ZERO, |last| last.at),
            connection: String::from(connection),
            happened: Happened::Server(seen),
        });
    }

    /// The answer to a request, if it is in this step.
    pub fn answer_mut(&mut self, connection: &str, id: u32) -> Option<&mut Seen> {
        self.events
            .iter_mut()
            .find_map(|event| match &mut event.happened {
                Happened::Server(seen)
                    if event.connection == connection
                        && id > 0
                        && seen.kind() == Some(Kind::Response(id)) =>
                {
                    Some(seen)
                }
                _ => None,
            })
    }
}

impl Event {
    /// What the server said, if this is that.
    pub fn seen(&self) -> Option<&Seen> {
        match &self.happened {
            Happened::Server(seen) => Some(seen),
            Happened::Client(_) => None,
        }
    }

    /// Whether either side ended the connection.
    pub fn is_end(&self) -> bool {
        matches!(
            self.happened,
            Happened::Client(Action::Close) | Happened::Server(Seen::Closed)
        )
    }
}

impl Seen {
    /// A message that is this package.
    pub fn message(package: Vec<u8>) -> Self {
        Self::Message {
            frame: Frame::Binary,
            payload: Payload::Whole(Bytes::from(package)),
        }
    }

    pub fn response(id: u32, body: &str) -> Self {
        Self::message(package::encode_response(id, body))
    }

    pub fn push(route: &str, body: &[u8]) -> Self {
        Self::message(package::encode_push(route, body))
    }

    /// It as a package, if it is a message.
    pub fn package(&self) -> Option<Package> {
        match self {
            Self::Message {
                frame: Frame::Binary,
                payload: Payload::Whole(payload),
            } => Some(Package::decode(payload)),
            _ => None,
        }
    }

    /// What kind of package it is, if it is one.
    pub fn kind(&self) -> Option<Kind> {
        self.package().map(|package| package.kind)
    }
}
