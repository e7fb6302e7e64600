//! One point of the cloud: a setting, and what was measured of it over all utterances.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::eval::pareto;

use super::log::Measurement;

/// A setting and its sums.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The setting's text form.
    pub setting: String,
    /// Utterances measured.
    pub utterances: u32,
    /// Words of the references.
    pub words: u64,
    /// Word errors.
    pub errors: u64,
    /// Errors over words, in per cent.
    pub wer_percent: f64,
    /// Mean of the utterances' own rates, in per cent.
    pub macro_percent: f64,
    /// Mean response time of an utterance in seconds: features, scores, search and rescoring.
    pub response_seconds: f64,
    /// Mean search time of an utterance in seconds, rescoring included.
    pub search_seconds: f64,
    /// Response time over length, of all utterances together.
    pub real_time_factor: f64,
    /// Tokens expanded, for a score frame.
    pub tokens_per_frame: f64,
    /// Emitting arcs looked at, for a score frame.
    pub arcs_per_frame: f64,
    /// Epsilon arcs looked at, for a score frame.
    pub epsilon_arcs_per_frame: f64,
    /// On the front of word error rate against response time.
    pub on_front: bool,
    /// On the front of word error rate against arcs, which is the same on every machine.
    pub on_arcs_front: bool,
}

/// Sums over the utterances of one setting.
#[derive(Default)]
struct Sums {
    utterances: u32,
    words: u64,
    errors: u64,
    rates: f64,
    rated: u32,
    audio: f64,
    response: f64,
    search: f64,
    frames: u64,
    tokens: u64,
    arcs: u64,
    epsilon_arcs: u64,
}

impl Sums {
    fn add(&mut self, one: &Measurement) {
        self.utterances += 1;
        self.words += u64::from(one.words);
        self.errors += u64::from(one.errors);
        if one.words > 0 {
            self.rates += f64::from(one.errors) / f64::from(one.words);
            self.rated += 1;
        }
        let search = one.search_seconds + one.rescore_seconds;
        self.audio += one.audio_seconds;
        self.response += one.scores_seconds + search;
        self.search += search;
        self.frames += u64::from(one.frames);
        self.tokens += one.tokens;
        self.arcs += one.arcs;
        self.epsilon_arcs += one.epsilon_arcs;
    }

    fn point(&self, setting: &str) -> Point {
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let (utterances, frames) = (f64::from(self.utterances), self.frames as f64);
        Point {
            setting: setting.to_owned(),
            utterances: self.utterances,
            words: self.words,
            errors: self.errors,
            wer_percent: 100.0 * ratio(self.errors as f64, self.words as f64),
            macro_percent: 100.0 * ratio(self.rates, f64::from(self.rated)),
            response_seconds: ratio(self.response, utterances),
            search_seconds: ratio(self.search, utterances),
            real_time_factor: ratio(self.response, self.audio),
            tokens_per_frame: ratio(self.tokens as f64, frames),
            arcs_per_frame: ratio(self.arcs as f64, frames),
            epsilon_arcs_per_frame: ratio(self.epsilon_arcs as f64, frames),
            on_front: false,
            on_arcs_front: false,
        }
    }
}

/// Adds measurements up, one point a setting in alphabetical order, and marks both fronts among
/// those of the most utterances: a setting that was given up early competes with nobody.
///
/// The order of the measurements, which hangs on threads, does not matter to the last digit.
pub fn points(measurements: &[Measurement]) -> Vec<Point> {
    let mut ordered: Vec<&Measurement> = measurements.iter().collect();
    ordered.sort_by(|a, b| a.id.cmp(&b.id));
    let mut sums: BTreeMap<&str, Sums> = BTreeMap::new();
    for one in ordered {
        sums.entry(&one.setting).or_default().add(one);
    }
    let mut points: Vec<Point> = sums.iter().map(|(name, sums)| sums.point(name)).collect();
    let all = points.iter().map(|point| point.utterances).max();
    let whole: Vec<usize> =
        (0..points.len()).filter(|&at| Some(points[at].utterances) == all).collect();
    let front = |x: fn(&Point) -> f64| {
        let coordinates = whole.iter().map(|&at| (x(&points[at]), points[at].wer_percent));
        let front = pareto::front(&coordinates.collect::<Vec<_>>());
        front.into_iter().map(|at| whole[at]).collect::<Vec<_>>()
    };
    let (by_time, by_arcs) = (front(|p| p.response_seconds), front(|p| p.arcs_per_frame));
    by_time.into_iter().for_each(|at| points[at].on_front = true);
    by_arcs.into_iter().for_each(|at| points[at].on_arcs_front = true);
    points
}

/// Writes points to a folder: `points.csv`, `points.json`, and the settings of both fronts to
/// `front.txt`.
///
/// # Errors
/// The folder cannot be written to.
pub fn save(folder: &Path, points: &[Point]) -> io::Result<()> {
    let mut table = csv::Writer::from_path(folder.join("points.csv"))?;
    for point in points {
        table.serialize(point)?;
    }
    table.flush()?;
    let json = BufWriter::new(File::create(folder.join("points.json"))?);
    serde_json::to_writer_pretty(json, points)?;
    let front = points.iter().filter(|p| p.on_front || p.on_arcs_front);
    let lines: String = front.map(|point| format!("{}\n", point.setting)).collect();
    fs::write(folder.join("front.txt"), lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(setting: &str, (errors, search): (u32, f64), arcs: u64) -> Measurement {
        Measurement {
            setting: setting.into(),
            id: "u".into(),
            errors,
            words: 10,
            audio_seconds: 2.0,
            scores_seconds: 0.5,
            search_seconds: search,
            rescore_seconds: 0.25,
            frames: 100,
            tokens: 0,
            arcs,
            epsilon_arcs: 0,
        }
    }

    #[test]
    fn sums_and_fronts_over_whole_settings() {
        let log = [
            measurement("a", (1, 1.0), 5000),
            measurement("a", (2, 2.0), 7000),
            measurement("b", (4, 0.5), 9000),
            measurement("b", (4, 0.5), 9000),
            measurement("c", (0, 0.0), 100),
        ];
        let points = points(&log);
        let a = &points[0];
        assert_eq!((a.utterances, a.errors, a.words), (2, 3, 20));
        assert!((a.wer_percent - 15.0).abs() < 1e-12 && (a.macro_percent - 15.0).abs() < 1e-12);
        assert_eq!((a.response_seconds, a.search_seconds), (2.25, 1.75));
        assert_eq!((a.real_time_factor, a.arcs_per_frame), (4.5 / 4.0, 60.0));
        let fronts: Vec<_> = points.iter().map(|p| (p.on_front, p.on_arcs_front)).collect();
        assert_eq!(fronts, [(true, true), (true, false), (false, false)]);
    }

    #[test]
    fn the_order_of_measurements_does_not_matter() {
        let mut log: Vec<Measurement> = (1..40)
            .map(|at| Measurement {
                id: format!("u{at}"),
                words: at,
                audio_seconds: 1.0 / f64::from(at),
                ..measurement("a", (1, 0.1 * f64::from(at)), 5)
            })
            .collect();
        let forwards = points(&log);
        log.reverse();
        assert_eq!(points(&log), forwards);
    }
}
