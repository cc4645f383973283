//! Files and sockets: how many this process may have, and how many it has.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::HealthError;
use super::vitals::Files;

/// Open files besides the connections that last: standard streams, the runtime's, listeners, links
/// between servers, the report, and connections to the gate that are just closing.
const FILES_RESERVE: u64 = 256;

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
    let limits = getrlimit(Resource::Nofile);
    let unlimited = |limit: Option<u64>| limit.unwrap_or(u64::MAX);
    let (limit, hard) = (unlimited(limits.current), unlimited(limits.maximum));
    check(limit, hard, users, needed)
}

/// How many files a process may open at most.
#[cfg(unix)]
pub fn files_max() -> u64 {
    getrlimit(Resource::Nofile).maximum.unwrap_or(u64::MAX)
}

/// How many files a process may open at most: sockets are no files here.
#[cfg(not(unix))]
pub fn files_max() -> u64 {
    u64::MAX
}

/// Makes sure that another process, which this one is going to start, may open enough files for `users`.
///
/// # Errors
///
/// If the hard limit is too low; the error says what to do.
pub fn check_files(users: u32) -> Result<(), HealthError> {
    let hard = files_max();
    check(hard, hard, users, files_needed(users, false))
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

/// How many files this process has open, and how many it may have; `None` where the system does not
/// tell at once. To count tens of thousands of names each second would be a load of its own.
#[cfg(unix)]
pub fn look() -> Option<Files> {
    // Since Linux 6.2 the length of this folder is the number of open files; before it was nothing.
    let open = std::fs::metadata("/proc/self/fd").ok()?.len();
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    (open > 0).then_some(Files {
        open_max: open,
        limit,
    })
}

/// How many files this process has open; nobody tells.
#[cfg(not(unix))]
pub fn look() -> Option<Files> {
    None
}

impl Files {
    /// What is known, with an earlier look.
    pub fn after(self, earlier: Option<Self>) -> Self {
        let open_before = earlier.map_or(0, |files| files.open_max);
        Self {
            open_max: self.open_max.max(open_before),
            ..self
        }
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

fn check(limit: u64, hard: u64, users: u32, needed: u64) -> Result<(), HealthError> {
    if limit >= needed {
        return Ok(());
    }
    let remedy = if hard < needed {
        format!(
            "use more --workers, load a cluster of other processes (`cluster start --processes`), or \
             let an administrator raise the hard limit (`nofile`) to {needed}"
        )
    } else {
        format!("run `ulimit -n {needed}` in this shell first, or use more --workers")
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
        assert!(check(2256, 2256, 1000, 2256).is_ok());
        let text = |soft, hard| {
            let error = check(soft, hard, 1000, 2256).expect_err("too low");
            error.to_string()
        };
        let hard = text(1024, 2000);
        assert!(hard.starts_with(
            "1000 users need 2256 open files, but the limit is 1024 (hard limit 2000)"
        ));
        assert!(hard.contains("administrator"), "{hard}");
        assert!(text(1024, 4096).contains("ulimit -n 2256"));
    }
}
