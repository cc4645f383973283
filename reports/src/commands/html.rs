//! `reports html`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use reports::output::say;
use reports::page;
use reports::run_folder::{self, CAPACITY_JSON};

/// The page's name beside a `run.json`.
const PAGE_HTML: &str = "run.html";

/// The page's name beside a `capacity.json`.
const CAPACITY_HTML: &str = "capacity.html";

/// The page of several searches, in the folder that the program was started in.
const CAPACITIES_HTML: &str = "capacities.html";

/// Writes the page of the run at the only one of `paths`, or of the searches for a capacity at all of them, to
/// `out`, or where it belongs.
pub fn html(paths: &[PathBuf], out: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let (page, usual) = match paths {
        [path] if !is_capacity(path) => {
            let run = run_folder::read(path)?;
            (page::page(&run), beside(path, PAGE_HTML))
        }
        _ => {
            if let Some(other) = paths.iter().find(|path| !is_capacity(path)) {
                bail!(
                    "{}: there is no {CAPACITY_JSON}: only searches for a capacity have a page together",
                    other.display()
                );
            }
            let searches = paths.iter().map(|path| run_folder::read_capacity(path));
            let searches: Vec<_> = searches.collect::<Result<_, _>>()?;
            let usual = match paths {
                [path] => beside(path, CAPACITY_HTML),
                _ => PathBuf::from(CAPACITIES_HTML),
            };
            (page::capacity(&searches), usual)
        }
    };
    let out = out.unwrap_or(usual);
    fs::write(&out, page).with_context(|| format!("can't write {}", out.display()))?;
    say(&format!("wrote {}", out.display()));
    Ok(ExitCode::SUCCESS)
}

/// Whether `path` is the folder of a search for a capacity, or its `capacity.json`.
pub fn is_capacity(path: &Path) -> bool {
    match path.is_dir() {
        true => path.join(CAPACITY_JSON).exists(),
        false => path.file_name().is_some_and(|name| name == CAPACITY_JSON),
    }
}

/// The file `name` in the folder `path`, or beside the file `path`.
fn beside(path: &Path, name: &str) -> PathBuf {
    let is_file = path.is_file();
    match path.parent() {
        Some(folder) if is_file => folder.join(name),
        _ => path.join(name),
    }
}
