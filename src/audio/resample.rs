//! Band-limited resampling: rubato's FFT resampler with the delay taken out and the length made
//! exact.
//!
//! The anti-aliasing filter is a windowed sinc of at least 1024 taps at the lower of the two rates
//! (squared Blackman–Harris window, cutoff at 0.986 of the lower Nyquist frequency), applied by
//! overlap-add. Its length is made even at both rates: the delay of an odd one is half a sample off
//! the whole number that rubato reports. `Resampler::process_all` is refused: for input shorter
//! than one block it leaves the filter's delay in.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler};

use super::AudioError;
use crate::units::Hertz;

/// Filter taps at the lower rate, at least.
const TAPS: usize = 1024;

/// `samples` at rate `from`, as `round(len · to / from)` samples at rate `to`.
pub(super) fn resample(samples: &[f32], from: Hertz, to: Hertz) -> Result<Vec<f32>, AudioError> {
    let (length, most) = (resampled(samples.len() as u64, from, to), super::MOST_SAMPLES);
    if length > most as u128 {
        return Err(AudioError::TooLong { rate: to.0, most });
    }
    let mut out = Vec::with_capacity(length as usize);
    let mut stream = Resampling::new(from, to)?;
    stream.push(samples, &mut out)?;
    stream.finish(&mut out)?;
    Ok(out)
}

/// How many samples `count` samples become: rounded to the nearest.
fn resampled(count: u64, from: Hertz, to: Hertz) -> u128 {
    (u128::from(count) * u128::from(to.0) * 2 + u128::from(from.0)) / (u128::from(from.0) * 2)
}

/// Audio that arrives in chunks, at another rate: the samples that
/// [`Waveform::at_rate`](super::Waveform::at_rate) gives for the whole, whatever the chunks.
///
/// Samples come out up to two blocks late (8 kHz to 16 kHz: 0.26 s; 48 kHz to 16 kHz: 0.13 s).
pub struct Resampling {
    fft: Fft<f32>,
    from: Hertz,
    to: Hertz,
    /// Samples of a block that is not complete.
    pending: Vec<f32>,
    block: Vec<f32>,
    /// Output that is still the filter's delay.
    delay: usize,
    /// Samples taken and given in this recording.
    taken: u64,
    given: u64,
}

impl Resampling {
    /// A resampler of one rate to another.
    ///
    /// # Errors
    /// A rate is outside [`RATES`](super::RATES), or no filter fits the two.
    pub fn new(from: Hertz, to: Hertz) -> Result<Self, AudioError> {
        super::check_rate(from.0)?;
        super::check_rate(to.0)?;
        let (rate_in, rate_out) = (from.0 as usize, to.0 as usize);
        let chunk = filter_length(rate_in, rate_out);
        let fft = Fft::<f32>::new(rate_in, rate_out, chunk, 1, FixedSync::Both);
        let fft = fft.map_err(|error| failed(from, to, &error))?;
        Ok(Resampling {
            delay: fft.output_delay(),
            block: vec![0.0; fft.output_frames_max()],
            fft,
            from,
            to,
            pending: Vec::new(),
            taken: 0,
            given: 0,
        })
    }

    /// Takes the next samples and appends those that they complete at the other rate.
    ///
    /// # Errors
    /// The resampler fails, which no input is known to make it do.
    pub fn push(&mut self, samples: &[f32], out: &mut Vec<f32>) -> Result<(), AudioError> {
        self.taken += samples.len() as u64;
        let mut rest = samples;
        loop {
            let wanted = self.fft.input_frames_next();
            let (now, later) = rest.split_at(rest.len().min(wanted - self.pending.len()));
            self.pending.extend_from_slice(now);
            rest = later;
            if self.pending.len() < wanted {
                return Ok(());
            }
            self.give(out)?;
        }
    }

    /// Ends the recording: appends what is left of it. The next samples begin another.
    ///
    /// # Errors
    /// As [`Resampling::push`].
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let (before, length) = (self.given, resampled(self.taken, self.from, self.to));
        let first = out.len();
        // After the input has ended, silence pushes out what the filter still holds.
        while u128::from(self.given) < length {
            self.give(out)?;
        }
        out.truncate(first + (length - u128::from(before)) as usize);
        self.fft.reset();
        self.pending.clear();
        self.delay = self.fft.output_delay();
        (self.taken, self.given) = (0, 0);
        Ok(())
    }

    /// Sends what is pending through the filter.
    fn give(&mut self, out: &mut Vec<f32>) -> Result<(), AudioError> {
        let made = process(&mut self.fft, &self.pending, &mut self.block);
        let made = made.map_err(|error| failed(self.from, self.to, &*error))?;
        self.pending.clear();
        let skipped = self.delay.min(made);
        self.delay -= skipped;
        self.given += (made - skipped) as u64;
        out.extend_from_slice(&self.block[skipped..made]);
        Ok(())
    }
}

fn failed(from: Hertz, to: Hertz, error: &dyn std::error::Error) -> AudioError {
    AudioError::Unsupported { what: format!("resampling {} Hz to {} Hz ({error})", from.0, to.0) }
}

/// The filter's length in input samples: a multiple of the smallest whole-numbered step, an even
/// one.
fn filter_length(rate_in: usize, rate_out: usize) -> usize {
    let (mut divisor, mut rest) = (rate_in, rate_out);
    while rest != 0 {
        (divisor, rest) = (rest, divisor % rest);
    }
    let step = rate_in / divisor;
    let least = TAPS * rate_in.div_ceil(rate_out);
    step * least.div_ceil(step).next_multiple_of(2)
}

/// One block through the resampler: the frames it wrote to `out`.
fn process(
    fft: &mut Fft<f32>,
    input: &[f32],
    out: &mut [f32],
) -> Result<usize, Box<dyn std::error::Error>> {
    let frames = out.len();
    let source = InterleavedSlice::new(input, 1, input.len())?;
    let mut target = InterleavedSlice::new_mut(out, 1, frames)?;
    let part = Indexing::new().partial_len(input.len());
    let (_, made) = fft.process_into_buffer(&source, &mut target, Some(&part))?;
    Ok(made)
}
