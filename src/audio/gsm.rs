//! GSM 06.10 full rate, in the pairs of frames that Microsoft's WAV files hold.
//!
//! Reference: ETSI EN 300 961 (GSM 06.10), sections 5.2 and 5.3, in its fixed-point arithmetic; the
//! packing of 65 bytes for two frames is RFC 2361's `WAVE_FORMAT_GSM610`. This decoder is our own
//! because symphonia has none.

use super::source::Peek;
use super::{AudioError, Block};

/// Samples of a frame: 20 ms at 8 kHz.
const FRAME: usize = 160;
/// Samples of a sub-frame, of which each frame has four.
const SUB: usize = 40;
/// Bytes of two frames.
const PAIR_BYTES: usize = 65;
/// The longest lag of the long-term predictor.
const LONGEST_LAG: usize = 120;

/// Log-area ratios (table 5.1): bits, smallest code, offset, inverse step.
const RATIOS: [(u32, i16, i16, i16); 8] = [
    (6, -32, 0, 13107),
    (6, -32, 0, 13107),
    (5, -16, 2048, 13107),
    (5, -16, -2560, 13107),
    (4, -8, 94, 19223),
    (4, -8, -1792, 17476),
    (3, -4, -341, 31454),
    (3, -4, -1144, 29708),
];
/// Gains of the long-term predictor (table 5.3b).
const GAINS: [i16; 4] = [3277, 11469, 21299, 32767];
/// Normalised mantissas (table 5.6).
const MANTISSAS: [i16; 8] = [18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767];

/// Decodes frames, each of which goes on from the one before.
pub(super) struct GsmDecoder {
    rate: u32,
    begun: bool,
    /// The last residual samples, and behind them those of the sub-frame under way.
    residual: [i16; LONGEST_LAG + SUB],
    lag: usize,
    ratios: [i16; 8],
    /// The lattice filter's memory.
    lattice: [i16; 9],
    /// The de-emphasis filter's memory.
    emphasis: i16,
}

impl GsmDecoder {
    /// A decoder of Microsoft's pairs of frames; the rate is what the file says it is.
    pub(super) fn microsoft(rate: u32) -> Self {
        GsmDecoder {
            rate,
            begun: false,
            residual: [0; LONGEST_LAG + SUB],
            lag: SUB,
            ratios: [0; 8],
            lattice: [0; 9],
            emphasis: 0,
        }
    }

    /// The next pairs of frames; false once fewer bytes are left than a pair has.
    pub(super) fn next_block(
        &mut self,
        bytes: &mut impl Peek,
        block: &mut Block,
    ) -> Result<bool, AudioError> {
        block.restart(self.rate, 1);
        let here = bytes.peek(PAIR_BYTES)?;
        let pairs = (here.len() / PAIR_BYTES).min(64);
        for pair in here.chunks_exact(PAIR_BYTES).take(pairs) {
            let mut bits = Bits { bytes: pair, at: 0 };
            self.frame(&mut bits, &mut block.samples);
            self.frame(&mut bits, &mut block.samples);
        }
        let taken = match pairs {
            0 => here.len(),
            pairs => pairs * PAIR_BYTES,
        };
        bytes.consume(taken);
        Ok(pairs > 0 || !std::mem::replace(&mut self.begun, true))
    }

    fn frame(&mut self, bits: &mut Bits<'_>, out: &mut Vec<f32>) {
        let before = self.ratios;
        for (ratio, (width, least, offset, inverse)) in self.ratios.iter_mut().zip(RATIOS) {
            let code = (bits.take(width) as i16 + least) << 10;
            let scaled = multiply(inverse, code.saturating_sub(offset << 1));
            *ratio = scaled.saturating_add(scaled);
        }
        let mut excitation = [0; FRAME];
        for sub in excitation.chunks_exact_mut(SUB) {
            self.sub_frame(bits, sub);
        }
        self.synthesise(&before, &mut excitation);
        for sample in excitation {
            let back = multiply(self.emphasis, 28180);
            self.emphasis = sample.saturating_add(back);
            let doubled = self.emphasis.saturating_add(self.emphasis) & !7;
            out.push(f32::from(doubled) / 32768.0);
        }
    }

