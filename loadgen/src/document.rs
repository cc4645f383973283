//! A TOML file that is read into plain structs, and says of each problem where it stands and what
//! would be right.

use std::fmt;
use std::ops::Range;

use cluster::config::nearest;
use serde::Deserialize;
use serde_path_to_error::Segment;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong at one place of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The first is 1.
    pub line: usize,
    /// In characters; the first is 1.
    pub column: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// What is wrong with a file, each problem on a line of its own with its place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct FileError {
    file: String,
    problems: Vec<Problem>,
}

impl FileError {
    /// All that is wrong with `file`.
    pub fn new(file: &str, problems: Vec<Problem>) -> Self {
        let file = file.to_owned();
        Self { file, problems }
    }

    /// What it is, in the order in which it was found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            write!(out, "{gap}{}:{problem}", self.file)?;
        }
        Ok(())
    }
}

/// A file whose syntax is sound.
pub struct Document<'t> {
    text: &'t str,
    root: Spanned<DeTable<'t>>,
}

impl<'t> Document<'t> {
    /// Reads the syntax of `text`.
    ///
    /// # Errors
    ///
    /// Everything that is no TOML.
    pub fn parse(text: &'t str) -> Result<Self, Vec<Problem>> {
        let (root, errors) = DeTable::parse_recoverable(text);
        let document = Self { text, root };
        if errors.is_empty() {
            return Ok(document);
        }
        let problem = |error: &toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            document.problem_at(at, error.message().replace('\n', ", "))
        };
        Err(errors.iter().map(problem).collect())
    }

    /// Reads what the file says.
    ///
    /// # Errors
    ///
    /// All keys that are unknown and all values that are wrong.
    pub fn read<T: Deserialize<'t>>(&self) -> Result<T, Vec<Problem>> {
        let mut root = self.root.clone();
        let mut problems = Vec::new();
        loop {
            let deserializer = toml::de::Deserializer::from(root.clone());
            let error = match serde_path_to_error::deserialize(deserializer) {
                Ok(read) if problems.is_empty() => return Ok(read),
                Ok(_) => return Err(problems),
                Err(error) => error,
            };
            // A key that names no habit is no step of its own: its table is.
            let is_known = |step: &&Segment| !matches!(step, Segment::Unknown);
            let steps: Vec<_> = error.path().iter().filter(is_known).cloned().collect();
            let at = match steps.last() {
                // serde knows no place of what is wrong with a whole item, only that of its list.
                Some(Segment::Seq { .. }) => place(&root, steps.iter().map(name)),
                _ => error.inner().span().map_or(0, |span| span.start),
            };
            let message = error.inner().message();
            // What was taken out below is what is missing now.
            let is_consequence = message.starts_with("missing field") && !problems.is_empty();
            if !is_consequence {
                problems.push(self.problem_at(at, told(&steps, message)));
            }
            // Without it, what else is wrong is found.
            if !remove(root.get_mut(), &steps) {
                return Err(problems);
            }
        }
    }

    /// A problem with what stands at `path`, such as `settings.lease` or `fault.2.kind` (the first
    /// is 0), or with the innermost part of it that the file has.
    pub fn problem(&self, path: &str, what: &str) -> Problem {
        let at = place(&self.root, path.split('.').map(String::from));
        self.problem_at(at, format!("{path}: {what}"))
    }

    fn problem_at(&self, at: usize, what: String) -> Problem {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        Problem {
            line: 1 + before.matches('\n').count(),
            column: 1 + before[line_start..].chars().count(),
            what,
        }
    }
}

/// Where what `steps` lead to begins, or the innermost part of it that `root` has.
fn place(root: &Spanned<DeTable<'_>>, mut steps: impl Iterator<Item = String>) -> usize {
    let first = steps.next().unwrap_or_default();
    let Some((key, value)) = root.get_ref().get_key_value(first.as_str()) else {
        return root.span().start;
    };
    let (mut span, mut value) = (key.span(), value.get_ref());
    for step in steps {
        let Some(found) = inner(value, &step) else {
            break;
        };
        (span, value) = found;
    }
    span.start
}

fn name(step: &Segment) -> String {
    match step {
        Segment::Seq { index } => index.to_string(),
        _ => key(step).unwrap_or_default().to_owned(),
    }
}

/// Where `step` of `value` begins, and what it is.
fn inner<'v, 't>(value: &'v DeValue<'t>, step: &str) -> Option<(Range<usize>, &'v DeValue<'t>)> {
    match value {
        DeValue::Table(table) => {
            let (key, value) = table.get_key_value(step)?;
            Some((key.span(), value.get_ref()))
        }
        DeValue::Array(array) => {
            let value = array.get(step.parse::<usize>().ok()?)?;
            Some((value.span(), value.get_ref()))
        }
        _ => None,
    }
}

/// Takes what stands at `steps` out of `table`; `false` if that is the whole.
fn remove(table: &mut DeTable<'_>, steps: &[Segment]) -> bool {
    match steps {
        [Segment::Map { key }] => table.remove(key.as_str()).is_some(),
        [Segment::Map { key }, steps @ ..] => match table.get_mut(key.as_str()) {
            Some(value) => remove_inner(value.get_mut(), steps),
            None => false,
        },
        _ => false,
    }
}

fn remove_inner(value: &mut DeValue<'_>, steps: &[Segment]) -> bool {
    match (value, steps) {
        (DeValue::Table(table), steps) => remove(table, steps),
        (DeValue::Array(array), [Segment::Seq { index }]) => {
            let others = array.clone().into_iter().enumerate();
            let others = others.filter(|(other, _)| other != index);
            *array = others.map(|(_, value)| value).collect();
            true
        }
        (DeValue::Array(array), [Segment::Seq { index }, steps @ ..]) => {
            let value = array.get_mut(*index).map(Spanned::get_mut);
            value.is_some_and(|value| remove_inner(value, steps))
        }
        _ => false,
    }
}

/// What serde says about what stands at `steps`, in the words of who writes files.
fn told(steps: &[Segment], message: &str) -> String {
    let path: Vec<&str> = steps.iter().filter_map(key).collect();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let name = quoted.next().unwrap_or_default();
    let known: Vec<&str> = quoted.collect();
    if message.starts_with("unknown field") {
        let within = within(&steps[..steps.len().saturating_sub(1)]);
        return format!("unknown key `{name}`{within}; {}", remedy(name, &known));
    }
    let path = path.join(".");
    if message.starts_with("unknown variant") {
        return format!("{path}: there is no `{name}`; {}", remedy(name, &known));
    }
    if message.starts_with("missing field") {
        return format!("`{name}` is missing{}", within(steps));
    }
    if path.is_empty() {
        return message.to_owned();
    }
    format!("{path}: {message}")
}

fn key(step: &Segment) -> Option<&str> {
    match step {
        Segment::Map { key } => Some(key),
        _ => None,
    }
}

/// As in ` in [users.habits]`; nothing at the top of the file.
fn within(steps: &[Segment]) -> String {
    let table: Vec<&str> = steps.iter().filter_map(key).collect();
    let table = table.join(".");
    match steps.last() {
        None => String::new(),
        Some(Segment::Seq { .. }) => format!(" in [[{table}]]"),
        Some(_) => format!(" in [{table}]"),
    }
}

fn remedy(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("known are {}", known.join(", ")),
    }
}
