//! What is kept of one run: the files that the command line names.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::commands::run::Options;
use crate::files::Files;
use crate::gather::Gathered;
use crate::report;
use crate::run::Outcome;

/// Where it goes. All is opened before the run, so that nobody waits for a run that can't be kept.
pub struct Kept {
    trace: Option<Target>,
    history: Option<Target>,
    gathered: Option<Gathered>,
}

struct Target {
    path: PathBuf,
    file: File,
}

impl Kept {
    /// Opens the files that `options` name; `command` repeats the run.
    ///
    /// # Errors
    ///
    /// If one can't be written, or would be written over another or over the scenario.
    pub fn open(options: &Options, command: String) -> anyhow::Result<Self> {
        Files::scenarios([&options.scenario])
            .write("--trace", options.trace.as_ref())
            .write("--history", options.history.as_ref())
            .are_apart()?;
        let out = options.out.as_deref();
        let gathered = out.map(|path| Gathered::new(path, command)).transpose()?;
        let trace = options.trace.as_deref().map(Target::open).transpose()?;
        let history = options.history.as_deref().map(Target::open).transpose()?;
        Ok(Self {
            trace,
            history,
            gathered,
        })
    }

    /// Whether the trace of the run is needed.
    pub fn wants_trace(&self) -> bool {
        self.trace.is_some() || self.gathered.is_some()
    }

    /// Writes everything. The run becomes one that broke off if there is a panic while the figures
    /// of its report are made.
    ///
    /// # Errors
    ///
    /// If something can't be written.
    pub fn write(self, outcome: &mut Outcome) -> anyhow::Result<()> {
        let history = history_lines(outcome)?;
        let trace = outcome.trace.take().unwrap_or_default();
        if let Some(mut gathered) = self.gathered {
            gathered.add(outcome);
            if !outcome.is_decided() {
                gathered.set_undecided(vec![report::undecided(outcome)]);
            }
            gathered.write(false)?;
            gathered.write_beside("trace.jsonl", &trace)?;
            gathered.write_beside("history.jsonl", &history)?;
        }
        for (target, bytes) in [(self.trace, &trace), (self.history, &history)] {
            if let Some(target) = target {
                target.write(bytes)?;
            }
        }
        Ok(())
    }
}

impl Target {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::create(path);
        Ok(Self {
            path: path.to_owned(),
            file: file.with_context(|| cannot_write(path))?,
        })
    }

    fn write(mut self, bytes: &[u8]) -> anyhow::Result<()> {
        let written = self.file.write_all(bytes);
        written.with_context(|| cannot_write(&self.path))
    }
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

fn history_lines(outcome: &Outcome) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for event in &outcome.record.history {
        serde_json::to_writer(&mut lines, event)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
