//! G.711 companding, the 8-bit WAV of telephone systems: µ-law and A-law bytes to samples in [-1,
//! 1].
//!
//! Reference: ITU-T G.711 (11/1988), tables 1 and 2; the arithmetic follows Sun Microsystems'
//! `g711.c`.

/// A µ-law byte as a sample, full scale 32768.
pub(super) fn mu_law(byte: u8) -> f32 {
    let code = !byte;
    let magnitude = ((i32::from(code & 0x0f) << 3) + 0x84) << ((code & 0x70) >> 4);
    signed(magnitude - 0x84, code & 0x80 != 0)
}

/// An A-law byte as a sample, full scale 32768.
pub(super) fn a_law(byte: u8) -> f32 {
    let code = byte ^ 0x55;
    let mantissa = i32::from(code & 0x0f) << 4;
    let magnitude = match (code & 0x70) >> 4 {
        0 => mantissa + 8,
        segment => (mantissa + 0x108) << (segment - 1),
    };
    signed(magnitude, code & 0x80 == 0)
}

fn signed(magnitude: i32, negative: bool) -> f32 {
    let value = if negative { -magnitude } else { magnitude };
    value as f32 / 32768.0
}
