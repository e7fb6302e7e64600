//! Tables of text, for the terminal and for a page.

use std::io::{self, Write};

/// A table whose cells are text already; the first column is a name, the others are set flush
/// right unless they hold prose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the table shows; may be empty.
    pub caption: String,
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
    /// Whether the cells are read as words or compared as numbers.
    pub cells: Cells,
}

/// What the cells after the first of a row hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cells {
    /// Numbers, flush right.
    #[default]
    Numbers,
    /// Words, flush left.
    Words,
}

impl Table {
    /// A table of numbers without rows.
    pub fn new(caption: &str, columns: impl IntoIterator<Item = impl Into<String>>) -> Table {
        Table {
            caption: caption.to_owned(),
            columns: columns.into_iter().map(Into::into).collect(),
            ..Table::default()
        }
    }

    /// Adds a row.
    pub fn push(&mut self, name: &str, cells: impl IntoIterator<Item = String>) {
        self.rows
            .push([name.to_owned()].into_iter().chain(cells).collect());
    }

    /// Prints the table with aligned columns.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let lines = || [&self.columns].into_iter().chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        for line in lines() {
            let mut text = String::new();
            for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let space = " ".repeat(width - cell.chars().count());
                match self.is_flush_left(place) {
                    true => text.extend([cell.as_str(), &space, "  "]),
                    false => text.extend([space.as_str(), cell, "  "]),
                }
            }
            writeln!(out, "{}", text.trim_end())?;
        }
        Ok(())
    }

    /// The table as HTML.
    pub fn to_html(&self) -> String {
        let class = match self.cells {
            Cells::Numbers => "table",
            Cells::Words => "table w",
        };
        let mut html = format!("<div class=\"{class}\"><table>\n");
        if !self.caption.is_empty() {
            html += &format!("<caption>{}</caption>\n", escape(&self.caption));
        }
        html += &format!(
            "<thead>{}</thead>\n<tbody>\n",
            self.html_row(&self.columns, "th")
        );
        for row in &self.rows {
            html += &self.html_row(row, "td");
            html.push('\n');
        }
        html + "</tbody></table></div>\n"
    }

    fn html_row(&self, cells: &[String], tag: &str) -> String {
        let cells = cells.iter().enumerate().map(|(place, cell)| {
            let class = if self.is_flush_left(place) {
                " class=\"l\""
            } else {
                ""
            };
            format!("<{tag}{class}>{}</{tag}>", escape(cell))
        });
        format!("<tr>{}</tr>", cells.collect::<String>())
    }

    fn is_flush_left(&self, column: usize) -> bool {
        column == 0 || self.cells == Cells::Words
    }
}

/// Text as HTML shows it.
pub(super) fn escape(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            _ => html.push(c),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_aligned_and_html_escaped() {
        let mut table = Table::new("a < b", ["version", "WER %"]);
        table.push("v1", ["16.2".to_owned()]);
        table.push("v<10>", ["9.87".to_owned()]);
        let mut text = Vec::new();
        table.write_text(&mut text).unwrap();
        let want = "version  WER %\nv1        16.2\nv<10>     9.87\n";
        assert_eq!(String::from_utf8(text).unwrap(), want);
        let html = table.to_html();
        assert!(html.contains("<caption>a &lt; b</caption>"));
        assert!(html.contains("<td class=\"l\">v&lt;10&gt;</td><td>9.87</td>"));
    }
}
