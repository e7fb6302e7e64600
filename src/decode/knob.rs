//! The knobs of the search: one entry each, from which everything that knows knobs is made.
//!
//! An entry of the catalogue below gives a knob's field in [`Pruning`], its default, its name in
//! files and flags, its help, and where a sweep looks for good values. Text forms, command-line
//! flags, sweeps and counters go through [`Knob::ALL`]; where the search applies a knob it reads
//! the field. A new knob is an entry here and the comparison that applies it.

use std::fmt;
use std::ops::{AddAssign, Index, IndexMut};
use std::str::FromStr;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::units::Cost;

/// In what a knob is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnobUnit {
    /// A cost, −ln p, 0 or more.
    Cost,
    /// A number of things, 1 or more.
    Count,
    /// A number of things that are kept whatever the other knobs say, 0 or more; 0 is off.
    Floor,
}

/// Where a sweep draws a knob's values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SweepRange {
    /// Share of the draws in which the knob is off.
    pub off: f64,
    /// The tightest value: a tighter one loses half the words on development speech.
    pub low: f64,
    /// The loosest value: a looser one gains nothing.
    pub high: f64,
}

/// What is known of a knob.
///
/// ```
/// use paretone::decode::Knob;
///
/// let knob: Knob = "network_beam".parse()?;
/// assert_eq!(knob.entry().flags, ["beam", "network-beam"]);
/// for knob in Knob::ALL {
///     println!("{knob}: {}", knob.entry().help);
/// }
/// # Ok::<(), paretone::decode::UnknownKnob>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnobEntry {
    /// The field of [`Pruning`], which is also its name in files.
    pub name: &'static str,
    /// Its command-line flag without the dashes, and other names of the flag.
    pub flags: &'static [&'static str],
    /// In what it is measured.
    pub unit: KnobUnit,
    /// What it does, in one line.
    pub help: &'static str,
    /// Where sweeps look; none for a knob that no sweep turns.
    pub sweep: Option<SweepRange>,
}

/// The least number of things that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtLeast(pub usize);

