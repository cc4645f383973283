//! The bytes of an event.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::field::Field;
use crate::long;

/// Bytes, or of very long ones what was written down of them.
#[derive(Clone, Debug)]
pub enum Payload {
    Whole(Bytes),
    Digest {
        head: Bytes,
        len: u64,
        sha256: Bytes,
    },
}

impl Payload {
    /// Reads the payload of the event `field`.
    pub fn parse(field: &Field<'_>) -> Result<Self, String> {
        if let Some(hex) = field.optional("hex") {
            return Ok(Self::Whole(hex.bytes()?));
        }
        let Some(head) = field.optional("hex_head") else {
            return Err(field.wrong("neither hex nor hex_head nor event"));
        };
        let digest = Self::Digest {
            head: head.bytes()?,
            len: field.get("bytes")?.number()?,
            sha256: field.get("sha256")?.bytes()?,
        };
        let whole = field.optional("decoded");
        let whole = whole.and_then(|decoded| long::payload(&digest, decoded.value));
        Ok(whole.map_or(digest, Self::Whole))
    }

    /// Whether `bytes` are these.
    pub fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Whole(whole) => whole == bytes,
            Self::Digest { head, len, sha256 } => {
                bytes.len() as u64 == *len
                    && bytes.starts_with(head)
                    && Sha256::digest(bytes)[..] == sha256[..]
            }
        }
    }
}
