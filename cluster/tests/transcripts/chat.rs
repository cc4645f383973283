//! The one body that is protobuf: what a user is told that somebody said.

use crate::package::{take_varint, varint};

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
    /// The body of the push.
    pub fn encode_body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (tag, text) in TAGS.into_iter().zip([self.message, self.from, self.target]) {
            body.push(tag);
            body.extend(varint(u32::try_from(text.len()).expect("a text is short")));
            body.extend_from_slice(text.as_bytes());
        }
        body
    }

    /// Reads the body of such a push; `None` if it is not laid out as the original writes it.
    pub fn decode(mut body: &'a [u8]) -> Option<Self> {
        let mut texts = [""; 3];
        for (tag, text) in TAGS.into_iter().zip(&mut texts) {
            body = body.strip_prefix(&[tag])?;
            let len = take_varint(&mut body)? as usize;
            let (bytes, rest) = body.split_at_checked(len)?;
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