/// Makes [`Pruning`], [`Knob`] and its entries from the catalogue.
macro_rules! catalogue {
    ($(
        $(#[doc = $detail:literal])*
        $knob:ident $field:ident: $value:ident = $default:expr,
            flags: $flags:expr, help: $help:literal, sweep: $sweep:expr;
    )*) => {
        /// How much of the search space is given up for speed. Larger values are slower and more
        /// accurate, without exception; infinity (of counts `usize::MAX`) switches a knob off, 0 a
        /// floor.
        ///
        /// ```
        /// use paretone::decode::{Knob, Pruning};
        ///
        /// let pruning = Pruning { network_top_n: 2000, ..Pruning::default() };
        /// assert_eq!(pruning.get(Knob::NetworkTopN), 2000.0);
        /// assert_eq!(pruning.get(Knob::GlobalBeam), f64::INFINITY);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct Pruning {
            $(
                #[doc = concat!($help, ".")]
                ///
                $(#[doc = $detail])*
                pub $field: $value,
            )*
        }

        impl Pruning {
            /// Exact search: nothing is pruned.
            pub const OFF: Pruning = Pruning { $($field: <$value as KnobValue>::OFF,)* };

            /// The value of a knob; infinity where it is off.
            pub fn get(&self, knob: Knob) -> f64 {
                match knob {
                    $(Knob::$knob => self.$field.to_number(),)*
                }
            }

            /// Sets a knob; infinity switches it off, and counts are rounded.
            pub fn set(&mut self, knob: Knob, value: f64) {
                match knob {
                    $(Knob::$knob => self.$field = KnobValue::of_number(value),)*
                }
            }
        }

        impl Default for Pruning {
            fn default() -> Self {
                Pruning { $($field: $default,)* }
            }
        }

        /// One knob of [`Pruning`], by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Knob {
            $(#[doc = concat!("[`Pruning::", stringify!($field), "`]: ", $help, ".")] $knob,)*
        }

        impl Knob {
            /// Every knob, in the order of text forms.
            pub const ALL: [Knob; COUNT] = [$(Knob::$knob,)*];
        }

        const COUNT: usize = [$(stringify!($knob),)*].len();

        static ENTRIES: [KnobEntry; COUNT] = [$(
            KnobEntry {
                name: stringify!($field),
                flags: &$flags,
                unit: <$value as KnobValue>::UNIT,
                help: $help,
                sweep: $sweep,
            },
        )*];
    };
}

catalogue! {
    /// ≥ 0, default 13.
    NetworkBeam network_beam: Cost = Cost(13.0),
        flags: ["beam", "network-beam"],
        help: "Keep the tokens of a frame that cost at most this much more than its best",
        sweep: range(0.0, 7.0, 14.0);
    /// More are kept only if they tie with the last; ≥ 1, default 7000.
    NetworkTopN network_top_n: usize = 7000,
        flags: ["max-active", "network-top-n"],
        help: "Keep at most this many tokens of a frame",
        sweep: range(0.35, 200.0, 5000.0);
    /// Kaldi's `--min-active`: a frame with fewer tokens in the beam has a wider one. Narrow beams
    /// so become slower and more even; 0 or more, default 0.
    MinActive min_active: AtLeast = AtLeast(0),
        flags: ["min-active"],
        help: "Keep at least this many tokens of a frame, also beyond the beam",
        sweep: None;
    /// A branch is what has the same last word; ≥ 0, default infinity.
    GlobalBeam global_beam: Cost = Cost::IMPOSSIBLE,
        flags: ["global-beam"],
        help: "Keep the tokens that cost at most this much more than the best with the same last word",
        sweep: range(0.5, 7.0, 13.0);
    /// Of equals, those made first; ≥ 1, default `usize::MAX`.
    GlobalTopN global_top_n: usize = usize::MAX,
        flags: ["global-top-n"],
        help: "Keep at most this many tokens with the same last word",
        sweep: range(0.5, 80.0, 3000.0);
    /// Only expansions that consume a frame compete; ≥ 0, default infinity.
    LocalBeam local_beam: Cost = Cost::IMPOSSIBLE,
        flags: ["local-beam"],
        help: "Keep the expansions of a token that cost at most this much more than its best",
        sweep: range(0.35, 3.0, 10.0);
    /// Of equals, the earlier arcs; ≥ 1, default `usize::MAX`.
    LocalTopN local_top_n: usize = usize::MAX,
        flags: ["local-top-n"],
        help: "Keep at most this many expansions of a token",
        sweep: range(0.5, 5.0, 60.0);
    /// Tokens are expanded best first until the budget is spent, which bounds the work on noise and
    /// foreign speech, where beams do not; ≥ 1, default `usize::MAX`.
    ArcBudget arc_budget: usize = usize::MAX,
        flags: ["arc-budget"],
        help: "Look at no more than this many arcs in a frame, whatever the sound",
        sweep: None;
    /// Searches for the best path alone do not read it; ≥ 0, default 8.
    LatticeBeam lattice_beam: Cost = Cost(8.0),
        flags: ["lattice-beam"],
        help: "Keep in the lattice what lies on a path at most this much worse than the best",
        sweep: range(0.0, 2.0, 8.0);
}

impl Knob {
    /// What is known of it.
    pub const fn entry(self) -> &'static KnobEntry {
        &ENTRIES[self as usize]
    }

    /// Its name in files, which is that of the field of [`Pruning`].
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// The value that switches it off: infinity, or 0 of a floor.
    pub const fn off(self) -> f64 {
        match self.entry().unit {
            KnobUnit::Cost | KnobUnit::Count => f64::INFINITY,
            KnobUnit::Floor => 0.0,
        }
    }

    /// Whether a value can be set: a cost or a floor of 0 or more, or a count of 1 or more.
    pub fn allows(self, value: f64) -> bool {
        match self.entry().unit {
            KnobUnit::Cost | KnobUnit::Floor => value >= 0.0,
            KnobUnit::Count => value >= 1.0,
        }
    }
}

impl fmt::Display for Knob {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// A name that no knob has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no knob is called `{name}`; there are {}", Knob::ALL.map(Knob::name).join(", "))]
pub struct UnknownKnob {
    /// The name.
    pub name: String,
}

impl FromStr for Knob {
    type Err = UnknownKnob;

