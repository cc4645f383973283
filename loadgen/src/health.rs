//! Whether this machine can carry the load test: a run on a machine that can't measures the machine.
//!
//! Before a run: [`files`] and [`gate`]. Meanwhile each process that makes load watches itself
//! ([`watch`]): [`beat`] (whether tasks come to their turn), [`cpu`], [`segments`] (sent again by TCP),
//! [`memory`]; what it sees is its [`vitals`]. A user that could not come for want of a file or a port is
//! told apart from one that the cluster did not let in ([`want`]). [`judge`](mod@judge) holds all of it
//! against the [`limits`].

pub mod beat;
pub mod cpu;
pub mod files;
pub mod gate;
pub mod judge;
pub mod limits;
pub mod memory;
pub mod segments;
pub mod vitals;
pub mod want;
pub mod watch;

pub use files::{allow_files, check_files, files_max, files_needed};
pub use gate::ask_gate;
pub use judge::{Findings, Seen, judge};
pub use watch::Watch;

use crate::login::LoginError;
use gate::GATE_PATIENCE;

/// Why a run should not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HealthError {
    /// The system allows this process too few open files.
    #[error(
        "{users} users need {needed} open files, but the limit is {limit} (hard limit {hard}): \
         {remedy}"
    )]
    Files {
        /// As planned.
        users: u32,
        /// What they need.
        needed: u64,
        /// What the system allows now.
        limit: u64,
        /// What it allows at most.
        hard: u64,
        /// What to do about it.
        remedy: String,
    },
    /// The gate does not serve.
    #[error(transparent)]
    Gate(LoginError),
    /// The gate does not answer.
    #[error("no answer from gate {gate} within {GATE_PATIENCE:?}")]
    GateSilent {
        /// Which gate.
        gate: String,
    },
}
