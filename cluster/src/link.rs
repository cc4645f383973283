//! The link between one connector process and one chat process: exactly-once, in-order messages
//! between two living processes, across any number of TCP connections.
//!
//! A connector dials each chat server and keeps one link to it; pushes come back over it. Each
//! end numbers its messages, keeps them until the other has acknowledged them, and sends them
//! again on the next connection; the receiver drops what it has seen. What ends a link is not a
//! broken connection but a new incarnation of either process, or a lease that ran out.
//!
//! In reading order: [`message`] (what is said), [`frame`] (bytes), [`half`] (sequence numbers,
//! acknowledgements, what is to be resent), [`pace`] (when it writes), [`pump`] (one connection, until it
//! breaks).

pub mod frame;
pub mod half;
pub mod message;
pub mod pace;
pub mod pump;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

/// One TCP connection of a link, as the server that keeps the link knows it. A newer one takes
/// its place.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The server at the other end, by its place in the configured list.
    pub peer: usize,
    /// Tells it from the link's other connections.
    pub number: u64,
    /// Signalled when there is something to send.
    pub wake: Arc<Notify>,
    /// Signalled when the connection is to end.
    pub stop: Arc<Notify>,
}

impl Connection {
    /// The connection `number` with `peer`.
    pub fn new(peer: usize, number: u64) -> Self {
        Self {
            peer,
            number,
            wake: Arc::default(),
            stop: Arc::default(),
        }
    }
}

/// Why a connection of a link ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// The connection broke, or there never was one.
    #[error("the connection failed")]
    Io(#[from] io::Error),
    /// The peer closed the connection.
    #[error("the peer closed the connection")]
    Closed,
    /// The peer sent something that is not a frame of this protocol, or not at this time.
    #[error("the peer broke the link protocol: {0}")]
    Protocol(&'static str),
    /// Nothing came from the peer for too long.
    #[error("no {what} within {patience:?}")]
    Silent {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        patience: Duration,
    },
    /// A newer connection of the same link took over, or the link was given up.
    #[error("another connection took over")]
    Superseded,
    /// The peer turned this end away.
    #[error("the peer refused: {0}")]
    Refused(String),
}
