//! What can go wrong with the servers of one process.

use std::io;
use std::time::Duration;

use tokio::task::JoinError;

use super::Address;

/// Time that servers get to stop: clients their kick ([`CLOSE_PATIENCE`](crate::limits)), and
/// some to spare on a busy machine. What still runs then is dropped.
pub(super) const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Why a port could not be bound.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Another program has it.
    #[error("port {} of {} is busy", address.port, address.id)]
    Busy {
        /// The server that wants it.
        address: Address,
    },
    /// Another server of this process has it: they are meant for different hosts.
    #[error("port {} of {} is busy: {other} of this same process has it", address.port, address.id)]
    Shared {
        /// The server that wants it.
        address: Address,
        /// The server that has it.
        other: String,
    },
    /// The system refuses it.
    #[error("port {} of {} cannot be bound ({cause})", address.port, address.id)]
    Refused {
        /// The server that wants it.
        address: Address,
        /// What the system says.
        cause: io::Error,
    },
}

impl BindError {
    /// What to do about it; `file` is where the port comes from.
    pub fn remedy(&self, file: &str) -> String {
        let (Self::Busy { address } | Self::Shared { address, .. } | Self::Refused { address, .. }) =
            self;
        let otherwise = match self {
            Self::Busy { .. } => "end the program that has it",
            Self::Shared { .. } => "run one process per server with --server-id",
            Self::Refused { .. } => "choose an address of this machine with --bind",
        };
        let field = address.port_field();
        format!("{otherwise}, or change {field} of {} in {file}", address.id)
    }
}

/// A server that ended although nobody stopped it, or did not stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// It panicked.
    #[error("{id} ended by a defect")]
    Panicked {
        /// The server.
        id: String,
        /// The panic.
        #[source]
        cause: JoinError,
    },
    /// It returned while it should have served.
    #[error("{id} ended by itself")]
    Returned {
        /// The server.
        id: String,
    },
    /// It went on after it was told to stop, and was dropped.
    #[error("servers did not stop within {STOP_PATIENCE:?}")]
    StillRunning,
}
