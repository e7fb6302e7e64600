//! A report as one HTML file that needs no other: text, pictures with their numbers beneath,
//! tables.

use super::table::{Table, escape};

/// A page.
///
/// ```
/// use paretone::eval::page::{Page, Section};
///
/// let mut section = Section::new("Result");
/// section.text("1 < 2");
/// let page = Page { title: "Report".into(), lead: String::new(), sections: vec![section] };
/// assert!(page.to_html().contains("<p>1 &lt; 2</p>"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// What it is about, under the title.
    pub lead: String,
    /// Its sections.
    pub sections: Vec<Section>,
}

/// A section of a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Section {
    /// Its title.
    pub title: String,
    /// What is in it, from top to bottom.
    pub parts: Vec<Part>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A paragraph.
    Text(String),
    /// A picture as SVG text, and what it shows.
    Picture {
        /// The SVG text, which is set as it is.
        svg: String,
        /// What it shows.
        caption: String,
    },
    /// A table.
    Table(Table),
    /// A long table, shown when its caption is clicked.
    Folded(Table),
}

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;color:light-dark(#222,#ddd);background:light-dark(#fff,#15191b);max-width:66rem;\
margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;margin-bottom:.2rem}
h2{font-size:1.25rem;margin:2.6rem 0 .6rem;padding-top:.6rem;border-top:1px solid light-dark(#ddd,#394045)}
nav a{margin-right:1.1rem;white-space:nowrap}
a{color:light-dark(#0072b2,#6cc0ee)}
figure{margin:1rem 0}
figure svg{max-width:100%;height:auto;background:#fff;border-radius:6px}
figcaption,caption{color:light-dark(#555,#aab);font-size:.9rem;text-align:left}
caption{padding-bottom:.3rem}
caption span{display:inline-block;max-width:calc(100vw - 2rem)}
.table{overflow-x:auto;margin:1rem 0}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:.22rem .7rem;text-align:right;vertical-align:top}
th{border-bottom:1px solid #888;font-weight:600}
td{border-bottom:1px solid light-dark(#eee,#2b3134);white-space:nowrap}
.w td{white-space:normal}
.l{text-align:left}
.note{color:light-dark(#666,#99a)}
summary{cursor:pointer;color:light-dark(#0072b2,#6cc0ee)}
";

impl Page {
    /// The page as HTML.
    pub fn to_html(&self) -> String {
        let links = self.sections.iter().enumerate();
        let links: String = links
            .map(|(at, section)| format!("<a href=\"#s{at}\">{}</a> ", escape(&section.title)))
            .collect();
        let sections = self.sections.iter().enumerate();
        let sections: String = sections.map(|(at, section)| section.to_html(at)).collect();
        let (title, lead) = (escape(&self.title), escape(&self.lead));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <h1>{title}</h1>\n<p>{lead}</p>\n<nav>{links}</nav>\n{sections}</body>\n</html>\n"
        )
    }
}

impl Section {
    /// A section without parts.
    pub fn new(title: &str) -> Section {
        Section { title: title.to_owned(), parts: Vec::new() }
    }

    /// Adds a paragraph.
    pub fn text(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Text(text.into()));
    }

    /// Adds a picture.
    pub fn picture(&mut self, svg: &str, caption: impl Into<String>) {
        self.parts.push(Part::Picture { svg: svg.to_owned(), caption: caption.into() });
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.parts.push(Part::Table(table));
    }

    fn to_html(&self, at: usize) -> String {
        let parts: String = self.parts.iter().map(Part::to_html).collect();
        format!("<section id=\"s{at}\">\n<h2>{}</h2>\n{parts}</section>\n", escape(&self.title))
    }
}

impl Part {
    fn to_html(&self) -> String {
        match self {
            Part::Text(text) => format!("<p>{}</p>\n", escape(text)),
            Part::Picture { svg, caption } => {
                let caption = escape(caption);
                format!(
                    "<figure role=\"img\" aria-label=\"{caption}\">\n{svg}\
                     <figcaption>{caption}</figcaption>\n</figure>\n"
                )
            }
            Part::Table(table) => table.to_html(),
            Part::Folded(table) => {
                let caption = escape(&table.caption);
                let bare = Table { caption: String::new(), ..table.clone() };
                format!("<details>\n<summary>{caption}</summary>\n{}</details>\n", bare.to_html())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_holds_its_parts_escaped_and_its_pictures_as_they_are() {
        let mut section = Section::new("R & D");
        section.text("1 < 2");
        section.picture("<svg></svg>\n", "a \"picture\"");
        section.parts.push(Part::Folded(Table::new("long", ["a"])));
        let page = Page { title: "T".into(), lead: "L".into(), sections: vec![section] };
        let html = page.to_html();
        for part in [
            "<h2>R &amp; D</h2>",
            "<p>1 &lt; 2</p>",
            "aria-label=\"a &quot;picture&quot;\">\n<svg></svg>",
            "<summary>long</summary>",
            "<a href=\"#s0\">",
        ] {
            assert!(html.contains(part), "{part}");
        }
    }
}
