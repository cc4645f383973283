//! Tables of text, for people and in Markdown: the same cells.

/// On which side of its column a cell stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table: what stands above each column, and the rows below.
#[derive(Clone, Debug)]
pub struct Grid<const N: usize> {
    /// What each column is called, and where its cells stand.
    pub head: [(&'static str, Side); N],
    /// The cells.
    pub rows: Vec<[String; N]>,
}

impl<const N: usize> Grid<N> {
    /// The table in columns, a line for each row.
    pub fn text(&self) -> String {
        let head = self.head.map(|(name, _)| name.to_owned());
        let rows: Vec<_> = [&head].into_iter().chain(&self.rows).collect();
        let widths: [usize; N] = std::array::from_fn(|column| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default()
        });
        let line = |row: &[String; N]| {
            let columns = row.iter().zip(widths).zip(self.head);
            let cells = columns.map(|((cell, width), (_, side))| match side {
                Side::Left => format!("{cell:width$}"),
                Side::Right => format!("{cell:>width$}"),
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            line.trim_end().to_owned() + "\n"
        };
        rows.into_iter().map(line).collect()
    }

    /// The table in Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let head = line(self.head.iter().map(|(name, _)| *name).collect());
        let sides = self.head.iter().map(|(_, side)| match side {
            Side::Left => "---",
            Side::Right => "---:",
        });
        let rows = self.rows.iter();
        let rows = rows.map(|row| line(row.iter().map(String::as_str).collect()));
        [head, line(sides.collect())]
            .into_iter()
            .chain(rows)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_right() {
        let grid = Grid {
            head: [
                ("flaw", Side::Left),
                ("seeds", Side::Right),
                ("by", Side::Left),
            ],
            rows: vec![
                ["kick-lost", "4", ""].map(str::to_owned),
                ["ghost", "over 500", "G5"].map(str::to_owned),
            ],
        };
        let text = "flaw          seeds  by\n\
                    kick-lost         4\n\
                    ghost      over 500  G5\n";
        assert_eq!(grid.text(), text);
        let markdown = "| flaw | seeds | by |\n\
                        | --- | ---: | --- |\n\
                        | kick-lost | 4 |  |\n\
                        | ghost | over 500 | G5 |\n";
        assert_eq!(grid.markdown(), markdown);
    }
}
