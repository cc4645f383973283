//! The folder of one run: `run.json`, `measured.json` and `latencies.hdr`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::ab::{AB_JSON, Ab};
use crate::buckets::Buckets;
use crate::capacity::Capacity;
use crate::hdr_log::{self, Interval, LogError};
use crate::json::JsonError;
use crate::latency::Latencies;
use crate::measured::Measured;
use crate::run::Run;

/// The file of the data model.
pub const RUN_JSON: &str = "run.json";

/// The file of what was measured, without the histograms.
pub const MEASURED_JSON: &str = "measured.json";

/// The file of the histograms.
pub const LATENCIES_HDR: &str = "latencies.hdr";

/// The file of a search for a capacity.
pub const CAPACITY_JSON: &str = "capacity.json";

/// A folder that belongs to one run. One that was made for the run and is empty when this is
/// dropped is removed.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    /// It did not exist before.
    is_new: bool,
}

/// Why a folder can't be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// There is something in it already, perhaps another run.
    #[error("{} is not empty: name a new folder, or remove it", path.display())]
    NotEmpty {
        /// Which folder.
        path: PathBuf,
    },
    /// There is no folder to make it in. Only the last part of a path is made: a slip of the
    /// keyboard must not leave a tree of folders behind.
    #[error("can't create {}: there is no folder {}: make that first", path.display(), parent.display())]
    NoParent {
        /// Which folder was to be made.
        path: PathBuf,
        /// Where.
        parent: PathBuf,
    },
    /// The file system refused.
    #[error("can't {attempt} {}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The `run.json` or the `measured.json` in it is unusable.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// The `latencies.hdr` in it is unusable, or does not belong to the `measured.json`.
    #[error("{}: not a usable log of latencies", path.display())]
    Log {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: LogError,
    },
}

impl RunFolder {
    /// Takes the folder `path`, which is made if it does not exist; the folder that it is in must.
    ///
    /// # Errors
    ///
    /// If it holds anything, or can't be made.
    pub fn create(path: &Path) -> Result<Self, FolderError> {
        let is_new = !path.exists();
        make(path)?;
        let mut entries = fs::read_dir(path).map_err(failed("read", path))?;
        if entries.next().is_some() {
            return Err(FolderError::NotEmpty {
                path: path.to_owned(),
            });
        }
        Ok(Self {
            path: path.to_owned(),
            is_new,
        })
    }

