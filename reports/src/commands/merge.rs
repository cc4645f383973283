//! `reports merge`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use anyhow::{Context, bail};
use reports::merge::{self, Part};
use reports::run_folder::{self, RunFolder};

use super::show;

/// Merges the parts in `folders` into the new folder `out`, and prints the summary of the whole.
pub fn merge(folders: &[PathBuf], out: &Path) -> anyhow::Result<ExitCode> {
    refuse_twice(folders)?;
    let parts = folders.iter().map(|folder| {
        Ok(Part {
            run: run_folder::read(folder)?,
            measured: run_folder::read_measured(folder)?,
        })
    });
    let parts = parts.collect::<anyhow::Result<Vec<_>>>()?;
    let folder = RunFolder::create(out)?;
    let Part { run, measured } = merge::merge(parts, &folder.name())?;
    let started_at = humantime::parse_rfc3339(&run.date)
        .with_context(|| format!("field `date` is `{}`", run.date))?;
    let started_at = started_at.duration_since(UNIX_EPOCH).unwrap_or_default();
    folder.write_measured(started_at, &measured)?;
    folder.write_run(&run)?;
    show::print(&run)
}

/// A part that is added twice would pass for twice the load.
fn refuse_twice(folders: &[PathBuf]) -> anyhow::Result<()> {
    let mut seen = BTreeMap::new();
    for folder in folders {
        let place = fs::canonicalize(folder);
        let place = place.with_context(|| format!("can't read {}", folder.display()))?;
        if let Some(other) = seen.insert(place, folder) {
            bail!(
                "{} and {} are the same part",
                other.display(),
                folder.display()
            );
        }
    }
    Ok(())
}
