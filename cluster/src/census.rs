//! What the tables of a running server hold: for whoever watches it, and for tests that demand
//! that nothing grows and nothing is left behind.

use std::collections::BTreeMap;

/// The tables of one server at one moment. What a server type does not have stays empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Client connections, entered or not.
    pub sessions: usize,
    /// Room and name of each session that is in a room.
    pub entered: Vec<(String, String)>,
    /// The members of each room that this chat server owns, in the order of its lists.
    pub rooms: BTreeMap<String, Vec<String>>,
    /// Requests that wait for an answer.
    pub in_flight: usize,
    /// Frames that a peer has not acknowledged, over all links.
    pub outbox_len: usize,
    /// The most that one link ever had waiting, since the start.
    pub outbox_len_max: usize,
    /// The most packages that one session ever had waiting, since the start.
    pub queue_len_max: usize,
    /// Packages that wait for a client, over all sessions.
    pub queued: usize,
    /// Tasks that serve a client connection, from before its handshake until it is closed.
    pub tasks: usize,
    /// Rooms that this connector knows of, because sessions of its own are in them.
    pub views: usize,
    /// Connections at a chat server's port, from before their hello until they are closed.
    pub link_connections: usize,
}
