//! Reads a configuration as Pomelo has it into a [`Config`], or says what is wrong and where.
//!
//! It is a folder ([`Place::folder`]) with these files, of which only the first must be there:
//!
//! | file | what |
//! | --- | --- |
//! | `servers.json` | the servers |
//! | `master.json` | Pomelo's master, which this cluster does without: it is checked only |
//! | `serverProtos.json`, `clientProtos.json` | which bodies are protobuf |
//! | `dictionary.json` | routes with a number, besides those of the handlers |
//! | `app.json` | what a Pomelo application sets in `app.js` |
//!
//! ```
//! let text = r#"{"development": {
//!     "gate": [{"id": "g", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}],
//!     "connector": [{"id": "c", "host": "127.0.0.1", "port": 4050, "clientPort": 70000, "frontend": true}],
//!     "chat": [{"id": "r", "host": "127.0.0.1", "port": 6050}]
//! }}"#;
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("servers.json"), text)?;
//! let place = cluster::config::Place::folder(folder.path());
//! let error = place.load("development").unwrap_err();
//! assert!(error.to_string().ends_with(
//!     "/servers.json:3: development.connector[0].clientPort: 70000 is not a port: \
//!      write a whole number from 1 to 65535"
//! ));
//! # Ok::<(), std::io::Error>(())
//! ```

use crate::options::Options;
use crate::topology::Topology;

mod app;
mod bodies;
mod dictionary;
mod environment;
mod fields;
mod findings;
mod host;
mod json;
mod master;
mod place;
mod problem;
mod protos;
mod reader;
mod server;
mod servers;
mod words;

pub use app::settings;
pub use bodies::Misfit;
pub use findings::{ConfigError, FileError};
pub use place::{FILE_LEN_MAX, Place};
pub use problem::{Problem, What};
pub use words::nearest;

use environment::Contents;
use findings::once;
use json::Source;
use place::{File, Text};
use reader::Reader;

/// Most environments of one folder. Nobody has more, and each is read on its own.
const ENVIRONMENTS_MAX: usize = 100;

/// The environment that is meant where none is named.
const DEFAULT_ENVIRONMENT: &str = "development";

/// One environment of a configuration, free of errors.
#[derive(Clone, Debug)]
pub struct Config {
    /// The servers, in the order of their file.
    pub topology: Topology,
    /// What they are told.
    pub options: Options,
    /// The file that the servers come from.
    pub servers_file: String,
    /// The file that says where Pomelo's master would be, if there is one.
    pub master_file: Option<String>,
    /// What is odd and does no harm, such as a file that is never read: a line each.
    pub warnings: Vec<String>,
}

impl Place {
    /// Reads one environment.
    ///
    /// # Errors
    ///
    /// All that is wrong in its files; the other environments are not looked at.
    pub fn load(&self, environment: &str) -> Result<Config, ConfigError> {
        let mut reader = Reader::new(self);
        let config = reader.read(environment);
        let warnings = reader.end()?;
        let config = config.expect("where nothing is wrong there are servers");
        Ok(Config { warnings, ..config })
    }

    /// Reads every environment, and hands each that is sound to `each`, with its name, unless there
    /// was a mistake before. Files at the top of the folder are read once for all, and nothing of an
    /// environment is kept. The warnings, each once, are the result and not those of the environments.
    ///
    /// # Errors
    ///
    /// All that is wrong in any of them.
    pub fn check(&self, mut each: impl FnMut(&str, Config)) -> Result<Vec<String>, ConfigError> {
        let names = self.environments()?;
        let mut reader = Reader::new(self);
        for name in names {
            if let Some(config) = reader.read(&name) {
                each(&name, config);
            }
        }
        reader.end()
    }

    /// The names of the environments: those in `servers.json` in its order, those that only
    /// `master.json` has, and those that have a folder only. Without any it is the one that is meant
    /// unless told otherwise.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub fn environments(&self) -> Result<Vec<String>, ConfigError> {
        let mut names = Vec::new();
        self.add_environments(&mut names, File::Servers, servers::CONTENTS)?;
        self.add_environments(&mut names, File::Master, master::CONTENTS)?;
        let mut folders = self.folders();
        folders.retain(|name| !names.contains(name));
        names.extend(folders);
        let (count, max) = (names.len(), ENVIRONMENTS_MAX);
        if let Some(folder) = self.path().filter(|_| count > max) {
            let folder = folder.display().to_string();
            let error = FileError::TooManyEnvironments { folder, count, max };
            return Err(ConfigError::new(vec![error], Vec::new()));
        }
        if names.is_empty() {
            names.push(DEFAULT_ENVIRONMENT.to_owned());
        }
        Ok(names)
    }

    /// Adds the environments inside a file at the top that are not among `names` yet.
    fn add_environments(
        &self,
        names: &mut Vec<String>,
        file: File,
        contents: Contents,
    ) -> Result<(), ConfigError> {
        // What else is wrong with the file is said when an environment is loaded.
        let Ok(Some(Text { file, text, .. })) = self.open(file, "") else {
            return Ok(());
        };
        let Ok((source, root)) = Source::open(&text) else {
            return Ok(());
        };
        let new = once(contents.environments(root));
        let (count, max) = (new.len(), ENVIRONMENTS_MAX);
        if count > max {
            let what = What::TooManyEnvironments { count, max };
            let error = FileError::about(&file, source.line(root), what);
            return Err(ConfigError::new(vec![error], Vec::new()));
        }
        for name in new {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(())
    }
}
