//! The transcripts in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::transcript::Transcript;

/// Reads all files of a folder that end in `.json`, in the order of their names.
///
/// # Errors
///
/// The folder cannot be read or has none, or a file is not laid out as a transcript. The text names
/// the file, and the field if there is one.
pub fn transcripts(folder: &Path) -> Result<Vec<Transcript>, String> {
    let shown = folder.display();
    let entries = fs::read_dir(folder).map_err(|error| format!("{shown}: {error}"))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| format!("{shown}: {error}"))?.path();
        if path.extension().is_some_and(|ending| ending == "json") {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(format!(
            "{shown}: no transcripts, which are files named *.json"
        ));
    }
    paths.sort();
    paths.iter().map(read).collect()
}

fn read(path: &PathBuf) -> Result<Transcript, String> {
    let shown = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    Transcript::read(&shown, &text)
}
