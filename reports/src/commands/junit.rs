//! `reports junit`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use reports::output::{Output, say};
use reports::{ab, capacity, junit, run};

use super::kind::{self, Report};

/// Prints what is at `paths` as JUnit XML, or writes it to `out`: a suite for each.
pub fn junit(paths: &[PathBuf], out: Option<&Path>) -> anyhow::Result<ExitCode> {
    let suites = paths.iter().map(|path| {
        Ok(match kind::read(path)? {
            Report::Run(run) => run::cases::suite(&run),
            Report::Capacity(search) => capacity::cases::suite(&search),
            Report::Ab(ab) => ab::cases::suite(&ab),
        })
    });
    let suites = suites.collect::<anyhow::Result<Vec<_>>>()?;
    let xml = junit::xml("reports", &suites);
    match out {
        Some(out) => {
            fs::write(out, xml).with_context(|| format!("can't write {}", out.display()))?;
            say(&format!("wrote {}", out.display()));
        }
        None => {
            let mut output = Output::stdout();
            output.print(&xml);
            output.end()?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
