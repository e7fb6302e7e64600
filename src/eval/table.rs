//! Tables of text, for the terminal and for a page.

use std::io::{self, Write};

/// Most columns of a line of a table's note.
const NOTE_WIDTH: usize = 96;

/// A table whose cells are text already; the first column is a name, the others are set flush
/// right unless they hold prose.
///
/// ```
/// use paretone::eval::table::Table;
///
/// let mut table = Table::new("Versions", ["version", "WER %"]);
/// table.push("v1", ["17.68".to_owned()]);
/// assert_eq!(table.to_text(), "Versions\n  version  WER %\n  v1       17.68\n");
/// assert!(table.to_html().contains("<caption><span>Versions</span></caption>"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// What the table shows; may be empty.
    pub caption: String,
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
    /// Which cells are read as words, and which are compared as numbers.
    pub cells: Cells,
    /// What a reader of the numbers has to know; may be empty.
    pub note: String,
}

/// What the cells of a row hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cells {
    /// A name, then numbers, flush right.
    #[default]
    Numbers,
    /// Words, flush left.
    Words,
    /// Words in the columns of these indices, numbers in the others.
    WordsIn(&'static [usize]),
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
        self.push_named(&[name], cells);
    }

    /// Adds a row that several names tell from the others.
    pub fn push_named(&mut self, names: &[&str], cells: impl IntoIterator<Item = String>) {
        let names = names.iter().map(|&name| name.to_owned());
        self.rows.push(names.chain(cells).collect());
    }

    /// Prints the heads and the rows in aligned columns.
    ///
    /// # Errors
    /// The writer fails.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        self.lines().try_for_each(|line| writeln!(out, "{line}"))
    }

    /// Caption, aligned rows and note as text.
    pub fn to_text(&self) -> String {
        let body = self.lines().chain(wrapped(&self.note));
        let body: String = body.map(|line| format!("  {line}\n")).collect();
        format!("{}\n{body}", self.caption)
    }

    /// The heads and the rows, each as one line of aligned cells.
    fn lines(&self) -> impl Iterator<Item = String> {
        let lines = || [&self.columns].into_iter().chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        lines().map(move |line| {
            let mut text = String::new();
            for (place, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let space = " ".repeat(width - cell.chars().count());
                match self.is_flush_left(place) {
                    true => text.extend([cell.as_str(), &space, "  "]),
                    false => text.extend([space.as_str(), cell, "  "]),
                }
            }
            text.truncate(text.trim_end().len());
            text
        })
    }

    /// The table as HTML.
    pub fn to_html(&self) -> String {
        let class = match self.cells {
            Cells::Words => "table w",
            Cells::Numbers | Cells::WordsIn(_) => "table",
        };
        let mut html = format!("<div class=\"{class}\"><table>\n");
        if !self.caption.is_empty() {
            html += &format!("<caption><span>{}</span></caption>\n", escape(&self.caption));
        }
        html += &format!("<thead>{}</thead>\n<tbody>\n", self.html_row(&self.columns, "th"));
        for row in &self.rows {
            html += &self.html_row(row, "td");
            html.push('\n');
        }
        html += "</tbody></table></div>\n";
        if !self.note.is_empty() {
            html += &format!("<p class=\"note\">{}</p>\n", escape(&self.note));
        }
        html
    }

    fn html_row(&self, cells: &[String], tag: &str) -> String {
        let cells = cells.iter().enumerate().map(|(place, cell)| {
            let class = if self.is_flush_left(place) { " class=\"l\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(cell))
        });
        format!("<tr>{}</tr>", cells.collect::<String>())
    }

    fn is_flush_left(&self, column: usize) -> bool {
        match self.cells {
            Cells::Numbers => column == 0,
            Cells::Words => true,
            Cells::WordsIn(columns) => columns.contains(&column),
        }
    }
}

/// A note in lines of at most [`NOTE_WIDTH`] columns.
fn wrapped(note: &str) -> Vec<String> {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in note.split_whitespace() {
        if line.chars().count() + word.chars().count() >= NOTE_WIDTH {
            lines.push(std::mem::take(&mut line));
        }
        line.push_str(if line.is_empty() { "" } else { " " });
        line.push_str(word);
    }
    lines.extend((!line.is_empty()).then_some(line));
    lines
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
        assert!(html.contains("<caption><span>a &lt; b</span></caption>"));
        assert!(html.contains("<td class=\"l\">v&lt;10&gt;</td><td>9.87</td>"));
    }

    #[test]
    fn captions_stand_above_and_notes_are_wrapped_below() {
        let mut table = Table::new("Title", ["name", "value", "remark"]);
        table.cells = Cells::WordsIn(&[0, 2]);
        table.push_named(&["long name"], ["1.0 %".to_owned(), "so".to_owned()]);
        table.note = "word ".repeat(30);
        let text = table.to_text();
        let lines: Vec<&str> = text.lines().collect();
        let want = ["Title", "  name       value  remark", "  long name  1.0 %  so"];
        assert_eq!(lines[..3], want);
        assert_eq!(lines.len(), 5);
        assert!(lines.iter().all(|line| line.len() <= NOTE_WIDTH + 2));
    }
}
