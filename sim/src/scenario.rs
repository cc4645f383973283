//! A scenario says what kind of cluster, users and faults a run has; a seed makes one run of it.

use std::ops::RangeInclusive;
use std::time::Duration;

use loadgen::time_text;
use rand::Rng;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

use crate::chaos::Faults;
use crate::settings::Settings;
use crate::workload::Workload;

mod clients;
mod crashes;
mod links;
mod mix;
mod protobuf;
mod steady;

/// A family of runs, one for each seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called on the command line.
    pub name: String,
    /// What it is about, in one line.
    pub about: String,
    /// How many seeds `sim` alone runs of it: all scenarios together take about a minute on two
    /// cores.
    pub seeds: u64,
    /// How large the cluster is.
    pub shape: Shape,
    /// What the users do.
    pub workload: Workload,
    /// What goes wrong.
    pub faults: Faults,
    /// What servers, users and network are set to.
    pub settings: Settings,
    /// Whether no user may lose its connection, see [`crate::quiet`].
    pub quiet: bool,
}

/// A number that each seed draws for itself, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

impl Span {
    /// Always `value`.
    pub const fn just(value: u32) -> Self {
        Self::of(value..=value)
    }

    /// Any number of `range`.
    pub const fn of(range: RangeInclusive<u32>) -> Self {
        Self {
            min: *range.start(),
            max: *range.end(),
        }
    }

    /// Draws one.
    pub fn draw(self, rng: &mut StdRng) -> u32 {
        rng.random_range(self.min..=self.max)
    }

    /// Draws one, as milliseconds.
    pub fn draw_ms(self, rng: &mut StdRng) -> Duration {
        Duration::from_millis(self.draw(rng).into())
    }
}

/// How many of everything.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Connector servers.
    pub connectors: Span,
    /// Chat servers.
    pub chats: Span,
    /// Hosts that the users are spread over. More than a few slow a run down: turmoil's cost
    /// grows with the cube of the hosts.
    pub client_hosts: u32,
    /// Users, those not counted that the workload adds (twins, probes).
    pub users: Span,
    /// Rooms.
    pub rooms: Span,
    /// Latency of each link, one way, in milliseconds. At least 1: turmoil delivers what has none
    /// before it was sent.
    pub latency_ms: Span,
}

impl Default for Shape {
    /// One gate, three connectors, three chat servers, two client hosts; 20 users in 4 rooms.
    fn default() -> Self {
        Self {
            connectors: Span::just(3),
            chats: Span::just(3),
            client_hosts: 2,
            users: Span::just(20),
            rooms: Span::just(4),
            latency_ms: Span::of(1..=5),
        }
    }
}

/// When the phases of a run begin, since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// All users have begun to log in; faults may begin.
    #[serde(with = "time_text")]
    pub arrived_at: Duration,
    /// Everything is healed.
    #[serde(with = "time_text")]
    pub healed_at: Duration,
    /// Membership and life must be whole again; the probes log in.
    #[serde(with = "time_text")]
    pub settled_at: Duration,
    /// Everybody leaves.
    #[serde(with = "time_text")]
    pub leaving_at: Duration,
    /// The end: nothing may be left in any table.
    #[serde(with = "time_text")]
    pub ended_at: Duration,
}

impl Times {
    /// Users arrive during this time.
    const ARRIVE: Duration = Duration::from_secs(2);
    /// Faults happen during this time: as long as three leases, so that one can run out, be
    /// taken up again and be hit once more.
    const WORK: Duration = Duration::from_secs(6);
    /// Probes log in, speak and are heard: each takes a few round trips.
    const PROBE: Duration = Duration::from_secs(3);
    /// For round trips and dialling, which come on top of the sums below.
    const SLACK: Duration = Duration::from_secs(1);

    /// The times of a run with `settings`.
    pub fn of(settings: &Settings) -> Self {
        let &Settings {
            heartbeat,
            lease,
            login_patience,
            reconnect_max,
            ..
        } = settings;
        // A client sends its heartbeat one interval after the server's, and gives up two later.
        let silence = heartbeat * 3;
        // At worst a user's connection died silently just before the heal: three intervals until
        // it is noticed, a lease until the chat server gives the session up, then a login that
        // hangs on the last thing that broke, and the longest back-off before the one that works.
        let settle = silence + lease + login_patience + reconnect_max + Self::SLACK;
        // At worst a connection that nobody closes, on a link that has to be given up.
        let clean = silence + lease + Self::SLACK;

        let arrived_at = Self::ARRIVE;
        let healed_at = arrived_at + Self::WORK;
        let settled_at = healed_at + settle;
        let leaving_at = settled_at + Self::PROBE;
        Self {
            arrived_at,
            healed_at,
            settled_at,
            leaving_at,
            ended_at: leaving_at + clean,
        }
    }
}

/// The built-in scenarios, in the order in which they are run and listed.
pub fn built_in() -> Vec<Scenario> {
    let mut scenarios = steady::scenarios();
    scenarios.extend(crashes::scenarios());
    scenarios.extend(links::scenarios());
    scenarios.extend(clients::scenarios());
    scenarios.extend(protobuf::scenarios());
    scenarios.extend(mix::scenarios());
    scenarios
}

/// The built-in scenario called `name`.
///
/// # Errors
///
/// If there is none; the error names the one that was probably meant.
pub fn find(name: &str) -> Result<Scenario, UnknownScenario> {
    let mut scenarios = built_in();
    match scenarios.iter().position(|known| known.name == name) {
        Some(index) => Ok(scenarios.swap_remove(index)),
        None => Err(UnknownScenario {
            name: name.to_owned(),
            nearest: nearest(name, scenarios.iter().map(|known| &*known.name)),
        }),
    }
}

/// Whichever of `known` was probably meant by `name`.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    // One slip in three characters.
    let slips_max = (name.chars().count() / 3).clamp(1, 3);
    known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(slips, _)| *slips <= slips_max)
        .min()
        .map(|(_, known)| known.to_owned())
}

/// There is no scenario of this name.
#[derive(Debug, thiserror::Error)]
#[error("no scenario is called `{name}`; {}", remedy(nearest.as_deref()))]
pub struct UnknownScenario {
    name: String,
    nearest: Option<String>,
}

fn remedy(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => String::from("`sim list` names all"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_has_its_own_name() {
        let scenarios = built_in();
        let names: BTreeSet<_> = scenarios.iter().map(|scenario| &scenario.name).collect();
        assert_eq!(names.len(), scenarios.len());
    }

    #[test]
    fn an_unknown_name_is_answered_with_one_that_is_near() {
        let said = |name| find(name).unwrap_err().to_string();
        assert_eq!(
            said("conector-crsh"),
            "no scenario is called `conector-crsh`; did you mean `connector-crash`?"
        );
        assert_eq!(
            said("nope"),
            "no scenario is called `nope`; `sim list` names all"
        );
    }
}
