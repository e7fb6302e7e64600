//! The flag that says whether the speech gate listens.

use serde::Deserialize;

/// What of a recording is recognised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Vad {
    /// What the model's gate takes for speech
    #[default]
    On,
    /// All of it: slower, and pauses and noise may become words
    Off,
}

impl Vad {
    /// Whether the gate listens.
    pub fn is_on(self) -> bool {
        self == Vad::On
    }
}
