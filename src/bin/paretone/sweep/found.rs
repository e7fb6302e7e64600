//! What a sweep found, as files, pictures and tables.

use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::Path;

use anyhow::Context;

use crate::UsageError;
use paretone::eval::plot::{Mark, Scale, Scatter, scatter_with_front};
use paretone::eval::table::{Cells, Table};
use paretone::recognizer::Versions;
use paretone::sweep::point::{self, Point};

/// The picture of a sweep, in its folder.
pub const PICTURE: &str = "sweep.svg";

/// The points of a sweep, from its `points.json`.
///
/// # Errors
/// A [`UsageError`] that names the file.
pub fn read(path: &Path) -> anyhow::Result<Vec<Point>> {
    let unusable = || format!("{} cannot be used", path.display());
    let file = File::open(path).with_context(unusable).map_err(UsageError)?;
    let points = serde_json::from_reader(BufReader::new(file));
    Ok(points.with_context(unusable).map_err(UsageError)?)
}

/// `points.csv`, `points.json`, `front.txt` and `sweep.svg`.
pub(super) fn write(folder: &Path, points: &[Point], versions: &Versions) -> anyhow::Result<()> {
    point::save(folder, points)?;
    draw(folder, points, versions)
}

/// `sweep.svg`, on which the versions that were measured are named.
pub fn draw(folder: &Path, points: &[Point], versions: &Versions) -> anyhow::Result<()> {
    Ok(fs::write(folder.join(PICTURE), picture(points, versions)?)?)
}

/// The cloud of word error rate against response time, its front, and where the versions are.
fn picture(points: &[Point], versions: &Versions) -> anyhow::Result<String> {
    let most = points.iter().map(|point| point.utterances).max();
    let whole: Vec<&Point> =
        (points.iter()).filter(|point| Some(point.utterances) == most).collect();
    let at = |point: &&Point| (1000.0 * point.response_seconds, point.wer_percent);
    let cloud: Vec<(f64, f64)> = whole.iter().map(at).collect();
    let front: Vec<usize> = (0..whole.len()).filter(|&at| whole[at].on_front).collect();
    let named = versions.list.iter().filter_map(|version| {
        let setting = version.setting.to_string();
        let here = whole.iter().find(|point| point.setting == setting)?;
        Some(Mark { name: version.name.clone(), at: at(here) })
    });
    let marks: Vec<Mark> = named.collect();
    Ok(scatter_with_front(&Scatter {
        x: ("response time of an utterance, ms", Scale::Logarithmic),
        y: ("word error rate, %", Scale::Logarithmic),
        points: &cloud,
        front: &front,
        marks: &marks,
    })?)
}

/// The response-time front as a table, fastest first.
pub(super) fn print_front(points: &[Point], out: &mut impl Write) -> io::Result<()> {
    let mut front: Vec<&Point> = points.iter().filter(|point| point.on_front).collect();
    front.sort_by(|a, b| a.response_seconds.total_cmp(&b.response_seconds));
    let utterances = front.first().map_or(0, |point| point.utterances);
    writeln!(
        out,
        "{} settings, {} of them on all of {utterances} utterances, {} on the front",
        points.len(),
        points.iter().filter(|point| point.utterances == utterances).count(),
        front.len()
    )?;
    let mut table = Table::new("", ["WER %", "ms/utt", "RTF", "arcs/frame", "setting"]);
    table.cells = Cells::WordsIn(&[4]);
    for point in front {
        table.rows.push(vec![
            format!("{:.2}", point.wer_percent),
            format!("{:.2}", 1000.0 * point.response_seconds),
            format!("{:.4}", point.real_time_factor),
            format!("{:.0}", point.arcs_per_frame),
            point.setting.to_string(),
        ]);
    }
    table.write_text(out)
}
