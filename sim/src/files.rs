//! The files that a command reads and writes. None is written over another, and one that can't be
//! written is told before anything runs, as is a folder that takes none: nobody waits for runs that
//! can't be kept.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use crate::scenario;

/// The files of one command.
#[derive(Debug, Default)]
pub struct Files<'a> {
    read: Vec<&'a Path>,
    /// With the option that names each.
    written: Vec<(&'static str, &'a Path)>,
    /// Into which files are written.
    folders: Vec<&'a Path>,
}

impl<'a> Files<'a> {
    /// Those of a command that reads what is at `path`.
    pub fn read(path: &'a Path) -> Self {
        Self {
            read: vec![path],
            ..Self::default()
        }
    }

    /// Those of a command that reads these scenarios, as far as they are files.
    pub fn scenarios(names: impl IntoIterator<Item = &'a String>) -> Self {
        let files = names.into_iter().filter(|name| scenario::is_file(name));
        Self {
            read: files.map(Path::new).collect(),
            ..Self::default()
        }
    }

    /// The same, and what the option `option` names is written, if it is given.
    #[must_use]
    pub fn write(mut self, option: &'static str, path: Option<&'a PathBuf>) -> Self {
        self.written.extend(path.map(|path| (option, &**path)));
        self
    }

    /// The same, and files are written into `folder`, if one is given.
    #[must_use]
    pub fn write_into(mut self, folder: Option<&'a PathBuf>) -> Self {
        self.folders.extend(folder.map(PathBuf::as_path));
        self
    }

    /// # Errors
    ///
    /// If one would be written over another.
    pub fn are_apart(&self) -> anyhow::Result<()> {
        for (index, (option, path)) in self.written.iter().enumerate() {
            let shown = path.display();
            ensure!(
                self.read.iter().all(|other| !is_same(path, other)),
                "{option}: {shown} is what is read: name another file"
            );
            let mut before = self.written[..index].iter();
            let same = before.find(|(_, other)| is_same(path, other));
            let other = same.map_or("", |(other, _)| other);
            ensure!(
                same.is_none(),
                "{other} and {option} are the same file, {shown}: name two"
            );
        }
        Ok(())
    }

    /// # Errors
    ///
    /// If one can't be written. Those that are there stay as they are, and none is made.
    pub fn are_writable(&self) -> anyhow::Result<()> {
        for (_, path) in &self.written {
            try_to_write(path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        for folder in &self.folders {
            try_to_write_into(folder)
                .with_context(|| format!("cannot write into {}", folder.display()))?;
        }
        Ok(())
    }
}

fn try_to_write(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        // Who reads a pipe would take the attempt for the end.
        Ok(there) if !there.is_file() && !there.is_dir() => Ok(()),
        Ok(_) => File::options().append(true).open(path).map(drop),
        Err(_) => {
            File::create_new(path)?;
            fs::remove_file(path)
        }
    }
}

/// Makes the folder and a file in it, and takes away again what was not there.
fn try_to_write_into(folder: &Path) -> io::Result<()> {
    let parents = folder.ancestors().filter(|it| !it.as_os_str().is_empty());
    let new: Vec<_> = parents.take_while(|it| !it.exists()).collect();
    let mut tried = fs::create_dir_all(folder);
    if tried.is_ok() {
        tried = match try_to_write(&folder.join(ATTEMPT)) {
            // A folder of this name says nothing.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(()),
            tried => tried,
        };
    }
    for made in new {
        // Of a path that can't be made, not all is there.
        let _ = fs::remove_dir(made);
    }
    tried
}

/// What nobody calls a file.
const ATTEMPT: &str = ".can-be-written";

/// Whether the two are names of one file, be it there or not.
fn is_same(path: &Path, other: &Path) -> bool {
    path == other || matches!((real(path), real(other)), (Ok(one), Ok(two)) if one == two)
}

/// The one path of a file that may be still to be made, in a folder that is there.
fn real(path: &Path) -> io::Result<PathBuf> {
    match (fs::canonicalize(path), path.parent(), path.file_name()) {
        (Err(_), Some(folder), Some(name)) => {
            let folder = if folder.as_os_str().is_empty() {
                Path::new(".")
            } else {
                folder
            };
            Ok(fs::canonicalize(folder)?.join(name))
        }
        (there, ..) => there,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_written_over_another_whatever_it_is_called() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let at = |name: &str| folder.path().join(name);
        fs::write(at("mine.toml"), "")?;
        let there = [at("mine.toml"), at("./mine.toml"), at("new"), at("./new")];
        let [mine, mine_too, new, new_too] = &there;
        let scenarios = [mine.to_string_lossy().into_owned(), "steady".to_owned()];
        for (first, second, said) in [
            (new, mine, "--b: "),
            (mine_too, new, "--a: "),
            (new, new_too, "--a and --b are the same file, "),
            (new, &at("other"), ""),
        ] {
            let files = Files::scenarios(&scenarios);
            let files = files.write("--a", Some(first)).write("--b", Some(second));
            let told = files.are_apart().map_err(|error| error.to_string());
            match said {
                "" => assert_eq!(told, Ok(())),
                said => assert!(told.is_err_and(|told| told.starts_with(said)), "{said}"),
            }
        }
        Ok(())
    }

    #[test]
    fn to_ask_whether_a_folder_takes_files_leaves_none_that_was_not_there() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [there, new, file] = ["there", "new/inner", "file"].map(|it| folder.path().join(it));
        fs::create_dir(&there)?;
        fs::write(&file, "kept")?;
        let in_file = file.join("inner");
        for (path, takes_files) in [
            (&there, true),
            (&new, true),
            (&file, false),
            (&in_file, false),
        ] {
            let asked = Files::default().write_into(Some(path)).are_writable();
            assert_eq!(asked.is_ok(), takes_files, "{}", path.display());
        }
        assert_eq!(fs::read_dir(&there)?.count(), 0);
        assert_eq!(fs::read_dir(folder.path())?.count(), 2);
        Ok(())
    }

    #[test]
    fn to_ask_whether_a_file_can_be_written_changes_nothing() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let [there, new] = ["there", "new"].map(|name| folder.path().join(name));
        fs::write(&there, "kept")?;
        let nowhere = folder.path().join("no/where");
        let none = || Files::default();
        for (path, is_writable) in [(&there, true), (&new, true), (&nowhere, false)] {
            let asked = none().write("--a", Some(path)).are_writable();
            assert_eq!(asked.is_ok(), is_writable, "{}", path.display());
        }
        let is_folder = folder.path().to_owned();
        assert!(
            none()
                .write("--a", Some(&is_folder))
                .are_writable()
                .is_err()
        );
        assert_eq!(fs::read_to_string(&there)?, "kept");
        assert!(!new.exists());
        Ok(())
    }
}
