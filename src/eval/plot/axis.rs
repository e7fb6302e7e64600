//! Axes: where a value stands, where the ticks are, and what they say.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// Room left between the outermost value and the frame, as a share of the span.
const PADDING: f64 = 0.05;
/// A linear axis has about so many ticks.
const TICKS: f64 = 6.0;
/// With more ticks than this a logarithmic axis shows the powers of ten alone.
const MOST_LOG_TICKS: usize = 10;

/// How values are spread along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal distances are equal differences.
    #[default]
    Linear,
    /// Equal distances are equal ratios; values must be positive.
    Logarithmic,
}

/// An axis with its label, which names the unit.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    pub(super) label: String,
    low: f64,
    high: f64,
    first_tick: f64,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Numbers(Scale),
    /// The names stand at 0, 1, 2, …
    Names(Vec<String>),
}

impl Axis {
    /// An axis that holds all values with some room around them.
    pub fn around(label: &str, scale: Scale, values: impl IntoIterator<Item = f64>) -> Axis {
        let (low, high) = values
            .into_iter()
            .filter(|value| value.is_finite() && (*value > 0.0 || scale == Scale::Linear))
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        let (low, high) = if low > high { (1.0, 2.0) } else { (low, high) };
        let room = PADDING * (onto_line(scale, high) - onto_line(scale, low));
        // A single value gets a frame as wide as itself.
        let room = if room > 0.0 { room } else { 0.5 };
        let (low, high) = match scale {
            Scale::Linear => (low - room, high + room),
            Scale::Logarithmic => (low / room.exp(), high * room.exp()),
        };
        Axis::numbers(label, scale, low..high)
    }

    /// A linear axis from 0 to a little over the largest value: for bars, whose lengths are
    /// compared.
    pub fn from_zero(label: &str, values: impl IntoIterator<Item = f64>) -> Axis {
        let high = values.into_iter().fold(0.0, f64::max);
        let high = if high > 0.0 { high * (1.0 + 2.0 * PADDING) } else { 1.0 };
        Axis::numbers(label, Scale::Linear, 0.0..high)
    }

    /// An axis over a given range.
    pub fn numbers(label: &str, scale: Scale, range: Range<f64>) -> Axis {
        Axis {
            label: label.to_owned(),
            low: range.start,
            high: range.end,
            first_tick: range.start,
            kind: Kind::Numbers(scale),
        }
    }

    /// The axis without ticks below a value, for room that no value can reach.
    pub fn ticks_from(self, first_tick: f64) -> Axis {
        Axis { first_tick, ..self }
    }

    /// An axis of names, which stand at 0, 1, 2, …
    pub fn names(label: &str, names: &[String]) -> Axis {
        Axis {
            label: label.to_owned(),
            low: -0.5,
            high: names.len() as f64 - 0.5,
            first_tick: 0.0,
            kind: Kind::Names(names.to_vec()),
        }
    }

    /// Characters of the longest name, where the axis has names.
    pub(super) fn longest_name(&self) -> Option<usize> {
        match &self.kind {
            Kind::Names(names) => names.iter().map(|name| name.chars().count()).max(),
            Kind::Numbers(_) => None,
        }
    }

    fn ticks(&self) -> Vec<f64> {
        let mut ticks = self.all_ticks();
        ticks.retain(|tick| *tick >= self.first_tick);
        ticks
    }

    fn all_ticks(&self) -> Vec<f64> {
        match &self.kind {
            Kind::Names(names) => (0..names.len()).map(|place| place as f64).collect(),
            Kind::Numbers(Scale::Linear) => linear_ticks(self.low, self.high),
            Kind::Numbers(Scale::Logarithmic) => {
                let all = log_ticks(self.low, self.high, &[1.0, 2.0, 5.0]);
                match all.len() {
                    0..3 => linear_ticks(self.low, self.high),
                    3..=MOST_LOG_TICKS => all,
                    _ => log_ticks(self.low, self.high, &[1.0]),
                }
            }
        }
    }

    fn scale(&self) -> Scale {
        match self.kind {
            Kind::Numbers(scale) => scale,
            Kind::Names(_) => Scale::Linear,
        }
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let [at, low, high] = [*value, self.low, self.high].map(|x| onto_line(self.scale(), x));
        let share = (at - low) / (high - low);
        limit.0 + (f64::from(limit.1 - limit.0) * share).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        match &self.kind {
            Kind::Names(names) => names.get(*value as usize).cloned().unwrap_or_default(),
            Kind::Numbers(_) => number(*value),
        }
    }
}

/// A tick's value without the noise of the last binary digits.
fn number(value: f64) -> String {
    let digits = (9.0 - value.abs().max(1e-12).log10()).clamp(0.0, 12.0);
    let text = format!("{value:.0$}", digits as usize);
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn onto_line(scale: Scale, value: f64) -> f64 {
    match scale {
        Scale::Linear => value,
        Scale::Logarithmic => value.max(f64::MIN_POSITIVE).ln(),
    }
}

/// Multiples of 1, 2 or 5 times a power of ten.
fn linear_ticks(low: f64, high: f64) -> Vec<f64> {
    let rough = (high - low) / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(rough);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|k| k as f64 * step).collect()
}

fn log_ticks(low: f64, high: f64, factors: &[f64]) -> Vec<f64> {
    let powers = low.log10().floor() as i32..=high.log10().ceil() as i32;
    powers
        .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
        .filter(|tick| (low..=high).contains(tick))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<String> {
        axis.ticks().iter().map(|tick| axis.format_ext(tick)).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let axis = Axis::from_zero("", [0.29]);
        assert_eq!(labels(&axis), ["0", "0.1", "0.2", "0.3"]);
        let axis = Axis::numbers("", Scale::Logarithmic, 0.015..0.6);
        assert_eq!(labels(&axis), ["0.02", "0.05", "0.1", "0.2", "0.5"]);
        let axis = Axis::numbers("", Scale::Logarithmic, 0.5..2e6);
        assert_eq!(labels(&axis)[..3], ["1", "10", "100"]);
        let axis = Axis::names("", &["v1".into(), "v2".into()]);
        assert_eq!(labels(&axis), ["v1", "v2"]);
    }

    #[test]
    fn values_keep_their_order_inside_the_frame() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let axis = Axis::around("", scale, [3.0, 1.0, 100.0, f64::NAN]);
            let at = |value| axis.map(&value, (0, 1000));
            assert!(0 < at(1.0) && at(1.0) < at(3.0) && at(3.0) < at(100.0) && at(100.0) < 1000);
        }
        let single = Axis::around("", Scale::Linear, [7.0]);
        assert_eq!(single.map(&7.0, (0, 100)), 50);
    }
}
