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

/// Most zeros that stand for missing bytes, see [`whole`]: more than a message has before its own
/// body (flag, id and route).
const PADDING_MAX: usize = 512;

/// Reads a WebSocket message, which holds exactly one package.
///
/// Short ones are filled up with zeros, as the original does: `03` alone is a heartbeat. It adds all
/// that the head announces; here 512 are enough for the same answer, as no JSON ends in zeros, and
/// a few bytes do not become millions.
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
        let mut padded = BytesMut::from(&message[..]);
        padded.resize(len.min(message.len() + PADDING_MAX), 0);
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const BODY_LEN_MAX: usize = 1000;

    #[test]
    fn a_package_cut_at_any_byte_is_not_there_yet() {
        let whole = encode(PackageType::Data, b"0123456789");
        for cut in 0..whole.len() {
            let mut buffer = BytesMut::from(&whole[..cut]);
            assert_eq!(take(&mut buffer, BODY_LEN_MAX), Ok(None), "cut at {cut}");
            assert_eq!(buffer, whole[..cut], "bytes lost at {cut}");
        }
    }

    #[test]
    fn a_few_bytes_do_not_become_millions() {
        let short = Bytes::from_static(b"\x04\xFF\xFF\xFF{}");
        let package = whole(short, BODY_LEN_LIMIT).expect("within the limit");
        assert!(package.body.starts_with(b"{}\0"));
        assert_eq!(package.body.len(), 2 + PADDING_MAX);
    }

    #[test]
    fn an_unknown_type_is_an_error_as_soon_as_the_head_is_there() {
        for byte in [0, 6, 0x47, 0xFF] {
            let mut buffer = BytesMut::from(&[byte, 0, 0][..]);
            assert_eq!(take(&mut buffer, BODY_LEN_MAX), Ok(None));
            buffer.put_u8(9);
            let error = take(&mut buffer, BODY_LEN_MAX);
            assert_eq!(error, Err(PackageError::UnknownType(byte)));
        }
    }

    #[test]
    fn a_body_at_the_limit_is_taken_and_one_over_it_refused_by_its_head() {
        let at_limit = encode(PackageType::Data, &[7; BODY_LEN_MAX]);
        let package = take(&mut BytesMut::from(at_limit), BODY_LEN_MAX);
        assert_eq!(package.unwrap().unwrap().body, [7; BODY_LEN_MAX][..]);

        let over = encode(PackageType::Data, &[7; BODY_LEN_MAX + 1]);
        let error = PackageError::TooLong {
            len: BODY_LEN_MAX + 1,
            max: BODY_LEN_MAX,
        };
        let mut head = BytesMut::from(&over[..HEAD_LEN]);
        assert_eq!(take(&mut head, BODY_LEN_MAX), Err(error));
        assert_eq!(whole(over.slice(..HEAD_LEN), BODY_LEN_MAX), Err(error));
    }

    #[test]
    fn a_websocket_message_holds_exactly_one_package() {
        let message = |bytes: &'static [u8]| whole(Bytes::from_static(bytes), BODY_LEN_MAX);
        assert_eq!(message(b""), Err(PackageError::Empty));
        assert_eq!(
            message(b"\x03\0\0\0\x03\0\0\0"),
            Err(PackageError::Trailing(4))
        );
        assert_eq!(message(b"\x04\0\0\x02{}").unwrap().body, "{}");
    }

    #[test]
    fn the_packages_without_body_are_as_encoded() {
        assert_eq!(heartbeat(), encode(PackageType::Heartbeat, b""));
        assert_eq!(handshake_ack(), encode(PackageType::HandshakeAck, b""));
    }

    proptest! {
        #[test]
        fn a_package_comes_back_as_it_was(
            number in 1_u8..=5,
            body in vec(any::<u8>(), 0..=BODY_LEN_MAX),
            next in vec(any::<u8>(), 0..20),
        ) {
            let kind = PackageType::try_from(number)?;
            let package = encode(kind, &body);
            let expected = Package { kind, body: body.into() };
            prop_assert_eq!(whole(package.clone(), BODY_LEN_MAX)?, expected.clone());

            let mut buffer = BytesMut::from(package);
            buffer.extend_from_slice(&next);
            prop_assert_eq!(take(&mut buffer, BODY_LEN_MAX)?, Some(expected));
            prop_assert_eq!(&buffer[..], &next[..]);
        }

        #[test]
        fn any_bytes_give_packages_or_an_error(bytes in hostile_bytes()) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(package)) = take(&mut buffer, BODY_LEN_MAX) {
                prop_assert!(package.body.len() <= BODY_LEN_MAX);
            }
            if let Ok(package) = whole(bytes.into(), BODY_LEN_MAX) {
                prop_assert!(package.body.len() <= BODY_LEN_MAX);
            }
        }
    }

    /// Purely random bytes hardly ever get past the type, so half of them start like a package.
    fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
        let almost = (1_u8..=5, 0_u8..=4, any::<u8>(), vec(any::<u8>(), 0..100));
        prop_oneof![
            vec(any::<u8>(), 0..100),
            almost.prop_map(|(kind, len_high, len, body)| {
                [vec![kind, 0, len_high, len], body].concat()
            }),
        ]
    }
}