    /// Makes the first folder `<runs>/<prefix>-<n>`, n from 1, that does not exist yet; two
    /// programs that ask at the same time get two.
    ///
    /// # Errors
    ///
    /// If it can't be made.
    pub fn create_next(runs: &Path, prefix: &str) -> Result<Self, FolderError> {
        fs::create_dir_all(runs).map_err(failed("create", runs))?;
        let mut number = 1_u64;
        loop {
            let path = runs.join(format!("{prefix}-{number}"));
            match fs::create_dir(&path) {
                Ok(()) => {
                    let is_new = true;
                    return Ok(Self { path, is_new });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(failed("create", &path)(error)),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The run's name: the last part of the path.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        name.to_string_lossy().into_owned()
    }

    /// Writes `run.json`: whole or not at all, even if the machine stops meanwhile.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn write_run(&self, run: &Run) -> Result<(), FolderError> {
        self.replace(RUN_JSON, |file| file.write_all(run.to_json().as_bytes()))
    }

    /// Writes `capacity.json`, in the same way.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn write_capacity(&self, capacity: &Capacity) -> Result<(), FolderError> {
        self.replace(CAPACITY_JSON, |file| {
            file.write_all(capacity.to_json().as_bytes())
        })
    }

    /// Writes `latencies.hdr` with one interval, the whole run, for each histogram with a value.
    /// `started_at` is the time since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    ///
    /// If the file system refuses, or a name can't be a tag (it has a comma, a blank or a line end).
    pub fn write_latencies(
        &self,
        started_at: Duration,
        elapsed: Duration,
        latencies: &BTreeMap<String, Latencies>,
    ) -> Result<(), FolderError> {
        let filled = latencies.iter().filter(|(_, it)| it.count() > 0);
        let intervals = filled.map(|(name, latencies)| Interval {
            start: Duration::ZERO,
            length: elapsed,
            tag: name.into(),
            latencies: Cow::Owned(Buckets::from(latencies)),
        });
        self.replace(LATENCIES_HDR, |file| {
            hdr_log::write(file, started_at, intervals)
        })
    }

    /// Writes `measured.json` and `latencies.hdr`, of which [`read_measured`] makes the same value
    /// again. `started_at` is the time since 1970-01-01 00:00 UTC.
    ///
    /// # Errors
    ///
    /// If the file system refuses, or a name can't be a tag (it has a comma, a blank or a line end).
    pub fn write_measured(
        &self,
        started_at: Duration,
        measured: &Measured,
    ) -> Result<(), FolderError> {
        self.replace(MEASURED_JSON, |file| {
            file.write_all(measured.to_json().as_bytes())
        })?;
        self.replace(LATENCIES_HDR, |file| {
            hdr_log::write(file, started_at, measured.intervals())
        })
    }

    /// Removes the folder if it was made for this run and nothing was written, as dropping it does:
    /// for a program that is about to exit without.
    pub fn abandon(&self) {
        if self.is_new {
            // Refused if there is something in it.
            let _ = fs::remove_dir(&self.path);
        }
    }

    /// Writes beside `name`, then renames: nobody sees half a file.
    fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), FolderError> {
        let path = self.path.join(name);
        let draft = self.path.join(format!("{name}.draft"));
        File::create(&draft)
            .and_then(|file| {
                let mut file = BufWriter::new(file);
                write(&mut file)?;
                file.into_inner()?.sync_all()
            })
            .map_err(failed("write", &draft))?;
        fs::rename(&draft, &path).map_err(failed("write", &path))
    }
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Reads the run in `path`: a run's folder, or a `run.json` itself.
///
/// # Errors
///
/// If there is none, or it is unusable.
pub fn read(path: &Path) -> Result<Run, FolderError> {
    let (file, text) = read_text(path, RUN_JSON)?;
    Ok(Run::parse(&text, &file)?)
}

/// Reads the search for a capacity in `path`: its folder, or a `capacity.json` itself.
///
/// # Errors
///
/// If there is none, or it is unusable.
pub fn read_capacity(path: &Path) -> Result<Capacity, FolderError> {
    let (file, text) = read_text(path, CAPACITY_JSON)?;
    Ok(Capacity::parse(&text, &file)?)
}

/// Reads the comparison of two builds in `path`: its folder, or an `ab.json` itself.
///
/// # Errors
///
/// If there is none, or it is unusable.
pub fn read_ab(path: &Path) -> Result<Ab, FolderError> {
    let (file, text) = read_text(path, AB_JSON)?;
    Ok(Ab::parse(&text, &file)?)
}

/// The file `name` in the folder `path`, or the file `path`, and what it says.
fn read_text(path: &Path, name: &str) -> Result<(PathBuf, String), FolderError> {
    let file = match path.is_dir() {
        true => path.join(name),
        false => path.to_owned(),
    };
    let text = fs::read_to_string(&file).map_err(failed("read", &file))?;
    Ok((file, text))
}

/// Reads what [`RunFolder::write_measured`] wrote into the folder `path`.
///
/// # Errors
///
/// If it is not there, or unusable.
pub fn read_measured(path: &Path) -> Result<Measured, FolderError> {
    let file = path.join(MEASURED_JSON);
    let text = fs::read_to_string(&file).map_err(failed("read", &file))?;
    let mut measured = Measured::parse(&text, &file)?;
    let file = path.join(LATENCIES_HDR);
    let log = fs::read(&file).map_err(failed("read", &file))?;
    for interval in hdr_log::read(&log) {
        interval
            .and_then(|interval| measured.place(interval))
            .map_err(|source| FolderError::Log {
                path: file.clone(),
                source,
            })?;
    }
    Ok(measured)
}

/// Makes the folder `path`, unless it is there.
fn make(path: &Path) -> Result<(), FolderError> {
    if path.is_dir() {
        return Ok(());
    }
    fs::create_dir(path).map_err(|error| match path.parent() {
        Some(parent) if error.kind() == io::ErrorKind::NotFound => FolderError::NoParent {
            path: path.to_owned(),
            parent: parent.to_owned(),
        },
        _ => failed("create", path)(error),
    })
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io {
        attempt,
        path,
        source,
    }
}
