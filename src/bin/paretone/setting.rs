//! The flags that say how to search: a version, and each knob on its own.

use anyhow::anyhow;

use super::UsageError;
use paretone::recognizer::{Recognizer, Setting};
use paretone::units::Cost;

/// How to search; shared by the commands that recognise.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct SettingArgs {
    /// Start from this version of the model, v1 (fastest) to v7 (most accurate) [default: the
    /// model's own setting]
    #[arg(long, value_name = "NAME", conflicts_with = "setting")]
    pub version: Option<String>,
    /// Start from these knobs and no others, as in "network_beam=11 network_top_n=1500
    /// lattice_beam=4 rescore"
    #[arg(long, value_name = "KNOBS")]
    pub setting: Option<Setting>,
    /// Score beam against the frame's best, a cost; larger: slower, more accurate
    #[arg(long, visible_alias = "network-beam", value_name = "COST", allow_negative_numbers = true, value_parser = beam)]
    pub beam: Option<f32>,
    /// Most hypotheses kept per frame; larger: slower, more accurate
    #[arg(long, visible_alias = "network-top-n", value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_active: Option<u32>,
    /// Score beam against the best hypothesis with the same last word; larger: slower, more accurate
    #[arg(long, value_name = "COST", allow_negative_numbers = true, value_parser = beam)]
    pub global_beam: Option<f32>,
    /// Most hypotheses with the same last word; larger: slower, more accurate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub global_top_n: Option<u32>,
    /// Score beam among the expansions of one hypothesis; larger: slower, more accurate
    #[arg(long, value_name = "COST", allow_negative_numbers = true, value_parser = beam)]
    pub local_beam: Option<f32>,
    /// Most expansions of one hypothesis; larger: slower, more accurate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub local_top_n: Option<u32>,
    /// Most arcs looked at in a frame, whatever the sound; larger: slower, more accurate
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub arc_budget: Option<u32>,
    /// What the lattice keeps, a cost against the best path; larger: slower, more accurate
    #[arg(long, value_name = "COST", allow_negative_numbers = true, value_parser = beam)]
    pub lattice_beam: Option<f32>,
    /// Leave out the second look with the large language model: faster, less accurate
    #[arg(long)]
    pub no_rescore: bool,
}

impl SettingArgs {
    /// The setting these flags ask of a model.
    ///
    /// # Errors
    /// A [`UsageError`] if the model has no such version.
    pub fn of(&self, recognizer: &Recognizer) -> anyhow::Result<Setting> {
        let mut setting = match (&self.version, self.setting) {
            (Some(name), _) => version(recognizer, name)?,
            (None, Some(setting)) => setting,
            (None, None) => recognizer.setting(),
        };
        let pruning = &mut setting.pruning;
        for (knob, asked) in [
            (&mut pruning.network_beam, self.beam),
            (&mut pruning.global_beam, self.global_beam),
            (&mut pruning.local_beam, self.local_beam),
            (&mut pruning.lattice_beam, self.lattice_beam),
        ] {
            *knob = asked.map_or(*knob, Cost);
        }
        for (knob, asked) in [
            (&mut pruning.network_top_n, self.max_active),
            (&mut pruning.global_top_n, self.global_top_n),
            (&mut pruning.local_top_n, self.local_top_n),
            (&mut pruning.arc_budget, self.arc_budget),
        ] {
            *knob = asked.map_or(*knob, |count| count as usize);
        }
        setting.rescore &= !self.no_rescore;
        Ok(setting)
    }
}

/// The setting of a version by its name.
///
/// # Errors
/// A [`UsageError`] that lists the names there are.
pub fn version(recognizer: &Recognizer, name: &str) -> anyhow::Result<Setting> {
    let versions = recognizer.versions();
    if let Some(version) = versions.get(name) {
        return Ok(version.setting);
    }
    let names: Vec<&str> = versions.names().collect();
    let error = if names.is_empty() {
        anyhow!("the model has no versions yet: make them with `paretone versions pick`")
    } else {
        anyhow!("no version {name}: the model has {}", names.join(", "))
    };
    Err(UsageError(error).into())
}

fn beam(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(cost) if cost > 0.0 => Ok(cost),
        _ => Err("a beam is a number above 0, about 8 (fast) to 16 (accurate); inf is off".into()),
    }
}
