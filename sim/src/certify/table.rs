//! In which ways runs were done, as a table.

use super::Row;
use crate::grid::{Grid, Side};

/// The table: a row for each way.
pub fn of(rows: &[Row]) -> Grid<3> {
    let cells = |row: &Row| {
        [
            row.way.clone(),
            row.runs.to_string(),
            row.differences.to_string(),
        ]
    };
    Grid {
        head: [
            ("way", Side::Left),
            ("runs", Side::Right),
            ("differences", Side::Right),
        ],
        rows: rows.iter().map(cells).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_a_line() {
        let row = |way: &str, runs, differences| Row {
            way: way.to_owned(),
            runs,
            differences,
        };
        let table = of(&[row("one thread", 200, 0), row("two threads", 200, 13)]);
        let last = "| two threads | 200 | 13 |";
        assert_eq!(table.markdown().lines().last(), Some(last));
    }
}
