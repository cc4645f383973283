//! `chat.chatHandler.*`: what clients ask a chat server for.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::channel::{Channel, Member};
use super::state::{ConnectorIndex, Origin, State};
use crate::dispatch::{EVERYBODY, SEND};
use crate::link::message::{self, Event, RequestId, SessionId, ToConnector};
use crate::marks::Mark;
use crate::policy::{Flaw, Policy};
use crate::wire::body;

/// The session that a client's message came from.
#[derive(Debug)]
pub struct Asker {
    /// Its connector.
    pub connector: ConnectorIndex,
    /// The session there.
    pub session: SessionId,
    /// The request.
    pub request: RequestId,
    /// The room it is in.
    pub room: Arc<str>,
    /// Its name there.
    pub name: Arc<str>,
}

impl Asker {
    fn answer(&self, body: &Value) -> ToConnector {
        ToConnector::Answer {
            session: self.session,
            request: self.request,
            body: body.to_string().into(),
        }
    }

    /// Ends the request, and the client never hears of it.
    fn no_answer(&self) -> ToConnector {
        ToConnector::Answer {
            session: self.session,
            request: self.request,
            body: Bytes::new(),
        }
    }

    /// Whether it is a member of its room. With the flaws by which one can be there that the room
    /// does not know, its connector's word is taken, as the original does (BEHAVIOUR 3.5, 7.3).
    fn is_member(&self, channel: &Channel, policy: Policy) -> bool {
        let asker = Member {
            connector: self.connector,
            session: self.session,
        };
        channel.member(&self.name) == Some(asker) || policy.has_any(UNKNOWN_MEMBERS)
    }
}

/// Flaws by which a session is in a room that does not know it.
const UNKNOWN_MEMBERS: Policy = Policy::hardened()
    .with(Flaw::DuplicateLoginAcrossConnectors)
    .with(Flaw::DeadRoomAfterChatRestart)
    .with(Flaw::SplitRoomByRegistrationOrder);

/// Hands a client's message to its handler. A route that has none is answered with an error.
pub fn dispatch(state: &mut State, asker: Asker, route: &str, body: &[u8]) {
    let refused = match route {
        SEND => send(state, &asker, &body::decode(body)),
        _ => Err(Refused),
    };
    if refused.is_err() {
        let answer = match state.options.policy.has(Flaw::RefusalsSwallowed) {
            true => asker.no_answer(),
            false => asker.answer(&json!({"code": 500})),
        };
        state.send(asker.connector, &answer);
    }
}

/// A request that is answered with `{"code":500}`, as the original does.
struct Refused;

/// `chat.chatHandler.send`: `{"content", "target"}` to everybody in the sender's room, or to one
/// member. Answered with `{}` (and the `route` field of the request, if it had one) once every
/// connector concerned has the message, so that it no longer depends on this process.
fn send(state: &mut State, asker: &Asker, body: &Value) -> Result<(), Refused> {
    let channel = state.channels.get(&asker.room);
    let channel = channel.filter(|channel| asker.is_member(channel, state.options.policy));
    let Some(channel) = channel else {
        Mark::SenderGone.reached();
        return Err(Refused);
    };
    let content = body["content"].as_str().ok_or(Refused)?.to_owned();
    let target = body["target"].as_str().ok_or(Refused)?;
    let from = asker.name.clone();
    let origin = Some(Origin {
        connector: asker.connector,
        instead: None,
        answer: asker.answer(&success(body)),
        evicted: None,
    });
    if target == EVERYBODY {
        let position = state.next_position();
        let event = Event::Chat { from, content };
        state.publish(&asker.room, position, event, origin);
    } else {
        let Some(receiver) = channel.member(target) else {
            Mark::TargetUnknown.reached();
            return Err(Refused);
        };
        let private = message::encode(&ToConnector::Private {
            session: receiver.session,
            room: asker.room.clone(),
            from,
            target: target.into(),
            content,
        });
        let payloads = vec![(receiver.connector, Some(private))];
        state.deliver(&asker.room, None, payloads, origin);
    }
    Ok(())
}

fn success(body: &Value) -> Value {
    match body.get("route") {
        Some(route) => json!({ "route": route }),
        None => json!({}),
    }
}
