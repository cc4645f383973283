//! What runs have tested: which kinds of trouble happened, to connections in which state, and which
//! rare paths the servers took. A sweep in which something never happened says nothing about it.

use std::fmt;

use cluster::marks::Mark;

use crate::kinds::{self, FaultKind, Fired};
use crate::marks::{self, Reached};
use crate::matrix::Matrix;
use crate::run::Outcome;

/// As many names of what never happened fit into a line.
const NAMES_MAX: usize = 10;

/// What some runs have tested.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    fired: Fired,
    marks: Reached,
    matrix: Matrix,
}

impl Coverage {
    /// Adds a run.
    pub fn add(&mut self, outcome: &Outcome) {
        kinds::add(&mut self.fired, &outcome.record.fired);
        marks::add(&mut self.marks, &outcome.marks);
        self.matrix.add(&Matrix::of(&outcome.record));
    }

    /// Adds what other runs have tested.
    pub fn add_all(&mut self, other: &Self) {
        kinds::add(&mut self.fired, &other.fired);
        marks::add(&mut self.marks, &other.marks);
        self.matrix.add(&other.matrix);
    }

    /// Names of what never happened: kinds of trouble, then rare paths.
    pub fn never(&self) -> Vec<&'static str> {
        let kinds = kinds::never_fired(&self.fired);
        let marks = marks::never(&self.marks);
        let kinds = kinds.into_iter().map(FaultKind::name);
        kinds.chain(marks.into_iter().map(Mark::name)).collect()
    }

    /// All of it, as tables.
    pub fn tables(&self) -> String {
        let kinds = FaultKind::all().map(|kind| {
            let count = u64::from(self.fired.get(&kind).copied().unwrap_or_default());
            row(kind.name(), count, kind.about())
        });
        format!(
            "trouble, and how often it happened\n{}\n\n\
             rare paths, and how often servers took them\n{}\n\n\
             second lines of defence, and how often servers needed them\n{}\n\n\
             trouble, and the connections that it met, by their state\n{}",
            kinds.collect::<Vec<_>>().join("\n"),
            self.marks(false),
            self.marks(true),
            self.matrix,
        )
    }

    fn marks(&self, second_lines: bool) -> String {
        let marks = Mark::ALL
            .iter()
            .filter(|mark| mark.is_second_line() == second_lines);
        let rows = marks.map(|mark| {
            let count = self.marks.get(mark).copied().unwrap_or_default();
            row(mark.name(), count, mark.about())
        });
        rows.collect::<Vec<_>>().join("\n")
    }
}

fn row(name: &str, count: u64, about: &str) -> String {
    format!("{name:26} {count:>9}  {about}")
}

/// As in `29 of 30 kinds of trouble happened, 58 of 59 rare paths were taken; never reset, resent`.
impl fmt::Display for Coverage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = FaultKind::all().count();
        let wanted = Mark::ALL.iter().filter(|mark| !mark.is_second_line());
        let wanted = wanted.count();
        let taken = wanted - marks::never(&self.marks).len();
        write!(
            out,
            "{} of {kinds} kinds of trouble happened, {taken} of {wanted} rare paths were taken",
            self.fired.len(),
        )?;
        let needed = self.marks.keys().filter(|mark| mark.is_second_line());
        for mark in needed {
            write!(out, ", {mark} was needed")?;
        }
        match self.never() {
            never if never.is_empty() => Ok(()),
            never if never.len() <= NAMES_MAX => write!(out, "; never {}", never.join(", ")),
            _ => write!(out, " (which, tells --coverage)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_happened_is_named() {
        let mut coverage = Coverage::default();
        let all_kinds = FaultKind::all().map(|kind| (kind, 1));
        coverage.fired = all_kinds.collect();
        coverage.marks = Mark::ALL.iter().map(|mark| (*mark, 2)).collect();
        assert_eq!(coverage.never(), [""; 0]);
        assert!(!coverage.to_string().contains("never"));

        coverage.fired.remove(&FaultKind::Reset);
        coverage.marks.remove(&Mark::CutOff);
        assert_eq!(coverage.never(), ["reset", "cut-off"]);
        assert!(coverage.to_string().ends_with("; never reset, cut-off"));
        assert!(coverage.to_string().contains(", link-forgotten was needed"));
        coverage.marks.remove(&Mark::LinkForgotten);
        assert_eq!(coverage.never(), ["reset", "cut-off"]);
        assert!(!coverage.to_string().contains("link-forgotten"));
        let nothing = Coverage::default().to_string();
        assert!(nothing.ends_with("were taken (which, tells --coverage)"));
    }
}
