//! The flags that name a tolerance tier.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use super::UsageError;
use super::setting::search_flags;
use super::tiers::{ObjectiveName, objective};
use paretone::audio::Waveform;
use paretone::recognizer::{Recognizer, Transcript};
use paretone::scheduler::SegmentShare;
use paretone::tiers::{Objective, RULES_FILE, Rules, Tolerance};
use paretone::units::Seconds;
use paretone::{Answer, Tiers, TiersError, WithCauses};

/// Which tier.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct TierArgs {
    /// Tolerate this many more errors than the most accurate version's, relative to those: 5% or
    /// 0.05. The cheapest policy certified to keep that answers
    #[arg(long, value_name = "TOLERANCE", allow_negative_numbers = true, conflicts_with_all = search_flags(), help_heading = "How much to tolerate")]
    pub tolerance: Option<Tolerance>,
    /// Minimise this [default: response-time]
    #[arg(long, value_enum, requires = "tolerance", help_heading = "How much to tolerate")]
    pub objective: Option<ObjectiveName>,
    /// Choose by these routing rules of `tiers train` [default: rules.toml in the model's folder]
    #[arg(
        long,
        value_name = "FILE",
        requires = "tolerance",
        help_heading = "How much to tolerate"
    )]
    pub rules: Option<PathBuf>,
}

/// A tier, ready to answer.
pub struct Tier {
    tiers: Tiers,
    tolerance: Tolerance,
    objective: Objective,
}

/// How a tier came by an answer, as JSON shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TierReport {
    /// The tolerance asked for.
    pub tolerance: Tolerance,
    /// The policy that serves it, as people write it.
    pub policy: String,
    /// The versions that ran, or began to.
    pub versions: Vec<String>,
    /// Which version ran on how many segments of the recording, and answered how many.
    pub segments: Vec<SegmentShare>,
    /// Whether the first version's answer was not enough, in any segment.
    pub escalated: bool,
    /// Time of all threads, cancelled work included.
    pub machine_seconds: Seconds,
    /// The name of the certificate that the tier rests on; "none" where there is none.
    pub certificate: String,
}

impl TierReport {
    /// The report on a recording of which another channel was answered too.
    pub fn with(mut self, other: TierReport) -> TierReport {
        for share in other.segments {
            let same = |known: &&mut SegmentShare| known.version == share.version;
            match self.segments.iter_mut().find(same) {
                Some(known) => {
                    known.ran += share.ran;
                    known.answered += share.answered;
                }
                None => self.segments.push(share),
            }
        }
        for version in other.versions {
            if !self.versions.contains(&version) {
                self.versions.push(version);
            }
        }
        self.escalated |= other.escalated;
        self.machine_seconds.0 += other.machine_seconds.0;
        self
    }
}

impl TierArgs {
    /// The flags as they would be written again.
    pub fn spelled(&self) -> Vec<String> {
        let tolerance = self.tolerance.map(|tolerance| format!("--tolerance {tolerance}"));
        let objective =
            self.objective.map(|asked| format!("--objective {}", objective(asked).name()));
        let rules = self.rules.as_ref().map(|path| format!("--rules {}", path.display()));
        [tolerance, objective, rules].into_iter().flatten().collect()
    }

    /// The tier that these flags ask of a model, if they ask for one; `varied_by` is the flag that
    /// makes the model another than the one in its folder.
    ///
    /// # Errors
    /// A [`UsageError`] if there are no rules, or not for this objective or model.
    pub fn of(
        &self,
        recognizer: &Arc<Recognizer>,
        varied_by: Option<&str>,
    ) -> anyhow::Result<Option<Tier>> {
        let Some(tolerance) = self.tolerance else {
            return Ok(None);
        };
        let beside = || recognizer.folder().join(RULES_FILE);
        let path = self.rules.clone().unwrap_or_else(beside);
        let objective = objective(self.objective.unwrap_or(ObjectiveName::ResponseTime));
        let tiers = Tiers::open(Arc::clone(recognizer), &path);
        let tiers = match tiers {
            Err(why @ (TiersError::NoRules(_) | TiersError::Unfit(_))) if self.rules.is_none() => {
                uncertified(recognizer, why, varied_by)
            }
            tiers => tiers,
        };
        let tiers = tiers.and_then(|tiers| {
            tiers.routing().tier(tolerance, objective)?;
            Ok(tiers)
        });
        let tiers = tiers.with_context(|| path.display().to_string());
        Ok(Some(Tier { tiers: tiers.map_err(UsageError)?, tolerance, objective }))
    }
}

/// The most accurate version at every tolerance, where a model has no rules that hold for it.
fn uncertified(
    recognizer: &Arc<Recognizer>,
    why: TiersError,
    varied_by: Option<&str>,
) -> Result<Tiers, TiersError> {
    let Some(best) = recognizer.versions().most_accurate() else {
        return Err(why);
    };
    match varied_by {
        Some(flag) => tracing::warn!(
            "rules are certified for the model without {flag}: with it {} answers at every \
             tolerance, and nothing is certified",
            best.name
        ),
        None => tracing::warn!(
            "{}; until then {} answers at every tolerance, and nothing is certified",
            WithCauses(&why),
            best.name
        ),
    }
    Tiers::new(Arc::clone(recognizer), Rules::uncertified(&best.name))
}

impl Tier {
    /// What was said, at the least cost that the tolerance allows.
    ///
    /// # Errors
    /// The recording cannot be recognised.
    pub fn transcribe(&self, waveform: &Waveform) -> anyhow::Result<(Transcript, TierReport)> {
        let Answer { transcript, account, .. } =
            self.tiers.transcribe(waveform, self.tolerance, self.objective)?;
        let report = TierReport {
            tolerance: self.tolerance,
            policy: account.policy.to_string(),
            versions: account.versions,
            segments: account.segments,
            escalated: account.escalated,
            machine_seconds: account.cost,
            certificate: account.certificate,
        };
        Ok((transcript, report))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_accounted_for_together() {
        let report = |shares: &[(&str, usize, usize)], escalated| TierReport {
            tolerance: Tolerance::percent(5.0).expect("a tolerance"),
            policy: "seq(v1, v7, 0.9)".to_owned(),
            versions: shares.iter().map(|(version, ..)| (*version).to_owned()).collect(),
            segments: shares
                .iter()
                .map(|&(version, ran, answered)| SegmentShare {
                    version: version.to_owned(),
                    ran,
                    answered,
                })
                .collect(),
            escalated,
            machine_seconds: Seconds(0.5),
            certificate: "none".to_owned(),
        };
        let (one, other) =
            (report(&[("v1", 3, 3)], false), report(&[("v1", 2, 1), ("v7", 1, 1)], true));
        let mut both = report(&[("v1", 5, 4), ("v7", 1, 1)], true);
        both.machine_seconds = Seconds(1.0);
        assert_eq!(one.with(other), both);
    }
}
