//! `gate.json`: what the gate's weights mean. Untrusted: every quantity is checked before anything
//! is allocated.

use serde::Deserialize;

use super::GateError;
use crate::acoustic::NetworkDescription;
use crate::feature::MfccConfig;

/// The only `format` this version reads.
const FORMAT: u32 = 1;
/// The most frames on either side that a mean covers.
const MAX_REACH: usize = 4096;

/// The contents of `gate.json`, validated.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Description {
    /// Version of this format: 1.
    format: u32,
    /// The front end's noise floor that it was trained with. What a lower one lets through are
    /// differences below the last bit of 16, which no speech hangs on.
    noise_floor: f64,
    /// Frames before a frame, and after it, that the mean covers which is taken from it.
    pub frames_before: usize,
    pub frames_after: usize,
    /// Log odds from which a frame is taken for speech. Larger: fewer words out of noise, and more
    /// soft speech missed.
    pub threshold: f32,
    /// The layers; one output.
    pub network: NetworkDescription,
}

impl Description {
    /// Reads and checks a description, for mel energies of this front end.
    pub(super) fn parse(bytes: &[u8], front_end: &MfccConfig) -> Result<Self, GateError> {
        let description: Description =
            serde_json::from_slice(bytes).map_err(|error| GateError::Format(error.to_string()))?;
        description.network.validate()?;
        let rules = description.rules(front_end);
        match rules.iter().find(|(holds, _)| !holds) {
            Some((_, rule)) => Err(GateError::Format((*rule).into())),
            None => Ok(description),
        }
    }

    /// What must hold, and whether it does.
    fn rules(&self, front_end: &MfccConfig) -> [(bool, &'static str); 6] {
        let network = &self.network;
        [
            (self.format == FORMAT, "this version reads format 1"),
            (
                self.frames_before.max(self.frames_after) <= MAX_REACH,
                "frames_before and frames_after must be at most 4096",
            ),
            (self.threshold.is_finite(), "threshold must be a number"),
            (
                network.input_dim == front_end.num_bins,
                "the network must read as many values as the front end has mel filters",
            ),
            (network.output_dim() == 1, "the network must have one output"),
            (
                front_end.noise_floor > 0.0 && front_end.noise_floor < self.noise_floor + 1e-4,
                "the gate needs a noise floor, and at most the one that it was trained with",
            ),
        ]
    }
}
