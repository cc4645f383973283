//! How soon each flaw was found, as a table.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::policy::Flaw;

use super::{Found, SEEDS_MAX};
use crate::grid::{Grid, Side};
use crate::guarantees::Guarantee;

/// What the searches for one flaw came to.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    flaw: Flaw,
    searches: usize,
    found: usize,
    seeds_median: u64,
    seeds_max: u64,
    cpu_median: Duration,
    /// How often each promise was broken when it was found, the most frequent first.
    broken: String,
}

/// The table: a row for each of `flaws` for which a search has ended.
pub fn of(flaws: &[Flaw], found: &[Found]) -> Grid<6> {
    let rows = flaws.iter().filter_map(|flaw| Row::of(*flaw, found));
    Grid {
        head: [
            ("flaw", Side::Left),
            ("found", Side::Right),
            ("seeds, median", Side::Right),
            ("seeds, max", Side::Right),
            ("CPU s, median", Side::Right),
            ("found by", Side::Left),
        ],
        rows: rows.map(|row| row.cells()).collect(),
    }
}

/// A second table: of each promise the flaws that were found because it was broken and no other, with
/// how often.
pub fn alone(found: &[Found]) -> Grid<2> {
    let promises = Guarantee::all().map(|it| format!("G{}", it.number()));
    let row = |promise: String| {
        let alone = found.iter().filter(|it| it.broken.iter().eq([&promise]));
        let flaws = most_frequent(alone.map(|it| it.flaw.name()));
        [promise, flaws]
    };
    Grid {
        head: [("promise", Side::Left), ("found by it alone", Side::Left)],
        rows: promises.map(row).collect(),
    }
}

/// Each of `names` with how often it is there, the most frequent first.
fn most_frequent<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let counts: Vec<_> = counts
        .into_iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    counts.join(", ")
}

impl Row {
    /// `None` if no search for the flaw has ended.
    fn of(flaw: Flaw, found: &[Found]) -> Option<Self> {
        let mine: Vec<&Found> = found.iter().filter(|found| found.flaw == flaw).collect();
        let seeds = sorted(mine.iter().map(|found| found.seeds_or_more()));
        let cpu = sorted(mine.iter().map(|found| found.cpu));
        let broken = mine.iter().flat_map(|found| &found.broken);
        Some(Self {
            flaw,
            searches: mine.len(),
            found: mine.iter().filter(|found| !found.broken.is_empty()).count(),
            seeds_median: *seeds.get(seeds.len().saturating_sub(1) / 2)?,
            seeds_max: *seeds.last()?,
            cpu_median: *cpu.get(cpu.len().saturating_sub(1) / 2)?,
            broken: most_frequent(broken.map(String::as_str)),
        })
    }

    fn cells(&self) -> [String; 6] {
        [
            self.flaw.name().to_owned(),
            format!("{} of {}", self.found, self.searches),
            seeds(self.seeds_median),
            seeds(self.seeds_max),
            format!("{:.1}", self.cpu_median.as_secs_f64()),
            self.broken.clone(),
        ]
    }
}

impl Found {
    /// The runs until one failed; more than there were, if none did.
    fn seeds_or_more(&self) -> u64 {
        self.seeds + u64::from(self.broken.is_empty())
    }
}

fn seeds(seeds: u64) -> String {
    match seeds > SEEDS_MAX {
        true => format!("over {SEEDS_MAX}"),
        false => seeds.to_string(),
    }
}

fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(flaw: Flaw, seeds: u64, broken: &[&str]) -> Found {
        Found {
            flaw,
            seeds,
            cpu: Duration::from_millis(100 * seeds),
            broken: broken.iter().map(|promise| (*promise).to_owned()).collect(),
        }
    }

    #[test]
    fn a_row_has_the_median_the_worst_and_what_found_it() {
        let found = [
            found(Flaw::KickLost, 9, &["G5", "G7"]),
            found(Flaw::KickLost, 1, &["G5"]),
            found(Flaw::KickLost, SEEDS_MAX, &[]),
            found(Flaw::KickLost, 4, &["G5"]),
            found(Flaw::StarInName, 1, &["G1"]),
        ];
        let flaws = [Flaw::KickLost, Flaw::StarInName, Flaw::RequestHangs];
        assert_eq!(
            of(&flaws, &found).rows,
            [
                ["kick-lost", "3 of 4", "4", "over 500", "0.4", "G5 3, G7 1"],
                ["star-in-name", "1 of 1", "1", "1", "0.1", "G1 1"],
            ]
        );
        let alone = alone(&found).rows;
        assert_eq!(alone.len(), 13);
        for row in [["G1", "star-in-name 1"], ["G5", "kick-lost 2"], ["G7", ""]] {
            assert!(alone.iter().any(|it| *it == row), "{row:?}: {alone:?}");
        }
    }
}
