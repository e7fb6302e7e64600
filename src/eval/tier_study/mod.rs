//! The paper's evaluation of tolerance tiers (Section V), from recorded outcomes.
//!
//! Rules are learnt on the training part of each fold and replayed on its test part, for every
//! method, tolerance and contender; [`points`] gives one [`Point`] for each, the rest of this
//! module adds them up.

mod cells;
mod certified;
mod in_short;
mod more_groups;
mod sections;
mod shift;
mod study;
mod summary;
mod third;
mod tier_tables;
mod timeline;
mod truth;
mod version_tables;

pub use cells::milliseconds;
pub use certified::{ASKED, Alike, Certified, Saved};
pub use in_short::in_short;
pub use more_groups::MoreGroups;
pub use sections::{page, tables};
pub use shift::Shifted;
pub use study::{CALLED_OUT, Sets, Single, Study, study};
pub use summary::{Curves, Mean, Saving, Violations};
pub use third::Third;
pub use timeline::{Span, Timeline};
pub use truth::{Trial, Truth, Validity, validity};

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::tiers::costing::{REFERENCE_NETWORK, reference_costs};
use crate::tiers::folds::{Split, folds};
use crate::tiers::generate::Bounds;
use crate::tiers::replay::replay;
use crate::tiers::{
    Candidate, Candidates, Costing, Method, Objective, Options, Policy, Sharing, Table, Tolerance,
    Tolerances,
};
use crate::units::Seconds;

/// How requests are costed in a study.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Accounting {
    /// As measured, in one process whose versions share scores.
    Shared,
    /// As measured, each version paying for everything.
    Separate,
    /// The paper's reference cost model in place of measured times.
    Reference,
}

impl Accounting {
    /// All ways of costing.
    pub const ALL: [Accounting; 3] =
        [Accounting::Shared, Accounting::Separate, Accounting::Reference];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Accounting::Shared => "shared",
            Accounting::Separate => "separate",
            Accounting::Reference => "reference",
        }
    }

    /// The times to count, and how; `network` is added to measured responses.
    pub fn apply(self, table: &Table, network: Seconds) -> (Cow<'_, Table>, Costing) {
        let costing = |sharing, network| Costing { sharing, network };
        match self {
            Accounting::Shared => (Cow::Borrowed(table), costing(Sharing::Shared, network)),
            Accounting::Separate => (Cow::Borrowed(table), costing(Sharing::Separate, network)),
            Accounting::Reference => {
                let costing = costing(Sharing::Separate, REFERENCE_NETWORK);
                (Cow::Owned(reference_costs(table)), costing)
            }
        }
    }
}

/// Who picks a policy (Section V-B); which statistics it picks by is the [`Method`].
/// With [`Method::Point`], `SingleVersion` is the paper's Naive-OSFA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Contender {
    /// TT-OSFA: the fastest single version.
    #[serde(rename = "osfa")]
    SingleVersion,
    /// TT-Opt-Resp-Time.
    ResponseTime,
    /// TT-Opt-Cost.
    Cost,
}

impl Contender {
    /// All contenders.
    pub const ALL: [Contender; 3] =
        [Contender::SingleVersion, Contender::ResponseTime, Contender::Cost];

    /// The paper's name for it with a method.
    pub fn name(self, method: Method) -> &'static str {
        match (self, method) {
            (Contender::SingleVersion, Method::Point) => "Naive-OSFA",
            (Contender::ResponseTime, Method::Point) => "Naive-Opt-Resp-Time",
            (Contender::Cost, Method::Point) => "Naive-Opt-Cost",
            (Contender::SingleVersion, _) => "TT-OSFA",
            (Contender::ResponseTime, _) => "TT-Opt-Resp-Time",
            (Contender::Cost, _) => "TT-Opt-Cost",
        }
    }

    /// What it minimises.
    pub fn objective(self) -> Objective {
        match self {
            Contender::SingleVersion | Contender::ResponseTime => Objective::ResponseTime,
            Contender::Cost => Objective::Cost,
        }
    }

    /// Its policy for a tolerance.
    pub fn choose(self, candidates: &Candidates, tolerance: Tolerance) -> &Candidate {
        match self {
            Contender::SingleVersion => candidates.cheapest_version(tolerance, self.objective()),
            Contender::ResponseTime | Contender::Cost => {
                candidates.cheapest(tolerance, self.objective())
            }
        }
    }
}

/// How a study is made.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StudyOptions {
    /// Place of the version that tolerances are relative to.
    pub reference: usize,
    /// The statistics to compare; `batch_requests` of [`Method::NextBatch`] is taken from each
    /// fold.
    pub methods: Vec<Method>,
    /// `δ`, thresholds, draws and seed; its method is not used.
    pub rules: Options,
    /// The tolerances.
    pub tolerances: Tolerances,
    /// Folds of each split. Default in the paper: 10.
    pub folds: usize,
    /// Seconds added to measured responses.
    pub network: Seconds,
}

