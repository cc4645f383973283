//! The one body that is protobuf: what a user is told that somebody said.

use crate::package;

/// An `onChat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chat<'a> {
    pub message: &'a str,
    pub from: &'a str,
    /// `*` if it was said to everybody.
    pub target: &'a str,
}

const TAGS: [u8; 3] = [0x0A, 0x12, 0x1A];

impl<'a> Chat<'a> {
    /// A whole package with the push.
    pub fn encode(&self) -> Vec<u8> {
        package::encode_push("onChat", &self.encode_body())
    }

    /// The body alone.
    pub fn encode_body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (tag, text) in TAGS.into_iter().zip([self.message, self.from, self.target]) {
            body.push(tag);
            body.extend(varint(text.len()));
            body.extend_from_slice(text.as_bytes());
        }
        body
    }

    /// Reads the body of such a push; `None` if it is not laid out as the original writes it.
    pub fn decode(mut body: &'a [u8]) -> Option<Self> {
        let mut texts = [""; 3];
        for (tag, text) in TAGS.into_iter().zip(&mut texts) {
            body = body.strip_prefix(&[tag])?;
            let end = body.iter().position(|byte| byte & 0x80 == 0)?;
            let (groups, rest) = body.split_at(end + 1);
            let groups = groups.iter().rev();
            let len = groups.fold(0, |len, group| len << 7 | usize::from(group & 0x7F));
            let (bytes, rest) = rest.split_at_checked(len)?;
            *text = std::str::from_utf8(bytes).ok()?;
            body = rest;
        }
        let [message, from, target] = texts;
        body.is_empty().then_some(Self {
            message,
            from,
            target,
        })
    }
}

/// A length in base 128, least significant group first.
fn varint(mut len: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while len >= 0x80 {
        bytes.push((len & 0x7F) as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    bytes
}
