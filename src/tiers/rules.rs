//! The rules file: which policy answers which tier, and the certificate it rests on.
//!
//! ```toml
//! format = "paretone-rules-2"
//!
//! [certificate]
//! method = "population"        # and for "next-batch" also batch_requests
//! delta = 0.001                # probability that some tier breaks its promise
//! requests = 2812
//! groups = 78                  # speakers
//! date = "2026-11-24"
//! outcomes_sha256 = "…"        # of the outcome files' bytes, in the order given
//! reference = "v7"             # the version that tolerances are relative to
//! reference_error_rate = 0.142
//! sharing = "shared"           # or "separate": how cost and response were counted
//! network_seconds = 0.0
//!
//! [made_for]                   # hashes of the parts the outcomes were recorded with, where known
//! model = "…"                  # and front_end, versions, calibration
//!
//! [tolerances]                 # 0, step, 2·step, … steps·step were asked for
//! step = 0.001
//! steps = 100
//!
//! [[tiers]]                    # from this tolerance on, up to the objective's next entry
//! tolerance = 0.0
//! objective = "response-time"
//! fallback = true              # nothing cheaper than the reference version is certified
//! bound = 0.0                  # degradation is at most this
//! degradation = 0.0            # degradation seen
//! response_seconds = 0.41      # expected
//! cost_seconds = 0.41
//! escalated = 0.0              # share of requests in full operation
//! policy = { kind = "osfa", version = "v7" }
//! ```
//!
//! A pair's policy reads `{ kind = "seq", first = "v1", second = "v7", threshold = 0.93, choice =
//! "confident" }`, see [`Policy`]. Only tolerances at which the policy changes have an entry, so a
//! tolerance is looked up by the last entry that is not above it; above the last tolerance the last
//! entry serves. Bytes are not trusted: [`Rules::parse`] checks every number and every name.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::costing::{Costing, Spent};
use super::generate::{Candidates, Method, Objective, Options, Tier, Tolerances};
use super::policy::{NEVER_EARLY, Policy};
use super::table::Table;
use super::tolerance::Tolerance;
use crate::provenance::MadeFor;

/// The file's name, in the model's folder.
pub const RULES_FILE: &str = "rules.toml";
/// The only format there is.
const FORMAT: &str = "paretone-rules-2";
/// Largest file that is read, in bytes: a hundred times what 202 different tiers need.
const LARGEST: u64 = 4 << 20;
/// Digits of the rules' short name.
const ID_DIGITS: usize = 16;
/// Longest name of a version, in bytes.
const LONGEST_NAME: usize = 200;

/// A rules file.
///
/// ```
/// use std::path::Path;
/// use paretone::tiers::{Objective, Rules, Tolerance};
///
/// let rules = Rules::open(Path::new("models/en/rules.toml"))?;
/// let rule = rules.rule(Tolerance::percent(5.0)?, Objective::Cost).expect("a rule for cost");
/// println!("{} answers at a bound of {:.3}", rule.policy, rule.bound);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    format: String,
    /// What the promise is and rests on.
    pub certificate: Certificate,
    /// The parts that the outcomes were recorded with: of other parts nothing is promised.
    #[serde(default, skip_serializing_if = "MadeFor::is_unknown")]
    pub made_for: MadeFor,
    /// The tolerances that were asked for.
    pub tolerances: Tolerances,
    /// By objective and rising tolerance; each serves up to the next.
    pub tiers: Vec<Rule>,
}

/// What the promise is and rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// What is promised, and by which statistics.
    #[serde(flatten)]
    pub method: Method,
    /// Probability that some tier breaks its promise.
    pub delta: f64,
    /// Requests recorded.
    pub requests: usize,
    /// Their groups (speakers).
    pub groups: usize,
    /// Day the rules were learnt, `yyyy-mm-dd`.
    pub date: String,
    /// SHA-256 of the outcome files, as hexadecimal digits.
    pub outcomes_sha256: String,
    /// The version that tolerances are relative to.
    pub reference: String,
    /// Its errors by what they are counted against (its word error rate).
    pub reference_error_rate: f64,
    /// How response and cost were counted.
    #[serde(flatten)]
    pub costing: Costing,
}

