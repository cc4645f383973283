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
//! let place = cluster::config::Place::servers_text("servers.json", text);
//! let error = place.load("development").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "servers.json:3: development.connector[0].clientPort: 70000 is not a port: \
//!      write a whole number from 1 to 65535"
//! );
//! ```

use crate::options::Options;
use crate::topology::Topology;

mod app;
mod bodies;
mod dictionary;
mod environment;
mod fields;
mod findings;
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

use json::Source;
use place::{File, Text};

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
        reader::read(self, environment).map_err(ConfigError::new)
    }

    /// Reads every environment, by name.
    ///
    /// # Errors
    ///
    /// All that is wrong in any of them.
    pub fn check(&self) -> Result<Vec<(String, Config)>, ConfigError> {
        let names = self.environments()?;
        let (mut configs, mut errors) = (Vec::new(), Vec::new());
        for name in names {
            match self.load(&name) {
                Ok(config) => configs.push((name, config)),
                Err(error) => errors.extend(error.files),
            }
        }
        if errors.is_empty() {
            Ok(configs)
        } else {
            Err(ConfigError::new(errors))
        }
    }

    /// The names of the environments: those in `servers.json` in its order, or if it has none those
    /// that have a folder, or else the one that is meant unless told otherwise.
    ///
    /// # Errors
    ///
    /// There are too many.
    pub fn environments(&self) -> Result<Vec<String>, ConfigError> {
        let mut names = Vec::new();
        // What else is wrong with the file is said when an environment is loaded.
        if let Ok(Some(Text { file, text, .. })) = self.open(File::Servers, "")
            && let Ok((source, root)) = Source::open(&text)
        {
            names = servers::CONTENTS.environments(root);
            let (count, max) = (names.len(), ENVIRONMENTS_MAX);
            if count > max {
                let what = What::TooManyEnvironments { count, max };
                let error = FileError::about(&file, source.line(root), what);
                return Err(ConfigError::new(vec![error]));
            }
        }
        if names.is_empty() {
            names.extend(self.folders());
        }
        if names.is_empty() {
            names.push(DEFAULT_ENVIRONMENT.to_owned());
        }
        Ok(names)
    }
}
