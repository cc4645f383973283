//! What chat servers tell a connector.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;

use super::room::{Ear, Member, Room};
use super::rounds::Rounds;
use super::state::{ChatIndex, Place, State};
use crate::dispatch::EVERYBODY;
use crate::drag::Drag;
use crate::link::message::{Added, Event, Notice, Push, RequestId, SessionId, ToConnector};
use crate::marks::Mark;
use crate::policy::Flaw;
use crate::queue::TooSlow;
use crate::wire::body;
use crate::wire::vocabulary::Vocabulary;

/// Does what a chat server's message asks for.
pub fn take(state: &mut State, chat: ChatIndex, message: ToConnector) {
    match message {
        ToConnector::Added(news) => added(state, chat, news),
        ToConnector::Confirmed { session, request } => confirmed(state, session, request),
        ToConnector::Duplicate { session, request } => {
            state.end_enter(session, request);
            state.refuse_duplicate(session, request);
        }
        ToConnector::Full { session, request } => {
            state.end_enter(session, request);
            state.refuse(session, request);
        }
        ToConnector::Answer {
            session,
            request,
            body,
        } => state.answer(session, request, &body),
        ToConnector::Push(push) => pushed(state, push),
        ToConnector::Private {
            session,
            room,
            from,
            target,
            content,
        } => {
            let package = on_chat(&state.options.vocabulary, &from, &target, &content);
            let view = state.rooms.get(&room);
            if state.options.policy.has(Flaw::StarInName) {
                for (session, room) in state.bound_to(&target, &room) {
                    deliver(state, session, &room, package.clone());
                }
            } else if view.is_some_and(|view| view.name_of(session) == Some(&target)) {
                deliver(state, session, &room, package);
            } else {
                Mark::PrivateForNobody.reached();
            }
        }
        ToConnector::Evict {
            session,
            room,
            reason,
        } => {
            // It may have left meanwhile; the chat server hears of that, and nothing changes.
            let view = state.rooms.get(&room);
            if view.is_some_and(|view| view.name_of(session).is_some()) {
                Mark::Evicted.reached();
                state.kick(session, &reason);
            } else {
                Mark::EvictedTooLate.reached();
            }
        }
        ToConnector::Expired => state.give_up(chat, "went on without this connector"),
        ToConnector::Listed {
            session,
            room,
            times,
        } => {
            let is_meant = state.options.policy.has(Flaw::DoubleDeliveryAfterReentry);
            if let Some(room) = state.rooms.get_mut(&room).filter(|_| is_meant) {
                room.set_listings(session, times);
            }
        }
        ToConnector::Echo(message) => {
            if state.options.drag == Some(Drag::ExtraHop) {
                state.links[chat].send(message);
            }
        }
    }
}

/// A session is a member from now on. The other sessions here are told, as those of other
/// connectors are by a push; the session itself gets its answer once all of them have been.
fn added(state: &mut State, chat: ChatIndex, news: Added) {
    let notice = Notice::Add(news.name.clone());
    if state.rooms.contains_key(&news.room) {
        let package = on_notice(&state.options.vocabulary, &notice);
        tell(state, &news.room, package);
    }
    let session = state.sessions.get_mut(&news.session);
    let entering = session.and_then(|session| session.entering.as_mut());
    let entering = entering.filter(|entering| entering.request == news.request);
    if entering.is_none() {
        Mark::AddedTooLate.reached();
    }
    // The room is new here if this is its first session, and stays unknown if that has gone.
    if let Some(room) = state.rooms.get_mut(&news.room) {
        if room.advance(news.position, 0) {
            room.notice(notice);
        }
    } else if entering.is_some() {
        let room = Room::new(chat, news.position, &news.users);
        state.rooms.insert(news.room.clone(), room);
    }
    if let (Some(entering), Some(room)) = (entering, state.rooms.get_mut(&news.room)) {
        let member = Member {
            name: news.name,
            ear: Ear::Waiting(entering.events.clone()),
        };
        room.join(news.session, member);
        entering.users = Some(news.users);
    }
}

