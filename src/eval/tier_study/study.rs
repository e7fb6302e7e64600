//! The whole evaluation of one table of outcomes, ready to be written down.

use serde::Serialize;

use super::certified::{Alike, Certified, alike, certified};
use super::more_groups::{MoreGroups, more_groups};
use super::shift::{Shifted, shift};
use super::summary::{Curves, Saving, Violations, curves, dearer_than_osfa, savings, violations};
use super::third::{Third, third_version};
use super::timeline::{Timeline, timelines};
use super::{Accounting, Point, StudyOptions, points};
use crate::tiers::{Method, Table, Tolerance};

/// The tolerances that tables call out: the paper's 1, 5 and 10 %, and two more.
pub const CALLED_OUT: [Tolerance; 5] = [
    Tolerance::NONE,
    Tolerance::of_percent(1),
    Tolerance::of_percent(2),
    Tolerance::of_percent(5),
    Tolerance::of_percent(10),
];

/// Everything found.
#[derive(Clone, Debug, Serialize)]
pub struct Study {
    /// Requests recorded.
    pub requests: usize,
    /// Their groups (speakers).
    pub groups: usize,
    /// The version that tolerances are relative to.
    pub reference: String,
    /// `δ`.
    pub delta: f64,
    /// Methods that were compared.
    pub methods: Vec<Method>,
    /// Each version alone.
    pub versions: Vec<Single>,
    /// How much alike requests of a group are.
    pub alike: Vec<Alike>,
    /// Fig 6 under each accounting.
    pub timelines: Vec<(Accounting, Vec<Timeline>)>,
    /// Fig 8 in counts.
    pub violations: Vec<Violations>,
    /// Figs 9 and 10 in numbers.
    pub savings: Vec<Saving>,
    /// Means over folds where an optimised tier needs more than TT-OSFA: how many of how many.
    pub dearer_than_osfa: (usize, usize),
    /// What certificates on all rows allow.
    pub certified: Vec<Certified>,
    /// What more groups like these would allow.
    pub more_groups: Vec<MoreGroups>,
    /// Two versions against three.
    pub third_version: Vec<Third>,
    /// Certified on some sets, applied to others.
    pub shift: Vec<Shifted>,
    /// Figs 9 and 10 as lines.
    #[serde(skip)]
    pub curves: Vec<Curves>,
    /// Every point of Fig 8.
    #[serde(skip)]
    pub points: Vec<Point>,
}

/// One version alone (Fig 1a).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Single {
    /// Its name.
    pub name: String,
    /// Errors by what they are counted against.
    pub error_rate: f64,
    /// Mean response in seconds.
    pub response: f64,
    /// Mean cost in server-seconds.
    pub cost: f64,
    /// The part of both that versions can share.
    pub shared: f64,
}

/// Sets that rules are certified on, and sets that they are applied to.
pub type Sets<'a> = (&'a [String], &'a [String]);

/// Runs all experiments; the shift test where `sets` are given.
pub fn study(table: &Table, options: &StudyOptions, sets: Option<Sets>) -> Study {
    let points = points(table, options);
    let curves = curves(&points);
    let timelines = Accounting::ALL.map(|accounting| {
        (accounting, timelines(table, options.reference, accounting, options.network))
    });
    Study {
        requests: table.requests.len(),
        groups: table.groups_present(),
        reference: table.versions[options.reference].name.clone(),
        delta: options.rules.delta,
        methods: options.methods.clone(),
        versions: singles(table),
        alike: alike(table, options.reference),
        timelines: timelines.to_vec(),
        violations: violations(&points),
        savings: savings(&curves, &CALLED_OUT),
        dearer_than_osfa: dearer_than_osfa(&curves),
        certified: certified(table, options, &CALLED_OUT),
        more_groups: more_groups(table, options, &CALLED_OUT),
        third_version: third_version(table, options, &CALLED_OUT[1..]),
        shift: sets.and_then(|(from, to)| shift(table, options, from, to)).unwrap_or_default(),
        curves,
        points,
    }
}

fn singles(table: &Table) -> Vec<Single> {
    let words: f64 = table.requests.iter().map(|request| f64::from(request.words)).sum();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let single = |version: &crate::tiers::Version| Single {
        name: version.name.clone(),
        error_rate: version.errors.iter().map(|&e| f64::from(e)).sum::<f64>() / words.max(1.0),
        response: mean(&version.response),
        cost: mean(&version.cost),
        shared: mean(&version.scores),
    };
    table.versions.iter().map(single).collect()
}
