//! Where each message of a virtual user passed: which server wrote it to whom, and when.
//!
//! What a user says has its identity in its text ([`loadgen::message_text`]), which every server passes
//! on as it is, so that it is found in the bytes that servers write, whatever they write it in. Users'
//! own writes are not looked at: WebSocket masks them, and the history has them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use loadgen::history::MessageId;

/// More of one run are not kept: 25 MB of them.
const PASSAGES_MAX: usize = 400_000;

/// Longest identity of a message in its text: three numbers of ten digits, with what is between.
const IDENTITY_LEN_MAX: usize = 34;

/// A server wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// When.
    pub at: Duration,
    /// Which server.
    pub from: Arc<str>,
    /// To which host.
    pub to: Arc<str>,
    /// To which user there, if it is a host of users.
    pub user: Option<u32>,
    /// What.
    pub message: MessageId,
}

/// The passages of a run, in the order of time.
#[derive(Debug, Default)]
pub struct Passages {
    seen: Vec<Passage>,
    /// The users behind connections, by host and port of their end.
    seats: BTreeMap<(Arc<str>, u16), u32>,
}

impl Passages {
    /// Notes that the connection that begins on `host` at `port` is that of `user`.
    pub fn sit(&mut self, host: Arc<str>, port: u16, user: u32) {
        self.seats.insert((host, port), user);
    }

    /// Notes what is in `bytes`, which `from` wrote to `to`: a host, and the port of that end.
    pub fn see(&mut self, at: Duration, from: &Arc<str>, to: &(Arc<str>, u16), bytes: &[u8]) {
        let mut messages = messages_in(bytes).peekable();
        if messages.peek().is_none() || self.seen.len() >= PASSAGES_MAX {
            return;
        }
        let user = self.seats.get(to).copied();
        self.seen.extend(messages.map(|message| Passage {
            at,
            from: from.clone(),
            to: to.0.clone(),
            user,
            message,
        }));
    }

    /// Takes what was seen.
    pub fn take(&mut self) -> Vec<Passage> {
        std::mem::take(&mut self.seen)
    }
}

/// The messages whose text is in `bytes`: `u17.1.4@2500000 `.
fn messages_in(bytes: &[u8]) -> impl Iterator<Item = MessageId> {
    let ats = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'@');
    ats.filter_map(|(at, _)| {
        let digits = bytes[at + 1..]
            .iter()
            .take_while(|it| it.is_ascii_digit())
            .count();
        if digits == 0 || bytes.get(at + 1 + digits) != Some(&b' ') {
            return None;
        }
        let before = &bytes[at.saturating_sub(IDENTITY_LEN_MAX)..at];
        let start = before.iter().rposition(|it| *it == b'u')?;
        let identity = str::from_utf8(&before[start + 1..]).ok()?;
        let mut parts = identity.split('.').map(|part| part.parse().ok());
        let message = MessageId {
            user: parts.next()??,
            login: parts.next()??,
            number: parts.next()??,
        };
        parts.next().is_none().then_some(message)
    })
}

#[cfg(test)]
mod tests {
    use loadgen::message_text::compose;

    use super::*;

    const MESSAGE: MessageId = MessageId {
        user: 17,
        login: 1,
        number: 4,
    };

    #[test]
    fn messages_are_found_wherever_their_text_is() {
        let text = compose(MESSAGE, Duration::from_millis(2500), 40);
        let bytes = format!("\u{1}{{\"msg\":\"{text}\"}}u@ u1.2@3 a@b.c u1.2.3@4{text}");
        let found: Vec<_> = messages_in(bytes.as_bytes()).collect();
        assert_eq!(found, [MESSAGE; 2]);
    }

    #[test]
    fn a_passage_to_a_user_is_told_by_its_end_of_the_connection() {
        let (host, server): (Arc<str>, Arc<str>) =
            ("clients-1".into(), "connector-server-1".into());
        let mut passages = Passages::default();
        passages.sit(host.clone(), 50_000, 9);
        let text = compose(MESSAGE, Duration::ZERO, 0);
        for port in [50_000, 50_001] {
            passages.see(
                Duration::ZERO,
                &server,
                &(host.clone(), port),
                text.as_bytes(),
            );
        }
        let users: Vec<_> = passages.take().iter().map(|it| it.user).collect();
        assert_eq!(users, [Some(9), None]);
    }
}
