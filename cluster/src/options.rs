//! What the servers are told besides their addresses.

use std::sync::Arc;
use std::time::Duration;

use crate::dispatch::HANDLERS;
use crate::limits;
use crate::wire::dictionary::Dictionary;
use crate::wire::protobuf::{Protos, Schema};
use crate::wire::vocabulary::Vocabulary;

/// Settings that all servers of one cluster share.
#[derive(Clone, Debug)]
pub struct Options {
    /// Interval of client heartbeats at the connector; a session that sends none for twice as
    /// long is closed. Pomelo's chat example uses 3 s.
    pub heartbeat: Duration,
    /// Longest time until a request is answered, with success or an error.
    pub request_deadline: Duration,
    /// How long a link between connector and chat may be down before the chat server gives up
    /// the connector's sessions and the connector kicks them. Shorter than `request_deadline`,
    /// so that a send that waits for a dead connector is still answered with success.
    pub lease: Duration,
    /// The secret that servers show each other; a peer without it is turned away.
    pub token: String,
    /// Longest package body taken from a client, in bytes.
    pub package_body_len_max: usize,
    /// Most sessions at one frontend.
    pub sessions_max: usize,
    /// Most packages waiting for one client before it is kicked as too slow.
    pub session_queue_len: usize,
    /// The same in bytes.
    pub session_queue_bytes: usize,
    /// Most frames of one link that wait for their acknowledgement.
    pub outbox_len: usize,
    /// Time from a connection to its finished handshake.
    pub handshake_patience: Duration,
    /// Route dictionary and protobuf schemas that connectors tell their clients; together they must
    /// fit a handshake (see [`Answers::new`](crate::wire::handshake::Answers::new)). A gate has the
    /// schemas only, as in Pomelo's chat example.
    pub vocabulary: Vocabulary,
    /// What becomes of an `enter` whose name is taken in that room.
    pub duplicate_login: DuplicateLogin,
}

/// What happens when a name that is in a room enters it once more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum DuplicateLogin {
    /// The second session gets an error, as from the original.
    #[default]
    Refuse,
    /// The first session is kicked; the others see it leave and the second come.
    Replace,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            heartbeat: Duration::from_secs(3),
            request_deadline: Duration::from_secs(3),
            lease: Duration::from_secs(2),
            token: String::from("development"),
            package_body_len_max: limits::PACKAGE_BODY_LEN_MAX,
            sessions_max: limits::SESSIONS_MAX,
            session_queue_len: limits::SESSION_QUEUE_LEN,
            session_queue_bytes: limits::SESSION_QUEUE_BYTES,
            outbox_len: limits::OUTBOX_LEN,
            handshake_patience: limits::HANDSHAKE_PATIENCE,
            vocabulary: chat_example(),
            duplicate_login: DuplicateLogin::Refuse,
        }
    }
}

/// What Pomelo's chat example has: the routes of all handlers, and `onChat` as protobuf.
fn chat_example() -> Vocabulary {
    let schema = |text| {
        let (schema, _) = Schema::from_text(text).expect("a shipped file is an object");
        schema
    };
    let server = schema(include_str!("../config/serverProtos.json"));
    let client = schema(include_str!("../config/clientProtos.json"));
    let dictionary = Dictionary::new(&HANDLERS, &[]).expect("three routes fit");
    Vocabulary {
        dictionary: Some(Arc::new(dictionary)),
        protos: Some(Arc::new(Protos::new(server, client))),
    }
}
