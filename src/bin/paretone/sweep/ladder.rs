//! One knob at a time: what each costs and misses from its loosest level to its tightest.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::Levels;
use paretone::decode::Knob;
use paretone::eval::plot::{Axis, Content, Line, Lines, Scale, Titled, draw, palette};
use paretone::eval::table::Table;
use paretone::recognizer::Setting;
use paretone::sweep::Point;

/// One knob, and the points of its levels.
pub(super) struct Ladder<'p> {
    knob: Knob,
    steps: Vec<(f64, &'p Point)>,
}

/// The measured points of each knob's levels over the same base.
pub(super) fn ladders<'p>(
    base: &Setting,
    levels: &[(Knob, Levels)],
    points: &'p [Point],
) -> Vec<Ladder<'p>> {
    let by_setting: BTreeMap<&str, &Point> =
        points.iter().map(|point| (point.setting.as_str(), point)).collect();
    let ladder = |(knob, levels): &(Knob, Levels)| Ladder {
        knob: *knob,
        steps: (levels.0.iter())
            .filter_map(|&level| {
                let setting = base.with(*knob, level).to_string();
                Some((level, *by_setting.get(setting.as_str())?))
            })
            .collect(),
    };
    levels.iter().map(ladder).collect()
}

/// Prints a table for each knob, writes them as `knobs.txt`, and draws `knobs.svg`.
pub(super) fn write(
    folder: &Path,
    ladders: &[Ladder<'_>],
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut text = Vec::new();
    for ladder in ladders {
        writeln!(text)?;
        ladder.table().write_text(&mut text)?;
    }
    out.write_all(&text)?;
    fs::write(folder.join("knobs.txt"), text)?;
    Ok(fs::write(folder.join("knobs.svg"), picture(ladders)?)?)
}

impl Ladder<'_> {
    fn table(&self) -> Table {
        let columns = ["tokens/frame", "arcs/frame", "search ms/utt", "WER %", "errors"];
        let columns = [self.knob.name()].into_iter().chain(columns);
        let mut table = Table::new("", columns);
        for (level, point) in &self.steps {
            let name = match *level {
                f64::INFINITY => "off".to_owned(),
                level => level.to_string(),
            };
            let cells = [
                format!("{:.0}", point.tokens_per_frame),
                format!("{:.0}", point.arcs_per_frame),
                format!("{:.2}", 1000.0 * point.search_seconds),
                format!("{:.2}", point.wer_percent),
                point.errors.to_string(),
            ];
            table.push(&name, cells);
        }
        table
    }
}

/// Of the lines, in the order of the ladders.
const COLORS: [palette::Rgb; 6] =
    [palette::BLUE, palette::SKY, palette::GREEN, palette::WARM, palette::STRONG, palette::PALE];

/// Word error rate against arcs, a line for each knob.
fn picture(ladders: &[Ladder<'_>]) -> anyhow::Result<String> {
    let at = |(_, point): &(f64, &Point)| (point.arcs_per_frame, point.wer_percent);
    let lines: Vec<Line> = (ladders.iter().zip(COLORS.iter().cycle()))
        .map(|(ladder, &color)| Line {
            name: ladder.knob.name().to_owned(),
            color,
            points: ladder.steps.iter().map(at).collect(),
            intervals: vec![None; ladder.steps.len()],
            ..Line::default()
        })
        .collect();
    let all = || ladders.iter().flat_map(|ladder| ladder.steps.iter().map(at));
    let x = Axis::around("arcs for a score frame", Scale::Logarithmic, all().map(|p| p.0));
    let y = Axis::around("word error rate, %", Scale::Logarithmic, all().map(|p| p.1));
    let chart = Titled { title: String::new(), content: Content::Lines(Lines { x, y, lines }) };
    Ok(draw(&[chart], 1, (860, 520))?)
}
