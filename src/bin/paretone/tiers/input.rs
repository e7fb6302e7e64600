//! Arguments that the commands about tiers share, and the outcomes they name.

use std::path::PathBuf;

use anyhow::Context;
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use crate::UsageError;
use paretone::tiers::learn::reference;
use paretone::tiers::{Method, Options, Outcomes, Table};
use paretone::units::Seconds;

/// Which outcomes.
#[derive(clap::Args, Debug)]
pub struct Input {
    /// Read recorded outcomes here, one row a request and version: id, group, version, errors,
    /// words, response_seconds, cost_seconds, confidence; set and scores_seconds where known
    #[arg(long, value_name = "CSV", num_args = 1.., required = true)]
    pub outcomes: Vec<PathBuf>,
    /// Take only requests of these sets
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub set: Vec<String>,
    /// Take tolerances relative to this version [default: the one with the fewest errors]
    #[arg(long, value_name = "VERSION")]
    pub reference: Option<String>,
    /// Add this many seconds of network to every response
    #[arg(long, value_name = "S", default_value = "0")]
    pub network: Seconds,
}

/// How rules are learnt.
#[derive(clap::Args, Debug)]
pub struct Generator {
    /// Let a tier break its promise with at most this probability; smaller: dearer tiers
    #[arg(long, value_name = "P", default_value_t = 0.001, value_parser = probability)]
    pub delta: f64,
    /// Try at most this many thresholds for a pair of versions; larger: slower, finer
    #[arg(
        long,
        value_name = "N",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(2..=100_000),
    )]
    pub thresholds: u32,
    /// Draw the bootstrap this often for each 1/delta; larger: slower, steadier
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=10_000),
    )]
    pub draws: u32,
    /// Draw random numbers from this seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

/// What is promised.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodName {
    /// The long-run average keeps the tolerance
    Population,
    /// The next requests keep the tolerance, see --batch
    NextBatch,
    /// The long-run average, for any distribution and sample size
    FiniteSample,
    /// The published algorithm, mended
    Paper,
    /// Nothing: the point estimate
    Point,
}

impl MethodName {
    /// The method, with `batch` requests to promise about.
    pub fn method(self, batch: usize) -> Method {
        match self {
            MethodName::Population => Method::Population,
            MethodName::NextBatch => Method::NextBatch { batch_requests: batch },
            MethodName::FiniteSample => Method::FiniteSample,
            MethodName::Paper => Method::Paper,
            MethodName::Point => Method::Point,
        }
    }
}

impl Generator {
    /// The options of the library.
    pub fn options(&self, method: Method) -> Options {
        Options::default()
            .method(method)
            .delta(self.delta)
            .thresholds(self.thresholds as usize)
            .draws(self.draws as usize)
            .seed(self.seed)
    }
}

/// Outcomes as read.
pub struct Loaded {
    /// The requests of the sets asked for.
    pub table: Table,
    /// Place of the reference version.
    pub reference: usize,
    /// SHA-256 of the files' bytes, one after the other.
    pub sha256: String,
}

impl Input {
    /// Reads the outcomes.
    ///
    /// # Errors
    /// A [`UsageError`] that names the file, line or request at fault.
    pub fn load(&self) -> anyhow::Result<Loaded> {
        self.load_any().map_err(|error| UsageError(error).into())
    }

    /// Network time on top of recorded responses.
    pub fn network(&self) -> Seconds {
        self.network
    }

    fn load_any(&self) -> anyhow::Result<Loaded> {
        let (mut tables, mut hash) = (Vec::new(), Sha256::new());
        for path in &self.outcomes {
            let bytes =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            hash.update(&bytes);
            let mut outcomes = Outcomes::read(bytes.as_slice(), path)?;
            if !self.set.is_empty() {
                outcomes.rows.retain(|row| self.set.contains(&row.set));
            }
            tables.push(outcomes);
        }
        let table = Table::of(&tables).with_context(|| {
            let names = self.outcomes.iter().map(|path| path.display().to_string());
            names.collect::<Vec<_>>().join(", ")
        })?;
        let reference = reference(&table, self.reference.as_deref())?;
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Loaded { table, reference, sha256 })
    }
}

/// A number between 0 and 1, neither included.
pub fn probability(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| (1e-6..1.0).contains(value));
    value.ok_or_else(|| "must be between 0.000001 and 1".to_owned())
}
