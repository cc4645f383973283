//! One end of a link: what it has sent and not yet heard of, and what it has received.
//!
//! Plain state without IO: the [pump](super::pump) moves frames between it and a connection,
//! the server that owns it puts messages in and takes messages out.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::LinkError;
use super::frame::{self, Header};

/// Most bytes that one call of [`Half::fill`] adds. Enough to make one system call carry many
/// small messages, and small enough not to hold the owner's lock for long.
const FILL_LEN: usize = 64 * 1024;

/// One end of a link.
#[derive(Debug, Default)]
pub struct Half {
    /// Messages from number `acked + 1` on, encoded.
    unacked: VecDeque<Bytes>,
    /// Their bytes.
    unacked_bytes: usize,
    /// The last number that the other end has acknowledged.
    acked: u64,
    /// The last number handed to the present connection.
    written: u64,
    /// The last number received.
    received: u64,
    /// The last number acknowledged to the other end on the present connection.
    acknowledged: u64,
    /// Frames that are not messages (pongs, a goodbye), to be written before anything else.
    notes: VecDeque<Header>,
    /// The first message that is not to be written yet, if there is one.
    held_from: Option<u64>,
}

impl Half {
    /// Adds a message and returns its number.
    pub fn push(&mut self, payload: Bytes) -> u64 {
        self.unacked_bytes += payload.len();
        self.unacked.push_back(payload);
        self.last()
    }

    /// The number of the latest message; 0 if there was none.
    pub fn last(&self) -> u64 {
        self.acked + self.unacked.len() as u64
    }

    /// Adds a frame that is not a message. It is lost with the connection. The latest pong says
    /// all that earlier ones would, so a peer that pings and does not read adds up to nothing.
    pub fn note(&mut self, header: Header) {
        if matches!(header, Header::Pong { .. }) {
            self.notes
                .retain(|note| !matches!(note, Header::Pong { .. }));
        }
        self.notes.push_back(header);
    }

    /// The messages that were not acknowledged, when the link ends.
    pub fn into_unacked(self) -> VecDeque<Bytes> {
        self.unacked
    }

    /// How many messages are not yet acknowledged.
    pub fn unacked_len(&self) -> usize {
        self.unacked.len()
    }

    /// Their bytes.
    pub fn unacked_bytes(&self) -> usize {
        self.unacked_bytes
    }

    /// The last number that the other end has acknowledged.
    pub fn acked(&self) -> u64 {
        self.acked
    }

    /// Keeps message `seq` and all behind it from being written, or none of them.
    pub fn hold_from(&mut self, seq: Option<u64>) {
        self.held_from = seq;
    }

    /// The last number received.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Starts a new connection of the same link, whose other end has received up to `received`:
    /// what came after is sent again.
    ///
    /// # Errors
    ///
    /// [`LinkError::Protocol`] if it claims to have received what was never sent.
    pub fn resume(&mut self, received: u64) -> Result<(), LinkError> {
        self.acknowledge(received)?;
        self.written = self.acked;
        self.acknowledged = 0;
        self.notes.clear();
        Ok(())
    }

    /// Takes an acknowledgement of everything up to `ack`.
    ///
    /// # Errors
    ///
    /// [`LinkError::Protocol`] if that was never sent.
    pub fn acknowledge(&mut self, ack: u64) -> Result<(), LinkError> {
        if ack > self.last() {
            return Err(LinkError::Protocol("acknowledges what was never sent"));
        }
        while self.acked < ack {
            let payload = self
                .unacked
                .pop_front()
                .expect("one is left for each number");
            self.unacked_bytes -= payload.len();
            self.acked += 1;
        }
        self.written = self.written.max(self.acked);
        Ok(())
    }

    /// Notes that message `seq` arrived; false if it had arrived before and is to be dropped.
    ///
    /// # Errors
    ///
    /// [`LinkError::Protocol`] if one before it is missing.
    pub fn receive(&mut self, seq: u64) -> Result<bool, LinkError> {
        if seq <= self.received {
            return Ok(false);
        }
        if seq != self.received + 1 {
            return Err(LinkError::Protocol("skips a message"));
        }
        self.received = seq;
        Ok(true)
    }

