//! Which servers there are, in configuration order, and which of them owns what.

/// The servers of one environment. The order of each list is the order of `servers.json`; all
/// routing depends on it and on nothing else, so that every process computes the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Topology {
    /// Frontends that tell a client which connector to use.
    pub gates: Vec<Frontend>,
    /// Frontends that hold the sessions.
    pub connectors: Vec<Frontend>,
    /// Backends that own the rooms.
    pub chats: Vec<Backend>,
}

/// A server that clients connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frontend {
    /// Unique in the whole cluster, such as `connector-server-1`.
    pub id: String,
    /// The host that clients are told to connect to (`clientHost`, else `host`).
    pub client_host: String,
    /// The port for clients.
    pub client_port: u16,
}

/// A server that only connectors connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backend {
    /// Unique in the whole cluster, such as `chat-server-1`.
    pub id: String,
    /// The host that connectors dial.
    pub host: String,
    /// The port that connectors dial.
    pub port: u16,
}

impl Topology {
    /// The connector that the user `uid` is sent to; `None` if there are none.
    pub fn connector_of(&self, uid: &str) -> Option<&Frontend> {
        self.connectors.get(index_of(uid, self.connectors.len())?)
    }

    /// The index of the chat server that owns `room`; `None` if there are none.
    pub fn chat_of(&self, room: &str) -> Option<usize> {
        index_of(room, self.chats.len())
    }
}

/// Pomelo's hash: `abs(crc32) mod servers` over the low byte of each UTF-16 code unit, the
/// checksum taken as a signed number (the original's dispatcher with crc 0.2.0, observed).
///
// Every process computes this alone, so all users of a room meet on one chat server without
// talking about it. Adding a server moves most rooms; consistent hashing would move one in n,
// but the server list is fixed while a cluster runs, and clients of the original expect this.
pub(crate) fn index_of(key: &str, servers: usize) -> Option<usize> {
    if servers == 0 {
        return None;
    }
    let mut crc = crc32fast::Hasher::new();
    for unit in key.encode_utf16() {
        let [low, _high] = unit.to_le_bytes();
        crc.update(&[low]);
    }
    let signed = i32::from_ne_bytes(crc.finalize().to_ne_bytes());
    Some(signed.unsigned_abs() as usize % servers)
}