/// The policy from one tolerance on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The smallest tolerance it serves.
    pub tolerance: Tolerance,
    /// What it minimises.
    pub objective: Objective,
    /// Whether nothing cheaper than the reference version is certified.
    pub fallback: bool,
    /// The certified bound on its degradation.
    pub bound: f64,
    /// Its degradation on the recorded outcomes.
    pub degradation: f64,
    /// Expected response and cost.
    #[serde(flatten)]
    pub expected: Spent,
    /// Expected share of requests in full operation.
    pub escalated: f64,
    /// The policy; versions by name.
    pub policy: Policy<String>,
}

/// Why rules cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RulesError {
    /// The file could not be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is larger than any rules are.
    #[error("more than {LARGEST} bytes; is it a rules file of `paretone tiers train`?")]
    TooLarge,
    /// The text is no TOML, or a field is missing or of the wrong kind.
    #[error("no rules file; write one with `paretone tiers train`")]
    Toml(#[from] toml::de::Error),
    /// A value is out of range or contradicts another.
    #[error("{place}: {problem}")]
    Value {
        /// Where.
        place: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl Rules {
    /// Rules from the tiers of one table.
    pub fn new(
        table: &Table,
        tiers: &[Tier],
        tolerances: Tolerances,
        certificate: Certificate,
    ) -> Rules {
        let mut rules: Vec<Rule> = Vec::new();
        for tier in tiers {
            let rule = rule(table, tier);
            let known = rules.last();
            if known
                .is_none_or(|last| last.objective != rule.objective || last.policy != rule.policy)
            {
                rules.push(rule);
            }
        }
        Rules {
            format: FORMAT.to_owned(),
            certificate,
            made_for: table.made_for.clone(),
            tolerances,
            tiers: rules,
        }
    }

    /// Rules that promise nothing and need nothing: the most accurate version, of this name,
    /// answers at every tolerance. For a model without rules that were learnt for it.
    pub fn uncertified(reference: &str) -> Rules {
        let rule = |objective| Rule {
            tolerance: Tolerance::NONE,
            objective,
            fallback: true,
            bound: 0.0,
            degradation: 0.0,
            expected: Spent::default(),
            escalated: 0.0,
            policy: Policy::Single { version: reference.to_owned() },
        };
        Rules {
            format: FORMAT.to_owned(),
            certificate: Certificate {
                method: Method::Point,
                delta: 1.0,
                requests: 0,
                groups: 0,
                date: String::new(),
                outcomes_sha256: String::new(),
                reference: reference.to_owned(),
                reference_error_rate: 0.0,
                costing: Costing::default(),
            },
            made_for: MadeFor::default(),
            tolerances: Tolerances::default(),
            tiers: Objective::ALL.into_iter().map(rule).collect(),
        }
    }

    /// Whether anything is promised.
    pub fn is_certified(&self) -> bool {
        self.certificate.requests > 0
    }

    /// Reads a rules file.
    ///
    /// # Errors
    /// The file cannot be read, or is no rules file.
    pub fn open(path: &Path) -> Result<Rules, RulesError> {
        let unreadable = |source| RulesError::Read { path: path.into(), source };
        let mut text = String::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(LARGEST + 1).read_to_string(&mut text).map_err(unreadable)?;
        Rules::parse(&text)
    }

    /// Reads rules from text.
    ///
    /// # Errors
    /// The text is no rules file.
    pub fn parse(text: &str) -> Result<Rules, RulesError> {
        if text.len() as u64 > LARGEST {
            return Err(RulesError::TooLarge);
        }
        let rules: Rules = toml::from_str(text)?;
        rules.check()?;
        Ok(rules)
    }

    /// The rules as text, as [`Rules::parse`] reads it.
    pub fn to_text(&self) -> String {
        toml::to_string(self).expect("rules have no value that TOML cannot hold")
    }

    /// The rule for a tolerance and objective; none where the rules have none for the objective.
    pub fn rule(&self, tolerance: Tolerance, objective: Objective) -> Option<&Rule> {
        self.place(tolerance, objective).map(|place| &self.tiers[place])
    }

    /// Where that rule stands in [`Rules::tiers`].
    pub fn place(&self, tolerance: Tolerance, objective: Objective) -> Option<usize> {
        let serves = |rule: &Rule| rule.objective == objective && rule.tolerance <= tolerance;
        self.tiers.iter().rposition(serves)
    }

    /// A short name for these rules: the first digits of the SHA-256 of their text. Answers carry
    /// it as the name of the certificate that they rest on; "none" where there is none.
    pub fn id(&self) -> String {
        if !self.is_certified() {
            return "none".to_owned();
        }
        let digest = Sha256::digest(self.to_text().as_bytes());
        let digits = digest.iter().map(|byte| format!("{byte:02x}"));
        digits.collect::<String>()[..ID_DIGITS].to_owned()
    }

    /// Names of all versions that some tier asks, without repeats.
    pub fn versions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.tiers.iter().flat_map(|rule| names(&rule.policy)).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn check(&self) -> Result<(), RulesError> {
        if self.format != FORMAT {
            return Err(wrong(
                "format",
                "this program reads paretone-rules-2; learn rules again with `paretone tiers train`",
            ));
        }
        self.certificate.check()?;
        if !(self.tolerances.step > 0.0 && self.tolerances.step <= 1.0) {
            return Err(wrong("tolerances.step", "must be above 0, at most 1"));
        }
        if self.tiers.is_empty() {
            return Err(wrong("tiers", "there are none"));
        }
        Objective::ALL.into_iter().try_for_each(|objective| self.check_order(objective))?;
        self.tiers.iter().try_for_each(Rule::check)
    }

    /// The tiers of an objective, if it has any, serve every tolerance once.
    fn check_order(&self, objective: Objective) -> Result<(), RulesError> {
        let tiers = self.tiers.iter().filter(|rule| rule.objective == objective);
        let tolerances: Vec<Tolerance> = tiers.map(|rule| rule.tolerance).collect();
        if tolerances.first().is_some_and(|first| *first != Tolerance::NONE) {
            return Err(wrong(objective.name(), "the first tier must have tolerance 0"));
        }
        if !tolerances.is_sorted_by(|a, b| a < b) {
            return Err(wrong(objective.name(), "tolerances must rise from tier to tier"));
        }
        Ok(())
    }
}

impl Rule {
    fn check(&self) -> Result<(), RulesError> {
        let Rule { tolerance, bound, expected, .. } = self;
        let measured = [expected.response, expected.cost, self.escalated];
        let problem =
            if !self.degradation.is_finite() || bound.is_nan() || *bound > tolerance.as_share() {
                "the bound must be within the tolerance"
            } else if !measured.into_iter().all(at_least_0) {
                "times and shares are numbers, 0 or more"
            } else if !names(&self.policy).all(is_name) {
                "a version's name must have 1 to 200 bytes and no control characters"
            } else {
                match self.policy.pair() {
                    Some(pair) if !(0.0..=NEVER_EARLY).contains(&pair.threshold) => {
                        "a threshold is a number from 0 to 1, or 2 for \"never early\""
                    }
                    Some(pair) if pair.first == pair.second => "a pair has two versions",
                    _ => return Ok(()),
                }
            };
        let place = format!("tier {tolerance} of {}", self.objective.name());
        Err(wrong(&place, problem))
    }
}

impl Certificate {
    fn check(&self) -> Result<(), RulesError> {
        if !(self.delta > 0.0 && self.delta < 1.0) {
            return Err(wrong("certificate.delta", "must be between 0 and 1"));
        }
        if !at_least_0(self.reference_error_rate) || !at_least_0(self.costing.network.0) {
            return Err(wrong("certificate", "an error rate and a time are numbers, 0 or more"));
        }
        if !is_name(&self.reference) {
            return Err(wrong("certificate.reference", "must be a version's name"));
        }
        Ok(())
    }

    /// The certificate of candidates that were learnt from a table.
    pub fn new(
        table: &Table,
        candidates: &Candidates,
        options: Options,
        costing: Costing,
    ) -> Certificate {
        let reference = &table.versions[candidates.reference];
        let errors: f64 = reference.errors.iter().map(|&errors| f64::from(errors)).sum();
        let words: f64 = table.requests.iter().map(|request| f64::from(request.words)).sum();
        Certificate {
            method: options.method,
            delta: options.delta,
            requests: candidates.requests,
            groups: candidates.groups,
            date: String::new(),
            outcomes_sha256: String::new(),
            reference: reference.name.clone(),
            reference_error_rate: errors / words.max(1.0),
            costing,
        }
    }
}

fn rule(table: &Table, tier: &Tier) -> Rule {
    Rule {
        tolerance: tier.tolerance,
        objective: tier.objective,
        fallback: tier.fallback,
        bound: tier.candidate.bound,
        degradation: tier.candidate.degradation,
        expected: tier.candidate.expected,
        escalated: tier.candidate.escalated,
        policy: tier.candidate.policy.rename(|&version| table.versions[version].name.clone()),
    }
}

fn wrong(place: &str, problem: &'static str) -> RulesError {
    RulesError::Value { place: place.to_owned(), problem }
}

fn names(policy: &Policy<String>) -> impl Iterator<Item = &str> {
    let versions = match policy {
        Policy::Single { version } => [Some(version), None],
        Policy::Seq(pair) | Policy::Conc(pair) => [Some(&pair.first), Some(&pair.second)],
    };
    versions.into_iter().flatten().map(String::as_str)
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.len()) && !name.contains(char::is_control)
}

fn at_least_0(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

#[cfg(test)]
mod tests {
    use super::super::generate::{Bounds, tiers};
    use super::super::simulate::{World, draw};
    use super::*;

    fn rules() -> Rules {
        let table = draw(&World::default(), 5);
        let options = Options { delta: 0.05, thresholds: 20, ..Options::default() };
        let costing = Costing::default();
        let candidates = Bounds::new(&table, 2, costing, options).candidates(&table, costing);
        let tolerances = Tolerances::default();
        let certificate = Certificate::new(&table, &candidates, options, Costing::default());
        Rules::new(&table, &tiers(&candidates, tolerances), tolerances, certificate)
    }

    #[test]
    fn rules_are_read_back_and_looked_up() {
        let rules = rules();
        assert_eq!(Rules::parse(&rules.to_text()).unwrap(), rules);
        let first = rules.rule(Tolerance::NONE, Objective::Cost).unwrap();
        assert_eq!((first.tolerance, first.objective), (Tolerance::NONE, Objective::Cost));
        let last = rules.tiers.iter().rfind(|rule| rule.objective == Objective::ResponseTime);
        let seven = Tolerance::share(7.0).unwrap();
        assert_eq!(rules.rule(seven, Objective::ResponseTime), last);
        assert!(rules.versions().contains(&"v3"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let text = rules().to_text();
        let said = |from: &str, to: &str| {
            assert!(text.contains(from), "{from} is not in\n{text}");
            let error = Rules::parse(&text.replacen(from, to, 1)).unwrap_err();
            crate::WithCauses(&error).to_string()
        };
        assert!(said("rules-2", "rules-9").contains("reads paretone-rules-2"));
        assert!(said("delta = 0.05", "delta = 1.5").contains("certificate.delta"));
        assert!(said("tolerance = 0.0\n", "tolerance = nan\n").contains("0 or more"));
        assert!(said("\nbound = 0.0", "\nbound = 0.5").contains("within the tolerance"));
        assert!(said("\"v3\"", "\"\"").contains("name"));
        assert!(said("method = \"population\"", "method = \"guess\"").contains("guess"));
        assert!(said("[[tiers]]", "[[tears]]").contains("no rules file"));
        let large = "#".repeat(LARGEST as usize + 1);
        assert!(matches!(Rules::parse(&large), Err(RulesError::TooLarge)));
    }

    /// Whatever is cut out or put in, the reader refuses it or gives rules that can be asked.
    #[test]
    fn damaged_text_does_no_harm() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(1);
        let text = rules().to_text();
        let pieces = ["=", "[", "\"", "inf", "-1", "nan", "9e999", "tiers", "\n", "0x", "{"];
        for _ in 0..500 {
            let (from, piece) =
                (random.random_range(0..text.len()), random.random_range(0..pieces.len()));
            let to = (from + random.random_range(0..20)).min(text.len());
            let damaged = [&text[..from], pieces[piece], &text[to..]].concat();
            if let Ok(rules) = Rules::parse(&damaged) {
                let rule = rules.rule(Tolerance::percent(5.0).unwrap(), Objective::Cost);
                assert!(rule.is_none_or(|rule| rule.bound <= rule.tolerance.as_share()));
                assert!(Rules::parse(&rules.to_text()).is_ok());
            }
        }
    }
}
