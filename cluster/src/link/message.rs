//! What connector and chat say to each other over a link, in postcard's documented format.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::LinkError;

/// A session's number at its connector, never used twice by one incarnation: its generation.
pub type SessionId = u64;

/// A request's number at its connector. Tells an answer that comes in time from one that does not.
pub type RequestId = u64;

/// Place of an event in the order of one chat server, from 1 on. The events of one room are in
/// rising order everywhere, also over restarts of the chat server.
pub type Position = u64;

/// From a connector to a chat server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToChat {
    /// What this connector knows of one room; sent for each on a fresh link, before anything else.
    Report(Report),
    /// All rooms have been reported.
    Reported,
    /// `chat.chatRemote.add`: `session` wants to enter `room` as `name`.
    Add {
        /// The session.
        session: SessionId,
        /// The request that asked for it.
        request: RequestId,
        /// The room.
        room: Arc<str>,
        /// The name.
        name: Arc<str>,
    },
    /// `chat.chatRemote.kick`: `session` is no longer in `room` as `name`. Removes that session
    /// only, never a later one of the same name.
    Remove {
        /// The session.
        session: SessionId,
        /// The room.
        room: Arc<str>,
        /// The name.
        name: Arc<str>,
    },
    /// A client's message to a `chat.*` route.
    Forward {
        /// The session it came from.
        session: SessionId,
        /// The request. A notify has one too, so that no client can have any number of them under
        /// way; its answer ends at the connector.
        request: RequestId,
        /// The room of the session.
        room: Arc<str>,
        /// Its name there.
        name: Arc<str>,
        /// The route.
        route: String,
        /// The body as the client sent it.
        body: Bytes,
    },
    /// With [`Drag::ExtraHop`](crate::drag::Drag::ExtraHop): an encoded message that is to be sent back.
    Echo(Bytes),
}

/// A room as one connector knows it, for a chat server that has just started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The room.
    pub room: Arc<str>,
    /// The last event that this connector has seen of it.
    pub position: Position,
    /// The members whom this connector's members have been told of, as of `position`.
    pub announced: Vec<Arc<str>>,
    /// The latest arrivals and departures: all that some other connector may not have seen.
    pub notices: Vec<(Position, Notice)>,
    /// The sessions of this connector that are in the room now.
    pub members: Vec<(SessionId, Arc<str>)>,
}

/// A change of a room's member list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// Somebody came.
    Add(Arc<str>),
    /// Somebody went.
    Leave(Arc<str>),
}

impl Notice {
    /// Who.
    pub fn name(&self) -> &Arc<str> {
        match self {
            Self::Add(name) | Self::Leave(name) => name,
        }
    }
}

/// From a chat server to a connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToConnector {
    /// A session is a member from now on.
    Added(Added),
    /// Every connector with members has the news of `session`: its `enter` may be answered.
    Confirmed {
        /// The session.
        session: SessionId,
        /// Its request.
        request: RequestId,
    },
    /// The name is taken.
    Duplicate {
        /// The session.
        session: SessionId,
        /// Its request.
        request: RequestId,
    },
    /// The room holds as many as it may.
    Full {
        /// The session.
        session: SessionId,
        /// Its request.
        request: RequestId,
    },
    /// The answer to a forwarded request.
    Answer {
        /// The session.
        session: SessionId,
        /// Its request.
        request: RequestId,
        /// JSON.
        body: Bytes,
    },
    /// An event for all members of `room`.
    Push(Push),
    /// A private message for `session`, if it is (still) in `room`.
    Private {
        /// The session.
        session: SessionId,
        /// The room.
        room: Arc<str>,
        /// The sender's name.
        from: Arc<str>,
        /// The receiver's name.
        target: Arc<str>,
        /// The text.
        content: String,
    },
    /// `session` can't stay in `room`.
    Evict {
        /// The session.
        session: SessionId,
        /// The room.
        room: Arc<str>,
        /// Why, for its client.
        reason: String,
    },
    /// The report came too late: the rooms went on without this connector's sessions.
    Expired,
    /// With [`Flaw::DoubleDeliveryAfterReentry`](crate::policy::Flaw::DoubleDeliveryAfterReentry):
    /// how often the name of `session`, which has become a member, is listed by now.
    Listed {
        /// The session.
        session: SessionId,
        /// The room.
        room: Arc<str>,
        /// So often it hears what is said.
        times: usize,
    },
    /// With [`Drag::ExtraHop`](crate::drag::Drag::ExtraHop): an encoded message that is now to be sent.
    Echo(Bytes),
}

/// A session that has become a member. Its `enter` is not to be answered before
/// [`ToConnector::Confirmed`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The session.
    pub session: SessionId,
    /// Its request.
    pub request: RequestId,
    /// The room.
    pub room: Arc<str>,
    /// Its name there.
    pub name: Arc<str>,
    /// Where in the order it came.
    pub position: Position,
    /// All members, itself included, in the order of Pomelo's answer.
    pub users: Vec<Arc<str>>,
}

/// An event of a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// The room.
    pub room: Arc<str>,
    /// Its place in the order.
    pub position: Position,
    /// Every connector with members has all events up to here.
    pub stable: Position,
    /// What happened.
    pub event: Event,
}

/// What happened in a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// The member list changed (`onAdd`, `onLeave`).
    Notice(Notice),
    /// Somebody spoke to all (`onChat`).
    Chat {
        /// The sender's name.
        from: Arc<str>,
        /// The text.
        content: String,
    },
}

/// Encodes a message; one encoding serves any number of links.
pub fn encode<M: Serialize>(message: &M) -> Bytes {
    postcard::to_stdvec(message)
        .expect("messages hold nothing that postcard cannot encode")
        .into()
}

/// Decodes a message.
///
/// # Errors
///
/// [`LinkError::Protocol`] if it is none.
pub fn decode<M: DeserializeOwned>(payload: &[u8]) -> Result<M, LinkError> {
    postcard::from_bytes(payload).map_err(|_| LinkError::Protocol("not a message"))
}
