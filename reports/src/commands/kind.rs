//! What a folder, or a file in it, is the report of.

use std::path::Path;

use anyhow::bail;
use reports::ab::{AB_JSON, Ab};
use reports::capacity::Capacity;
use reports::run::Run;
use reports::run_folder::{self, CAPACITY_JSON, RUN_JSON};

/// One of what loadgen and sim write.
pub enum Report {
    /// A run.
    Run(Box<Run>),
    /// A search for a capacity.
    Capacity(Box<Capacity>),
    /// A comparison of two builds.
    Ab(Box<Ab>),
}

/// Reads what is in the folder `path`, or the file `path`, which is a run's unless its name says otherwise.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let is = |name: &str| match path.is_dir() {
        true => path.join(name).exists(),
        false => path.file_name().is_some_and(|file| file == name),
    };
    if is(CAPACITY_JSON) {
        return Ok(Report::Capacity(Box::new(run_folder::read_capacity(path)?)));
    }
    if is(AB_JSON) {
        return Ok(Report::Ab(Box::new(run_folder::read_ab(path)?)));
    }
    if path.is_dir() && !is(RUN_JSON) {
        bail!(
            "{}: there is no {RUN_JSON}, {CAPACITY_JSON} or {AB_JSON} in it: name a folder that loadgen or sim wrote",
            path.display()
        );
    }
    Ok(Report::Run(Box::new(run_folder::read(path)?)))
}
