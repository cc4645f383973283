//! A configuration folder of a test.

use std::fs;
use std::path::PathBuf;

use cluster::config::{Config, ConfigError, Place};
use tempfile::TempDir;

use super::GOOD;

/// A folder that is gone with the test.
pub struct Folder(TempDir);

impl Folder {
    /// One without files.
    pub fn empty() -> Self {
        Self(tempfile::tempdir().expect("there is room for a folder"))
    }

    /// One with nothing but `text` as the file `s.json`, and that file alone as a configuration.
    pub fn alone(text: &str) -> (Self, Place) {
        let folder = Self::empty().and("s.json", text);
        let place = Place::servers(folder.path().join("s.json"));
        (folder, place)
    }

    /// One with a correct `servers.json` and `text` as the file `name`.
    pub fn with(name: &str, text: &str) -> Self {
        Self::empty().and("servers.json", GOOD).and(name, text)
    }

    /// Adds a file; `name` may begin with a folder.
    pub fn and(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path().join(name);
        let folder = path.parent().expect("it is in the folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
        self
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    pub fn place(&self) -> Place {
        Place::folder(self.0.path())
    }

    /// The environment `development`.
    pub fn load(&self) -> Result<Config, ConfigError> {
        self.place().load("development")
    }

    /// The configuration, which must be sound.
    pub fn sound(&self) -> Config {
        self.load().unwrap_or_else(|error| panic!("{error}"))
    }

    /// The warnings of a sound configuration, one a line.
    pub fn warnings(&self) -> String {
        self.named(&self.sound().warnings.join("\n"))
    }

    /// What is wrong with `development`.
    pub fn problems(&self) -> String {
        self.problems_of("development")
    }

    /// What is wrong with `environment`.
    pub fn problems_of(&self, environment: &str) -> String {
        let error = self.place().load(environment);
        self.named(&error.expect_err("it was accepted").to_string())
    }

    /// `text` with `DIR` for the folder.
    pub fn named(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "DIR")
    }
}
