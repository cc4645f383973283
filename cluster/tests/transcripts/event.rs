//! One thing that happened in a recorded session.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::field::Field;
use crate::package::{Kind, Package};
use crate::payload::Payload;
use crate::transcript::{Peer, Transport};

#[derive(Clone, Debug)]
pub struct Event {
    /// Since the recording began.
    pub at: Duration,
    pub connection: String,
    pub happened: Happened,
}

#[derive(Clone, Debug)]
pub enum Happened {
    Client(Action),
    Server(Seen),
}

/// What a client does.
#[derive(Clone, Debug)]
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
#[derive(Clone, Debug)]
pub enum Seen {
    /// A WebSocket message, or one package on TCP.
    Message { frame: Frame, payload: Payload },
    /// The server ended the connection.
    Closed,
    /// The server broke the protocol of the transport. No recording has this.
    Broken(String),
}

/// Kinds of WebSocket messages. Packages on TCP count as binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    Binary,
    Text,
    Ping,
    Pong,
    Close,
}

impl Event {
    /// Reads an event between `peers`: the number of its step, and the event.
    pub fn parse(field: &Field<'_>, peers: &BTreeMap<String, Peer>) -> Result<(u64, Self), String> {
        field.knows_only(&[
            "t_ms",
            "step",
            "conn",
            "dir",
            "event",
            "frame",
            "hex",
            "hex_head",
            "bytes",
            "sha256",
            "fragments",
            "decoded",
        ])?;
        let label = field.get("conn")?;
        let connection = label.text()?.to_owned();
        let Some(peer) = peers.get(&connection) else {
            return Err(label.wrong("a connection that conns does not list"));
        };
        let direction = field.get("dir")?;
        let happened = match direction.text()? {
            "c2s" => Happened::Client(Action::parse(field, peer.transport)?),
            "s2c" => Happened::Server(Seen::parse(field, peer.transport)?),
            _ => return Err(direction.wrong("c2s or s2c was expected")),
        };
        let event = Self {
            at: Duration::from_millis(field.get("t_ms")?.number()?),
            connection,
            happened,
        };
        Ok((field.get("step")?.number()?, event))
    }
}

impl Action {
    fn parse(field: &Field<'_>, transport: Transport) -> Result<Self, String> {
        if let Some(event) = field.optional("event") {
            return match event.text()? {
                "open" => Ok(Self::Open),
                "close" => Ok(Self::Close),
                _ => Err(event.wrong("unknown event of a client")),
            };
        }
        let payload = match Payload::parse(field)? {
            Payload::Whole(payload) => payload,
            Payload::Digest { .. } => {
                return Err(field
                    .get("hex_head")?
                    .wrong("the rest of this payload cannot be made up"));
            }
        };
        let mut fragments = Vec::new();
        if let Some(list) = field.optional("fragments") {
            for size in list.elements()? {
                let wrong = |_| size.wrong("too large");
                fragments.push(usize::try_from(size.number()?).map_err(wrong)?);
            }
            if fragments.iter().sum::<usize>() != payload.len() {
                return Err(list.wrong("the fragments are not as long as the payload"));
            }
        }
        Ok(Self::Send {
            frame: Frame::parse(field, transport)?,
            payload,
            fragments,
        })
    }
}

impl Seen {
    /// A whole package.
    pub fn package(bytes: Vec<u8>) -> Self {
        Self::Message {
            frame: Frame::Binary,
            payload: Payload::Whole(Bytes::from(bytes)),
        }
    }

    /// What kind of package it is, if it is one.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Self::Message {
                frame: Frame::Binary,
                payload: Payload::Whole(payload),
            } => Some(Package::decode(payload).kind),
            _ => None,
        }
    }

    fn parse(field: &Field<'_>, transport: Transport) -> Result<Self, String> {
        match field.optional("event") {
            Some(event) if event.text()? == "close" => Ok(Self::Closed),
            Some(event) => Err(event.wrong("unknown event of a server")),
            None => Ok(Self::Message {
                frame: Frame::parse(field, transport)?,
                payload: Payload::parse(field)?,
            }),
        }
    }
}

impl Frame {
    fn parse(field: &Field<'_>, transport: Transport) -> Result<Self, String> {
        if transport == Transport::Tcp {
            return match field.optional("frame") {
                None => Ok(Self::Binary),
                Some(frame) => Err(frame.wrong("there are no frames on TCP")),
            };
        }
        let frame = field.get("frame")?;
        Ok(match frame.text()? {
            "binary" => Self::Binary,
            "text" => Self::Text,
            "ping" => Self::Ping,
            "pong" => Self::Pong,
            "close" => Self::Close,
            _ => return Err(frame.wrong("unknown frame")),
        })
    }
}
