//! `chat.chatRemote.*`: what connectors ask for on behalf of a session that comes or goes.

use std::sync::Arc;

use super::channel::{Channel, Member};
use super::state::{ConnectorIndex, Origin, State};
use crate::link::message::{Added, Event, Notice, RequestId, SessionId, ToConnector};
use crate::marks::Mark;
use crate::options::DuplicateLogin;
use crate::policy::Flaw;

/// Why a session is kicked whose name another has taken.
pub const REPLACED: &str = "replaced by a new login of the same name";

/// `chat.chatRemote.add`: makes `session` a member of `room` as `name`, and tells the others. If the
/// name is taken, the session is refused, or replaces who holds it: this chat server owns the
/// room, so that one name has one session in the whole cluster.
pub fn add(
    state: &mut State,
    connector: ConnectorIndex,
    session: SessionId,
    request: RequestId,
    room: Arc<str>,
    name: Arc<str>,
) {
    let channel = state.channels.get(&room);
    let holder = channel.and_then(|channel| channel.member(&name));
    let holder = holder.filter(|holder| !is_listed_again(state, connector, *holder));
    if holder.is_some_and(|holder| !may_be_replaced(state, holder)) {
        Mark::NameTaken.reached();
        return state.send(connector, &ToConnector::Duplicate { session, request });
    }
    if holder.is_none() && channel.is_some_and(Channel::is_full) {
        return state.send(connector, &ToConnector::Full { session, request });
    }
    if let Some(holder) = holder {
        Mark::NameReplaced.reached();
        evict(state, &room, &name, holder);
    }
    let channel = state.channels.entry(room.clone()).or_default();
    channel.list(name.clone(), Member { connector, session });
    let users = channel.users();
    let told_listings = state.options.policy.has(Flaw::DoubleDeliveryAfterReentry);
    let listings = told_listings.then(|| channel.listings(&name, connector));
    let position = state.next_position();
    let added = ToConnector::Added(Added {
        session,
        request,
        room: room.clone(),
        name: name.clone(),
        position,
        users,
    });
    let origin = Origin {
        connector,
        instead: Some(added),
        answer: ToConnector::Confirmed { session, request },
        evicted: holder.map(|holder| holder.connector),
    };
    state.publish(
        &room,
        position,
        Event::Notice(Notice::Add(name)),
        Some(origin),
    );
    if let Some(times) = listings {
        let listed = ToConnector::Listed {
            session,
            room,
            times,
        };
        state.send(connector, &listed);
    }
}

/// With the flaws for it: whether a name that `holder` has is listed once more, for a session of
/// `connector`.
fn is_listed_again(state: &State, connector: ConnectorIndex, holder: Member) -> bool {
    state.options.policy.has(if holder.connector == connector {
        Flaw::DoubleDeliveryAfterReentry
    } else {
        Flaw::DuplicateLoginAcrossConnectors
    })
}

/// Whether a new login may take the name of `holder`, which must then be told.
fn may_be_replaced(state: &State, holder: Member) -> bool {
    state.options.duplicate_login == DuplicateLogin::Replace && state.reaches(holder.connector)
}

/// Takes `name` from the session that holds it. That is told first, so that it does not see
/// itself leave.
fn evict(state: &mut State, room: &Arc<str>, name: &Arc<str>, holder: Member) {
    let evict = ToConnector::Evict {
        session: holder.session,
        room: room.clone(),
        reason: REPLACED.to_owned(),
    };
    state.send(holder.connector, &evict);
    remove(state, holder.connector, holder.session, room, name);
}

/// `chat.chatRemote.kick`: removes `session` from `room` and tells the others. Nothing happens if
/// the name is held by another session by now.
pub fn remove(
    state: &mut State,
    connector: ConnectorIndex,
    session: SessionId,
    room: &Arc<str>,
    name: &Arc<str>,
) {
    let Some(channel) = state.channels.get_mut(room) else {
        return Mark::OldLeaveIgnored.reached();
    };
    let policy = state.options.policy;
    let member = Member { connector, session };
    let is_gone = if policy.has(Flaw::LateCloseRemovesNewSession) {
        channel.strike(name, connector);
        true
    } else if policy.has(Flaw::LeftStaysListed) {
        channel.remove_later(name, member)
    } else {
        channel.remove(name, member)
    };
    if is_gone {
        tell_leave(state, room, name);
    } else {
        Mark::OldLeaveIgnored.reached();
    }
}

/// Removes every member that came through `connector`.
pub fn remove_all(state: &mut State, connector: ConnectorIndex) {
    let rooms: Vec<_> = state.channels.keys().cloned().collect();
    for room in rooms {
        let channel = state.channels.get_mut(&room).expect("listed above");
        // All go before any is announced: nothing can be sent through their connector.
        for name in channel.remove_all(connector) {
            tell_leave(state, &room, &name);
        }
    }
}

/// Tells the members of `room` that `name` has gone.
pub fn tell_leave(state: &mut State, room: &Arc<str>, name: &Arc<str>) {
    let position = state.next_position();
    let event = Event::Notice(Notice::Leave(name.clone()));
    state.publish(room, position, event, None);
    state.forget_if_over(room);
}