    /// Appends what the present connection has not carried yet: messages, each with the latest
    /// acknowledgement; or, without any, an acknowledgement that is owed. Adds nothing if there
    /// is nothing to say, and little more than 64 KiB otherwise. Returns how many frames it added.
    pub fn fill(&mut self, out: &mut BytesMut) -> usize {
        let mut frames = self.notes.len();
        while let Some(header) = self.notes.pop_front() {
            frame::put(out, &header, &[]);
        }
        let ack = self.received;
        while out.len() < FILL_LEN {
            let index = usize::try_from(self.written - self.acked).expect("an index in memory");
            let Some(payload) = self.unacked.get(index) else {
                break;
            };
            if self.held_from.is_some_and(|seq| self.written + 1 >= seq) {
                break;
            }
            self.written += 1;
            let header = Header::Data {
                seq: self.written,
                ack,
            };
            frame::put(out, &header, payload);
            frames += 1;
            self.acknowledged = ack;
        }
        if self.acknowledged < ack {
            frame::put(out, &Header::Ack { ack }, &[]);
            frames += 1;
            self.acknowledged = ack;
        }
        frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a half has to say now, as (number or 0, payload).
    fn said(half: &mut Half) -> Vec<(u64, Bytes)> {
        let mut out = BytesMut::new();
        half.fill(&mut out);
        let mut said = Vec::new();
        while let Some((header, payload)) =
            frame::take(&mut out, usize::MAX).expect("own frames decode")
        {
            match header {
                Header::Data { seq, .. } => said.push((seq, payload)),
                Header::Ack { .. } => said.push((0, payload)),
                other => panic!("unexpected {other:?}"),
            }
        }
        said
    }

    fn payload(text: &'static str) -> Bytes {
        Bytes::from(text)
    }

    #[test]
    fn a_message_is_said_once_on_one_connection() {
        let mut half = Half::default();
        assert_eq!(half.push(payload("a")), 1);
        assert_eq!(said(&mut half), [(1, payload("a"))]);
        assert_eq!(said(&mut half), []);
    }

    #[test]
    fn after_a_break_only_what_the_peer_lacks_is_said_again() -> Result<(), LinkError> {
        let mut half = Half::default();
        for text in ["a", "b", "c"] {
            half.push(payload(text));
        }
        said(&mut half);
        half.resume(1)?;
        assert_eq!(said(&mut half), [(2, payload("b")), (3, payload("c"))]);
        assert_eq!(half.push(payload("d")), 4);
        Ok(())
    }

    #[test]
    fn a_message_seen_before_is_dropped_and_a_gap_is_an_error() -> Result<(), LinkError> {
        let mut half = Half::default();
        assert!(half.receive(1)?);
        assert!(!half.receive(1)?);
        assert!(half.receive(3).is_err());
        assert!(half.receive(2)?);
        assert_eq!(half.received(), 2);
        Ok(())
    }

    #[test]
    fn an_acknowledgement_is_owed_once() -> Result<(), LinkError> {
        let mut half = Half::default();
        half.receive(1)?;
        assert_eq!(said(&mut half), [(0, payload(""))]);
        assert_eq!(said(&mut half), []);
        half.receive(2)?;
        half.push(payload("carries it"));
        assert_eq!(said(&mut half), [(1, payload("carries it"))]);
        Ok(())
    }

    #[test]
    fn of_all_pongs_the_latest_is_said_and_the_goodbye_stays() -> Result<(), LinkError> {
        let mut half = Half::default();
        let [first, last] = [1, 2].map(|nonce| Header::Pong { nonce });
        for note in [&first, &Header::Goodbye, &last] {
            half.note(note.clone());
        }
        let mut out = BytesMut::new();
        half.fill(&mut out);
        for note in [Header::Goodbye, last] {
            let said = frame::take(&mut out, usize::MAX)?;
            assert_eq!(said.map(|(header, _)| header), Some(note));
        }
        assert!(out.is_empty());
        Ok(())
    }

    #[test]
    fn what_was_never_sent_cannot_be_acknowledged() {
        let mut half = Half::default();
        half.push(payload("a"));
        assert!(half.acknowledge(2).is_err());
        assert!(half.acknowledge(1).is_ok());
        assert_eq!((half.unacked_len(), half.unacked_bytes()), (0, 0));
    }
}
