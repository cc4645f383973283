//! What clients ask a connector for: `connector.entryHandler.enter`, answered here, and `chat.*`,
//! passed on to the chat server that owns the session's room.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::remote;
use super::state::{ChatIndex, Place, State};
use crate::dispatch::{self, Destination, SEND};
use crate::drag::Drag;
use crate::limits::NAME_LEN_MAX;
use crate::link::message::{self, SessionId, ToChat};
use crate::marks::Mark;
use crate::policy::Flaw;
use crate::wire::body;
use crate::wire::message::{Message, MessageKind};
use crate::wire::vocabulary::{BodyError, Vocabulary};

/// A session is to be kicked, and told why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kick(pub &'static str);

/// What a client's message says, before anything is done about it.
pub struct Asked<'a> {
    /// What the client calls it; 0: it wants no answer.
    id: u32,
    route: &'a str,
    /// As JSON text. What is none is an object without fields to the handlers.
    body: Bytes,
}

impl<'a> Asked<'a> {
    /// Makes sense of a message. `None` if it means nothing: a response, or a code that stands for no
    /// route, to which the original says nothing either.
    ///
    /// # Errors
    ///
    /// Its body is to be protobuf and is not.
    pub fn read(
        vocabulary: &'a Vocabulary,
        message: &'a Message,
    ) -> Result<Option<Self>, BodyError> {
        let id = match message.kind {
            MessageKind::Request => message.id,
            // A push from a client is handled like a notify, as the original does.
            MessageKind::Notify | MessageKind::Push => 0,
            MessageKind::Response | MessageKind::Other(_) => return Ok(None),
        };
        let route = message.route.as_ref();
        let Some(Ok(route)) = route.map(|route| vocabulary.name(route)) else {
            return Ok(None);
        };
        let body = vocabulary.json_from_client(route, &message.body)?;
        Ok(Some(Self { id, route, body }))
    }
}

/// Does what a client has asked for.
///
/// # Errors
///
/// What the client asks for is not to be done, and it is not to go on.
pub fn handle(
    state: &mut State,
    session: SessionId,
    asked: Asked<'_>,
    now: Instant,
) -> Result<(), Kick> {
    match dispatch::destination(asked.route) {
        Destination::Enter => enter(state, session, &asked, now),
        Destination::Chat => forward(state, session, asked, now),
        Destination::Nowhere => {
            let request = state.open_request(session, asked.id, asked.route, None, now);
            state.refuse(session, request);
        }
        Destination::Silence => {}
        Destination::Attack => return Err(Kick("attack")),
    }
    Ok(())
}

/// `connector.entryHandler.enter`: `{"username", "rid"}`. Answered with `{"users": [...]}` once the
/// chat server that owns the room has made the session a member and all others have been told;
/// with `{"code":500,"error":true}` if the name is taken in that room. A session that is in
/// another room leaves that one when the new one has taken it in.
fn enter(state: &mut State, session: SessionId, asked: &Asked<'_>, now: Instant) {
    let wanted = wanted_place(state, &body::decode(&asked.body));
    let chat = wanted.as_ref().ok().map(|place| place.chat);
    let request = state.open_request(session, asked.id, asked.route, chat, now);
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(NoPlace::Never) => return state.refuse(session, request),
        Err(NoPlace::Unreachable) => return state.fail_enter(session, request),
    };
    // One session is in a room once, under one name.
    if state
        .place_of(session)
        .is_some_and(|place| place.room == wanted.room)
    {
        Mark::EnteredAlready.reached();
        return state.refuse_duplicate(session, request);
    }
    if state
        .options
        .policy
        .has(Flaw::DuplicateLoginAcrossConnectors)
        && state.is_taken(&wanted)
    {
        return state.refuse_duplicate(session, request);
    }
    state.begin_enter(session, request, wanted);
}

/// Why an `enter` leads nowhere.
enum NoPlace {
    /// There can be no such name or room.
    Never,
    /// The chat server that owns the room cannot be asked now.
    Unreachable,
}

fn wanted_place(state: &State, body: &Value) -> Result<Place, NoPlace> {
    let may_hold_stars = state.options.policy.has(Flaw::StarInName);
    let name = text(&body["username"]).filter(|name| may_hold_stars || !name.contains('*'));
    let room = text(&body["rid"]);
    let (name, room) = name.zip(room).ok_or(NoPlace::Never)?;
    let chat = state.chat_of(&room);
    let is_taken = |chat: &ChatIndex| state.links[*chat].takes_requests(&state.options);
    let Some(chat) = chat.filter(is_taken) else {
        Mark::EnterUnreachable.reached();
        return Err(NoPlace::Unreachable);
    };
    Ok(Place { room, name, chat })
}

/// A user or room name: a string, or a number or truth value taken as its text.
///
// A user name must not hold `*`, see `wanted_place`: the uid `username*rid` would be that of
// another user in another room, and `*` alone is everybody.
fn text(value: &Value) -> Option<Arc<str>> {
    let text: Arc<str> = match value {
        Value::String(text) => text.as_str().into(),
        Value::Number(_) | Value::Bool(_) => value.to_string().into(),
        _ => return None,
    };
    (text.len() <= NAME_LEN_MAX).then_some(text)
}

/// Passes a message on to the chat server that owns the session's room.
fn forward(state: &mut State, session: SessionId, asked: Asked<'_>, now: Instant) {
    let place = state.place_of(session);
    if place.is_none() && state.options.policy.has(Flaw::RefusalsSwallowed) {
        return;
    }
    let chat = place.as_ref().and_then(|place| state.owner_of(place));
    let request = state.open_request(session, asked.id, asked.route, chat, now);
    let Some(place) = place else {
        Mark::SentFromNowhere.reached();
        return state.refuse(session, request);
    };
    let is_taken = |chat: &ChatIndex| state.links[*chat].takes_requests(&state.options);
    let Some(chat) = chat.filter(is_taken) else {
        Mark::SendUnreachable.reached();
        return state.refuse(session, request);
    };
    if asked.route == SEND && state.options.policy.has(Flaw::OwnMembersFirst) {
        remote::tell_first(state, &place, &asked.body);
    }
    let forward = ToChat::Forward {
        session,
        request,
        room: place.room,
        name: place.name,
        route: asked.route.to_owned(),
        body: asked.body,
    };
    if state.options.drag == Some(Drag::ExtraHop) {
        return state.send(chat, &ToChat::Echo(message::encode(&forward)));
    }
    state.send(chat, &forward);
}
