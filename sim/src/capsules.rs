//! The folder in which the failures of one command are kept, a file for each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::capsule::Capsule;
use crate::report;
use crate::run::Outcome;

/// Where capsules go if nothing else is said.
pub const FOLDER: &str = "sim-failures";
/// A sweep keeps no more: who looks at failures begins with the first.
const CAPSULES_MAX: usize = 10;

/// Takes the failures of one command.
#[derive(Debug)]
pub struct Capsules {
    folder: PathBuf,
    kept: usize,
}

impl Capsules {
    /// `folder` is where they go, if somebody named one; else, they go into the folder `out` of the
    /// report, if there is one. The folder is made with the first failure.
    pub fn new(folder: Option<&Path>, out: Option<&Path>) -> Self {
        let beside_report = || out.map(|out| out.join("capsules"));
        let folder = folder.map(Path::to_owned).or_else(beside_report);
        Self {
            folder: folder.unwrap_or_else(|| PathBuf::from(FOLDER)),
            kept: 0,
        }
    }

    /// Keeps `outcome` if it failed, and says where, or why not: a failure is told in any case, and
    /// that it can't be kept takes nothing from it. `None` if there is nothing to keep, or enough
    /// is kept.
    pub fn keep(&mut self, outcome: &Outcome) -> Option<String> {
        if self.kept == CAPSULES_MAX {
            return None;
        }
        let capsule = Capsule::of(outcome, report::command(outcome))?;
        self.kept += 1;
        let path = self.folder.join(file_name(&outcome.given_as, outcome.seed));
        let path_told = path.display();
        Some(match write(&path, &capsule) {
            Ok(()) => format!("capsule: {path_told} (for `sim replay` and `sim shrink`)"),
            Err(error) => format!("capsule: cannot write {path_told}: {error}"),
        })
    }
}

fn write(path: &Path, capsule: &Capsule) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, capsule.to_json())
}

/// A scenario of a user may be called anything, and runs of one scenario can have other flaws.
fn file_name(scenario: &str, seed: u64) -> String {
    let plain = |it: char| it.is_alphanumeric() || "-_.".contains(it);
    let words = scenario.split(|it| !plain(it) || it == '-');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let scenario = words.join("-");
    format!("{scenario}-{seed}.capsule.json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::run;
    use crate::scenario;

    fn broke_off() -> Outcome {
        let mut case = Case::draw(&scenario::built_in()[0], 7);
        case.times.ended_at = case.times.arrived_at;
        let mut outcome = run::run(&case, false);
        outcome.break_off(String::from("panic"));
        outcome
    }

    #[test]
    fn the_first_failures_are_kept_each_in_its_file() -> Result<(), Box<dyn std::error::Error>> {
        let out = tempfile::tempdir()?;
        let mut capsules = Capsules::new(None, Some(out.path()));
        let mut outcome = broke_off();
        for seed in 0..20 {
            outcome.seed = seed;
            assert_eq!(capsules.keep(&outcome).is_some(), seed < 10, "{seed}");
        }
        let folder = out.path().join("capsules");
        assert_eq!(fs::read_dir(&folder)?.count(), 10);
        let capsule = Capsule::read(&folder.join("steady-9.capsule.json"))?;
        assert_eq!(capsule.command, "cargo sim run steady --seed 9");
        assert_eq!(capsule.chain, outcome.chain);
        Ok(())
    }

    #[test]
    fn a_failure_that_can_not_be_kept_is_told_with_the_reason() -> io::Result<()> {
        let file = tempfile::NamedTempFile::new()?;
        let mut capsules = Capsules::new(Some(file.path()), None);
        let said = capsules.keep(&broke_off()).unwrap_or_default();
        assert!(said.starts_with("capsule: cannot write "), "{said}");
        Ok(())
    }

    #[test]
    fn a_file_is_called_by_what_can_be_in_its_name() {
        assert_eq!(file_name("../my run", 3), "..-my-run-3.capsule.json");
    }
}
