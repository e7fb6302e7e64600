//! Which channel is heard? All of them, averaged; or one.
//!
//! If the channels of a recording cancel each other, because one of them was wired with its
//! polarity reversed, their average is silent. The mixer looks for that in every second, and takes
//! the louder channel instead.

use super::Block;
use crate::units::Seconds;

/// What is made of a recording's channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChannelChoice {
    /// Their average, or the loudest where they cancel each other.
    #[default]
    Mix,
    /// One of them, counted from 0. Silence where a recording has fewer.
    One(usize),
}

/// The stretch over which channels are compared.
const WINDOW: Seconds = Seconds(1.0);
/// The average counts as cancelled where its energy is below this share of what one channel alone
/// would leave in it: 1 / channels².
const CANCELLED: f64 = 0.25;

/// Averages channels, and notices where they cancel each other.
pub(super) struct Mixer {
    choice: ChannelChoice,
    rate: u32,
    channels: usize,
    /// Interleaved samples of a window that is not complete.
    window: Vec<f32>,
    energy: Vec<f64>,
    /// The channel taken last, counted from 0.
    taken: Option<usize>,
    start: Seconds,
    /// Where channels first cancelled each other, and the channel that was taken.
    pub(super) cancelled: Option<(Seconds, usize)>,
}

impl Mixer {
    pub(super) fn new(choice: ChannelChoice) -> Self {
        Mixer {
            choice,
            rate: 0,
            channels: 0,
            window: Vec::new(),
            energy: Vec::new(),
            taken: None,
            start: Seconds(0.0),
            cancelled: None,
        }
    }

    /// Whether `block` has another form than those before, so that [`Mixer::finish`] is due.
    pub(super) fn differs(&self, block: &Block) -> bool {
        self.rate != 0 && (self.rate, self.channels) != (block.rate, block.channels)
    }

    /// Takes a block and appends the one channel that is made of what is decided.
    pub(super) fn push(&mut self, block: &Block, out: &mut Vec<f32>) {
        (self.rate, self.channels) = (block.rate, block.channels);
        match self.choice {
            _ if block.channels == 1 && self.choice != ChannelChoice::Mix => self.one(block, out),
            ChannelChoice::One(_) => self.one(block, out),
            ChannelChoice::Mix if block.channels == 1 => out.extend_from_slice(&block.samples),
            ChannelChoice::Mix => self.mix(&block.samples, out),
        }
    }

    /// Appends what is left of a recording, or of a part of one form.
    pub(super) fn finish(&mut self, out: &mut Vec<f32>) {
        self.close_window(out);
        (self.rate, self.channels, self.taken) = (0, 0, None);
    }

    fn one(&self, block: &Block, out: &mut Vec<f32>) {
        let ChannelChoice::One(channel) = self.choice else {
            return;
        };
        let frames = block.samples.chunks_exact(block.channels);
        out.extend(frames.map(|frame| frame.get(channel).copied().unwrap_or(0.0)));
    }

    fn mix(&mut self, mut samples: &[f32], out: &mut Vec<f32>) {
        let whole = (WINDOW.0 * f64::from(self.rate)) as usize * self.channels;
        while !samples.is_empty() {
            let missing = whole - self.window.len();
            let (now, later) = samples.split_at(samples.len().min(missing));
            self.window.extend_from_slice(now);
            samples = later;
            if self.window.len() == whole {
                self.close_window(out);
            }
        }
    }

    /// Mixes the window, or takes the channel that is to stand for it.
    fn close_window(&mut self, out: &mut Vec<f32>) {
        if self.window.is_empty() {
            return;
        }
        let channels = self.channels;
        let scale = 1.0 / channels as f32;
        self.taken = self.cancelling();
        let frames = self.window.chunks_exact(channels);
        match self.taken {
            Some(channel) => out.extend(frames.map(|frame| frame[channel])),
            None => out.extend(frames.map(|frame| frame.iter().sum::<f32>() * scale)),
        }
        if let Some(channel) = self.taken {
            self.cancelled.get_or_insert((self.start, channel));
        }
        self.start.0 += (self.window.len() / channels) as f64 / f64::from(self.rate);
        self.window.clear();
    }

