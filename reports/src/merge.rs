//! Parts of one run, measured by processes of their own, as the one run that they are.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use crate::measured::{Measured, MergeError};
use crate::run::{CASES_MAX, Run, Verdict};

/// A run, or a part of one, as its folder has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its `run.json`.
    pub run: Run,
    /// Its `measured.json` and `latencies.hdr`.
    pub measured: Measured,
}

/// Why parts are none of one run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartsError {
    /// There is none.
    #[error("there is nothing to merge")]
    None,
    /// They are of different runs.
    #[error("{one} and {other} are no parts of one run: they differ in {what}")]
    Differ {
        /// The name of one.
        one: String,
        /// The name of the other.
        other: String,
        /// In what.
        what: &'static str,
    },
    /// What they measured can't be added.
    #[error("{one} and {other} can't be added")]
    Measured {
        /// The name of one.
        one: String,
        /// The name of the other.
        other: String,
        /// Why.
        source: MergeError,
    },
}

/// Merges `parts` into the run `name`. All that is measured is exactly what it would be if one process
/// had measured it; the order of the parts does not matter.
///
/// # Errors
///
/// If there is none, or they are of different runs: of another program, seed, plan or thresholds, or
/// with rows of another length.
pub fn merge(mut parts: Vec<Part>, name: &str) -> Result<Part, PartsError> {
    // What can't be added, such as commands, comes in the order of the names.
    parts.sort_by(|a, b| a.run.name.cmp(&b.run.name));
    let mut parts = parts.into_iter();
    let Part {
        mut run,
        mut measured,
    } = parts.next().ok_or(PartsError::None)?;
    let mut commands = BTreeSet::from([run.command.clone()]);
    for part in parts {
        let names = || (run.name.clone(), part.run.name.clone());
        if let Some(what) = difference(&run, &part.run) {
            let (one, other) = names();
            return Err(PartsError::Differ { one, other, what });
        }
        measured.merge(&part.measured).map_err(|source| {
            let (one, other) = names();
            PartsError::Measured { one, other, source }
        })?;
        commands.insert(part.run.command.clone());
        add(&mut run, part.run);
    }
    run.name = name.to_owned();
    // As a shell takes it: the parts ran at the same time.
    run.command = Vec::from_iter(commands).join(" & ");
    run.show(&measured);
    Ok(Part { run, measured })
}

/// In what two reports differ that parts of one run share.
fn difference(one: &Run, other: &Run) -> Option<&'static str> {
    let demands = |run: &Run| -> Vec<_> {
        let thresholds = run.thresholds.iter();
        thresholds
            .map(|it| {
                (
                    it.metric.clone(),
                    it.unit,
                    it.comparison.to_string(),
                    it.bound,
                )
            })
            .collect()
    };
    let differences = [
        (one.program != other.program, "program"),
        (one.kind != other.kind, "kind"),
        (one.seed != other.seed, "seed"),
        (one.plan != other.plan, "plan"),
        (demands(one) != demands(other), "thresholds"),
    ];
    let mut found = differences.into_iter().filter(|(differs, _)| *differs);
    found.next().map(|(_, what)| what)
}

/// Adds what was not measured but said.
fn add(run: &mut Run, other: Run) {
    // All dates are in UTC and of one length: the order of the texts is that of the times.
    run.date = run.date.clone().min(other.date);
    run.elapsed_us = run.elapsed_us.max(other.elapsed_us);
    run.partial |= other.partial;
    union(&mut run.invalid, other.invalid);
    union(&mut run.warnings, other.warnings);
    run.health.extend(other.health);
    run.health.sort_by(|a, b| a.process.cmp(&b.process));
    add_verdicts(&mut run.verdicts, other.verdicts);
    add_environment(&mut run.environment, other.environment);
}

fn union(lines: &mut Vec<String>, others: Vec<String>) {
    let all: BTreeSet<_> = mem::take(lines).into_iter().chain(others).collect();
    lines.extend(all);
}

/// A check holds if it holds in every part that could tell.
fn add_verdicts(verdicts: &mut Vec<Verdict>, others: Vec<Verdict>) {
    for other in others {
        match verdicts.iter_mut().find(|it| it.name == other.name) {
            Some(verdict) => {
                verdict.holds &= other.holds;
                union(&mut verdict.evidence, other.evidence);
                verdict.evidence.truncate(CASES_MAX);
            }
            None => verdicts.push(other),
        }
    }
}

/// Parts may have run on different machines.
fn add_environment(facts: &mut BTreeMap<String, String>, others: BTreeMap<String, String>) {
    for (name, other) in others {
        match facts.get_mut(&name) {
            Some(fact) if fact.split("; ").any(|it| it == other) => {}
            Some(fact) => {
                let mut all = fact.split("; ").map(str::to_owned).collect();
                union(&mut all, vec![other]);
                *fact = all.join("; ");
            }
            None => {
                facts.insert(name, other);
            }
        }
    }
}
