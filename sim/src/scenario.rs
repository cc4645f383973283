//! A scenario says what kind of cluster, users and faults a run has; a seed makes one run of it.
//!
//! It is a TOML file, read as it stands into the structs here and below. The built-in ones are part
//! of the program; `sim/scenarios/README.md` describes the format.

use std::fs;
use std::path::Path;

use cluster::config::nearest;
use loadgen::document::{Document, FileError};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::anchor::Anchored;
use crate::chaos::RandomFaults;
use crate::fault::Planned;
use crate::incident::Incident;
use crate::settings::Settings;
use crate::workload::Users;
use loadgen::quoted::quoted;

pub use built_in::built_in;
pub use check::{MESSAGE_LEN_MAX, USERS_MAX};
pub use expectation::{Checks, Expect, Expected, Number};
pub use loadgen::span::{self, Span};
pub use network::{Network, Profile};
pub use phases::{Phases, Times};
pub use variation::Variation;

mod built_in;
mod check;
mod expectation;
mod incidents;
mod network;
mod phases;
#[cfg(test)]
mod tests;
mod variation;

/// What the name of a file with a scenario ends in.
const EXTENSION: &str = "toml";

/// A family of runs, one for each seed.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// What it is called in reports; in a file that does not say, as the file.
    #[serde(deserialize_with = "some_name")]
    pub name: String,
    /// What it is about, in one line.
    pub about: String,
    /// How many seeds `sim` runs of it if none are given: all built-in scenarios together take
    /// about a minute on two cores.
    pub seeds: u64,
    /// Whether no user may lose its connection, see [`crate::quiet`].
    pub quiet: bool,
    /// The servers, besides one gate.
    pub cluster: Cluster,
    /// How long the ways between hosts take.
    pub network: Network,
    /// The users, and what they do.
    pub users: Users,
    /// How long each phase is.
    pub phases: Phases,
    /// What servers, users and network are set to.
    pub settings: Settings,
    /// What the settings of some runs are instead: each seed draws which of these are on.
    #[serde(rename = "variation")]
    pub variations: Vec<Variation>,
    /// What goes wrong in every run, each on a host or link that had none before, as long as there
    /// is one.
    #[serde(rename = "fault")]
    pub faults: Vec<Incident>,
    /// What goes wrong at exactly one time and place, besides.
    pub planned: Vec<Planned>,
    /// What goes wrong when something happens.
    pub anchored: Vec<Anchored>,
    /// What goes wrong by chance.
    pub random_faults: Option<RandomFaults>,
    /// Which promises are checked.
    pub guarantees: Checks,
    /// What is to come of each run.
    pub expect: Expect,
    /// How it is asked for on the command line: by its name or the file's path, and with which flaws.
    #[serde(skip)]
    pub given_as: String,
}

/// Reads a name; none would be taken for one that is left out.
fn some_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    if name.is_empty() {
        let what = "it is empty: say one, or leave it out, to call it as its file";
        return Err(D::Error::custom(what));
    }
    Ok(name)
}

impl Default for Scenario {
    /// 20 users chat for some seconds, and nothing goes wrong.
    fn default() -> Self {
        Self {
            name: String::new(),
            about: String::new(),
            seeds: 8,
            quiet: false,
            cluster: Cluster::default(),
            network: Network::default(),
            users: Users::default(),
            phases: Phases::default(),
            settings: Settings::default(),
            variations: Vec::new(),
            faults: Vec::new(),
            planned: Vec::new(),
            anchored: Vec::new(),
            random_faults: None,
            guarantees: Checks::default(),
            expect: Expect::default(),
            given_as: String::new(),
        }
    }
}

/// How many servers there are of each kind, besides one gate.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cluster {
    /// Connector servers.
    pub connectors: Span,
    /// Chat servers.
    pub chats: Span,
    /// How many of a hundred polls are put off, so that tasks run in other orders, see
    /// [`crate::yields`].
    pub yield_percent: Span,
}

impl Default for Cluster {
    fn default() -> Self {
        Self {
            connectors: Span::just(3),
            chats: Span::just(3),
            yield_percent: Span::just(0),
        }
    }
}

impl Scenario {
    /// Reads the text of a scenario; `file` is for messages, and names a scenario that does not name
    /// itself.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn read(text: &str, file: &str) -> Result<Self, FileError> {
        let error = |problems| FileError::new(file, problems);
        let document = Document::parse(text).map_err(error)?;
        let mut scenario: Self = document.read().map_err(error)?;
        let mut problems = check::problems(&scenario, &document);
        if scenario.name.is_empty() {
            let stem = Path::new(file).file_stem().unwrap_or_default();
            scenario.name = stem.to_string_lossy().into_owned();
            if let Some(what) = check::wrong_name(&scenario.name) {
                let what = format!("{what}, and without one it is called as its file");
                problems.push(document.problem("name", &what));
            }
        }
        if !problems.is_empty() {
            return Err(error(problems));
        }
        scenario.given_as = quoted(file).into_owned();
        Ok(scenario)
    }

    /// What is worth a word, though it may be meant.
    pub fn warnings(&self) -> Vec<String> {
        check::warnings(self)
    }
}

/// The scenario called `name`: a built-in one, or the file of that path if it ends in `.toml`.
///
/// # Errors
///
/// If there is none (the error names the one that was probably meant), or the file is of no use.
pub fn find(name: &str) -> Result<Scenario, FindError> {
    if is_file(name) {
        let unread = |cause| FindError::Unread {
            file: name.to_owned(),
            cause,
        };
        let text = fs::read_to_string(name).map_err(unread)?;
        return Ok(Scenario::read(&text, name)?);
    }
    Ok(Scenario::read(text_of(name)?, name)?)
}

/// The file of the built-in scenario called `name`.
///
/// # Errors
///
/// If there is none; the error names the one that was probably meant.
pub fn text_of(name: &str) -> Result<&'static str, FindError> {
    built_in::text_of(name).ok_or_else(|| FindError::Unknown {
        name: name.to_owned(),
        nearest: nearest(name, &built_in::names()),
    })
}

/// Whether `name` is that of a file, and not of a built-in scenario.
pub fn is_file(name: &str) -> bool {
    let extension = Path::new(name).extension();
    extension.is_some_and(|it| it == EXTENSION)
}

/// There is no such scenario.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// No scenario has this name.
    #[error("no scenario is called `{name}`; {}", remedy(*nearest))]
    Unknown {
        /// The name.
        name: String,
        /// The one that was probably meant.
        nearest: Option<&'static str>,
    },
    /// The file can't be read.
    #[error("can't read {file}")]
    Unread {
        /// Its path.
        file: String,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What the file says is wrong.
    #[error(transparent)]
    File(#[from] FileError),
}

fn remedy(nearest: Option<&str>) -> String {
    match nearest {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => String::from("`sim list` names all, and files end in .toml"),
    }
}
