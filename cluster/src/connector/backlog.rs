//! What a client has sent that has to wait for its turn.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

use crate::limits::REQUESTS_IN_FLIGHT;

/// Messages of one client, still encoded, behind an `enter` or too many requests without an
/// answer. They are kept here and not left unread, so that the client's heartbeats are heard and
/// each request's deadline counts from its arrival.
#[derive(Debug, Default)]
pub struct Backlog {
    waiting: VecDeque<(Bytes, Instant)>,
    bytes: usize,
}

impl Backlog {
    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a copy of a message that came `at` this time: itself it may be a small part of a large
    /// buffer, which it would keep.
    pub fn push(&mut self, message: &[u8], at: Instant) {
        self.bytes += message.len();
        self.waiting
            .push_back((Bytes::copy_from_slice(message), at));
    }

    /// Takes the oldest message, and when it came.
    pub fn pop(&mut self) -> Option<(Bytes, Instant)> {
        let (message, at) = self.waiting.pop_front()?;
        self.bytes -= message.len();
        Some((message, at))
    }

    /// Whether so much waits, [`REQUESTS_IN_FLIGHT`] messages or `bytes_max` bytes, that the client
    /// must not be read.
    pub fn is_full(&self, bytes_max: usize) -> bool {
        self.waiting.len() >= REQUESTS_IN_FLIGHT || self.bytes >= bytes_max
    }
}
