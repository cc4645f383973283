//! Reads Pomelo's `servers.json` into a [`Topology`], or says what is wrong with it and where.
//!
//! ```
//! let text = r#"{"development": {
//!     "gate": [{"id": "g", "host": "127.0.0.1", "clientPort": 3014, "frontend": true}],
//!     "connector": [{"id": "c", "host": "127.0.0.1", "port": 4050, "clientPort": 70000, "frontend": true}],
//!     "chat": [{"id": "r", "host": "127.0.0.1", "port": 6050}]
//! }}"#;
//! let error = cluster::config::parse(text, "servers.json", "development").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "servers.json:3: development.connector[0].clientPort: 70000 is not a port: \
//!      write a whole number from 1 to 65535"
//! );
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::topology::Topology;

mod environment;
mod json;
mod problem;
mod server;

pub use problem::{ConfigError, Problem, What};

use json::{Kind, Node, Source};

/// Longest file that is read, in bytes: about fifty thousand servers. A longer one (or a device
/// that never ends) is refused before it fills the memory.
pub const FILE_LEN_MAX: u64 = 16 * 1024 * 1024;

/// One environment of a `servers.json`, free of errors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The servers, in the order of the file.
    pub topology: Topology,
    /// Fields that Pomelo knows and this cluster has no use for, one sentence each.
    pub warnings: Vec<String>,
}

/// Reads one environment of `text`; messages call the text `file`.
///
/// # Errors
/// All that is wrong with the file and this environment, each with its line and remedy.
pub fn parse(text: &str, file: &str, environment: &str) -> Result<Config, ConfigError> {
    ServersFile::new(file, text)?.environment(environment)
}

/// A `servers.json` that is valid JSON with environments in it.
#[derive(Clone, Debug)]
pub struct ServersFile {
    file: String,
    text: String,
}

impl ServersFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If it cannot be read, or as [`ServersFile::new`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        match read_text(path) {
            Ok(text) => Self::new(&file, &text),
            Err(cause) => Err(ConfigError::Unreadable { file, cause }),
        }
    }

    /// Takes `text`, which messages call `file`.
    ///
    /// # Errors
    /// If it is not JSON, or not an object.
    pub fn new(file: &str, text: &str) -> Result<Self, ConfigError> {
        // Editors on Windows put a byte order mark in front, which JSON does not allow.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let this = Self {
            file: file.to_owned(),
            text: text.to_owned(),
        };
        let (source, root) = this.open()?;
        if root.kind() != Kind::Object {
            let what = What::wrong_type("environments such as \"development\"", Kind::Object, root);
            let problem = Problem {
                line: source.line(root),
                field: String::from("the file"),
                what,
            };
            return Err(this.invalid(vec![problem]));
        }
        Ok(this)
    }

    /// The names of the environments, in the order of the file.
    pub fn environments(&self) -> Vec<String> {
        self.open()
            .ok()
            .and_then(|(_, root)| root.members())
            .unwrap_or_default()
            .into_iter()
            .map(|(key, _)| key.name())
            .collect()
    }

    /// Reads the environment `name`.
    ///
    /// # Errors
    /// All that is wrong with it; the other environments are not looked at.
    pub fn environment(&self, name: &str) -> Result<Config, ConfigError> {
        let (source, root) = self.open()?;
        let mut problems = Vec::new();
        let environments = source.object("", root, &mut problems);
        let config = match environments.get(name) {
            Some(member) => environment::read(&source, name, member.value, &mut problems),
            None => {
                let known = self.environments();
                problems.push(Problem::unknown_environment(source.line(root), name, known));
                None
            }
        };
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(self.invalid(problems)),
        }
    }

    /// Reads every environment.
    ///
    /// # Errors
    /// All that is wrong in any of them.
    pub fn check(&self) -> Result<Vec<(String, Config)>, ConfigError> {
        let (source, root) = self.open()?;
        let mut problems = Vec::new();
        let environments = source.object("", root, &mut problems);
        if environments.is_empty() {
            let line = source.line(root);
            problems.push(Problem::unknown_environment(
                line,
                "development",
                Vec::new(),
            ));
        }
        let mut configs = Vec::new();
        for (name, member) in environments.in_order() {
            let config = environment::read(&source, name, member.value, &mut problems);
            configs.extend(config.map(|config| (name.to_owned(), config)));
        }
        if problems.is_empty() {
            Ok(configs)
        } else {
            Err(self.invalid(problems))
        }
    }

    fn open(&self) -> Result<(Source<'_>, Node<'_>), ConfigError> {
        Source::open(&self.text).map_err(|cause| ConfigError::not_json(&self.file, cause))
    }

    fn invalid(&self, mut problems: Vec<Problem>) -> ConfigError {
        // In reading order, whatever order they were found in.
        problems.sort_by_key(|problem| problem.line);
        ConfigError::Invalid {
            file: self.file.clone(),
            problems,
        }
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(FILE_LEN_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LEN_MAX {
        let what = format!("it is longer than {FILE_LEN_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let what = format!("line {line} is not UTF-8 text");
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}
