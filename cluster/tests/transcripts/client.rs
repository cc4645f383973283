//! What a client of a recording sends, taken apart.

use bytes::{Buf, Bytes, BytesMut};

use crate::package::{Kind, body_len};
use crate::request::{self, Asked};
use crate::transcript::{Action, Frame, Happened, Peer, Server, Transport};

/// What is known of a recorded client so far.
#[derive(Debug)]
pub struct Client {
    peer: Peer,
    outgoing: Outgoing,
    has_shaken_hands: bool,
    is_served: bool,
    /// The name that it wanted last.
    pub name: Option<String>,
}

impl Client {
    pub fn new(peer: Peer) -> Self {
        Self {
            peer,
            outgoing: Outgoing::new(peer.transport),
            has_shaken_hands: false,
            is_served: false,
            name: None,
        }
    }

    /// The messages that the server handles because of what happened.
    pub fn notice(&mut self, happened: &Happened) -> Vec<Asked> {
        match happened {
            Happened::Client(Action::Open) => *self = Self::new(self.peer),
            Happened::Client(Action::Send {
                frame: Frame::Binary | Frame::Text,
                payload,
                ..
            }) => return self.notice_sent(payload),
            Happened::Client(_) => {}
            Happened::Server(seen) => {
                self.has_shaken_hands |= seen.kind() == Some(Kind::Handshake);
            }
        }
        Vec::new()
    }

    fn notice_sent(&mut self, payload: &[u8]) -> Vec<Asked> {
        let mut all_asked = Vec::new();
        for (package_type, body) in self.outgoing.add(payload) {
            self.is_served |= package_type == 2 && self.has_shaken_hands;
            if package_type == 4 && self.is_served {
                let has_dictionary = self.peer.server != Server::Gate;
                let asked = request::decode(&body, has_dictionary);
                if let Asked::Request(request) = &asked
                    && let Some(name) = request.text("username")
                {
                    self.name = Some(String::from(name));
                }
                all_asked.push(asked);
            }
        }
        all_asked
    }
}

/// What one client has sent and is not a whole package yet.
#[derive(Debug)]
pub struct Outgoing {
    transport: Transport,
    unfinished: BytesMut,
}

impl Outgoing {
    pub fn new(transport: Transport) -> Self {
        Self {
            transport,
            unfinished: BytesMut::new(),
        }
    }

    /// Adds a message or a write. Returns the packages, each with its type and body, that are whole
    /// with it. On WebSocket that is always one, filled up with zeros if need be.
    pub fn add(&mut self, payload: &[u8]) -> Vec<(u8, Bytes)> {
        self.unfinished.extend_from_slice(payload);
        if self.transport == Transport::WebSocket && !self.unfinished.is_empty() {
            let len = self.unfinished.len().max(4);
            self.unfinished.resize(len, 0);
            let announced = self.announced_len().unwrap_or(len);
            self.unfinished.resize(announced, 0);
        }
        let mut packages = Vec::new();
        while let Some(len) = self.announced_len()
            && self.unfinished.len() >= len
        {
            let mut package = self.unfinished.split_to(len).freeze();
            let package_type = package[0];
            package.advance(4);
            packages.push((package_type, package));
        }
        packages
    }

    /// Whether nothing is waiting for its rest.
    pub fn is_whole(&self) -> bool {
        self.unfinished.is_empty()
    }

    fn announced_len(&self) -> Option<usize> {
        let &[_, len @ ..] = self.unfinished.first_chunk::<4>()?;
        Some(4 + body_len(len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::{encode, encode_request};
    use crate::transcript::Seen;

    #[test]
    fn a_client_that_connects_again_begins_anew() {
        let (transport, server) = (Transport::Tcp, Server::Connector1);
        let mut client = Client::new(Peer { transport, server });
        let enter = r#"{"username":"ann","rid":"den"}"#;
        let enter = encode_request(1, "connector.entryHandler.enter", enter);
        for _ in 0..2 {
            client.notice(&Happened::Client(Action::Open));
            assert_eq!(client.name, None);
            assert!(client.notice(&sent(&enter)).is_empty(), "not served yet");
            client.notice(&sent(&encode(1, b"{}")));
            client.notice(&Happened::Server(Seen::message(encode(1, b"{}"))));
            client.notice(&sent(&encode(2, b"")));
            assert_eq!(client.notice(&sent(&enter)).len(), 1);
            assert_eq!(client.name.as_deref(), Some("ann"));
            // Its rest never comes.
            assert!(client.notice(&sent(&enter[..9])).is_empty());
            client.notice(&Happened::Client(Action::Close));
        }
    }

    fn sent(bytes: &[u8]) -> Happened {
        Happened::Client(Action::Send {
            frame: Frame::Binary,
            payload: Bytes::copy_from_slice(bytes),
            fragments: Vec::new(),
        })
    }
}