impl StudyOptions {
    /// The paper's experiments against the version at `reference`, with these statistics.
    pub fn new(reference: usize, methods: Vec<Method>, rules: Options) -> Self {
        StudyOptions {
            reference,
            methods,
            rules,
            tolerances: Tolerances::default(),
            folds: 10,
            network: Seconds(0.0),
        }
    }

    /// What a method makes of a table under the shared accounting.
    fn certify(&self, table: &Table, method: Method) -> Candidates {
        let (_, costing) = Accounting::Shared.apply(table, self.network);
        let rules = Options { method, ..self.rules };
        Bounds::new(table, self.reference, costing, rules).candidates(table, costing)
    }
}

/// What one contender promised and kept in one fold at one tolerance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Point {
    /// How the fold was made.
    pub split: Split,
    /// Number of the fold, from 0.
    pub fold: usize,
    /// The method's name.
    #[serde(flatten)]
    pub method: Method,
    /// How requests were costed.
    pub accounting: Accounting,
    /// Who picked.
    pub contender: Contender,
    /// The tolerance promised.
    pub tolerance: f64,
    /// The bound on the policy's degradation from the training part.
    pub bound: f64,
    /// Its degradation on the test part.
    pub degradation: f64,
    /// Mean response on the test part in seconds.
    pub response: f64,
    /// Mean cost on the test part in server-seconds.
    pub cost: f64,
    /// Share of test requests in full operation.
    pub escalated: f64,
    /// Share of test requests that the reference version is asked, alone or as one of two.
    pub asked: f64,
    /// Response and cost of the reference version on the test part.
    pub reference_spent: [f64; 2],
}

impl Point {
    /// Whether the tolerance was broken on the test part.
    pub fn violated(&self) -> bool {
        self.degradation > self.tolerance + 1e-12
    }

    /// Response or cost on the test part.
    pub fn spent(&self, objective: Objective) -> f64 {
        match objective {
            Objective::ResponseTime => self.response,
            Objective::Cost => self.cost,
        }
    }
}

/// Every fold of both splits, by every method, accounting, contender and tolerance.
pub fn points(table: &Table, options: &StudyOptions) -> Vec<Point> {
    let all = [Split::Random, Split::Disjoint].into_iter().flat_map(|split| {
        let folds = folds(table, split, options.folds, options.rules.seed);
        folds.into_iter().enumerate().map(move |(number, fold)| (split, number, fold))
    });
    let all: Vec<_> = all.collect();
    let points = all.par_iter().flat_map_iter(|(split, number, fold)| {
        let (train, test) = (table.subset(&fold.train), table.subset(&fold.test));
        let mut points = fold_points(&train, &test, options);
        for point in &mut points {
            (point.split, point.fold) = (*split, *number);
        }
        points
    });
    points.collect()
}

fn fold_points(train: &Table, test: &Table, options: &StudyOptions) -> Vec<Point> {
    let mut points = Vec::new();
    for &method in &options.methods {
        let method = match method {
            Method::NextBatch { .. } => Method::NextBatch { batch_requests: test.requests.len() },
            other => other,
        };
        let (shared, costing) = Accounting::Shared.apply(train, options.network);
        let bounds =
            Bounds::new(&shared, options.reference, costing, Options { method, ..options.rules });
        for accounting in Accounting::ALL {
            let (train, costing) = accounting.apply(train, options.network);
            let candidates = bounds.candidates(&train, costing);
            let (test, costing) = accounting.apply(test, options.network);
            let applied = Applied { candidates: &candidates, test: &test, costing };
            for contender in Contender::ALL {
                let tolerances = options.tolerances.iter();
                points.extend(tolerances.map(|tolerance| Point {
                    method,
                    accounting,
                    ..applied.point(contender, tolerance)
                }));
            }
        }
    }
    points
}

/// The share of requests that a policy asks a version to answer to the end.
fn asked(policy: &Policy, version: usize, escalated: f64) -> f64 {
    match policy.pair() {
        None => f64::from(u8::from(*policy == Policy::Single { version })),
        Some(pair) if pair.first == version => 1.0,
        Some(pair) if pair.second == version => escalated,
        Some(_) => 0.0,
    }
}

/// Rules and what they are tried on.
struct Applied<'a> {
    candidates: &'a Candidates,
    test: &'a Table,
    costing: Costing,
}

impl Applied<'_> {
    fn point(&self, contender: Contender, tolerance: Tolerance) -> Point {
        let reference = self.candidates.reference;
        let chosen = contender.choose(self.candidates, tolerance);
        let kept = replay(self.test, &chosen.policy, reference, self.costing);
        let best = Policy::Single { version: reference };
        let best = replay(self.test, &best, reference, self.costing).mean;
        Point {
            split: Split::Random,
            fold: 0,
            method: Method::Point,
            accounting: Accounting::Shared,
            contender,
            tolerance: tolerance.as_share(),
            bound: chosen.bound,
            degradation: kept.degradation(),
            response: kept.mean.response,
            cost: kept.mean.cost,
            escalated: kept.escalated,
            asked: asked(&chosen.policy, reference, kept.escalated),
            reference_spent: [best.response, best.cost],
        }
    }
}
