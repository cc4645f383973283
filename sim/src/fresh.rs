//! Which seeds were tried in earlier sweeps, so that the next tries others.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};

/// The first fresh seed of a scenario. Fixed seeds are small numbers; these are none of them.
const FIRST: u64 = 1_000_000;

/// The file that remembers.
#[derive(Debug)]
pub struct Fresh {
    path: PathBuf,
    tried: Tried,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tried {
    /// The next seed of each scenario, by its name.
    next: BTreeMap<String, u64>,
}

impl Fresh {
    /// Reads the file `path`; if there is none, nothing was tried yet.
    ///
    /// # Errors
    ///
    /// If it can't be read, or is no such file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let tried = match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("{} does not remember seeds", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Tried::default(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Ok(Self {
            path: path.to_owned(),
            tried,
        })
    }

    /// The next seed of `scenario` that was not tried.
    pub fn next(&self, scenario: &str) -> u64 {
        self.tried.next.get(scenario).copied().unwrap_or(FIRST)
    }

    /// # Errors
    ///
    /// If all seeds of `scenario` were tried.
    pub fn check(&self, scenario: &str) -> anyhow::Result<()> {
        ensure!(
            self.next(scenario) < u64::MAX,
            "by {} all seeds of {scenario} were tried: name another file",
            self.path.display()
        );
        Ok(())
    }

    /// Notes that the next `runs` seeds of `scenario` were tried.
    pub fn advance(&mut self, scenario: &str, runs: u64) {
        let next = self.next(scenario).saturating_add(runs);
        self.tried.next.insert(scenario.to_owned(), next);
    }

    /// Writes the file.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn write(&self) -> anyhow::Result<()> {
        let text = serde_json::to_string_pretty(&self.tried)?;
        fs::write(&self.path, text + "\n")
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_sweep_goes_on_where_the_last_ended() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("seeds.json");
        let mut fresh = Fresh::open(&path)?;
        assert_eq!(fresh.next("steady"), FIRST);
        fresh.advance("steady", 7);
        fresh.write()?;

        let fresh = Fresh::open(&path)?;
        assert_eq!(fresh.next("steady"), FIRST + 7);
        assert_eq!(fresh.next("chat-crash"), FIRST);
        Ok(())
    }

    #[test]
    fn another_file_is_not_taken_for_one() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("seeds.json");
        fs::write(&path, r#"{"last": {}}"#)?;
        let error = format!("{:#}", Fresh::open(&path).unwrap_err());
        assert!(
            error.contains("seeds.json does not remember seeds"),
            "{error}"
        );
        assert!(error.contains("unknown field `last`"), "{error}");
        Ok(())
    }
}
