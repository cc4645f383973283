//! The file of the ways, written line by line as runs end, and read again.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::{Run, SCHEMA, WAYS_JSONL};
use crate::json::{self, JsonError};

/// Writes `ways.jsonl` into a folder. It has that name when it is whole; if this is dropped before
/// [`Writer::finish`], nothing is left of it.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    draft: PathBuf,
    file: Option<BufWriter<File>>,
}

/// Why ways can't be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaysError {
    /// The file system refused.
    #[error("can't {attempt} {}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// There is no such file: the run was not simulated, or by an older program.
    #[error(
        "there is no {}: do the runs again, with `sim sweep ... --out DIR`",
        path.display()
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// A line is no run.
    #[error("line {line}")]
    Line {
        /// Which, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: JsonError,
    },
}

impl Writer {
    /// Begins the file in `folder`.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn new(folder: &Path) -> Result<Self, WaysError> {
        let path = folder.join(WAYS_JSONL);
        let draft = folder.join(format!("{WAYS_JSONL}.draft"));
        let file = File::create(&draft).map_err(failed("write", &draft))?;
        Ok(Self {
            path,
            draft,
            file: Some(BufWriter::new(file)),
        })
    }

    /// Adds a run.
    ///
    /// # Errors
    ///
    /// If the file system refuses; nothing more is written then.
    pub fn add(&mut self, run: &Run) -> Result<(), WaysError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let written = serde_json::to_writer(&mut *file, run).map_err(io::Error::from);
        let written = written.and_then(|()| file.write_all(b"\n"));
        if written.is_err() {
            self.file = None;
        }
        written.map_err(failed("write", &self.draft))
    }

    /// Gives the file its name.
    ///
    /// # Errors
    ///
    /// If the file system refuses.
    pub fn finish(&mut self) -> Result<(), WaysError> {
        let Some(file) = self.file.take() else {
            return Ok(());
        };
        let file = file.into_inner().map_err(io::IntoInnerError::into_error);
        file.and_then(|file| file.sync_all())
            .map_err(failed("write", &self.draft))?;
        fs::rename(&self.draft, &self.path).map_err(failed("write", &self.path))
    }
}

impl Writer {
    /// Leaves nothing of what is not finished, as dropping it does: for a program that is about to exit
    /// without.
    pub fn abandon(&self) {
        // It is there only if it was not finished.
        let _ = fs::remove_file(&self.draft);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// Reads the runs of a sweep from its `folder`.
///
/// # Errors
///
/// If there are none, or a line is unusable.
pub fn read(folder: &Path) -> Result<Vec<Run>, WaysError> {
    let path = folder.join(WAYS_JSONL);
    let file = File::open(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => WaysError::Missing { path: path.clone() },
        _ => failed("read", &path)(error),
    })?;
    let mut runs = Vec::new();
    for (line, text) in (1..).zip(BufReader::new(file).lines()) {
        let text = text.map_err(failed("read", &path))?;
        let run = json::parse(&text, &path, SCHEMA);
        runs.push(run.map_err(|source| WaysError::Line { line, source })?);
    }
    Ok(runs)
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WaysError {
    let path = path.to_owned();
    move |source| WaysError::Io {
        attempt,
        path,
        source,
    }
}
