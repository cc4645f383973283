//! What a client does, made of any bytes.

use cluster::wire::package::{self, PackageType};

use super::outcome::Outcome;

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// What a client does.
pub struct Story {
    /// At a gate, else at a connector.
    pub at_gate: bool,
    /// What it does in the end.
    pub end: End,
    /// It reads nothing.
    pub is_deaf: bool,
    /// What it sends.
    pub bytes: Vec<u8>,
    /// Largest write, in bytes; 0 is all at once.
    cut: u8,
    /// What must come of it, if that is known here.
    pub outcome: Option<Outcome>,
}

/// How a client ends that was not closed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It ends its side and reads on.
    HalfClose,
    /// It says no more.
    Silence,
    /// It is gone.
    Drop,
}

impl Story {
    /// The first byte says where and how, the second how the rest is cut. The rest is what the
    /// client sends: as it is; or as frames, each a byte of flags and opcode, one of length, and
    /// the payload; or as it is after an upgrade.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let (&[mode, cut], rest) = bytes.split_first_chunk()?;
        let greeting = (mode & 8 != 0).then(|| {
            let handshake = package::encode(PackageType::Handshake, br#"{"sys":{}}"#);
            [handshake, package::handshake_ack()]
        });
        let greeting = greeting.iter().flatten();
        let mut story = Self {
            at_gate: mode & 1 != 0,
            end: match mode >> 4 & 3 {
                1 => End::Silence,
                2 => End::Drop,
                _ => End::HalfClose,
            },
            is_deaf: mode & 64 != 0,
            bytes: Vec::new(),
            cut,
            outcome: None,
        };
        match mode >> 1 & 3 {
            0 => {
                greeting.for_each(|package| story.bytes.extend_from_slice(package));
                story.bytes.extend_from_slice(rest);
                // It may be HTTP.
                if !matches!(story.bytes.first(), Some(b'G' | b'P' | b'H')) {
                    story.outcome = Some(Outcome::of_stream(story.at_gate, &story.bytes));
                }
            }
            2 => {
                story.bytes.extend_from_slice(UPGRADE);
                greeting.for_each(|package| story.frame(0x82, package));
                story.bytes.extend_from_slice(rest);
            }
            _ => {
                story.bytes.extend_from_slice(UPGRADE);
                let greeting = greeting.map(|package| (0x82, &package[..]));
                let frames: Vec<(u8, &[u8])> = greeting.chain(frames(rest)).collect();
                for (head, payload) in &frames {
                    story.frame(*head, payload);
                }
                story.outcome = Some(Outcome::of_frames(story.at_gate, &frames));
            }
        }
        Some(story)
    }

    /// The writes.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        let mut random = u64::from(self.cut);
        std::iter::from_fn(move || {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            let len = match self.cut {
                0 => rest.len(),
                cut => 1 + (random >> 33) as usize % usize::from(cut),
            };
            let (piece, after) = rest.split_at(len.min(rest.len()));
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }

    /// Adds a masked frame.
    fn frame(&mut self, head: u8, payload: &[u8]) {
        let mask = [0x5A, head, self.cut, payload.len() as u8];
        self.bytes.push(head);
        match u8::try_from(payload.len()) {
            Ok(len) if len < 126 => self.bytes.push(0x80 | len),
            _ => {
                self.bytes.push(0x80 | 126);
                let len = payload.len() as u16;
                self.bytes.extend_from_slice(&len.to_be_bytes());
            }
        }
        self.bytes.extend_from_slice(&mask);
        let masked = payload.iter().zip(mask.iter().cycle());
        self.bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
    }
}

/// Cuts bytes into heads and payloads of frames.
fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (&[head, len], rest) = bytes.split_first_chunk()?;
        let (payload, rest) = rest.split_at(usize::from(len).min(rest.len()));
        bytes = rest;
        Some((head, payload))
    })
}
