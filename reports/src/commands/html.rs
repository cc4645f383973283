//! `reports html`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use reports::capacity::Capacity;
use reports::output::say;
use reports::page;
use reports::run_folder::CAPACITY_JSON;

use super::kind::{self, Report};

/// The page's name beside a `run.json`.
const PAGE_HTML: &str = "run.html";

/// The page's name beside a `capacity.json`.
const CAPACITY_HTML: &str = "capacity.html";

/// The page's name beside an `ab.json`.
const AB_HTML: &str = "ab.html";

/// The page of several searches, in the folder that the program was started in.
const CAPACITIES_HTML: &str = "capacities.html";

/// Writes the page of what is at the only one of `paths`, or of the searches for a capacity at all of them, to
/// `out`, or where it belongs.
pub fn html(paths: &[PathBuf], out: Option<PathBuf>) -> anyhow::Result<ExitCode> {
    let (page, usual) = match paths {
        [path] => {
            let (page, name) = match kind::read(path)? {
                Report::Run(run) => (page::page(&run), PAGE_HTML),
                Report::Capacity(search) => (page::capacity(&[*search]), CAPACITY_HTML),
                Report::Ab(ab) => (page::ab(&ab), AB_HTML),
            };
            (page, beside(path, name))
        }
        _ => (page::capacity(&searches(paths)?), CAPACITIES_HTML.into()),
    };
    let out = out.unwrap_or(usual);
    fs::write(&out, page).with_context(|| format!("can't write {}", out.display()))?;
    say(&format!("wrote {}", out.display()));
    Ok(ExitCode::SUCCESS)
}

/// The searches at `paths`.
fn searches(paths: &[PathBuf]) -> anyhow::Result<Vec<Capacity>> {
    let searches = paths.iter().map(|path| match kind::read(path)? {
        Report::Capacity(search) => Ok(*search),
        Report::Run(_) | Report::Ab(_) => bail!(
            "{}: there is no {CAPACITY_JSON}: only searches for a capacity have a page together",
            path.display()
        ),
    });
    searches.collect()
}

/// The file `name` in the folder `path`, or beside the file `path`.
fn beside(path: &Path, name: &str) -> PathBuf {
    let is_file = path.is_file();
    match path.parent() {
        Some(folder) if is_file => folder.join(name),
        _ => path.join(name),
    }
}
