//! In which ways runs were done, as a table.

use super::Row;

const HEAD: [&str; 3] = ["way", "runs", "differences"];

/// The table, for people.
pub fn text(rows: &[Row]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let widths: [usize; 3] = std::array::from_fn(|column| {
        let widths = lines.iter().map(|line| line[column].chars().count());
        widths.max().unwrap_or_default()
    });
    let lines = lines.iter().map(|[way, runs, differences]| {
        let [w0, w1, w2] = widths;
        format!("{way:w0$}  {runs:>w1$}  {differences:>w2$}\n")
    });
    lines.collect()
}

/// The table in Markdown.
pub fn markdown(rows: &[Row]) -> String {
    let head = format!("| {} |\n| --- | ---: | ---: |\n", HEAD.join(" | "));
    let lines = rows
        .iter()
        .map(|row| format!("| {} |\n", cells(row).join(" | ")));
    head + &lines.collect::<String>()
}

fn cells(row: &Row) -> [String; 3] {
    [
        row.way.clone(),
        row.runs.to_string(),
        row.differences.to_string(),
    ]
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
        let rows = [row("one thread", 200, 0), row("two threads", 200, 13)];
        assert_eq!(
            text(&rows).lines().collect::<Vec<_>>(),
            [
                "way          runs  differences",
                "one thread    200            0",
                "two threads   200           13",
            ]
        );
        let last = "| two threads | 200 | 13 |";
        assert_eq!(markdown(&rows).lines().last(), Some(last));
    }
}
