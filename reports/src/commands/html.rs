//! `reports html`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use reports::output::say;
use reports::page;
use reports::run_folder;

/// The page's name beside a `run.json`.
const PAGE_HTML: &str = "run.html";

/// Writes the page of the run at `path` to `out`, or beside its `run.json`.
pub fn html(path: &Path, out: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let run = run_folder::read(path)?;
    let out = out.unwrap_or_else(|| {
        let is_file = path.is_file();
        match path.parent() {
            Some(folder) if is_file => folder.join(PAGE_HTML),
            _ => path.join(PAGE_HTML),
        }
    });
    fs::write(&out, page::page(&run)).with_context(|| format!("can't write {}", out.display()))?;
    say(&format!("wrote {}", out.display()));
    Ok(ExitCode::SUCCESS)
}