    /// The residual of one sub-frame: pulses on a grid, and what the long-term predictor adds.
    fn sub_frame(&mut self, bits: &mut Bits<'_>, out: &mut [i16]) {
        let lag = bits.take(7) as usize;
        let gain = GAINS[bits.take(2) as usize];
        let grid = bits.take(2) as usize;
        let (exponent, mantissa) = block_maximum(bits.take(6) as i32);
        let shift = 6 - exponent;
        let rounding = if shift == 0 { 0 } else { 1 << (shift - 1) };
        let mut pulses = [0; SUB];
        for place in (grid..SUB).step_by(3).take(13) {
            let code = ((bits.take(3) as i16) << 1) - 7;
            let scaled = multiply(MANTISSAS[mantissa], code << 12);
            pulses[place] = scaled.saturating_add(rounding) >> shift;
        }
        if (SUB..=LONGEST_LAG).contains(&lag) {
            self.lag = lag;
        }
        for (at, pulse) in pulses.into_iter().enumerate() {
            let now = LONGEST_LAG + at;
            let predicted = multiply(gain, self.residual[now - self.lag]);
            self.residual[now] = pulse.saturating_add(predicted);
        }
        out.copy_from_slice(&self.residual[LONGEST_LAG..]);
        self.residual.copy_within(SUB.., 0);
    }

    /// The short-term filter, whose coefficients move from the last frame's to this one's.
    fn synthesise(&mut self, before: &[i16; 8], samples: &mut [i16; FRAME]) {
        let now = self.ratios;
        let zones = [(0..13, 3, 1), (13..27, 2, 2), (27..40, 1, 3), (40..FRAME, 0, 4)];
        for (zone, old, new) in zones {
            let mut reflection = [0; 8];
            for (at, coefficient) in reflection.iter_mut().enumerate() {
                *coefficient = reflect(quarters(before[at], old) + quarters(now[at], new));
            }
            for sample in &mut samples[zone] {
                let mut value = *sample;
                for at in (0..8).rev() {
                    value = value.saturating_sub(multiply(reflection[at], self.lattice[at]));
                    let fed = multiply(reflection[at], value);
                    self.lattice[at + 1] = self.lattice[at].saturating_add(fed);
                }
                self.lattice[0] = value;
                *sample = value;
            }
        }
    }
}

/// So many quarters of a value, as the standard rounds them.
fn quarters(value: i16, count: u32) -> i16 {
    match count {
        0 => 0,
        1 => value >> 2,
        2 => value >> 1,
        3 => (value >> 1) + (value >> 2),
        _ => value,
    }
}

/// A reflection coefficient of a log-area ratio (5.2.9.2).
fn reflect(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let coefficient = match size {
        ..11059 => size << 1,
        11059..20070 => size + 11059,
        _ => (size >> 2).saturating_add(26112),
    };
    if ratio < 0 { -coefficient } else { coefficient }
}

/// Exponent and mantissa of a sub-frame's largest pulse (5.2.15).
fn block_maximum(code: i32) -> (i32, usize) {
    let mut exponent = if code > 15 { (code >> 3) - 1 } else { 0 };
    let mut mantissa = code - (exponent << 3);
    if mantissa == 0 {
        return (-4, 7);
    }
    while mantissa <= 7 {
        mantissa = mantissa << 1 | 1;
        exponent -= 1;
    }
    (exponent, (mantissa - 8) as usize)
}

/// A rounded product of two fractions in Q15.
fn multiply(a: i16, b: i16) -> i16 {
    let product = (i32::from(a) * i32::from(b) + 16384) >> 15;
    product.min(i32::from(i16::MAX)) as i16
}

/// Bits, the lowest of a byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// The next so many bits, at most 8; the first is the lowest.
    fn take(&mut self, count: u32) -> u8 {
        let byte = |at: usize| u16::from(self.bytes.get(at).copied().unwrap_or(0));
        let pair = byte(self.at / 8) | byte(self.at / 8 + 1) << 8;
        let value = pair >> (self.at % 8) & ((1 << count) - 1);
        self.at += count as usize;
        value as u8
    }
}
