//! `chat.chatHandler.*`: what clients ask a chat server for.

use std::sync::Arc;

use serde_json::{Value, json};

use super::channel::Member;
use super::state::{ConnectorIndex, Origin, State};
use crate::dispatch::SEND;
use crate::link::message::{self, Event, RequestId, SessionId, ToConnector};
use crate::marks::Mark;
use crate::wire::body;

/// The target that means everybody in the room.
pub const EVERYBODY: &str = "*";

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
}

/// Hands a client's message to its handler. A route that has none is answered with an error.
pub fn dispatch(state: &mut State, asker: Asker, route: &str, body: &[u8]) {
    let refused = match route {
        SEND => send(state, &asker, &body::decode(body)),
        _ => Err(Refused),
    };
    if refused.is_err() {
        state.send(asker.connector, &asker.answer(&json!({"code": 500})));
    }
}

/// A request that is answered with `{"code":500}`, as the original does.
struct Refused;

/// `chat.chatHandler.send`: `{"content", "target"}` to everybody in the sender's room, or to one
/// member. Answered with `{}` (and the `route` field of the request, if it had one) once every
/// connector concerned has the message, so that it no longer depends on this process.
fn send(state: &mut State, asker: &Asker, body: &Value) -> Result<(), Refused> {
    let member = Member {
        connector: asker.connector,
        session: asker.session,
    };
    let channel = state.channels.get(&asker.room);
    let channel = channel.filter(|channel| channel.member(&asker.name) == Some(member));
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
