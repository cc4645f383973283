//! How large a run is, for people.

use std::fmt;
use std::time::Duration;

use super::{spells, users};
use crate::case::Case;
use crate::report::{count, seconds};
use crate::run::Outcome;

/// How much there is of everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Faults; what heals them is not counted.
    pub faults: usize,
    /// Users, without those that prove life.
    pub users: usize,
    /// What they do.
    pub actions: usize,
    /// Users that prove life.
    pub probes: usize,
    /// Rooms.
    pub rooms: usize,
    /// Clients that send bad bytes.
    pub vandals: usize,
    /// Servers.
    pub servers: usize,
    /// Hosts of users.
    pub client_hosts: usize,
    /// The time that passes in it.
    pub simulated: Duration,
    /// The events of its trace; none if it was not run.
    pub events: u64,
}

impl Size {
    /// Of a run.
    pub fn of(outcome: &Outcome) -> Self {
        let planned = outcome.case.as_ref().map(Self::planned);
        Self {
            simulated: outcome.simulated,
            events: outcome.chain.events,
            ..planned.unwrap_or_default()
        }
    }

    /// Of a run that is to come.
    pub fn planned(case: &Case) -> Self {
        let probes = case.scripts.iter().filter(|it| case.is_probe(it.user));
        let probes = probes.count();
        Self {
            faults: spells::of(case).len() + case.anchored.len(),
            users: case.scripts.len() - probes,
            actions: users::actions(case),
            probes,
            rooms: users::rooms(case).len(),
            vandals: case.vandals as usize,
            servers: case.hosts().len() - case.client_hosts.len(),
            client_hosts: case.client_hosts.len(),
            simulated: case.times.ended_at,
            events: 0,
        }
    }

    /// A table of two, one line for each thing.
    pub fn table(before: &Self, after: &Self) -> String {
        let rows = before.rows().into_iter().zip(after.rows());
        let mut table = format!("{:16} {:>8} {:>8}", "", "before", "after");
        for ((name, before), (_, after)) in rows {
            table += &format!("\n{name:16} {before:>8} {after:>8}");
        }
        table
    }

    fn rows(&self) -> [(&'static str, String); 10] {
        [
            ("faults", self.faults.to_string()),
            ("users", self.users.to_string()),
            ("user actions", self.actions.to_string()),
            ("probes", self.probes.to_string()),
            ("rooms", self.rooms.to_string()),
            ("vandals", self.vandals.to_string()),
            ("servers", self.servers.to_string()),
            ("hosts of users", self.client_hosts.to_string()),
            ("simulated", seconds(self.simulated)),
            ("events", self.events.to_string()),
        ]
    }
}

/// As in `3 faults, 2 users with 7 actions, 5 servers, 26.0s`.
impl fmt::Display for Size {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}, {} with {}, {}, {}",
            count(self.faults, "fault"),
            count(self.users, "user"),
            count(self.actions, "action"),
            count(self.servers, "server"),
            seconds(self.simulated)
        )
    }
}
