//! What a client of a recording asks its server.

use serde_json::Value;

use crate::event::{Action, Frame, Happened};
use crate::outgoing::Outgoing;
use crate::package::Kind;
use crate::request::{self, Asked};
use crate::transcript::{Peer, Server};

/// What is known of a recorded client so far.
#[derive(Debug)]
pub struct Client {
    /// Its server knows routes by code.
    has_dictionary: bool,
    outgoing: Outgoing,
    has_shaken_hands: bool,
    is_served: bool,
    /// The name that it wanted last.
    pub name: Option<String>,
}

impl Client {
    pub fn new(peer: Peer) -> Self {
        Self {
            has_dictionary: peer.server != Server::Gate,
            outgoing: Outgoing::new(peer.transport),
            has_shaken_hands: false,
            is_served: false,
            name: None,
        }
    }

    /// The messages that the server handles because of what happened.
    pub fn notice(&mut self, happened: &Happened) -> Vec<Asked> {
        let payload = match happened {
            Happened::Client(Action::Send {
                frame: Frame::Binary | Frame::Text,
                payload,
                ..
            }) => payload,
            Happened::Server(seen) => {
                self.has_shaken_hands |= seen.kind() == Some(Kind::Handshake);
                return Vec::new();
            }
            Happened::Client(_) => return Vec::new(),
        };
        let mut all_asked = Vec::new();
        for (package_type, body) in self.outgoing.add(payload) {
            self.is_served |= package_type == 2 && self.has_shaken_hands;
            if package_type == 4 && self.is_served {
                let asked = request::decode(&body, self.has_dictionary);
                if let Asked::Request(request) = &asked
                    && let Some(name) = request.body.get("username").and_then(Value::as_str)
                {
                    self.name = Some(String::from(name));
                }
                all_asked.push(asked);
            }
        }
        all_asked
    }
}
