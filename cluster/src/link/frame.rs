//! The bytes of a link: `length (4 bytes, big-endian) | header (postcard) | payload`.
//!
//! The header is in postcard's documented format (<https://postcard.jamesmunns.com/wire-format>);
//! only [`Header::Data`] has a payload, an encoded message, which is kept apart so that a push to
//! many connectors is encoded once.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use super::LinkError;

/// Version of everything in this module and in [`super::message`]. Both ends must have the same.
pub const VERSION: u16 = 1;

const LENGTH_LEN: usize = 4;

/// What a frame is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Header {
    /// First frame of the dialling end.
    Hello(Hello),
    /// First frame of the accepting end, if it accepts.
    Welcome(Welcome),
    /// Instead of a welcome: why not. The connection is closed after it.
    Refusal(String),
    /// A message; the payload follows.
    Data {
        /// Its number, counted from 1 within the life of the link.
        seq: u64,
        /// The last number received from the other end.
        ack: u64,
    },
    /// An acknowledgement that found no message to ride on.
    Ack {
        /// The last number received from the other end.
        ack: u64,
    },
    /// "Are you there?", from the dialling end.
    Ping {
        /// Comes back in the pong.
        nonce: u64,
    },
    /// "I am."
    Pong {
        /// From the ping.
        nonce: u64,
    },
    /// The sender is stopping on purpose and takes its sessions with it.
    Goodbye,
}

/// Who dials, and what it remembers of the link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of the dialling end.
    pub version: u16,
    /// The cluster's shared secret.
    pub token: String,
    /// The dialling server's id.
    pub server: String,
    /// Its incarnation.
    pub incarnation: u64,
    /// Counts the dials of this incarnation, so that a hello that was under way for long cannot
    /// undo a newer one.
    pub dial: u64,
    /// What is to be resumed; `None` asks for a fresh link.
    pub resume: Option<Resume>,
}

/// The link that the dialling end wants to go on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resume {
    /// The incarnation of the accepting end that it was with.
    pub incarnation: u64,
    /// The last number received from it.
    pub received: u64,
}

/// The answer to a [`Hello`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The accepting end's incarnation.
    pub incarnation: u64,
    /// The last number received on the resumed link; `None`: the link is a fresh one.
    pub resumed: Option<u64>,
}

/// Appends one frame to `out`.
pub fn put(out: &mut BytesMut, header: &Header, payload: &[u8]) {
    let start = out.len();
    out.put_u32(0);
    let mut writer = std::mem::take(out).writer();
    postcard::to_io(header, &mut writer).expect("a header encodes, and memory takes any bytes");
    *out = writer.into_inner();
    out.extend_from_slice(payload);
    let len = u32::try_from(out.len() - start - LENGTH_LEN)
        .expect("messages are far below 4 GiB, see limits");
    out[start..start + LENGTH_LEN].copy_from_slice(&len.to_be_bytes());
}

/// Takes the first frame out of `buffer`; `None` if it is not all there yet.
///
/// # Errors
///
/// [`LinkError::Protocol`] if the length is over `len_max` or the header is none of ours.
pub fn take(buffer: &mut BytesMut, len_max: usize) -> Result<Option<(Header, Bytes)>, LinkError> {
    let Some(length) = buffer.first_chunk::<LENGTH_LEN>() else {
        return Ok(None);
    };
    let len = u32::from_be_bytes(*length) as usize;
    if len > len_max {
        return Err(LinkError::Protocol("frame over the length limit"));
    }
    if buffer.len() < LENGTH_LEN + len {
        buffer.reserve(LENGTH_LEN + len - buffer.len());
        return Ok(None);
    }
    buffer.advance(LENGTH_LEN);
    let frame = buffer.split_to(len).freeze();
    let (header, payload) = postcard::take_from_bytes::<Header>(&frame)
        .map_err(|_| LinkError::Protocol("not a frame header"))?;
    let payload = frame.slice_ref(payload);
    Ok(Some((header, payload)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames() -> Vec<(Header, &'static [u8])> {
        vec![
            (
                Header::Hello(Hello {
                    version: VERSION,
                    token: "secret".into(),
                    server: "connector-server-1".into(),
                    incarnation: u64::MAX,
                    dial: 3,
                    resume: Some(Resume {
                        incarnation: 7,
                        received: 300,
                    }),
                }),
                b"",
            ),
            (Header::Data { seq: 1, ack: 0 }, b"payload"),
            (Header::Goodbye, b""),
        ]
    }

    #[test]
    fn frames_come_back_as_they_were_put() -> Result<(), LinkError> {
        let mut buffer = BytesMut::new();
        for (header, payload) in frames() {
            put(&mut buffer, &header, payload);
        }
        for (header, payload) in frames() {
            assert_eq!(
                take(&mut buffer, 1024)?,
                Some((header, Bytes::from(payload)))
            );
        }
        assert_eq!(take(&mut buffer, 1024)?, None);
        Ok(())
    }

    #[test]
    fn a_frame_cut_anywhere_is_not_yet_a_frame() -> Result<(), LinkError> {
        for (header, payload) in frames() {
            let mut whole = BytesMut::new();
            put(&mut whole, &header, payload);
            for cut in 0..whole.len() {
                let mut buffer = BytesMut::from(&whole[..cut]);
                assert_eq!(take(&mut buffer, 1024)?, None, "cut at {cut}");
                assert_eq!(buffer, whole[..cut], "bytes lost at {cut}");
            }
        }
        Ok(())
    }

    #[test]
    fn a_frame_may_be_as_long_as_the_limit() -> Result<(), LinkError> {
        let (header, payload) = (Header::Data { seq: 1, ack: 0 }, &b"payload"[..]);
        let mut buffer = BytesMut::new();
        put(&mut buffer, &header, payload);
        let len_max = buffer.len() - LENGTH_LEN;
        assert!(take(&mut buffer.clone(), len_max - 1).is_err());
        let taken = take(&mut buffer, len_max)?;
        assert_eq!(taken, Some((header, Bytes::from(payload))));
        Ok(())
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_its_bytes_are_awaited() {
        let mut buffer = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        assert!(matches!(
            take(&mut buffer, 1024),
            Err(LinkError::Protocol(_))
        ));
    }

    #[test]
    fn a_header_that_is_none_of_ours_is_refused() {
        let mut buffer = BytesMut::from(&[0, 0, 0, 2, 0xee, 0xee][..]);
        assert!(matches!(
            take(&mut buffer, 1024),
            Err(LinkError::Protocol(_))
        ));
    }
}
