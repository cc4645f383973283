//! What is kept of one run: the files that the command line names.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;

use crate::commands::run::Options;
use crate::files::Files;
use crate::gather::Gathered;
use crate::report;
use crate::run::Outcome;

/// Where it goes.
pub struct Kept {
    trace: Option<PathBuf>,
    history: Option<PathBuf>,
    gathered: Option<Gathered>,
}

impl Kept {
    /// Tries the files that `options` name; `command` repeats the run.
    ///
    /// # Errors
    ///
    /// If one can't be written, or would be written over another or over the scenario.
    pub fn open(options: &Options, command: String) -> anyhow::Result<Self> {
        let files = Files::scenarios([&options.scenario])
            .write("--trace", options.trace.as_ref())
            .write("--history", options.history.as_ref())
            .write_into(options.capsules.as_ref());
        files.are_apart()?;
        let out = options.out.as_deref();
        let gathered = out.map(|path| Gathered::new(path, command)).transpose()?;
        // They may be in the folder of the report.
        files.are_writable()?;
        Ok(Self {
            trace: options.trace.clone(),
            history: options.history.clone(),
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
        for (path, bytes) in [(self.trace, &trace), (self.history, &history)] {
            if let Some(path) = path {
                let written = fs::write(&path, bytes);
                written.with_context(|| format!("cannot write {}", path.display()))?;
            }
        }
        Ok(())
    }
}

fn history_lines(outcome: &Outcome) -> serde_json::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for event in &outcome.record.history {
        serde_json::to_writer(&mut lines, event)?;
        lines.push(b'\n');
    }
    Ok(lines)
}
