//! What a file says of stages.

use std::time::Duration;

use serde::Deserialize;

use super::rates::{RateFile, ThinkFile};
use crate::plan::moves::{Churn, Storm};
use crate::plan::{Arrivals, Sends, Spacing, Stage};
use crate::time_text;

/// A `[[stage]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StageFile {
    /// What it is called; its number if nothing is said.
    pub name: Option<String>,
    /// How long it is.
    #[serde(with = "time_text")]
    pub duration: Duration,
    /// Who comes.
    pub arrivals: Option<ArrivalsFile>,
    /// When users send.
    pub sends: Option<SendsFile>,
    /// Who goes and comes back.
    pub churn: Option<ChurnFile>,
    /// When many go and come back at once.
    pub storm: Option<StormFile>,
}

/// The section `[stage.arrivals]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ArrivalsFile {
    /// How many.
    pub users: u32,
    /// Its proportions over time.
    #[serde(default = "RateFile::one")]
    pub rate: RateFile,
    /// How regular they are.
    #[serde(default = "even")]
    pub spacing: Spacing,
}

/// The section `[stage.sends]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SendsFile {
    /// Per second, of all users together.
    pub rate: Option<RateFile>,
    /// How regular they are.
    pub spacing: Option<Spacing>,
    /// Of each user by itself, instead of a rate.
    pub think: Option<ThinkFile>,
}

/// The section `[stage.churn]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChurnFile {
    /// Users per second who go for good.
    pub leave: f64,
    /// Users per second who go and come back.
    pub rejoin: f64,
    /// Until they come back.
    #[serde(with = "time_text")]
    pub away: Duration,
    /// Users per second who go to the neighbouring room.
    pub switch: f64,
}

impl Default for ChurnFile {
    /// Nobody goes; who does is away for as long as a page takes to load again.
    fn default() -> Self {
        Self {
            leave: 0.0,
            rejoin: 0.0,
            away: Duration::from_secs(2),
            switch: 0.0,
        }
    }
}

/// The section `[stage.storm]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StormFile {
    /// Since the start of the stage.
    #[serde(with = "time_text")]
    pub after: Duration,
    /// How many of a hundred users.
    pub percent: f64,
    /// They come back at any time within this.
    #[serde(with = "time_text")]
    pub within: Duration,
}

impl StageFile {
    /// A stage in which nothing happens.
    pub fn new(name: &str, duration: Duration) -> Self {
        Self {
            name: Some(name.to_owned()),
            duration,
            arrivals: None,
            sends: None,
            churn: None,
            storm: None,
        }
    }

    /// The stage that begins at `starts_at`, when so many users are present.
    pub fn stage(self, index: usize, starts_at: Duration, present: u32) -> Stage {
        let duration = self.duration;
        Stage {
            name: self.name.unwrap_or_else(|| format!("stage {}", index + 1)),
            starts_at,
            ends_at: starts_at + duration,
            present,
            arrivals: self.arrivals.map(|it| Arrivals {
                users: it.users,
                curve: it.rate.curve(duration),
                spacing: it.spacing,
            }),
            sends: self.sends.and_then(|it| it.sends(duration)),
            churn: self.churn.map(|it| Churn {
                leave: it.leave,
                rejoin: it.rejoin,
                away: it.away,
                switch: it.switch,
            }),
            storm: self.storm.map(|it| Storm {
                after: it.after,
                percent: it.percent,
                within: it.within,
            }),
        }
    }
}

impl SendsFile {
    fn sends(&self, duration: Duration) -> Option<Sends> {
        if let Some(think) = &self.think {
            return Some(Sends::Think(think.think()));
        }
        let rate = self.rate.as_ref()?;
        Some(Sends::Rate {
            curve: rate.curve(duration),
            spacing: self.spacing.unwrap_or(Spacing::Poisson),
        })
    }
}

fn even() -> Spacing {
    Spacing::Even
}
