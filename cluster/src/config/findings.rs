//! What is found while one file is read, and how it is told.

use std::collections::BTreeSet;
use std::fmt;

use super::fields::or_the_file;
use super::problem::{Problem, What};
use super::words::without_place;

/// Problems of one file that are kept; the rest is only counted. A file of the greatest length that
/// is nothing but mistakes must not fill the memory with them.
const PROBLEMS_KEPT: usize = 1000;

/// Problems and warnings of one file that are listed before the rest is only counted: more would
/// scroll the first away.
const SHOWN: usize = 50;

/// Why a configuration cannot be used: all that is wrong in each of its files. Displayed as one
/// line for each problem, by file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}", Lines(files))]
pub struct ConfigError {
    /// One for each file with a mistake, by name; at least one.
    pub files: Vec<FileError>,
    /// What is odd besides, which may be the reason: a line each, each once.
    pub warnings: Vec<String>,
}

/// Why one file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// It is there, or must be, and cannot be read.
    #[error("{file}: cannot be read: {cause}: give the path of a readable {due}")]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// What the system says.
        cause: String,
        /// What should be there, such as `servers.json`.
        due: &'static str,
    },
    /// A folder without the one file that must be there.
    #[error("{folder}: has neither servers.json nor {environment}/servers.json: add one of them")]
    NoServers {
        /// The folder as it was named.
        folder: String,
        /// The environment that was asked for.
        environment: String,
    },
    /// More environments than are read.
    #[error(
        "{folder}: servers.json, master.json and the folders have {count} environments, of which at \
         most {max} are read: remove some"
    )]
    TooManyEnvironments {
        /// The folder as it was named.
        folder: String,
        /// How many there are.
        count: usize,
        /// The most.
        max: usize,
    },
    /// Its bytes are not UTF-8.
    #[error("{file}:{line}: not text: save the file as UTF-8")]
    NotText {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
    },
    /// The text is not JSON; nothing else can be said about it.
    #[error(
        "{file}:{line}:{column}: not JSON: {what}: JSON has no comments and no comma after a last element"
    )]
    NotJson {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column in bytes, from 1.
        column: usize,
        /// What the parser says.
        what: String,
    },
    /// Everything that is wrong with its contents.
    #[error("{}", Listing(file, problems, *left_out))]
    Invalid {
        /// The file as it was named.
        file: String,
        /// The problems in reading order; at least one.
        problems: Vec<Problem>,
        /// How many more there are.
        left_out: usize,
    },
}

/// The problems and warnings of one file while it is read.
#[derive(Debug)]
pub(super) struct Findings {
    file: String,
    problems: Vec<Problem>,
    left_out: usize,
    warnings: Vec<String>,
    warnings_left_out: usize,
}

impl ConfigError {
    /// Puts together what was found, possibly twice, because two environments share a file.
    pub(super) fn new(errors: Vec<FileError>, warnings: Vec<String>) -> Self {
        let mut files: Vec<FileError> = Vec::new();
        for error in errors {
            let is_new = files.iter_mut().all(|known| !known.merge(&error));
            if is_new {
                files.push(error);
            }
        }
        files.sort_by(|a, b| a.file().cmp(b.file()));
        Self {
            files,
            warnings: once(warnings),
        }
    }
}

/// `lines` without those that come again.
pub(super) fn once(mut lines: Vec<String>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    lines
}

impl FileError {
    /// The file as it was named.
    pub fn file(&self) -> &str {
        match self {
            Self::Unreadable { file, .. }
            | Self::NotText { file, .. }
            | Self::NotJson { file, .. }
            | Self::Invalid { file, .. } => file,
            Self::NoServers { folder, .. } | Self::TooManyEnvironments { folder, .. } => folder,
        }
    }

    /// What is wrong with a file as a whole.
    pub(super) fn about(file: &str, line: usize, what: What) -> Self {
        let field = or_the_file("");
        Self::Invalid {
            file: file.to_owned(),
            problems: vec![Problem { line, field, what }],
            left_out: 0,
        }
    }

    pub(super) fn not_json(file: &str, cause: &serde_json::Error) -> Self {
        Self::NotJson {
            file: file.to_owned(),
            line: cause.line(),
            column: cause.column(),
            what: without_place(cause),
        }
    }

    /// Takes in what `other` says of the same file; `false` if that is something else. A field that
    /// is wrong in both is told as it is here.
    fn merge(&mut self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let (
            Self::Invalid {
                file,
                problems,
                left_out,
            },
            Self::Invalid {
                file: other_file,
                problems: others,
                left_out: others_left_out,
            },
        ) = (self, other)
        else {
            return false;
        };
        if file != other_file {
            return false;
        }
        let known: BTreeSet<_> = problems.iter().map(Problem::place).collect();
        let is_new = |problem: &&Problem| !known.contains(&problem.place());
        let new: Vec<Problem> = others.iter().filter(is_new).cloned().collect();
        // Without anything new, what is left out there is most likely left out here too.
        *left_out = match new.is_empty() {
            true => (*left_out).max(*others_left_out),
            false => *left_out + others_left_out,
        };
        problems.extend(new);
        problems.sort_by_key(|problem| problem.line);
        *left_out += problems.len().saturating_sub(PROBLEMS_KEPT);
        problems.truncate(PROBLEMS_KEPT);
        true
    }
}

impl Findings {
    /// Begins the file that messages call `file`.
    pub(super) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            problems: Vec::new(),
            left_out: 0,
            warnings: Vec::new(),
            warnings_left_out: 0,
        }
    }

    /// Notes what is wrong with a field.
    pub(super) fn problem(&mut self, line: usize, field: impl Into<String>, what: What) {
        if self.problems.len() == PROBLEMS_KEPT {
            self.left_out += 1;
            return;
        }
        let field = field.into();
        self.problems.push(Problem { line, field, what });
    }

    /// Notes what is odd about a field.
    pub(super) fn warning(&mut self, line: usize, field: &str, what: fmt::Arguments<'_>) {
        if self.warnings.len() == SHOWN {
            self.warnings_left_out += 1;
            return;
        }
        let file = &self.file;
        self.warnings
            .push(format!("{file}:{line}: {field}: {what}"));
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    /// What is wrong, if anything is, and the warnings.
    pub(super) fn end(mut self) -> (Option<FileError>, Vec<String>) {
        if self.warnings_left_out > 0 {
            let (file, more) = (&self.file, self.warnings_left_out);
            self.warnings.push(format!("{file}: and {more} more"));
        }
        if self.is_sound() {
            return (None, self.warnings);
        }
        // In reading order, whatever order they were found in.
        self.problems.sort_by_key(|problem| problem.line);
        let error = FileError::Invalid {
            file: self.file,
            problems: self.problems,
            left_out: self.left_out,
        };
        (Some(error), self.warnings)
    }
}

/// One file after the other.
struct Lines<'a>(&'a [FileError]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, file) in self.0.iter().enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{file}")?;
        }
        Ok(())
    }
}

/// One problem a line, each with file and line number.
struct Listing<'a>(&'a str, &'a [Problem], usize);

impl fmt::Display for Listing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(file, problems, left_out) = self;
        for (index, problem) in problems.iter().take(SHOWN).enumerate() {
            let line_break = if index == 0 { "" } else { "\n" };
            write!(f, "{line_break}{file}:{}: {problem}", problem.line)?;
        }
        match problems.len().saturating_sub(SHOWN) + left_out {
            0 => Ok(()),
            more => write!(f, "\n{file}: and {more} more"),
        }
    }
}
