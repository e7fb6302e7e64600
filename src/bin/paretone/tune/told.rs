//! The summary of a tuning: what it learnt on and what it certified; and, if there was too little
//! speech, how much there was, how much is needed, and what the tuning did without it.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Context;

use super::part::Parts;
use crate::{UsageError, progress};
use paretone::WithCauses;
use paretone::confidence::{CONFIDENCE_FILE, Calibration};
use paretone::recognizer::Versions;
use paretone::sweep::fitting::FitError;
use paretone::tiers::{Objective, RULES_FILE, Rule, Rules};

/// Fewest speakers for which a certificate is worth having: a bootstrap over fewer knows too little
/// about how speakers differ.
const FEW_SPEAKERS: usize = 30;

/// Whether there was too little speech for a calibration.
pub(super) fn is_too_few(error: &anyhow::Error) -> bool {
    let inner = error.downcast_ref::<UsageError>();
    inner.is_some_and(|UsageError(error)| matches!(error.downcast_ref(), Some(FitError::TooFew(_))))
}

/// Says what is done without a calibration.
pub(super) fn tell_uncalibrated(error: &anyhow::Error) {
    progress::tell(&format!(
        "no confidence is calibrated: {}. Answers carry no confidence, and a tier is one version alone, since nobody can tell \
         when a fast version's answer is enough. With more speech give this command again in another folder (--dir)",
        WithCauses(error.as_ref())
    ));
}

/// Writes what a tuning came to.
pub(super) fn write(
    out: &mut impl Write,
    parts: &Parts,
    model: &Path,
    folder: &Path,
) -> anyhow::Result<()> {
    let versions = Versions::of_model(model)?;
    let calibration = Calibration::for_use(model)?;
    let path = model.join(RULES_FILE);
    let rules = Rules::open(&path).with_context(|| path.display().to_string())?;
    writeln!(out, "\ntuned {}", model.display())?;
    writeln!(out, "  learnt on {}", parts.learn.words())?;
    writeln!(out, "  certified on {}", parts.certify.words())?;
    let calibrated = match calibration.versions.is_empty() {
        true => "without calibrated confidence".to_owned(),
        false => {
            format!("confidence of {} calibrated ({CONFIDENCE_FILE})", calibration.versions.len())
        }
    };
    writeln!(out, "  {} versions, {calibrated}", versions.list.len())?;
    for objective in Objective::ALL {
        write_certified(out, &rules, objective)?;
    }
    write_doubts(out, parts)?;
    writeln!(out, "  report: {}", folder.join("report/index.html").display())?;
    writeln!(out, "  to use it: paretone serve --model {}", model.display())?;
    Ok(())
}

/// From which tolerance on something cheaper than the reference version is certified.
fn write_certified(out: &mut impl Write, rules: &Rules, objective: Objective) -> io::Result<()> {
    let first = rules.tiers.iter().find(|rule| rule.objective == objective && !rule.fallback);
    let certificate = &rules.certificate;
    match first {
        Some(Rule { tolerance, policy, .. }) => writeln!(
            out,
            "  {}: certified from a tolerance of {:.1} % on, where {policy} serves; below, {} alone",
            objective.name(),
            100.0 * tolerance.as_share(),
            certificate.reference
        ),
        None => writeln!(
            out,
            "  {}: nothing cheaper than {} is certified at any tolerance by {} speakers",
            objective.name(),
            certificate.reference,
            certificate.groups
        ),
    }
}

/// What a certificate by this speech does not know.
fn write_doubts(out: &mut impl Write, parts: &Parts) -> io::Result<()> {
    let certify = parts.certify;
    if certify.unknown > 0 {
        writeln!(
            out,
            "  {} utterances do not say who speaks, and count as as many speakers: where one speaker said several, more is promised \
             than holds. Name the speakers in the manifest's column `speaker`",
            certify.unknown
        )?;
    }
    let speakers = certify.speakers + certify.unknown;
    if speakers < FEW_SPEAKERS {
        writeln!(
            out,
            "  too few speakers: {speakers} where certificates begin to mean something at {FEW_SPEAKERS}. Add speech of {} \
             speakers or more whom the tuning did not hear, a few utterances each, and give this command again in another folder \
             (--dir)",
            FEW_SPEAKERS - speakers
        )?;
    }
    Ok(())
}