/// Everybody has been told of the session: its `enter` is answered, and what was said in the room
/// since follows. The room that it was in before, it leaves.
fn confirmed(state: &mut State, id: SessionId, request: RequestId) {
    let Some(session) = state.sessions.get_mut(&id) else {
        return;
    };
    let is_it = |e: &mut super::state::Entering| e.request == request && e.users.is_some();
    let Some(entered) = session.entering.take_if(is_it) else {
        return;
    };
    if let Some(room) = state.rooms.get_mut(&entered.place.room) {
        room.listen(id, Ear::Open(session.queue.clone()));
    }
    if let Some(before) = session.place.replace(entered.place) {
        Mark::SwitchedRoom.reached();
        state.leave(id, &before);
    }
    state.answer_json(id, request, &json!({ "users": entered.users }));
    let mut events = VecDeque::new();
    entered.events.take(&mut events);
    for event in events {
        state.push(id, event);
    }
}

fn pushed(state: &mut State, push: Push) {
    let Some(room) = state.rooms.get_mut(&push.room) else {
        Mark::EventForNobody.reached();
        return;
    };
    let is_new = room.advance(push.position, push.stable);
    if !is_new && !state.options.policy.has(Flaw::ResendKeepsDoubles) {
        Mark::EventToldBefore.reached();
        return;
    }
    let package = match push.event {
        Event::Notice(notice) => {
            let package = on_notice(&state.options.vocabulary, &notice);
            room.notice(notice);
            package
        }
        Event::Chat { from, content } => {
            on_chat(&state.options.vocabulary, &from, EVERYBODY, &content)
        }
    };
    tell(state, &push.room, package);
}

/// With [`Flaw::OwnMembersFirst`]: hands what a session at `place` is about to say to everybody to
/// those who are in the room here.
pub fn tell_first(state: &mut State, place: &Place, body: &[u8]) {
    let body = body::decode(body);
    let content = body["content"].as_str();
    let content = content.filter(|_| body["target"].as_str() == Some(EVERYBODY));
    if let Some(content) = content.filter(|_| state.rooms.contains_key(&place.room)) {
        let package = on_chat(&state.options.vocabulary, &place.name, EVERYBODY, content);
        tell(state, &place.room, package);
    }
}

/// Hands an event of a room to all sessions of this connector that are in it. It was encoded
/// once; each queue holds a reference.
fn tell(state: &mut State, room: &Arc<str>, package: Bytes) {
    let mut too_slow = Vec::new();
    for (id, ear) in state.rooms[room].ears() {
        if hand_over(&mut state.rounds, ear, package.clone()) == Err(TooSlow) {
            too_slow.push(id);
        }
    }
    for id in too_slow {
        end_too_slow(state, id);
    }
}

/// Hands a package to a session that is in `room`, or about to be.
fn deliver(state: &mut State, id: SessionId, room: &Arc<str>, package: Bytes) {
    let ear = state.rooms.get(room).and_then(|room| room.ear_of(id));
    if let Some(ear) = ear
        && hand_over(&mut state.rounds, ear, package) == Err(TooSlow)
    {
        end_too_slow(state, id);
    }
}

fn hand_over(rounds: &mut Rounds, ear: &Ear, package: Bytes) -> Result<(), TooSlow> {
    match ear {
        Ear::Open(queue) => rounds.push(queue, package),
        Ear::Waiting(queue) => {
            Mark::EventWaitsForEnter.reached();
            queue.push(package, None).map(|_| ())
        }
    }
}

fn end_too_slow(state: &mut State, id: SessionId) {
    let session = state.sessions.get(&id);
    if session.is_some_and(|session| session.queue.is_kicked()) {
        state.close_too_slow(id);
    } else {
        state.kick(id, "too much was said before the room could be entered");
    }
}

#[derive(Serialize)]
struct OnChat<'a> {
    msg: &'a str,
    from: &'a str,
    target: &'a str,
}

/// Pomelo repeats the route in the body of these two.
#[derive(Serialize)]
struct OnNotice<'a> {
    route: &'a str,
    user: &'a str,
}

fn on_chat(vocabulary: &Vocabulary, from: &str, target: &str, content: &str) -> Bytes {
    vocabulary.push(
        "onChat",
        &OnChat {
            msg: content,
            from,
            target,
        },
    )
}

fn on_notice(vocabulary: &Vocabulary, notice: &Notice) -> Bytes {
    let (route, user) = match notice {
        Notice::Add(name) => ("onAdd", name),
        Notice::Leave(name) => ("onLeave", name),
    };
    vocabulary.push(route, &OnNotice { route, user })
}
