//! The outer layer: one type byte, a 24-bit big-endian body length, the body.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;

/// Bytes before the body.
pub const HEAD_LEN: usize = 4;

/// Longest body whose length the head can say, in bytes.
pub const BODY_LEN_LIMIT: usize = 0xFF_FFFF;

/// One package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// What the body is.
    pub kind: PackageType,
    /// The bytes after the head.
    pub body: Bytes,
}

/// What a package's body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackageType {
    /// JSON, once each way (see [`handshake`](super::handshake)).
    Handshake = 1,
    /// Nothing; the client has understood the handshake.
    HandshakeAck = 2,
    /// Nothing; the sender is alive.
    Heartbeat = 3,
    /// One [`Message`](super::message::Message).
    Data = 4,
    /// JSON with a reason; the server closes the connection after it.
    Kick = 5,
}

/// Why bytes are no package.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum PackageError {
    /// The first byte is not 1 to 5.
    #[error("unknown package type {0}")]
    UnknownType(u8),
    /// The head announces a body over the limit.
    #[error("a package body of {len} bytes is longer than {max}")]
    TooLong {
        /// The announced length, in bytes.
        len: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// A WebSocket message goes on after its package.
    #[error("{0} bytes follow the package in one WebSocket message")]
    Trailing(usize),
    /// A binary WebSocket message holds nothing.
    #[error("a WebSocket message without a package")]
    Empty,
}

/// Takes the first package off the front of `buffer`; `None` if it is not whole yet.
///
/// The body shares the buffer's memory.
///
/// # Errors
///
/// The buffer does not start with a package whose body has at most `body_len_max` bytes. It is
/// left as it was; there is no way to find the next package.
pub fn take(buffer: &mut BytesMut, body_len_max: usize) -> Result<Option<Package>, PackageError> {
    let Some(&head) = buffer.first_chunk::<HEAD_LEN>() else {
        return Ok(None);
    };
    let (kind, len) = parse_head(head, body_len_max)?;
    if buffer.len() < HEAD_LEN + len {
        return Ok(None);
    }
    buffer.advance(HEAD_LEN);
    let body = buffer.split_to(len).freeze();
    Ok(Some(Package { kind, body }))
}

/// Reads a WebSocket message, which holds exactly one package.
///
/// Short ones are filled up with zeros, as the original does: `03` alone is a heartbeat.
///
/// # Errors
///
/// The message is empty, holds no package whose body has at most `body_len_max` bytes, or goes on
/// after it.
pub fn whole(mut message: Bytes, body_len_max: usize) -> Result<Package, PackageError> {
    if message.is_empty() {
        return Err(PackageError::Empty);
    }
    let mut head = [0; HEAD_LEN];
    let head_len = message.len().min(HEAD_LEN);
    message.copy_to_slice(&mut head[..head_len]);
    let (kind, len) = parse_head(head, body_len_max)?;
    if message.len() > len {
        return Err(PackageError::Trailing(message.len() - len));
    }
    if message.len() < len {
        let mut padded = BytesMut::zeroed(len);
        padded[..message.len()].copy_from_slice(&message);
        message = padded.freeze();
    }
    Ok(Package {
        kind,
        body: message,
    })
}

/// Writes a whole package.
///
/// # Panics
///
/// `body` is longer than [`BODY_LEN_LIMIT`]. The original cuts the length silently, and the peer
/// then takes the rest for packages.
pub fn encode(kind: PackageType, body: &[u8]) -> Bytes {
    let mut package = with_head(kind, body.len());
    package.put_slice(body);
    package.freeze()
}

/// A heartbeat, which costs no allocation.
pub fn heartbeat() -> Bytes {
    Bytes::from_static(&[PackageType::Heartbeat as u8, 0, 0, 0])
}

/// A handshake's acknowledgement, which costs no allocation.
pub fn handshake_ack() -> Bytes {
    Bytes::from_static(&[PackageType::HandshakeAck as u8, 0, 0, 0])
}

/// The head of a package, and room for exactly its body.
pub(super) fn with_head(kind: PackageType, body_len: usize) -> BytesMut {
    assert!(
        body_len <= BODY_LEN_LIMIT,
        "a package body of {body_len} bytes cannot be written: its length has 24 bits"
    );
    let mut package = BytesMut::with_capacity(HEAD_LEN + body_len);
    package.put_u8(kind as u8);
    package.put_uint(body_len as u64, HEAD_LEN - 1);
    package
}

fn parse_head(
    [kind, len @ ..]: [u8; HEAD_LEN],
    body_len_max: usize,
) -> Result<(PackageType, usize), PackageError> {
    let kind = PackageType::try_from(kind)?;
    let len = len
        .iter()
        .fold(0, |len, &byte| len << 8 | usize::from(byte));
    if len > body_len_max {
        return Err(PackageError::TooLong {
            len,
            max: body_len_max,
        });
    }
    Ok((kind, len))
}

impl TryFrom<u8> for PackageType {
    type Error = PackageError;

    fn try_from(byte: u8) -> Result<Self, PackageError> {
        match byte {
            1 => Ok(Self::Handshake),
            2 => Ok(Self::HandshakeAck),
            3 => Ok(Self::Heartbeat),
            4 => Ok(Self::Data),
            5 => Ok(Self::Kick),
            _ => Err(PackageError::UnknownType(byte)),
        }
    }
}
