//! What a server said, taken apart as far as comparing needs it. PROTOCOL sections 2 and 5, once
//! more and without the cluster's own code.

use std::fmt;

use serde_json::Value;

use crate::chat::Chat;
use crate::hex::hex;

/// One package of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct Package {
    pub kind: Kind,
    /// Flag, id and route of a message, which must be the same byte for byte.
    pub head: Vec<u8>,
    pub body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Handshake,
    Heartbeat,
    Response(u32),
    Push,
    Kick,
    /// Anything else, and what is no package.
    Other,
}

/// The order of an object's members means nothing, so bodies that are JSON count by value.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Json(Value),
    Bytes(Vec<u8>),
}

impl Package {
    /// Takes a whole package apart.
    pub fn decode(bytes: &[u8]) -> Self {
        Self::try_decode(bytes).unwrap_or_else(|| Self {
            kind: Kind::Other,
            head: Vec::new(),
            body: Body::Bytes(bytes.to_vec()),
        })
    }

    /// Whether it is the news that `name` has come (`onAdd`) or gone (`onLeave`).
    pub fn is_news(&self, route: &str, name: &str) -> bool {
        match &self.body {
            Body::Json(body) if self.kind == Kind::Push => {
                body["route"] == route && body["user"] == name
            }
            _ => false,
        }
    }

    /// What somebody said, if it is the push of that.
    pub fn chat(&self) -> Option<Chat<'_>> {
        match &self.body {
            Body::Bytes(body) if self.head.ends_with(b"onChat") => Chat::decode(body),
            _ => None,
        }
    }

    fn try_decode(bytes: &[u8]) -> Option<Self> {
        let (package_type, rest) = bytes.split_first()?;
        let (len, body) = rest.split_first_chunk()?;
        if body_len(*len) != body.len() {
            return None;
        }
        let (kind, head_len) = match package_type {
            1 => (Kind::Handshake, 0),
            3 => (Kind::Heartbeat, 0),
            4 => message_head(body)?,
            5 => (Kind::Kick, 0),
            _ => return None,
        };
        let (head, body) = body.split_at_checked(head_len)?;
        Some(Self {
            kind,
            head: head.to_vec(),
            body: match serde_json::from_slice(body) {
                Ok(value) => Body::Json(value),
                Err(_) => Body::Bytes(body.to_vec()),
            },
        })
    }
}

/// The length that the head of a package says.
pub fn body_len(len: [u8; 3]) -> usize {
    let [high, middle, low] = len;
    usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)
}

/// A package of any type.
pub fn encode(package_type: u8, body: &[u8]) -> Vec<u8> {
    let [high, len @ ..] = u32::try_from(body.len())
        .expect("a body is short")
        .to_be_bytes();
    assert_eq!(high, 0, "a body is shorter than 16 MiB");
    [&[package_type][..], &len, body].concat()
}

/// A data package with a request.
pub fn encode_request(id: u32, route: &str, body: &str) -> Vec<u8> {
    let message = [
        &[0][..],
        &varint(id),
        &[u8::try_from(route.len()).expect("a route is short")],
        route.as_bytes(),
        body.as_bytes(),
    ];
    encode(4, &message.concat())
}

/// A data package with a response.
pub fn encode_response(id: u32, body: &str) -> Vec<u8> {
    let message = [&[4][..], &varint(id), body.as_bytes()];
    encode(4, &message.concat())
}

/// A data package with a push.
pub fn encode_push(route: &str, body: &[u8]) -> Vec<u8> {
    let len = u8::try_from(route.len()).expect("a route is short");
    encode(4, &[&[6, len][..], route.as_bytes(), body].concat())
}

/// A number in base 128, least significant group first.
pub fn varint(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// Takes such a number off the front. What does not fit is lost, as it is in the original.
pub fn take_varint(bytes: &mut &[u8]) -> Option<u32> {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0)?;
    let (groups, rest) = bytes.split_at(end + 1);
    *bytes = rest;
    let groups = groups.iter().rev();
    Some(groups.fold(0, |number, group| number << 7 | u32::from(group & 0x7F)))
}

/// The kind of a message and the length of what is before its body.
fn message_head(message: &[u8]) -> Option<(Kind, usize)> {
    match message.first()? {
        4 => {
            let mut rest = &message[1..];
            let id = take_varint(&mut rest)?;
            Some((Kind::Response(id), message.len() - rest.len()))
        }
        6 => Some((Kind::Push, 2 + usize::from(*message.get(1)?))),
        7 => Some((Kind::Push, 3)),
        _ => None,
    }
}

impl fmt::Display for Package {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Handshake => write!(formatter, "handshake ")?,
            Kind::Heartbeat => write!(formatter, "heartbeat ")?,
            Kind::Response(id) => write!(formatter, "response {id} ")?,
            Kind::Push => {
                write!(
                    formatter,
                    "push {} ",
                    String::from_utf8_lossy(&self.head[2..])
                )?;
            }
            Kind::Kick => write!(formatter, "kick ")?,
            Kind::Other => write!(formatter, "no package of a server: ")?,
        }
        match &self.body {
            Body::Json(value) => write!(formatter, "{value}"),
            Body::Bytes(bytes) if bytes.len() > 200 => {
                write!(formatter, "{} bytes, {}…", bytes.len(), hex(&bytes[..200]))
            }
            Body::Bytes(bytes) => write!(formatter, "{}", hex(bytes)),
        }
    }
}
