//! How many processes a load test takes.

use std::io;
use std::path::PathBuf;

use crate::health::{self, HealthError};
use crate::plan::LoadPlan;
use crate::plan::shares::shares;

/// Users of one process, unless it is told otherwise: more wait too long for one another at the one
/// lock that their record has.
const USERS_MAX: u32 = 15_000;

/// Most processes of one load test. Each has source addresses of its own, by one byte.
pub const WORKERS_MAX: u32 = 200;

/// Processes that live the users of load tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crew {
    /// The program that is started for each.
    pub program: PathBuf,
    /// How many there are; with one there is no other than the process that asks.
    pub workers: u32,
}

/// Why there can't be such a crew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CrewError {
    /// A room is never divided.
    #[error(
        "--workers {asked}: this plan can be divided into {parts} at most, as two neighbouring rooms \
         are always in one process"
    )]
    Parts {
        /// As many as were asked for.
        asked: u32,
        /// As many as there can be.
        parts: u32,
    },
    /// Too few open files.
    #[error(transparent)]
    Files(#[from] HealthError),
    /// There is no program to start.
    #[error("can't find the program that is running")]
    Program(#[source] io::Error),
}

impl Crew {
    /// All users in this process.
    pub fn alone() -> Self {
        Self {
            program: PathBuf::new(),
            workers: 1,
        }
    }

    /// A crew for `plan`: as many as `asked` for, or as many as it takes if each has no more files and
    /// users than it should have. It makes sure that this process may open as many files as it is going
    /// to; `has_cluster` says that the servers are in it too.
    ///
    /// # Errors
    ///
    /// If there can't be so many, or the system allows too few files; the error says what to do.
    pub fn of(plan: &LoadPlan, asked: Option<u32>, has_cluster: bool) -> Result<Self, CrewError> {
        let workers = match asked {
            Some(asked) => asked,
            None => enough(plan, has_cluster, health::files_max()),
        };
        let parts = plan.rooms.parts();
        if workers > parts {
            return Err(CrewError::Parts {
                asked: workers,
                parts,
            });
        }
        if workers == 1 {
            health::allow_files(plan.connections(), has_cluster)?;
            return Ok(Self::alone());
        }
        let served = if has_cluster { plan.connections() } else { 0 };
        health::allow_files(served, false)?;
        health::check_files(largest(plan, workers) as u32)?;
        let program = std::env::current_exe().map_err(CrewError::Program)?;
        Ok(Self { program, workers })
    }
}

/// The fewest processes of which none has too many users, or too many files for its `files_max`; as many
/// as there can be if that is still too few.
fn enough(plan: &LoadPlan, has_cluster: bool, files_max: u64) -> u32 {
    let users = plan.connections();
    if users <= USERS_MAX && health::files_needed(users, has_cluster) <= files_max {
        return 1;
    }
    let most = plan.rooms.parts().min(WORKERS_MAX);
    let sockets_max = files_max.saturating_sub(health::files_needed(0, false));
    let each_max = u64::from(USERS_MAX).min(sockets_max).max(1);
    let least = u64::from(users).div_ceil(each_max).max(2);
    // Parts are not divided: it may take some more.
    let fits = |workers: &u32| largest(plan, *workers) as u64 <= each_max;
    let least = u32::try_from(least).unwrap_or(most);
    (least..most).find(fits).unwrap_or(most)
}

/// The users of the process that has the most.
fn largest(plan: &LoadPlan, workers: u32) -> usize {
    let shares = shares(plan, workers);
    shares.iter().map(Vec::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::short::ShortPlan;

    fn plan(users: u32, rooms: u32) -> LoadPlan {
        let short = ShortPlan {
            rooms,
            rate_per_s: 0.0,
            ..ShortPlan::new(users, 1)
        };
        short.plan().expect("it is sound")
    }

    #[test]
    fn there_are_as_many_as_users_and_files_take() {
        for (users, rooms, has_cluster, files_max, expected) in [
            (1000, 50, true, 20_000, 1),
            (15_000, 750, false, 20_000, 1),
            (15_001, 750, false, 20_000, 2),
            // Both ends of each connection would be 20,256 files.
            (10_000, 500, true, 20_000, 2),
            (100_000, 5000, false, 20_000, 7),
            // 744 users and 256 files besides.
            (100_000, 50_000, false, 1000, 135),
            // A room is not divided, and its neighbour goes with it.
            (100_000, 4, false, 20_000, 2),
            (100_000, 1, false, 20_000, 1),
        ] {
            let plan = plan(users, rooms);
            let found = enough(&plan, has_cluster, files_max);
            assert_eq!(found, expected, "{users} users in {rooms} rooms");
        }
    }

    #[test]
    fn more_than_the_plan_can_be_divided_into_is_told() {
        let told = Crew::of(&plan(100, 5), Some(3), false).expect_err("there are two parts");
        assert!(
            told.to_string()
                .starts_with("--workers 3: this plan can be divided into 2")
        );
    }
}
