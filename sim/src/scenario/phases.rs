//! The phases of a run: users arrive, faults happen, the cluster settles, probes prove that it
//! lives, everybody leaves.

use std::time::Duration;

use loadgen::time_text;
use serde::{Deserialize, Serialize};

use crate::settings::Settings;

/// How long each phase is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Phases {
    /// Users arrive during this time.
    #[serde(with = "time_text")]
    pub arrive: Duration,
    /// Faults happen during this time.
    #[serde(with = "time_text")]
    pub work: Duration,
    /// From the last heal until membership and life must be whole again; at least what
    /// [`Phases::settle_min`] says. As long as that if nothing is said.
    #[serde(with = "time_text::maybe")]
    pub settle: Option<Duration>,
    /// Probes log in, speak and are heard.
    #[serde(with = "time_text")]
    pub probe: Duration,
}

impl Default for Phases {
    /// Faults happen during three leases, so that one can run out, be taken up again and be hit once
    /// more. Probes have a few round trips each.
    fn default() -> Self {
        Self {
            arrive: Duration::from_secs(2),
            work: Duration::from_secs(6),
            settle: None,
            probe: Duration::from_secs(3),
        }
    }
}

impl Phases {
    /// For round trips and dialling, which come on top of the sums below.
    const SLACK: Duration = Duration::from_secs(1);

    /// How long a cluster with `settings` can need until it is whole again.
    pub fn settle_min(settings: &Settings) -> Duration {
        // At worst a user's connection died silently just before the heal: three intervals until
        // it is noticed, a lease until the chat server gives the session up, then a login that
        // hangs on the last thing that broke, and the longest back-off before the one that works.
        Self::silence(settings)
            + settings.lease
            + settings.login_patience
            + settings.reconnect_max
            + Self::SLACK
    }

    /// A client sends its heartbeat one interval after the server's, and gives up two later.
    fn silence(settings: &Settings) -> Duration {
        settings.heartbeat * 3
    }

    /// When each phase of a run with `settings` begins.
    pub fn times(&self, settings: &Settings) -> Times {
        // At worst a connection that nobody closes, on a link that has to be given up.
        let clean = Self::silence(settings) + settings.lease + Self::SLACK;
        let arrived_at = self.arrive;
        let healed_at = arrived_at + self.work;
        let settle = self.settle.unwrap_or_default();
        let settled_at = healed_at + settle.max(Self::settle_min(settings));
        let leaving_at = settled_at + self.probe;
        Times {
            arrived_at,
            healed_at,
            settled_at,
            leaving_at,
            ended_at: leaving_at + clean,
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
