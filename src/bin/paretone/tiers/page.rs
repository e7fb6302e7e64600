//! A study as one page of HTML that needs nothing else.

use std::fmt::Write;

use paretone::eval::tier_study::Section;

const STYLE: &str = "\
body { font: 15px/1.45 sans-serif; max-width: 1340px; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: .5em 0 }
td, th { padding: .15em .7em; text-align: right; border-bottom: 1px solid #e4e4e4 }
td:first-child, th:first-child { text-align: left }
.note { color: #666; max-width: 70em }
svg { max-width: 100%; height: auto }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)) }
";

/// The page: all tables, then all pictures (name and SVG text).
pub fn page(sections: &[Section], pictures: &[(String, String)], sha256: &str) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\n\
         <title>Tolerance tiers</title>\n<style>\n{STYLE}</style>\n<h1>Tolerance tiers</h1>\n\
         <p class=\"note\">From outcomes with SHA-256 {sha256}</p>\n"
    );
    for section in sections {
        html.push_str(&table(section));
    }
    html.push_str("<h2>Pictures</h2>\n<div class=\"pictures\">\n");
    for (name, svg) in pictures {
        writeln!(
            html,
            "<figure>{svg}<figcaption>{}</figcaption></figure>",
            escape(name)
        )
        .expect("a string takes everything");
    }
    html.push_str("</div>\n</html>\n");
    html
}

fn table(section: &Section) -> String {
    let row = |cells: &[String], tag: &str| {
        let cells: String = cells
            .iter()
            .map(|cell| format!("<{tag}>{}</{tag}>", escape(cell)))
            .collect();
        format!("<tr>{cells}</tr>\n")
    };
    let rows: String = section.rows.iter().map(|cells| row(cells, "td")).collect();
    format!(
        "<h2>{}</h2>\n<table>\n{}{rows}</table>\n<p class=\"note\">{}</p>\n",
        escape(&section.title),
        row(&section.header, "th"),
        escape(&section.note)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_are_escaped() {
        let section = Section {
            title: "Versions".into(),
            header: vec!["version".into()],
            rows: vec![vec!["<script>".into()]],
            ..Section::default()
        };
        let html = page(&[section], &[("a.svg".into(), "<svg/>".into())], "00ff");
        assert!(html.contains("<td>&lt;script&gt;</td>") && html.contains("<svg/>"));
    }
}