    /// The channel to take where the window's average is silent though its channels are not: the
    /// one taken before, unless another is much louder.
    fn cancelling(&mut self) -> Option<usize> {
        let channels = self.channels;
        self.energy.clear();
        self.energy.resize(channels + 1, 0.0);
        let mut mean = vec![0.0; channels + 1];
        for frame in self.window.chunks_exact(channels) {
            let mut sum = 0.0;
            for (channel, &sample) in frame.iter().enumerate() {
                let sample = f64::from(sample);
                self.energy[channel] += sample * sample;
                mean[channel] += sample;
                sum += sample;
            }
            let mixed = sum / channels as f64;
            self.energy[channels] += mixed * mixed;
            mean[channels] += mixed;
        }
        let frames = (self.window.len() / channels) as f64;
        // A constant offset is no sound.
        for (energy, mean) in self.energy.iter_mut().zip(&mean) {
            *energy = (*energy - mean * mean / frames).max(0.0);
        }
        let loudness = |channel: &usize| self.energy[*channel];
        let loudest = (0..channels).max_by(|a, b| loudness(a).total_cmp(&loudness(b)))?;
        let alone = self.energy[loudest] / (channels * channels) as f64;
        // Quieter than half a step of 16 bits there is nothing to be heard.
        let audible = self.energy[loudest] > frames * f64::from(1.0f32 / 65536.0).powi(2);
        if !audible || self.energy[channels] >= CANCELLED * alone {
            return None;
        }
        let before = self.taken.filter(|&before| self.energy[before] > 0.25 * self.energy[loudest]);
        Some(before.unwrap_or(loudest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(choice: ChannelChoice, frames: &[[f32; 2]]) -> (Vec<f32>, Option<(Seconds, usize)>) {
        let mut mixer = Mixer::new(choice);
        let mut out = Vec::new();
        for part in frames.chunks(37) {
            let block = Block { samples: part.concat(), rate: 1000, channels: 2 };
            mixer.push(&block, &mut out);
        }
        mixer.finish(&mut out);
        (out, mixer.cancelled)
    }

    fn noise(seed: u32) -> impl Iterator<Item = f32> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as f32 / 32768.0 - 1.0
        })
    }

    #[test]
    fn channels_that_cancel_are_not_mixed() {
        let opposed: Vec<[f32; 2]> = noise(1).take(2500).map(|s| [s * 0.5, -s]).collect();
        let (mix, _) = mixed(ChannelChoice::Mix, &opposed);
        assert_eq!(mix.len(), 2500);
        let exact: Vec<[f32; 2]> = noise(1).take(2500).map(|s| [s, -s]).collect();
        let (taken, cancelled) = mixed(ChannelChoice::Mix, &exact);
        assert_eq!(cancelled.map(|(at, _)| at), Some(Seconds(0.0)));
        let same = |channel: usize| exact.iter().zip(&taken).all(|(f, s)| f[channel] == *s);
        assert!(same(0) || same(1));
    }

    #[test]
    fn channels_of_one_voice_or_of_two_are_mixed() {
        let alone: Vec<[f32; 2]> = noise(1).take(1500).map(|s| [s, 0.0]).collect();
        let both: Vec<[f32; 2]> = noise(1).zip(noise(2)).take(1500).map(|(a, b)| [a, b]).collect();
        let same: Vec<[f32; 2]> = noise(1).take(1500).map(|s| [s, s]).collect();
        for frames in [alone, both, same, vec![[0.0; 2]; 1500], vec![[0.25, -0.25]; 1500]] {
            let (mix, cancelled) = mixed(ChannelChoice::Mix, &frames);
            assert_eq!(cancelled, None);
            let mean = |frame: &[f32; 2]| (frame[0] + frame[1]) * 0.5;
            assert!(frames.iter().zip(&mix).all(|(frame, mixed)| mean(frame) == *mixed));
        }
    }

    #[test]
    fn one_channel_is_given_as_it_is() {
        let frames: Vec<[f32; 2]> = (0..100).map(|n| [n as f32, -1.0]).collect();
        let (first, _) = mixed(ChannelChoice::One(0), &frames);
        assert_eq!(first[..3], [0.0, 1.0, 2.0]);
        let (second, _) = mixed(ChannelChoice::One(1), &frames);
        assert!(second.iter().all(|&sample| sample == -1.0));
        let (third, _) = mixed(ChannelChoice::One(2), &frames);
        assert_eq!(third, vec![0.0; 100]);
    }
}
