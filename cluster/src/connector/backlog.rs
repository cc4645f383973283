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

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_MAX: usize = 8;

    #[test]
    fn what_was_taken_out_leaves_room_for_as_many_bytes() {
        let mut backlog = Backlog::default();
        assert!(backlog.is_empty());
        for message in ["abc", "defg", "h"] {
            assert!(!backlog.is_full(BYTES_MAX), "before {message}");
            backlog.push(message.as_bytes(), Instant::now());
            assert!(!backlog.is_empty());
        }
        assert!(backlog.is_full(BYTES_MAX));
        let taken = [backlog.pop(), backlog.pop()].map(|it| it.map(|(message, _)| message));
        assert_eq!(taken, [Some("abc".into()), Some("defg".into())]);
        backlog.push(b"sixsix", Instant::now());
        assert!(!backlog.is_full(BYTES_MAX), "7 bytes wait");
        backlog.push(b"8", Instant::now());
        assert!(backlog.is_full(BYTES_MAX));
    }

    #[test]
    fn it_is_full_of_small_messages_too() {
        let mut backlog = Backlog::default();
        for _ in 0..REQUESTS_IN_FLIGHT {
            assert!(!backlog.is_full(usize::MAX));
            backlog.push(b"x", Instant::now());
        }
        assert!(backlog.is_full(usize::MAX));
        backlog.pop();
        assert!(!backlog.is_full(usize::MAX));
    }
}
