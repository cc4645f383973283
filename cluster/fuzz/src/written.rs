//! What a server wrote, taken apart.

use cluster::wire::package::HEAD_LEN;

/// The packages among what a server wrote: type and body of each.
///
/// # Panics
///
/// It is something else: half a package, a WebSocket message without exactly one, a frame that a
/// server must not send, or anything after a close frame.
pub fn packages(bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    if !bytes.starts_with(b"HTTP") {
        return stream(bytes);
    }
    let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let (head, frames) = bytes.split_at(end.expect("a head has an end") + 4);
    if head.starts_with(b"HTTP/1.1 101 ") {
        messages(frames)
    } else {
        assert!(head.starts_with(b"HTTP/1.1 400 "), "a strange answer");
        assert!(frames.is_empty(), "something follows a refusal");
        Vec::new()
    }
}

fn stream(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut packages = Vec::new();
    while !bytes.is_empty() {
        let (package, rest) = bytes.split_at(HEAD_LEN + len(bytes));
        packages.push((package[0], package[HEAD_LEN..].to_vec()));
        bytes = rest;
    }
    packages
}

fn messages(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut packages = Vec::new();
    while !bytes.is_empty() {
        let (head_len, len) = match bytes[1] {
            126 => (4, usize::from(u16::from_be_bytes([bytes[2], bytes[3]]))),
            len => {
                assert!(len < 126, "a masked or a gigantic frame");
                (2, usize::from(len))
            }
        };
        let (frame, rest) = bytes.split_at(head_len + len);
        let payload = &frame[head_len..];
        match frame[0] {
            0x82 => {
                assert_eq!(len_of_package(payload), payload.len(), "not one package");
                packages.push((payload[0], payload[HEAD_LEN..].to_vec()));
            }
            0x8A => assert!(len <= 125),
            0x88 => assert!(rest.is_empty(), "something follows a close frame"),
            head => panic!("a frame that begins with {head:#04x}"),
        }
        bytes = rest;
    }
    packages
}

fn len_of_package(bytes: &[u8]) -> usize {
    HEAD_LEN + len(bytes)
}

fn len(bytes: &[u8]) -> usize {
    u32::from_be_bytes([0, bytes[1], bytes[2], bytes[3]]) as usize
}
