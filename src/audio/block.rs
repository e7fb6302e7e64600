//! What every decoder gives: blocks of interleaved samples, one after the other, until the end.

use super::AudioError;
use crate::units::Seconds;

/// A stretch of audio as it was recorded: all channels, at the recording's own rate. Both may
/// change from one block to the next if the file is several recordings joined end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Whole frames of one sample a channel, nominally in [-1, 1].
    pub samples: Vec<f32>,
    /// Samples per second of a channel.
    pub rate: u32,
    /// Samples of a frame.
    pub channels: usize,
}

impl Block {
    /// Empties the block and says what it is to hold.
    pub(super) fn restart(&mut self, rate: u32, channels: usize) {
        self.samples.clear();
        (self.rate, self.channels) = (rate, channels);
    }

    /// How long it lasts.
    pub(super) fn duration(&self) -> Seconds {
        let frames = self.samples.len() / self.channels.max(1);
        Seconds(frames as f64 / f64::from(self.rate.max(1)))
    }
}

/// One recording, or several after each other, being decoded.
pub(super) trait Decode {
    /// Puts the next samples in place of what `block` holds; false at the end. The first block may
    /// be empty: it says which rate and channels a recording of no samples has.
    fn next_block(&mut self, block: &mut Block) -> Result<bool, AudioError>;

    /// What of the recording has not been heard up to now.
    fn losses(&self) -> Losses;

    /// How long after the beginning of its file the first sample sounds. It is known once there is
    /// a block.
    fn delay(&self) -> Seconds {
        Seconds(0.0)
    }
}

/// What of a recording could not be heard.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Losses {
    /// Stretches that did not decode, together.
    pub dropped: Seconds,
    /// Why the first of them did not.
    pub first: Option<String>,
    /// Why nothing was read from some place on.
    pub stopped: Option<String>,
    /// What may be wrong though everything was heard.
    pub remarks: Vec<String>,
}

impl Losses {
    /// So much may be lost, as at the first frames of a stream cut out of another, without that a
    /// recording counts as partly read.
    const TOLERATED: Seconds = Seconds(1.0);

    /// Counts a stretch that did not decode.
    pub(super) fn drop_stretch(&mut self, lasts: Seconds, why: impl ToString) {
        self.dropped.0 += lasts.0;
        self.first.get_or_insert_with(|| why.to_string());
    }

    /// Says why reading ends before the recording does.
    pub(super) fn stop(&mut self, why: impl Into<String>) {
        self.stopped.get_or_insert_with(|| why.into());
    }

    /// Reports that a recording ends before its header says it does, unless little is missing: some
    /// programs write headers that promise a few bytes too many.
    pub(super) fn ends_early(&mut self, heard: Seconds, promised: Seconds) {
        let missing = promised.0 - heard.0;
        if missing > 0.0 && (missing >= Self::TOLERATED.0 || missing >= 0.05 * promised.0) {
            self.stop(format!(
                "it ends after {:.1} s, where its header promises {:.1} s",
                heard.0, promised.0
            ));
        }
    }

    /// Why the recording counts as partly read, where it does.
    pub(super) fn shortfall(&self) -> Option<String> {
        if let Some(why) = &self.stopped {
            return Some(why.clone());
        }
        let much = self.dropped > Self::TOLERATED;
        let why = self.first.as_ref().filter(|_| much)?;
        Some(format!("{:.1} s of it are damaged ({why})", self.dropped.0))
    }
}
