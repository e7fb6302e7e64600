//! What the features are made of: one channel at the model's rate, block by block.
//!
//! [`Signal`] stands between a recording and everything that listens to it: channels are chosen
//! ([`ChannelChoice`]), and the rate is brought to the model's, also where it changes within the
//! recording. A file, a stream of bytes and a [`Waveform`] in memory go the same way. Nothing is
//! held but a block and what the resampler's filter spans.
//!
//! A constant offset is left in: the features take the mean from every frame, as they did in
//! training, and the resampler passes it through.

use super::mix::Mixer;
use super::{AudioError, Block, ChannelChoice, Reader, Resampling, Waveform};
use crate::units::{Hertz, Seconds};

/// One channel of a recording at a rate, in blocks.
pub struct Signal<'a> {
    source: Source<'a>,
    rate: Hertz,
    mixer: Mixer,
    /// The rate that comes in, and what brings it to the one that is asked for.
    resampling: Option<(Hertz, Option<Resampling>)>,
    block: Block,
    mono: Vec<f32>,
    heard: Seconds,
    ended: bool,
    /// Is told how much was heard, once for every second of it.
    watch: Option<Box<dyn FnMut(Seconds) + 'a>>,
}

enum Source<'a> {
    Reader(Box<Reader<'a>>),
    Samples { samples: &'a [f32], rate: Hertz },
}

impl<'a> Signal<'a> {
    /// Samples of a waveform that are taken at once.
    const BLOCK: usize = 1 << 14;

    /// A recording at `rate`.
    ///
    /// # Errors
    /// The rate is outside [`RATES`](super::RATES), or the recording does not have the channel that
    /// was chosen.
    pub fn new(
        reader: Reader<'a>,
        rate: Hertz,
        channels: ChannelChoice,
    ) -> Result<Self, AudioError> {
        if let ChannelChoice::One(channel) = channels
            && channel >= reader.channels()
        {
            return Err(AudioError::NoSuchChannel {
                channel: channel + 1,
                channels: reader.channels(),
            });
        }
        Self::of(Source::Reader(Box::new(reader)), rate, channels)
    }

    /// A recording at the rate of its first samples.
    ///
    /// # Errors
    /// The recording does not have the channel that was chosen.
    pub fn at_its_rate(reader: Reader<'a>, channels: ChannelChoice) -> Result<Self, AudioError> {
        let rate = reader.rate();
        Self::new(reader, rate, channels)
    }

    /// A waveform at `rate`.
    ///
    /// # Errors
    /// A rate is outside [`RATES`](super::RATES).
    pub fn of_waveform(waveform: &'a Waveform, rate: Hertz) -> Result<Self, AudioError> {
        Self::of_samples(&waveform.samples, waveform.rate, rate)
    }

    /// The samples of one channel, which have the rate `from`, at `rate`.
    ///
    /// # Errors
    /// A rate is outside [`RATES`](super::RATES).
    pub fn of_samples(samples: &'a [f32], from: Hertz, rate: Hertz) -> Result<Self, AudioError> {
        super::check_rate(from.0)?;
        let source = Source::Samples { samples, rate: from };
        Self::of(source, rate, ChannelChoice::Mix)
    }

    fn of(source: Source<'a>, rate: Hertz, channels: ChannelChoice) -> Result<Self, AudioError> {
        super::check_rate(rate.0)?;
        Ok(Signal {
            source,
            rate,
            mixer: Mixer::new(channels),
            resampling: None,
            block: Block::default(),
            mono: Vec::new(),
            heard: Seconds(0.0),
            ended: false,
            watch: None,
        })
    }

    /// The same signal, which tells `watch` how much was heard, once for every second of it.
    pub fn watched(self, watch: impl FnMut(Seconds) + 'a) -> Self {
        Signal { watch: Some(Box::new(watch)), ..self }
    }

    /// Samples per second of what is given.
    pub fn rate(&self) -> Hertz {
        self.rate
    }

    /// How much of the recording has been taken so far; all of it at the end.
    pub fn heard(&self) -> Seconds {
        self.heard
    }

    /// Why only a part of the recording was given, where that is so. It is known at the end.
    pub fn shortfall(&self) -> Option<String> {
        match &self.source {
            Source::Reader(reader) => reader.shortfall(),
            Source::Samples { .. } => None,
        }
    }

    /// What may be wrong with the recording though all of it was given, such as channels that
    /// cancel each other. It is known at the end.
    pub fn remarks(&self) -> Vec<String> {
        let cancelled = self.mixer.cancelled.map(|(at, channel)| {
            let channel = channel + 1;
            format!(
                "the channels cancel each other from {:.0} s on: channel {channel} is heard in place of \
                 their average",
                at.0
            )
        });
        let of_reader = match &self.source {
            Source::Reader(reader) => reader.remarks(),
            Source::Samples { .. } => &[],
        };
        of_reader.iter().cloned().chain(cancelled).collect()
    }

    /// Appends the next samples to `out`, at times none; false at the end.
    ///
    /// # Errors
    /// As [`Reader::next_block`].
    pub fn next_block(&mut self, out: &mut Vec<f32>) -> Result<bool, AudioError> {
        if self.ended {
            return Ok(false);
        }
        if !self.fill_block()? {
            self.ended = true;
            self.finish_part(out)?;
            self.remarks().iter().for_each(|remark| tracing::warn!("{remark}"));
            return Ok(true);
        }
        if self.mixer.differs(&self.block) {
            self.finish_part(out)?;
        }
        let before = self.heard.0;
        self.heard.0 += self.block.duration().0;
        if let Some(watch) = &mut self.watch
            && self.heard.0.floor() > before.floor()
        {
            watch(self.heard);
        }
        self.mono.clear();
        self.mixer.push(&self.block, &mut self.mono);
        self.resample(Hertz(self.block.rate), out)?;
        Ok(true)
    }

    /// Reads the next block of the recording; false at its end.
    fn fill_block(&mut self) -> Result<bool, AudioError> {
        match &mut self.source {
            Source::Reader(reader) => reader.next_block(&mut self.block),
            Source::Samples { samples, rate } => {
                let (now, later) = samples.split_at(samples.len().min(Self::BLOCK));
                *samples = later;
                self.block.restart(rate.0, 1);
                self.block.samples.extend_from_slice(now);
                Ok(!now.is_empty())
            }
        }
    }

    /// Ends a stretch of one rate and number of channels.
    fn finish_part(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.mono.clear();
        self.mixer.finish(&mut self.mono);
        if let Some((rate, mut resampling)) = self.resampling.take() {
            match &mut resampling {
                None => out.extend_from_slice(&self.mono),
                Some(resampling) => {
                    resampling.push(&self.mono, out)?;
                    resampling.finish(out)?;
                }
            }
            self.resampling = Some((rate, resampling));
        }
        Ok(())
    }

    /// Appends the mono samples at the rate that is asked for.
    fn resample(&mut self, from: Hertz, out: &mut Vec<f32>) -> Result<(), AudioError> {
        if self.resampling.as_ref().is_none_or(|(rate, _)| *rate != from) {
            let resampling = match from == self.rate {
                true => None,
                false => Some(Resampling::new(from, self.rate)?),
            };
            self.resampling = Some((from, resampling));
        }
        match &mut self.resampling {
            Some((_, Some(resampling))) => resampling.push(&self.mono, out),
            _ => {
                out.extend_from_slice(&self.mono);
                Ok(())
            }
        }
    }
}
