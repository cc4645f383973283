//! How soon each flaw was found, as a table.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::policy::Flaw;

use super::{Found, SEEDS_MAX};
use crate::grid::{Grid, Side};

/// What the searches for one flaw came to.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    flaw: Flaw,
    searches: usize,
    found: usize,
    seeds_median: u64,
    seeds_max: u64,
    took_median: Duration,
    /// How often each promise was broken when it was found, the most frequent first.
    broken: Vec<(String, usize)>,
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
            ("seconds, median", Side::Right),
            ("found by", Side::Left),
        ],
        rows: rows.map(|row| row.cells()).collect(),
    }
}

impl Row {
    /// `None` if no search for the flaw has ended.
    fn of(flaw: Flaw, found: &[Found]) -> Option<Self> {
        let mine: Vec<&Found> = found.iter().filter(|found| found.flaw == flaw).collect();
        let seeds = sorted(mine.iter().map(|found| found.seeds_or_more()));
        let took = sorted(mine.iter().map(|found| found.took));
        let mut broken: BTreeMap<&str, usize> = BTreeMap::new();
        for promise in mine.iter().flat_map(|found| &found.broken) {
            *broken.entry(promise).or_default() += 1;
        }
        let mut broken: Vec<_> = broken
            .into_iter()
            .map(|(promise, count)| (promise.to_owned(), count))
            .collect();
        broken.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        Some(Self {
            flaw,
            searches: mine.len(),
            found: mine.iter().filter(|found| !found.broken.is_empty()).count(),
            seeds_median: *seeds.get(seeds.len().saturating_sub(1) / 2)?,
            seeds_max: *seeds.last()?,
            took_median: *took.get(took.len().saturating_sub(1) / 2)?,
            broken,
        })
    }

    fn cells(&self) -> [String; 6] {
        let broken = self.broken.iter();
        let broken: Vec<_> = broken
            .map(|(promise, count)| format!("{promise} {count}"))
            .collect();
        [
            self.flaw.name().to_owned(),
            format!("{} of {}", self.found, self.searches),
            seeds(self.seeds_median),
            seeds(self.seeds_max),
            format!("{:.1}", self.took_median.as_secs_f64()),
            broken.join(", "),
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
            took: Duration::from_millis(100 * seeds),
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
    }
}
