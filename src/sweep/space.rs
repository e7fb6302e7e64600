//! Which settings to measure: a grid, random draws, one knob at a time, or near what was found
//! good.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::point::Point;
use crate::decode::{Knob, KnobUnit, SweepRange};
use crate::recognizer::Setting;

/// By which factor a point may have more errors than the front at its time.
const CLOSE: f64 = 1.012;

/// A knob that sweeps turn, and where they look for good values.
struct Drawn {
    knob: Knob,
    range: SweepRange,
}

/// All of them.
fn drawn() -> Vec<Drawn> {
    let of = |knob: Knob| knob.entry().sweep.map(|range| Drawn { knob, range });
    Knob::ALL.into_iter().filter_map(of).collect()
}

/// Beams are drawn evenly and rounded to a quarter; counts evenly in their logarithm and rounded to
/// two digits.
impl Drawn {
    fn draw(&self, random: &mut ChaCha8Rng) -> f64 {
        let SweepRange { off, low, high } = self.range;
        if random.random::<f64>() < off {
            return f64::INFINITY;
        }
        let share = random.random::<f64>();
        match self.knob.entry().unit {
            KnobUnit::Count | KnobUnit::Floor => two_digits(low * (high / low).powf(share)),
            KnobUnit::Cost => quarter(low + (high - low) * share),
        }
    }

    /// A value near another: a quarter of the draws start afresh.
    fn draw_near(&self, value: f64, random: &mut ChaCha8Rng) -> f64 {
        if value == f64::INFINITY || random.random::<f64>() < 0.25 {
            return self.draw(random);
        }
        let step = 2.0 * random.random::<f64>() - 1.0;
        match self.knob.entry().unit {
            KnobUnit::Count | KnobUnit::Floor => two_digits((value * 2f64.powf(step)).max(1.0)),
            KnobUnit::Cost => quarter(value + 2.0 * step).clamp(0.25, self.range.high),
        }
    }
}

fn quarter(value: f64) -> f64 {
    (value * 4.0).round() / 4.0
}

fn two_digits(value: f64) -> f64 {
    let unit = 10f64.powf((value.log10().floor() - 1.0).max(0.0));
    (value / unit).round() * unit
}

/// `count` random settings; rescoring as in `base`.
pub fn random(base: &Setting, count: usize, random: &mut ChaCha8Rng) -> Vec<Setting> {
    let knobs = drawn();
    let draw = |random: &mut ChaCha8Rng| {
        let turn = |setting: Setting, drawn: &Drawn| setting.with(drawn.knob, drawn.draw(random));
        knobs.iter().fold(*base, turn)
    };
    (0..count).map(|_| draw(random)).collect()
}

/// `count` settings that differ from one of `good` in one or two knobs.
///
/// # Panics
/// `good` is empty.
pub fn near(good: &[Setting], count: usize, random: &mut ChaCha8Rng) -> Vec<Setting> {
    let knobs = drawn();
    let draw = |random: &mut ChaCha8Rng| {
        let mut setting = good[random.random_range(0..good.len())];
        for _ in 0..random.random_range(1..3) {
            let drawn = &knobs[random.random_range(0..knobs.len())];
            let value = drawn.draw_near(setting.get(drawn.knob), random);
            setting = setting.with(drawn.knob, value);
        }
        setting
    };
    (0..count).map(|_| draw(random)).collect()
}

/// Indices of the points that are on the front or close to it, of those measured on the most
/// utterances: at most 1.2 % more errors, relatively, than the best that is at most as slow, and at
/// most `gap` more than the best of all. What looks a little worse on a part of the speech may be
/// better on all of it.
pub fn close(points: &[Point], gap: f64) -> Vec<usize> {
    let most = points.iter().map(|point| point.utterances).max();
    let whole = |point: &&Point| Some(point.utterances) == most;
    let wer = |points: &mut dyn Iterator<Item = &Point>| {
        points.map(|point| point.wer_percent).fold(f64::INFINITY, f64::min)
    };
    let best = wer(&mut points.iter().filter(whole));
    let is_close = |point: &Point| {
        let faster = |other: &&Point| other.response_seconds <= point.response_seconds;
        let reached = wer(&mut points.iter().filter(whole).filter(faster));
        point.wer_percent <= CLOSE * reached && point.wer_percent <= (1.0 + gap) * best
    };
    let indices = 0..points.len();
    indices.filter(|&at| whole(&&points[at]) && is_close(&points[at])).collect()
}

