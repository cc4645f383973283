//! Where this cluster does not do what the original did, on purpose. Each entry is checked like
//! the rest: what stands here must come, exactly. One that no longer applies fails.

use std::time::Duration;

use crate::chat;
use crate::compare;
use crate::event::{Event, Happened, Seen};
use crate::package;
use crate::transcript::Transcript;

use self::Ours::{Chat, Push, Response};

/// What comes on one connection in one step, instead of what was recorded.
#[derive(Debug)]
pub struct Difference {
    /// Names of the transcripts that it is in.
    pub transcripts: &'static [&'static str],
    pub step: u64,
    pub connection: &'static str,
    /// All that comes there in that step.
    pub instead: &'static [Ours],
    /// The promise that asks for it.
    pub because: &'static str,
}

/// One package.
#[derive(Debug)]
pub enum Ours {
    Response(u32, &'static str),
    Push(&'static str, &'static str),
    /// Message, sender and target of an `onChat`.
    Chat(&'static str, &'static str, &'static str),
}

/// All of them.
pub const DIFFERENCES: &[Difference] = &[
    one_login(10, "c", &[Response(1, r#"{"code":500,"error":true}"#)]),
    one_login(10, "a", &[]),
    one_login(10, "w", &[]),
    one_login(11, "c", &[]),
    one_login(12, "a", &[Chat("which alice?", "watcher", "alice")]),
    one_login(12, "c", &[]),
    one_login(13, "a", &[]),
    one_login(13, "w", &[]),
    one_login(14, "a", &[Chat("still there?", "watcher", "alice")]),
    one_login(14, "w", &[Response(4, "{}")]),
    Difference {
        transcripts: &["ws-real-browser-client"],
        step: 8,
        connection: "a_conn",
        instead: &[Push("onLeave", r#"{"route":"onLeave","user":"eve"}"#)],
        because: "G7: those who stay are told of a leave; \
            the recording ends before the original has done so",
    },
];

const fn one_login(step: u64, connection: &'static str, instead: &'static [Ours]) -> Difference {
    Difference {
        transcripts: &["tcp-duplicate-login", "ws-duplicate-login"],
        step,
        connection,
        instead,
        because: "G6: a name is in a room once in the whole cluster; the second alice, \
            who came through another connector, is refused as the one before her was",
    }
}

/// Puts the differences of `transcript` in the place of what was recorded.
///
/// # Errors
///
/// One is of a step or connection that is not there, or is no difference at all.
pub fn apply(transcript: &mut Transcript, differences: &[Difference]) -> Result<(), String> {
    let name = transcript.name.clone();
    let of_this = |difference: &&Difference| difference.transcripts.contains(&name.as_str());
    for difference in differences.iter().filter(of_this) {
        let Difference {
            step: number,
            connection,
            because,
            ..
        } = difference;
        let wrong = |what| format!("{name}, step {number}, {connection}: {what} ({because})");
        if !transcript.connections.contains_key(*connection) {
            return Err(wrong("a difference on a connection that is not there"));
        }
        let step = transcript
            .steps
            .iter_mut()
            .find(|step| step.number == *number);
        let step = step.ok_or_else(|| wrong("a difference in a step that is not there"))?;
        let instead: Vec<Seen> = difference.instead.iter().map(Ours::seen).collect();
        if compare::matches(&step.expected(connection), &instead) {
            return Err(wrong("a difference that is none"));
        }
        let at = step.events.last().map_or(Duration::ZERO, |event| event.at);
        step.events.retain(|event| {
            event.connection != *connection || matches!(event.happened, Happened::Client(_))
        });
        step.events.extend(instead.into_iter().map(|seen| Event {
            at,
            connection: String::from(*connection),
            happened: Happened::Server(seen),
        }));
    }
    Ok(())
}

impl Ours {
    fn seen(&self) -> Seen {
        let package = match self {
            Self::Response(id, body) => package::encode_response(*id, body),
            Self::Push(route, body) => package::encode_push(route, body.as_bytes()),
            Self::Chat(message, from, target) => {
                let chat = chat::Chat {
                    message,
                    from,
                    target,
                };
                chat.encode()
            }
        };
        Seen::package(package)
    }
}