    fn from_str(name: &str) -> Result<Knob, UnknownKnob> {
        let known = Knob::ALL.into_iter().find(|knob| knob.name() == name);
        known.ok_or_else(|| UnknownKnob { name: name.into() })
    }
}

/// For each knob, the number of frames in which it dropped a token or an expansion. Where the
/// network top-N dropped more than the network beam, only the former is counted; the lattice beam
/// drops nothing while frames go by, and a floor never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnobFrames([u32; COUNT]);

impl Index<Knob> for KnobFrames {
    type Output = u32;

    #[inline]
    fn index(&self, knob: Knob) -> &u32 {
        &self.0[knob as usize]
    }
}

impl IndexMut<Knob> for KnobFrames {
    #[inline]
    fn index_mut(&mut self, knob: Knob) -> &mut u32 {
        &mut self.0[knob as usize]
    }
}

impl AddAssign for KnobFrames {
    fn add_assign(&mut self, other: KnobFrames) {
        for (sum, more) in self.0.iter_mut().zip(other.0) {
            *sum += more;
        }
    }
}

impl Serialize for KnobFrames {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let drops = |knob: &Knob| !matches!(knob, Knob::LatticeBeam | Knob::MinActive);
        let counted = || Knob::ALL.into_iter().filter(drops);
        let mut map = serializer.serialize_map(Some(counted().count()))?;
        for knob in counted() {
            map.serialize_entry(knob.name(), &self[knob])?;
        }
        map.end()
    }
}

/// A type of value that a knob may have.
trait KnobValue {
    const OFF: Self;
    const UNIT: KnobUnit;
    fn to_number(self) -> f64;
    fn of_number(number: f64) -> Self;
}

impl KnobValue for Cost {
    const OFF: Cost = Cost::IMPOSSIBLE;
    const UNIT: KnobUnit = KnobUnit::Cost;

    fn to_number(self) -> f64 {
        self.0.into()
    }

    fn of_number(number: f64) -> Cost {
        Cost(number as f32)
    }
}

impl KnobValue for usize {
    const OFF: usize = usize::MAX;
    const UNIT: KnobUnit = KnobUnit::Count;

    fn to_number(self) -> f64 {
        match self {
            usize::MAX => f64::INFINITY,
            count => count as f64,
        }
    }

    fn of_number(number: f64) -> usize {
        // Infinity becomes `usize::MAX`: conversions saturate.
        number.round() as usize
    }
}

impl KnobValue for AtLeast {
    const OFF: AtLeast = AtLeast(0);
    const UNIT: KnobUnit = KnobUnit::Floor;

    fn to_number(self) -> f64 {
        self.0.to_number()
    }

    fn of_number(number: f64) -> AtLeast {
        AtLeast(KnobValue::of_number(number))
    }
}

/// A sweep's range: the share of draws in which the knob is off, and the bounds of the others.
const fn range(off: f64, low: f64, high: f64) -> Option<SweepRange> {
    Some(SweepRange { off, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_knob_is_set_read_and_found_by_name() {
        let mut pruning = Pruning::OFF;
        for (place, knob) in Knob::ALL.into_iter().enumerate() {
            assert_eq!(pruning.get(knob), knob.off(), "{knob}");
            pruning.set(knob, 3.0 + place as f64);
            assert_eq!(knob.name().parse(), Ok(knob));
        }
        for (place, knob) in Knob::ALL.into_iter().enumerate() {
            assert_eq!(pruning.get(knob), 3.0 + place as f64, "{knob}");
            pruning.set(knob, knob.off());
        }
        assert_eq!(pruning, Pruning::OFF);
        let error = "globe".parse::<Knob>().unwrap_err().to_string();
        assert!(error.contains("globe") && error.contains("local_top_n"), "{error}");
    }

    #[test]
    fn sweeps_look_where_knobs_may_be() {
        for knob in Knob::ALL {
            if let Some(SweepRange { off, low, high }) = knob.entry().sweep {
                assert!((0.0..1.0).contains(&off) && low < high && knob.allows(low), "{knob}");
            }
        }
    }
}
