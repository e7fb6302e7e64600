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
    let length = (samples.len() as u128 * u128::from(to.0) * 2 + u128::from(from.0))
        / (u128::from(from.0) * 2);
    let most = super::MOST_SAMPLES;
    if length > most as u128 {
        return Err(AudioError::TooLong { rate: to.0, most });
    }
    let length = length as usize;
    let (rate_in, rate_out) = (from.0 as usize, to.0 as usize);
    let chunk = filter_length(rate_in, rate_out);
    let fail = |what: String| AudioError::Unsupported { what };
    let mut fft =
        Fft::<f32>::new(rate_in, rate_out, chunk, 1, FixedSync::Both).map_err(|error| {
            fail(format!(
                "resampling {rate_in} Hz to {rate_out} Hz ({error})"
            ))
        })?;

    let mut delay = fft.output_delay();
    let mut out = Vec::with_capacity(length + fft.output_frames_max());
    let mut block = vec![0.0; fft.output_frames_max()];
    let mut rest = samples;
    // After the input has ended, silence pushes out what the filter still holds.
    while out.len() < length {
        let (now, later) = rest.split_at(rest.len().min(fft.input_frames_next()));
        rest = later;
        let made = process(&mut fft, now, &mut block).map_err(|error| {
            fail(format!(
                "resampling {rate_in} Hz to {rate_out} Hz ({error})"
            ))
        })?;
        let skipped = delay.min(made);
        delay -= skipped;
        out.extend_from_slice(&block[skipped..made]);
    }
    out.truncate(length);
    Ok(out)
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
