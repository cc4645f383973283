//! As much of RFC 6455 as a client needs that sends what it is told to.

use std::io;

use bytes::{Buf, Bytes, BytesMut};

use crate::transcript::Frame;

/// What a client asks first. The key is the one of the RFC's own example.
pub const UPGRADE: &str = "GET / HTTP/1.1\r\n\
    Host: 127.0.0.1\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// What the RFC says the answer to that key is.
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Any will do; all the same, the server has to apply it.
const MASK: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];

const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

/// Takes the answer to the upgrade off `received`; false if it is not whole yet.
///
/// # Errors
///
/// The server did not agree.
pub fn take_upgraded(received: &mut BytesMut) -> io::Result<bool> {
    let Some(end) = received.windows(4).position(|end| end == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = received.copy_to_bytes(end + 4);
    let head = String::from_utf8_lossy(&head);
    let is_accepted = head.lines().any(|line| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.eq_ignore_ascii_case("sec-websocket-accept") && value.trim() == ACCEPT
        })
    });
    if !head.starts_with("HTTP/1.1 101 ") || !is_accepted {
        return Err(io::Error::other(format!("no upgrade: {head}")));
    }
    Ok(true)
}

/// A masked message, in as many frames as there are `fragments`.
pub fn encode(frame: Frame, payload: &[u8], fragments: &[usize]) -> Vec<u8> {
    let fragments = match fragments {
        [] => &[payload.len()],
        sizes => sizes,
    };
    let (mut bytes, mut rest) = (Vec::new(), payload);
    for (index, &size) in fragments.iter().enumerate() {
        let (piece, later) = rest.split_at(size);
        rest = later;
        let continued = if index == 0 { opcode(frame) } else { 0 };
        let fin = if index + 1 == fragments.len() { FIN } else { 0 };
        bytes.push(fin | continued);
        put_len(&mut bytes, piece.len());
        bytes.extend_from_slice(&MASK);
        let masked = piece.iter().zip(MASK.iter().cycle());
        bytes.extend(masked.map(|(byte, mask)| byte ^ mask));
    }
    bytes
}

fn put_len(bytes: &mut Vec<u8>, len: usize) {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ ..126), _) => bytes.push(MASKED | len),
        (_, Ok(len)) => {
            bytes.push(MASKED | 126);
            bytes.extend_from_slice(&len.to_be_bytes());
        }
        _ => {
            bytes.push(MASKED | 127);
            bytes.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Takes a server's message off the front of `received`; `None` if it is not whole yet. Whatever
/// the original never does is an error.
pub fn take(received: &mut BytesMut) -> Option<Result<(Frame, Bytes), String>> {
    let [first, second] = *received.first_chunk()?;
    let (head_len, len) = match second {
        ..126 => (2, u64::from(second)),
        126 => {
            let [_, _, len @ ..] = *received.first_chunk::<4>()?;
            (4, u64::from(u16::from_be_bytes(len)))
        }
        127 => {
            let [_, _, len @ ..] = *received.first_chunk::<10>()?;
            (10, u64::from_be_bytes(len))
        }
        _ => return Some(Err(String::from("a masked frame of a server"))),
    };
    let Some(frame) = frame_of(first) else {
        return Some(Err(format!("a frame that begins with {first:#04x}")));
    };
    let len = usize::try_from(len).ok()?;
    if received.len() < head_len + len {
        return None;
    }
    received.advance(head_len);
    Some(Ok((frame, received.copy_to_bytes(len))))
}

fn opcode(frame: Frame) -> u8 {
    match frame {
        Frame::Text => 1,
        Frame::Binary => 2,
        Frame::Close => 8,
        Frame::Ping => 9,
        Frame::Pong => 10,
    }
}

/// The kind of a frame that is a whole message, without extensions.
fn frame_of(first: u8) -> Option<Frame> {
    use Frame::{Binary, Close, Ping, Pong, Text};
    [Text, Binary, Close, Ping, Pong]
        .into_iter()
        .find(|&frame| first == FIN | opcode(frame))
}
