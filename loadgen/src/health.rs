//! Whether this machine can carry the load test: a run on a machine that can't measures the machine.

pub mod vitals;

use std::time::Duration;

use cluster::net::Network;
#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::time::timeout;

use crate::login::{self, LoginError};
use crate::user::Access;

/// Open files besides the connections that last: standard streams, the runtime's, listeners, links
/// between servers, the report, and connections to the gate that are just closing.
const FILES_RESERVE: u64 = 256;

/// How long the gate may take to answer the question before a run.
const GATE_PATIENCE: Duration = Duration::from_secs(5);

/// Sends that are so late (p99) were held up by the generator, which then measures itself.
pub const LATENESS_MAX: Duration = Duration::from_millis(10);

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

/// Open files that `users` need; with both ends of every connection if the servers are in this
/// process too.
pub fn files_needed(users: u32, embedded: bool) -> u64 {
    let ends = if embedded { 2 } else { 1 };
    u64::from(users) * ends + FILES_RESERVE
}

/// Makes sure that this process may open enough files, by raising its soft limit if need be.
///
/// # Errors
///
/// If the hard limit is too low; the error says what to do.
#[cfg(unix)]
pub fn allow_files(users: u32, embedded: bool) -> Result<(), HealthError> {
    let needed = files_needed(users, embedded);
    let limits = getrlimit(Resource::Nofile);
    let raised = raised(limits, needed);
    if raised != limits {
        // Whether it worked shows below.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    check(getrlimit(Resource::Nofile), users, needed)
}

/// Nothing to do: sockets are no files here.
///
/// # Errors
///
/// None.
#[cfg(not(unix))]
pub fn allow_files(_users: u32, _embedded: bool) -> Result<(), HealthError> {
    Ok(())
}

/// Asks the gate for a connector once, so that a wrong address is told at once and not by every
/// user.
///
/// # Errors
///
/// If the gate can't be reached, or names no connector.
pub async fn ask_gate<N: Network>(network: &N, access: &Access) -> Result<(), HealthError> {
    let asked = login::ask_gate(network, access, "anybody");
    match timeout(GATE_PATIENCE, asked).await {
        Ok(Ok((_connector, client))) => {
            login::say_goodbye(client, access.patience.close).await;
            Ok(())
        }
        Ok(Err(error)) => Err(HealthError::Gate(error)),
        Err(_elapsed) => Err(HealthError::GateSilent {
            gate: access.gate.to_string(),
        }),
    }
}

/// `limits` with as much as is needed, as far as the hard limit allows.
#[cfg(unix)]
fn raised(limits: Rlimit, needed: u64) -> Rlimit {
    let hard = limits.maximum.unwrap_or(u64::MAX);
    match limits.current {
        Some(soft) if soft < needed => Rlimit {
            current: Some(needed.min(hard)),
            ..limits
        },
        _ => limits,
    }
}

#[cfg(unix)]
fn check(limits: Rlimit, users: u32, needed: u64) -> Result<(), HealthError> {
    let limit = limits.current.unwrap_or(u64::MAX);
    if limit >= needed {
        return Ok(());
    }
    let hard = limits.maximum.unwrap_or(u64::MAX);
    let remedy = if hard < needed {
        format!(
            "let an administrator raise the hard limit (`nofile`) to {needed}, or use fewer --users"
        )
    } else {
        format!("run `ulimit -n {needed}` in this shell first, or use fewer --users")
    };
    Err(HealthError::Files {
        users,
        needed,
        limit,
        hard,
        remedy,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn limits(soft: u64, hard: u64) -> Rlimit {
        Rlimit {
            current: Some(soft),
            maximum: Some(hard),
        }
    }

    #[test]
    fn a_cluster_in_the_same_process_needs_both_ends_of_every_connection() {
        assert_eq!(files_needed(1000, false), 1256);
        assert_eq!(files_needed(1000, true), 2256);
    }

    #[test]
    fn a_soft_limit_is_raised_to_what_is_needed_and_never_lowered() {
        assert_eq!(raised(limits(1024, 4096), 2256), limits(2256, 4096));
        assert_eq!(raised(limits(1024, 2000), 2256), limits(2000, 2000));
        assert_eq!(raised(limits(4096, 4096), 2256), limits(4096, 4096));
    }

    #[test]
    fn too_low_a_limit_is_told_with_the_numbers_and_the_remedy() {
        assert!(check(limits(2256, 2256), 1000, 2256).is_ok());
        let text = |limits| {
            let error = check(limits, 1000, 2256).expect_err("too low");
            error.to_string()
        };
        let hard = text(limits(1024, 2000));
        assert!(hard.starts_with(
            "1000 users need 2256 open files, but the limit is 1024 (hard limit 2000)"
        ));
        assert!(hard.contains("administrator"), "{hard}");
        assert!(text(limits(1024, 4096)).contains("ulimit -n 2256"));
    }
}
