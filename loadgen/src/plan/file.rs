//! A plan as a file says it. `loadgen/plans/README.md` describes the format.

use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
use cluster::connection::Transport;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::moves::SlowReaders;
use super::rooms::{Rooms, Sizes};
use super::short::{DRAIN, MESSAGE_LEN, SETTLE, USERS_PER_ROOM};
use super::threshold::{Demand, Threshold};
use super::{LoadPlan, check};
use crate::document::{Document, FileError};
use crate::span::Span;
use crate::time_text;
use stages::StageFile;

pub mod rates;
pub mod stages;

/// All that a file says.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PlanFile {
    /// What reports call it; in a file that does not say, as the file.
    pub name: String,
    /// What it is about, in one line.
    pub about: String,
    /// What all chance follows from.
    pub seed: u64,
    /// What the bytes travel in.
    #[serde(deserialize_with = "transport")]
    pub transport: Transport,
    /// Length of each content in bytes.
    pub message_len: usize,
    /// From the last arrival of a stage to the next stage.
    #[serde(with = "time_text")]
    pub settle: Duration,
    /// From the last stage to the leaving of all.
    #[serde(with = "time_text")]
    pub drain: Duration,
    /// Logins under a name that is in use.
    pub duplicate_logins: u32,
    /// Who is in which room.
    pub rooms: RoomsFile,
    /// Who does not listen now and then.
    pub slow_readers: Option<SlowReadersFile>,
    /// What happens, one after the other.
    #[serde(rename = "stage")]
    pub stages: Vec<StageFile>,
    /// What must hold of the figures.
    #[serde(rename = "threshold")]
    pub thresholds: Vec<ThresholdFile>,
}

/// The section `[rooms]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RoomsFile {
    /// How many.
    pub count: Option<u32>,
    /// How many users in each.
    pub members: Option<Span>,
    /// How fast sizes fall with the rank.
    pub zipf: Option<f64>,
}

/// The section `[slow-readers]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SlowReadersFile {
    /// How many of a hundred users.
    pub percent: f64,
    /// How long they do not read.
    #[serde(with = "time_text")]
    pub pause: Duration,
    /// From one pause to the next.
    #[serde(with = "time_text")]
    pub every: Duration,
}

/// A `[[threshold]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ThresholdFile {
    /// What must hold.
    pub demand: Demand,
    /// Whether a run that breaks it is stopped.
    #[serde(default)]
    pub abort: bool,
    /// For how long it may be broken at the beginning, before that.
    #[serde(default, with = "time_text::maybe")]
    pub grace: Option<Duration>,
}

impl Default for PlanFile {
    /// Nobody comes: a plan needs stages.
    fn default() -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            seed: 1,
            transport: Transport::WebSocket,
            message_len: MESSAGE_LEN,
            settle: SETTLE,
            drain: DRAIN,
            duplicate_logins: 0,
            rooms: RoomsFile::default(),
            slow_readers: None,
            stages: Vec::new(),
            thresholds: Vec::new(),
        }
    }
}

/// What the command line says instead of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Overrides {
    /// How many users there are; each stage gets its share of them.
    pub users: Option<u32>,
    /// What all chance follows from.
    pub seed: Option<u64>,
    /// What the bytes travel in.
    pub transport: Option<Transport>,
    /// Length of each content in bytes.
    pub message_len: Option<usize>,
}

impl PlanFile {
    /// Reads the text of a plan; `file` is for messages, and names a plan that does not name itself.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, `overrides` considered.
    pub fn read(text: &str, file: &str, overrides: &Overrides) -> Result<LoadPlan, FileError> {
        let error = |problems| FileError::new(file, problems);
        let document = Document::parse(text).map_err(error)?;
        let mut plan: Self = document.read().map_err(error)?;
        plan.apply(overrides);
        if plan.name.is_empty() {
            let stem = Path::new(file).file_stem().unwrap_or_default();
            plan.name = stem.to_string_lossy().into_owned();
        }
        let problems = check::problems(&plan, &document);
        if problems.is_empty() {
            Ok(plan.plan())
        } else {
            Err(error(problems))
        }
    }

    fn apply(&mut self, overrides: &Overrides) {
        if let Some(users) = overrides.users {
            self.share(users);
        }
        self.seed = overrides.seed.unwrap_or(self.seed);
        self.transport = overrides.transport.unwrap_or(self.transport);
        self.message_len = overrides.message_len.unwrap_or(self.message_len);
    }

    /// How many users come.
    pub fn users(&self) -> u32 {
        let arrivals = self.stages.iter().filter_map(|it| it.arrivals.as_ref());
        arrivals.fold(0, |all, it| all.saturating_add(it.users))
    }

    /// Shares `users` among the stages as they share those of the file.
    fn share(&mut self, users: u32) {
        let all = u64::from(self.users()).max(1);
        let mut before = 0u64;
        let until = |before: u64| (before * u64::from(users) / all) as u32;
        for arrivals in self.stages.iter_mut().filter_map(|it| it.arrivals.as_mut()) {
            let from = until(before);
            before += u64::from(arrivals.users);
            arrivals.users = until(before) - from;
        }
    }

    /// The plan that follows; nothing is wrong with what it says.
    pub fn plan(self) -> LoadPlan {
        let users = self.users();
        let rooms = Rooms::new(self.rooms.sizes(), users, self.seed);
        let mut present = 0;
        let mut starts_at = Duration::ZERO;
        let mut stages = Vec::new();
        for (index, file) in self.stages.into_iter().enumerate() {
            let stage = file.stage(index, starts_at, present);
            starts_at = stage.ends_at;
            if let Some(arrivals) = &stage.arrivals {
                present += arrivals.users;
                starts_at += self.settle;
            }
            stages.push(stage);
        }
        let thresholds = self.thresholds.into_iter().map(|it| Threshold {
            demand: it.demand,
            abort_after: it.abort.then(|| it.grace.unwrap_or_default()),
        });
        LoadPlan {
            name: self.name,
            seed: self.seed,
            transport: self.transport,
            message_len: self.message_len,
            users,
            duplicate_logins: self.duplicate_logins,
            rooms,
            stages: stages.into(),
            settle: self.settle,
            drain: self.drain,
            slow_readers: self.slow_readers.map(|it| SlowReaders {
                percent: it.percent,
                pause: it.pause,
                every: it.every,
            }),
            thresholds: thresholds.collect(),
        }
    }
}

impl RoomsFile {
    /// How rooms get their sizes; in rooms of which nothing is said, there are as many as in a lively
    /// one.
    pub fn sizes(&self) -> Sizes {
        match (self.count, self.zipf, self.members) {
            (Some(count), Some(exponent), _) => Sizes::Zipf { count, exponent },
            (Some(count), None, _) => Sizes::Count(count),
            (None, _, Some(Span { min, max })) if min == max => Sizes::Members(min),
            (None, _, Some(Span { min, max })) => Sizes::Uniform(min, max),
            (None, _, None) => Sizes::Members(USERS_PER_ROOM),
        }
    }
}

fn transport<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Transport, D::Error> {
    let text = String::deserialize(deserializer)?;
    Transport::from_str(&text, false)
        .map_err(|_| D::Error::custom(format!("there is no transport `{text}`; known are ws, tcp")))
}
