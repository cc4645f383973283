//! How soon each flaw was found, as a table.

use std::collections::BTreeMap;
use std::time::Duration;

use cluster::policy::Flaw;

use super::{Found, SEEDS_MAX};

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

const HEAD: [&str; 6] = [
    "flaw",
    "found",
    "seeds, median",
    "seeds, max",
    "seconds, median",
    "found by",
];

/// The table, for people.
pub fn text(flaws: &[Flaw], found: &[Found]) -> String {
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(cells(flaws, found));
    let widths: [usize; 6] = std::array::from_fn(|column| {
        let widths = rows.iter().map(|row| row[column].len());
        widths.max().unwrap_or_default()
    });
    let lines = rows.iter().map(|row| {
        let [flaw, found, median, max, took, broken] = row;
        let [w0, w1, w2, w3, w4, _] = widths;
        let line =
            format!("{flaw:w0$}  {found:>w1$}  {median:>w2$}  {max:>w3$}  {took:>w4$}  {broken}");
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// The table in Markdown.
pub fn markdown(flaws: &[Flaw], found: &[Found]) -> String {
    let mut lines = vec![
        format!("| {} |", HEAD.join(" | ")),
        String::from("| --- | ---: | ---: | ---: | ---: | --- |"),
    ];
    for row in cells(flaws, found) {
        lines.push(format!("| {} |", row.join(" | ")));
    }
    lines.join("\n") + "\n"
}

fn cells(flaws: &[Flaw], found: &[Found]) -> Vec<[String; 6]> {
    let rows = flaws.iter().filter_map(|flaw| Row::of(*flaw, found));
    rows.map(|row| row.cells()).collect()
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
            markdown(&flaws, &found).lines().skip(2).collect::<Vec<_>>(),
            [
                "| kick-lost | 3 of 4 | 4 | over 500 | 0.4 | G5 3, G7 1 |",
                "| star-in-name | 1 of 1 | 1 | 1 | 0.1 | G1 1 |",
            ]
        );
        let text = text(&flaws, &found);
        let last = text.lines().last();
        let expected = "star-in-name  1 of 1              1           1              0.1  G1 1";
        assert_eq!(last, Some(expected));
    }
}
