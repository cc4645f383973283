//! Why a client cannot go on.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::connection::ConnectionError;
use crate::wire::handshake::VocabularyError;
use crate::wire::message::MessageError;
use crate::wire::protobuf::EncodeError;
use crate::wire::vocabulary::{BodyError, UnknownCode};

/// Why a client cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there.
    #[error("no connection to {host}:{port}")]
    Connect {
        /// The host that was dialled.
        host: String,
        /// The port that was dialled.
        port: u16,
        /// What the network said.
        source: io::Error,
    },
    /// The connection is of no more use.
    #[error("the connection to the server failed")]
    Connection(#[from] ConnectionError),
    /// The server closed before it answered the handshake.
    #[error("the server closed before the handshake was done")]
    ClosedEarly,
    /// The server turned this client away.
    #[error("the server answered the handshake with code {code}")]
    Refused {
        /// 500 for a bad handshake, 501 for a wrong version.
        code: u16,
    },
    /// The answer to the handshake is no JSON, or not the right one.
    #[error("the server's handshake cannot be understood")]
    Handshake(#[source] serde_json::Error),
    /// The answer to the handshake has a vocabulary that is none.
    #[error("the server's handshake cannot be used")]
    Vocabulary(#[source] Box<VocabularyError>),
    /// A data package holds no message.
    #[error("the server sent a data package without a message")]
    Message(#[from] MessageError),
    /// A message's body is not what its route says.
    #[error("the body of a message from the server cannot be read")]
    Body(#[from] BodyError),
    /// The server's schema for a route has no room for what is to be said.
    #[error("the server's schema for {route} does not hold the body")]
    Schema {
        /// The route.
        route: String,
        /// What is wrong.
        source: Box<EncodeError>,
    },
    /// A push's route is a code that the dictionary does not have.
    #[error("the server pushed to a route that nobody knows")]
    RouteCode(#[from] UnknownCode),
    /// No package came for two heartbeat intervals.
    #[error("the server has been silent for {silence:?}")]
    Silent {
        /// How long nothing came.
        silence: Duration,
    },
}