/// Shares of a model's own beam, and of its own bound on tokens, that are tried where nobody names
/// levels.
const BEAMS: [f64; 9] = [1.1, 1.0, 0.92, 0.85, 0.81, 0.77, 0.7, 0.62, 0.54];
const TOKENS: [f64; 3] = [1.0, 0.4, 0.2];
/// The bound on tokens of a model that has none.
const MOST_TOKENS: f64 = 7000.0;

/// Levels of the beam and of the number of tokens around a model's own.
pub fn levels_around(base: &Setting) -> [(Knob, Vec<f64>); 2] {
    let tokens = base.get(Knob::NetworkTopN).min(MOST_TOKENS);
    let beam = base.get(Knob::NetworkBeam);
    let beams = BEAMS.iter().map(|share| quarter(beam * share));
    let tokens = TOKENS.iter().map(|share| (tokens * share).round().max(1.0));
    [(Knob::NetworkBeam, beams.collect()), (Knob::NetworkTopN, tokens.collect())]
}

/// Every combination of the levels, over `base`.
pub fn grid(base: &Setting, levels: &[(Knob, Vec<f64>)]) -> Vec<Setting> {
    levels.iter().fold(vec![*base], |settings, (knob, values)| {
        let spread = |setting: Setting| values.iter().map(move |&value| setting.with(*knob, value));
        settings.into_iter().flat_map(spread).collect()
    })
}

/// Each knob of the levels alone, from its loosest level to its tightest, the others as in `base`.
pub fn one_at_a_time(base: &Setting, levels: &[(Knob, Vec<f64>)]) -> Vec<Setting> {
    let ladder = |(knob, values): &(Knob, Vec<f64>)| {
        values.iter().map(|&value| base.with(*knob, value)).collect::<Vec<_>>()
    };
    levels.iter().flat_map(ladder).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn base() -> Setting {
        "network_beam=13 network_top_n=7000 lattice_beam=8 rescore".parse().unwrap()
    }

    #[test]
    fn draws_are_valid_and_repeatable() {
        let mut seeded = ChaCha8Rng::seed_from_u64(3);
        let drawn = random(&base(), 200, &mut seeded);
        let mutated = near(&drawn, 200, &mut seeded);
        for setting in drawn.iter().chain(&mutated) {
            assert_eq!(&setting.to_string().parse::<Setting>().unwrap(), setting);
        }
        assert_eq!(random(&base(), 200, &mut ChaCha8Rng::seed_from_u64(3)), drawn);
        let off = drawn.iter().filter(|s| s.get(Knob::GlobalBeam) == f64::INFINITY);
        assert!((70..130).contains(&off.count()));
    }

    #[test]
    fn levels_lie_around_the_model_s_own() {
        let [(_, beams), (_, tokens)] = levels_around(&base());
        assert_eq!((beams[0], beams[1], beams[8]), (14.25, 13.0, 7.0));
        assert_eq!(tokens, [7000.0, 2800.0, 1400.0]);
        let unbound = base().with(Knob::NetworkTopN, f64::INFINITY);
        assert_eq!(levels_around(&unbound)[1].1, tokens);
    }

    #[test]
    fn grids_and_ladders() {
        let levels =
            [(Knob::NetworkBeam, vec![9.0, 8.0]), (Knob::LocalTopN, vec![f64::INFINITY, 7.0, 3.0])];
        let texts = |settings: Vec<Setting>| -> Vec<String> {
            settings.iter().map(Setting::to_string).collect()
        };
        let all = texts(grid(&base(), &levels));
        assert_eq!(all.len(), 6);
        assert!(all[1].contains("network_beam=9") && all[1].contains("local_top_n=7"));
        let ladder = texts(one_at_a_time(&base(), &levels));
        assert_eq!(ladder.len(), 5);
        assert_eq!(ladder[2], base().to_string());
    }

    #[test]
    fn points_close_to_the_front_stay() {
        let point = |&(response_seconds, wer_percent, utterances): &(f64, f64, u32)| Point {
            response_seconds,
            wer_percent,
            utterances,
            ..Point::default()
        };
        let points = [
            (1.0, 20.0, 9), // too many errors, though the fastest
            (2.0, 14.0, 9),
            (3.0, 14.1, 9), // close
            (4.0, 15.0, 9),
            (5.0, 10.0, 9),
            (0.5, 1.0, 8), // measured on less
        ];
        let points: Vec<Point> = points.iter().map(point).collect();
        assert_eq!(close(&points, 0.5), [1, 2, 4]);
        assert_eq!(close(&points, 1.0), [0, 1, 2, 4]);
        assert!(close(&[], 0.5).is_empty());
    }
}
