//! Where the files of a configuration are.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::path::{Component, Path, PathBuf};

use super::findings::FileError;
use super::words::nearest;

/// Longest file that is read, in bytes: about fifty thousand servers. A longer one (or a device
/// that never ends) is refused before it fills the memory.
pub const FILE_LEN_MAX: u64 = 16 * 1024 * 1024;

/// Where a configuration comes from.
#[derive(Clone, Debug)]
pub struct Place(Kind);

#[derive(Clone, Debug)]
enum Kind {
    BuiltIn,
    Folder(PathBuf),
    /// A `servers.json` alone; the rest is built in.
    File(PathBuf),
}

/// The files of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum File {
    Servers,
    Master,
    ServerProtos,
    ClientProtos,
    Dictionary,
    App,
}

/// A file that was read.
pub(super) struct Text {
    /// What messages call it.
    pub(super) file: String,
    pub(super) text: String,
    /// Whether it is in the folder of an environment, which has no environments inside.
    pub(super) is_of_environment: bool,
}

/// Files of Pomelo that mean nothing here, and must not be taken for a slip of the pen.
const OTHERS: [&str; 5] = [
    "adminServer.json",
    "adminUser.json",
    "crons.json",
    "log4js.json",
    "masterha.json",
];

impl File {
    const NAMES: [&str; 6] = [
        "servers.json",
        "master.json",
        "serverProtos.json",
        "clientProtos.json",
        "dictionary.json",
        "app.json",
    ];

    pub(super) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The shipped file, which is part of the program.
    fn built_in(self) -> &'static str {
        match self {
            Self::Servers => include_str!("../../config/servers.json"),
            Self::Master => include_str!("../../config/master.json"),
            Self::ServerProtos => include_str!("../../config/serverProtos.json"),
            Self::ClientProtos => include_str!("../../config/clientProtos.json"),
            Self::Dictionary => include_str!("../../config/dictionary.json"),
            Self::App => include_str!("../../config/app.json"),
        }
    }
}

impl Place {
    /// The shipped configuration, which is Pomelo's chat example.
    pub fn built_in() -> Self {
        Self(Kind::BuiltIn)
    }

    /// A folder like Pomelo's `config`. Of each file it is `config/servers.json` that counts, and if
    /// there is none `config/<environment>/servers.json`, in this order, as in Pomelo.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Folder(path.into()))
    }

    /// A `servers.json` alone; all else is built in.
    pub fn servers(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(path.into()))
    }

    /// Whether this is the shipped configuration.
    pub fn is_built_in(&self) -> bool {
        matches!(self.0, Kind::BuiltIn)
    }

    /// Reads a file; `None` if there is none, which must not be with the servers.
    pub(super) fn open(&self, file: File, environment: &str) -> Result<Option<Text>, FileError> {
        let text = match (&self.0, file) {
            (Kind::Folder(folder), _) => return open_in(folder, file, environment),
            (Kind::File(path), File::Servers) => Text::of_file(path, read(path), false)?,
            // Its environments are not those of the servers.
            (Kind::File(_), File::Master) => return Ok(None),
            (Kind::BuiltIn | Kind::File(_), file) => {
                let name = format!("the built-in {}", file.name());
                Text::new(&name, file.built_in(), false)
            }
        };
        Ok(Some(text))
    }

    /// The folder; `None` where there is none.
    pub(super) fn path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Folder(folder) => Some(folder),
            _ => None,
        }
    }

    /// The environments that have a folder with a file in it, by name.
    pub(super) fn folders(&self) -> BTreeSet<String> {
        let Kind::Folder(folder) = &self.0 else {
            return BTreeSet::new();
        };
        let mut names = names_in(folder);
        names.retain(|name| {
            let own = folder.join(name);
            File::NAMES.iter().any(|file| own.join(file).is_file())
        });
        names
    }

    /// What in the folder is never read for `environment`, though it looks as if it should be.
    pub(super) fn unread(&self, environment: &str) -> Vec<String> {
        let Kind::Folder(folder) = &self.0 else {
            return Vec::new();
        };
        let own = folder_of(folder, environment);
        let mut warnings = Vec::new();
        for name in File::NAMES {
            let first = folder.join(name);
            let second = own.as_ref().map(|own| own.join(name));
            if let Some(second) = second.filter(|second| second.exists() && first.exists()) {
                let (first, second) = (first.display(), second.display());
                warnings.push(format!(
                    "{second}: is not read, because {first} comes first: remove one of them"
                ));
            }
        }
        for folder in [Some(folder), own.as_ref()].into_iter().flatten() {
            for name in names_in(folder) {
                let is_known = File::NAMES.contains(&&*name) || OTHERS.contains(&&*name);
                if let Some(nearest) = nearest(&name, &File::NAMES).filter(|_| !is_known) {
                    let path = folder.join(&name);
                    warnings.push(format!(
                        "{}: is not read: did you mean {nearest}?",
                        path.display()
                    ));
                }
            }
        }
        warnings
    }
}

impl Text {
    fn new(file: &str, text: &str, is_of_environment: bool) -> Self {
        // Editors on Windows put a byte order mark in front, which JSON does not allow.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            file: file.to_owned(),
            text: text.to_owned(),
            is_of_environment,
        }
    }

    /// Takes what was `read` of the file at `path`.
    fn of_file(
        path: &Path,
        read: io::Result<Vec<u8>>,
        is_of_environment: bool,
    ) -> Result<Self, FileError> {
        let due = File::NAMES.into_iter().find(|name| path.ends_with(name));
        let due = due.unwrap_or(File::Servers.name());
        let bytes = read.map_err(|cause| unreadable(path, &cause, due))?;
        let file = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(&file, &text, is_of_environment)),
            Err(error) => {
                let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                Err(FileError::NotText { file, line })
            }
        }
    }
}

fn open_in(folder: &Path, file: File, environment: &str) -> Result<Option<Text>, FileError> {
    let own = folder_of(folder, environment);
    for (folder, is_of_environment) in [(Some(folder), false), (own.as_deref(), true)] {
        let Some(path) = folder.map(|folder| folder.join(file.name())) else {
            continue;
        };
        match read(&path) {
            Err(cause) if is_absence(&cause) => {}
            read => return Text::of_file(&path, read, is_of_environment).map(Some),
        }
    }
    if file != File::Servers {
        return Ok(None);
    }
    fs::read_dir(folder).map_err(|cause| unreadable(folder, &cause, "folder"))?;
    Err(FileError::NoServers {
        folder: folder.display().to_string(),
        environment: environment.to_owned(),
    })
}

/// The folder of `environment`, whose name comes from a file or the command line: it must not lead
/// out of the folder.
fn folder_of(folder: &Path, environment: &str) -> Option<PathBuf> {
    let mut parts = Path::new(environment).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(name)), None) if name == OsStr::new(environment) => {
            Some(folder.join(name))
        }
        _ => None,
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(FILE_LEN_MAX + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_LEN_MAX {
        let what = format!("it is longer than {FILE_LEN_MAX} bytes");
        return Err(io::Error::new(ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

fn is_absence(cause: &io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, cause: &io::Error, due: &'static str) -> FileError {
    FileError::Unreadable {
        file: path.display().to_string(),
        cause: cause.to_string(),
        due,
    }
}

/// What is in `folder`, as far as its names are text.
fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}
