//! How small the runs are that show the flaws, as a table.

use super::{Shown, ShownBy};
use crate::grid::{Grid, Side};
use crate::shrink::{Ended, OTHER_SEEDS, size::Size};

const HEAD: [(&str, Side); 11] = [
    ("flaw", Side::Left),
    ("seed", Side::Right),
    ("shown by", Side::Left),
    ("faults", Side::Right),
    ("actions", Side::Right),
    ("users", Side::Right),
    ("servers", Side::Right),
    ("runs", Side::Right),
    ("seconds", Side::Right),
    ("CPU s", Side::Right),
    ("other seeds", Side::Right),
];

/// What is counted before and after, in the order of the columns.
const COUNTS: [fn(&Size) -> usize; 4] = [
    |size| size.faults,
    |size| size.actions,
    |size| size.users,
    |size| size.servers,
];

/// The table: a row for each of `shown`, then the medians of those that a run shows.
pub fn of(shown: &[Shown]) -> Grid<11> {
    let mut rows: Vec<_> = shown.iter().map(row).collect();
    let runs: Vec<_> = shown.iter().filter_map(|it| it.run.as_ref()).collect();
    if !runs.is_empty() {
        rows.push(medians(&runs));
    }
    Grid { head: HEAD, rows }
}

fn row(shown: &Shown) -> [String; 11] {
    let flaw = shown.flaw.name().to_owned();
    let Some(run) = &shown.run else {
        let mut cells = std::array::from_fn(|_| String::new());
        (cells[0], cells[2]) = (flaw, String::from("not found"));
        return cells;
    };
    let ShownBy { seed, shrunk, .. } = run;
    let [faults, actions, users, servers] =
        COUNTS.map(|count| change(count(&shrunk.before), count(&shrunk.after)));
    let promise = shrunk.signature.guarantee;
    // Of what may become smaller yet, the size is no last word.
    let cut_short = if shrunk.ended == Ended::Smallest {
        ""
    } else {
        "+"
    };
    [
        flaw,
        seed.to_string(),
        promise
            .expect("no run that broke off is sought")
            .to_string(),
        faults,
        actions,
        users,
        servers,
        shrunk.tried.to_string(),
        format!("{:.0}{cut_short}", run.took.as_secs_f64()),
        format!("{:.0}", run.cpu.as_secs_f64()),
        match shrunk.other_seeds {
            Some(some) => format!("{some} of {OTHER_SEEDS}"),
            None => String::from("not tried"),
        },
    ]
}

fn medians(runs: &[&ShownBy]) -> [String; 11] {
    let [faults, actions, users, servers] = COUNTS.map(|count| {
        let of = |size: fn(&ShownBy) -> &Size| median(runs.iter().map(|run| count(size(run))));
        change(of(|run| &run.shrunk.before), of(|run| &run.shrunk.after))
    });
    let tried = median(runs.iter().map(|run| run.shrunk.tried));
    let took = median(runs.iter().map(|run| run.took)).as_secs_f64();
    let cpu = median(runs.iter().map(|run| run.cpu)).as_secs_f64();
    [
        String::from("median"),
        String::new(),
        String::new(),
        faults,
        actions,
        users,
        servers,
        tried.to_string(),
        format!("{took:.0}"),
        format!("{cpu:.0}"),
        String::new(),
    ]
}

/// As in `13 to 1`.
fn change(before: usize, after: usize) -> String {
    format!("{before} to {after}")
}

/// The one in the middle; of two there, the smaller.
fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values[(values.len() - 1) / 2]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cluster::policy::Flaw;

    use super::*;
    use crate::guarantees::Guarantee;
    use crate::run::Outcome;
    use crate::shrink::{Shrunk, Signature};

    fn shown(flaw: Flaw, before: usize, after: usize, ended: Ended) -> Shown {
        let size = |count| Size {
            faults: count,
            actions: 10 * count,
            users: count + 1,
            servers: count + 2,
            ..Size::default()
        };
        let signature = Signature {
            guarantee: Some(Guarantee::Membership),
            shape: String::new(),
        };
        let shrunk = Shrunk {
            signature,
            before: size(before),
            after: size(after),
            outcome: Outcome::default(),
            other_seeds: (ended == Ended::Smallest).then_some(5),
            tried: before,
            ended,
        };
        let run = Some(ShownBy {
            seed: 7,
            shrunk,
            took: Duration::from_secs(after as u64),
            cpu: Duration::from_secs(before as u64),
        });
        Shown { flaw, run }
    }

    #[test]
    fn a_row_tells_what_is_left_and_the_last_the_medians_of_what_was_found() {
        let shown = [
            shown(Flaw::KickLost, 9, 1, Ended::Smallest),
            Shown {
                flaw: Flaw::RequestHangs,
                run: None,
            },
            shown(Flaw::StarInName, 8, 3, Ended::OutOfTime),
            shown(Flaw::DeadSession, 4, 2, Ended::Smallest),
        ];
        let text = of(&shown).markdown();
        let rows: Vec<_> = text.lines().skip(2).collect();
        assert_eq!(
            rows,
            [
                "| kick-lost | 7 | G5 membership | 9 to 1 | 90 to 10 | 10 to 2 | 11 to 3 | 9 | 1 | 9 | 5 of 5 |",
                "| request-hangs |  | not found |  |  |  |  |  |  |  |  |",
                "| star-in-name | 7 | G5 membership | 8 to 3 | 80 to 30 | 9 to 4 | 10 to 5 | 8 | 3+ | 8 | not tried |",
                "| dead-session | 7 | G5 membership | 4 to 2 | 40 to 20 | 5 to 3 | 6 to 4 | 4 | 2 | 4 | 5 of 5 |",
                "| median |  |  | 8 to 2 | 80 to 20 | 9 to 3 | 10 to 4 | 8 | 2 | 8 |  |",
            ]
        );
    }
}
