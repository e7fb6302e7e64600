//! The flags that name a tolerance tier, and the scheduler that serves it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use serde::Serialize;

use super::UsageError;
use super::setting::search_flags;
use super::tiers::{ObjectiveName, objective};
use paretone::audio::Waveform;
use paretone::recognizer::{Recognizer, Transcript};
use paretone::scheduler::{Options, Recognition, Scheduler};
use paretone::tiers::{Policy, Rules};
use paretone::units::Seconds;

/// The rules' file name, in the model's folder.
pub(super) const RULES_FILE: &str = "rules.toml";
/// Which tier.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TierArgs {
    /// How many more errors than the most accurate version's are tolerated, relative to those: 0.05
    /// is 5 %. The cheapest policy certified to keep that answers
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = tolerance, conflicts_with_all = search_flags())]
    pub tolerance: Option<f64>,
    /// What the tier minimises [default: response-time]
    #[arg(long, value_enum, requires = "tolerance")]
    pub objective: Option<ObjectiveName>,
    /// The routing rules of `tiers train` [default: rules.toml in the model's folder]
    #[arg(long, value_name = "FILE", requires = "tolerance")]
    pub rules: Option<PathBuf>,
}

/// A tier, ready to serve.
pub struct Tier {
    scheduler: Scheduler<Recognition>,
    tolerance: f64,
    policy: Policy<String>,
    /// Names of the model's versions.
    versions: Vec<String>,
}

/// How a tier came by an answer, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierReport {
    /// The tolerance asked for.
    pub tolerance: f64,
    /// The policy that serves it, as people write it.
    pub policy: String,
    /// The versions that ran, or began to.
    pub versions: Vec<String>,
    /// Whether the first version's answer was not enough.
    pub escalated: bool,
    /// Time of all workers, cancelled work included.
    pub machine_seconds: Seconds,
}

impl TierArgs {
    /// The tier that these flags ask of a model, if they ask for one, with so many workers.
    ///
    /// # Errors
    /// A [`UsageError`] if there are no rules, or not for this objective or model.
    pub fn of(
        &self,
        recognizer: &Arc<Recognizer>,
        model: &Path,
        workers: usize,
    ) -> anyhow::Result<Option<Tier>> {
        let Some(tolerance) = self.tolerance else {
            return Ok(None);
        };
        let policy = self.policy(tolerance, model).map_err(UsageError)?;
        let service = Recognition::new(Arc::clone(recognizer));
        let tier = service.policy(&policy).map_err(|unfit| {
            let learn = "learn rules for this model with `paretone tiers train`";
            UsageError(anyhow!("{unfit}; {learn}"))
        })?;
        // Each thread that submits waits for its answer, so that no request is ever refused.
        let options = Options {
            workers,
            capacity: usize::from(u16::MAX),
            ..Options::default()
        };
        Ok(Some(Tier {
            scheduler: Scheduler::new(service, vec![tier], &options),
            tolerance,
            policy,
            versions: recognizer.versions().names().map(str::to_owned).collect(),
        }))
    }

    /// The policy of the rules: that of the next lower tolerance that has one.
    fn policy(&self, tolerance: f64, model: &Path) -> anyhow::Result<Policy<String>> {
        let beside = model.join(RULES_FILE);
        let path = self.rules.as_ref().unwrap_or(&beside);
        if !path.exists() {
            return Err(anyhow!(
                "there are no routing rules at {}: learn them with `paretone tiers train --out {}`, or name them with --rules",
                path.display(),
                path.display()
            ));
        }
        let rules = Rules::open(path).with_context(|| path.display().to_string())?;
        let objective = objective(self.objective.unwrap_or(ObjectiveName::ResponseTime));
        let rule = rules.rule(tolerance, objective).ok_or_else(|| {
            let name = objective.name();
            anyhow!(
                "{} has no rules for {name}: choose another --objective, or learn them with `paretone tiers train`",
                path.display()
            )
        })?;
        Ok(rule.policy.clone())
    }
}

impl Tier {
    /// What was said, at the least cost that the tolerance allows.
    ///
    /// # Errors
    /// The recording cannot be recognised.
    pub fn transcribe(&self, waveform: Waveform) -> anyhow::Result<(Transcript, TierReport)> {
        let served = self.scheduler.submit(waveform, 0, None)?.wait()?;
        let account = served.account;
        let name = |&version: &usize| self.versions[version].clone();
        let report = TierReport {
            tolerance: self.tolerance,
            policy: self.policy.to_string(),
            versions: account.ran.iter().map(name).collect(),
            escalated: account.escalated,
            machine_seconds: account.machine,
        };
        Ok((served.answer, report))
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share >= 0.0 && share.is_finite() => Ok(share),
        _ => Err("a tolerance is a share, 0 or more; 0.05 is 5 %".into()),
    }
}
