//! The packages in what a client sends.

use bytes::{Buf, Bytes, BytesMut};

use crate::package::body_len;
use crate::transcript::Transport;

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
