//! The bytes of an event. Of very long ones a recording has only the beginning, the digest and what
//! they say, with the long strings in that shortened in the same way. The strings of recordings
//! repeat themselves, so most can be made up again, and the digest proves that they were.

use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::chat::Chat;
use crate::hex::hex;

/// Bytes, or of very long ones what was written down of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    Whole(Bytes),
    Digest {
        head: Bytes,
        len: u64,
        sha256: Bytes,
    },
}

impl Payload {
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

    /// Itself as a whole, if that can be made of what it says.
    pub fn made_up(self, decoded: Option<&Value>) -> Self {
        let whole = decoded.and_then(|decoded| self.whole(decoded));
        whole.map_or(self, Self::Whole)
    }

    fn whole(&self, decoded: &Value) -> Option<Bytes> {
        let Self::Digest { head, len, .. } = self else {
            return None;
        };
        let body = expanded(decoded.get("body")?)?;
        let body = if decoded.get("encoding")? == "protobuf" {
            let text = |name: &str| body.get(name)?.as_str();
            let chat = Chat {
                message: text("msg")?,
                from: text("from")?,
                target: text("target")?,
            };
            chat.encode_body()
        } else {
            body.to_string().into_bytes()
        };
        // What is before the body is short, and so in the beginning that was written down.
        let before = usize::try_from(*len).ok()?.checked_sub(body.len())?;
        let whole = [head.get(..before)?, &body].concat();
        self.is(&whole).then(|| whole.into())
    }
}

/// `value` with its long strings at their full length.
fn expanded(value: &Value) -> Option<Value> {
    match value {
        Value::Object(members) if members.contains_key("$long_string") => {
            string(value).or_else(|| string(&members["$long_string"]))
        }
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| Some((name.clone(), expanded(value)?)))
                .collect::<Option<_>>()
                .map(Value::Object)
        }
        Value::Array(elements) => {
            let elements = elements.iter().map(expanded);
            elements.collect::<Option<_>>().map(Value::Array)
        }
        other => Some(other.clone()),
    }
}

/// The string that begins like `head`, goes on like it, and has the right digest.
fn string(shortened: &Value) -> Option<Value> {
    let head: Vec<u16> = shortened.get("head")?.as_str()?.encode_utf16().collect();
    let len = usize::try_from(shortened.get("length_utf16")?.as_u64()?).ok()?;
    let wanted = shortened.get("sha256_utf8")?.as_str()?;
    let repeats = |period: &usize| head[*period..].iter().eq(&head[..head.len() - period]);
    (1..=head.len()).filter(repeats).find_map(|period| {
        let units: Vec<u16> = head[..period].iter().copied().cycle().take(len).collect();
        let text = String::from_utf16(&units).ok()?;
        (hex(&Sha256::digest(text.as_bytes())) == wanted).then_some(Value::String(text))
    })
}
