//! What must come of what a client sends: PROTOCOL 1, 2 and 5 once more, for whole streams.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use bytes::Bytes;
use cluster::wire::message::{self, MessageKind, Route};
use cluster::wire::package::HEAD_LEN;
use cluster::wire::protobuf::Schema;
use serde_json::Value;

/// Longest package body that the servers take.
pub const BODY_LEN_MAX: usize = 1000;

/// Bodies that the client writes as protobuf; of a route that nobody has, so that the others can be
/// JSON.
pub static CLIENT_SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let text = r#"{
        "message M": {"repeated M m": 1},
        "a.b.c": {"optional string s": 1, "repeated float f": 2, "optional M m": 3}
    }"#;
    let (schema, problems) = Schema::from_text(text).expect("it is an object");
    assert_eq!(problems, []);
    schema
});

/// What a server makes of it, after PROTOCOL 2.1 and 5.
#[derive(Default)]
pub struct Outcome {
    state: State,
    /// The server closes the connection.
    pub closes: bool,
    /// The ids of the requests that are answered, in their order.
    pub answers: Vec<u32>,
    /// Heartbeats that the server writes.
    pub heartbeats: usize,
    /// Answers to handshakes that it writes.
    pub handshakes: usize,
    at_gate: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    New,
    WaitsForAck,
    Working,
}

/// `Break`: the server closes the connection.
type Step = ControlFlow<()>;
const CLOSES: Step = ControlFlow::Break(());
const STAYS: Step = ControlFlow::Continue(());

impl Outcome {
    /// Of raw TCP.
    pub fn of_stream(at_gate: bool, bytes: &[u8]) -> Self {
        Self::of(at_gate, |outcome| outcome.stream(bytes))
    }

    /// Of frames: the first byte and the payload of each.
    pub fn of_frames(at_gate: bool, frames: &[(u8, &[u8])]) -> Self {
        Self::of(at_gate, |outcome| outcome.frames(frames))
    }

    fn of(at_gate: bool, steps: impl FnOnce(&mut Self) -> Step) -> Self {
        let mut outcome = Self {
            at_gate,
            ..Self::default()
        };
        outcome.closes = steps(&mut outcome).is_break();
        outcome
    }

    fn stream(&mut self, mut bytes: &[u8]) -> Step {
        if bytes.first().is_some_and(|first| !(1..=5).contains(first)) {
            return CLOSES;
        }
        while let Some((head, rest)) = bytes.split_first_chunk::<HEAD_LEN>() {
            let len = head_len(head)?;
            let Some((body, rest)) = rest.split_at_checked(len) else {
                return STAYS;
            };
            self.package(head[0], body)?;
            bytes = rest;
        }
        STAYS
    }

    /// RFC 6455, and PROTOCOL 1.1 for the messages.
    fn frames(&mut self, frames: &[(u8, &[u8])]) -> Step {
        let mut fragments: Option<(bool, Vec<u8>)> = None;
        for &(head, payload) in frames {
            let (is_last, opcode) = (head & 0x80 != 0, head & 0x0F);
            if head & 0x70 != 0 {
                return CLOSES;
            }
            match opcode {
                0 if fragments.is_none() => return CLOSES,
                1 | 2 if fragments.is_some() => return CLOSES,
                0..=2 => {
                    let message = fragments.get_or_insert((opcode == 1, Vec::new()));
                    message.1.extend_from_slice(payload);
                    // The whole of it must not be longer than a package.
                    if message.1.len() > HEAD_LEN + BODY_LEN_MAX {
                        return CLOSES;
                    }
                }
                9 | 10 if is_last && payload.len() <= 125 => continue,
                _ => return CLOSES,
            }
            let Some((is_text, message)) = fragments.take_if(|_| is_last) else {
                // What is not UTF-8 may be refused before the end.
                if let Some((true, bytes)) = &fragments
                    && let Err(error) = std::str::from_utf8(bytes)
                    && error.error_len().is_some()
                {
                    return CLOSES;
                }
                continue;
            };
            if is_text && std::str::from_utf8(&message).is_err() {
                return CLOSES;
            }
            if !(is_text && message.is_empty()) {
                self.message(&message)?;
            }
        }
        STAYS
    }

    fn message(&mut self, message: &[u8]) -> Step {
        if message.is_empty() {
            return CLOSES;
        }
        let mut padded = message.to_vec();
        padded.resize(message.len().max(HEAD_LEN), 0);
        let (head, body) = padded
            .split_first_chunk::<HEAD_LEN>()
            .expect("it is padded");
        let len = head_len(head)?;
        if body.len() > len {
            return CLOSES;
        }
        let mut body = body.to_vec();
        body.resize(len, 0);
        self.package(head[0], &body)
    }

    fn package(&mut self, kind: u8, body: &[u8]) -> Step {
        match (kind, self.state) {
            (1, State::New) => {
                self.handshakes = 1;
                if !is_greeting(body) {
                    return CLOSES;
                }
                self.state = State::WaitsForAck;
            }
            (2, State::WaitsForAck) => {
                self.state = State::Working;
                self.heartbeats += usize::from(!self.at_gate);
            }
            (3, State::Working) => self.heartbeats += usize::from(!self.at_gate),
            (4, State::Working) => return self.data(body),
            (5, _) => return CLOSES,
            _ => {}
        }
        STAYS
    }

    fn data(&mut self, body: &[u8]) -> Step {
        let Ok(message) = message::decode(Bytes::copy_from_slice(body)) else {
            return CLOSES;
        };
        let route = match &message.route {
            Some(Route::Name(route)) => route.as_str(),
            Some(Route::Code(code)) if !self.at_gate => {
                // In the order of their names, from 1.
                match code {
                    1 => "chat.chatHandler.send",
                    2 => "connector.entryHandler.enter",
                    3 => "gate.gateHandler.queryEntry",
                    _ => return STAYS,
                }
            }
            _ => return STAYS,
        };
        if CLIENT_SCHEMA.encodes(route) && CLIENT_SCHEMA.decode(route, &message.body).is_err() {
            return CLOSES;
        }
        if !route.contains('.') || route.starts_with('.') {
            return STAYS;
        }
        let parts: Vec<&str> = route.split('.').collect();
        if parts.len() == 3 && parts[2] == "constructor" {
            return CLOSES;
        }
        if message.kind == MessageKind::Request && message.id != 0 {
            self.answers.push(message.id);
        }
        STAYS
    }
}

fn head_len(head: &[u8; HEAD_LEN]) -> ControlFlow<(), usize> {
    let len = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
    if (1..=5).contains(&head[0]) && len <= BODY_LEN_MAX {
        ControlFlow::Continue(len)
    } else {
        ControlFlow::Break(())
    }
}

fn is_greeting(body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    match body.get("sys") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(sys)) => *sys,
        Some(Value::Number(sys)) => sys.as_f64() != Some(0.0),
        Some(Value::String(sys)) => !sys.is_empty(),
        Some(_) => true,
    }
}
