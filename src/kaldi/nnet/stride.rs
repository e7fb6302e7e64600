//! Times counted in input frames, as nnet3 has them, to strides and offsets between layers.
//!
//! Outputs are wanted every few input frames. A layer's output is then needed at the multiples of a
//! spacing: the greatest common divisor of what its readers ask for. Where two layers' spacings
//! differ, the later has a stride.

use super::layer::Layer;

/// Divides the offsets by the spacing of what they count, and returns the strides.
pub(super) fn assign_strides(
    layers: &mut [Layer],
    subsampling: usize,
) -> Result<Vec<usize>, String> {
    let mut spacings = vec![0usize; layers.len() + 1];
    *spacings.last_mut().expect("an input at least") = subsampling;
    for (at, layer) in layers.iter().enumerate().rev() {
        let own = spacings[at + 1];
        let offsets = layer.offsets.iter().map(|offset| offset.unsigned_abs() as usize);
        spacings[at] = offsets.fold(divisor(spacings[at], own), divisor);
        if let Some((source, _)) = layer.bypass {
            spacings[source + 1] = divisor(spacings[source + 1], own);
        }
    }
    // Every frame of the input is there.
    spacings[0] = 1;
    let mut strides = Vec::new();
    for (at, layer) in layers.iter_mut().enumerate() {
        let (input, own) = (spacings[at], spacings[at + 1]);
        for offset in &mut layer.offsets {
            *offset /= input as i32;
        }
        strides.push(own / input);
    }
    match strides.iter().all(|stride| *stride > 0) {
        true => Ok(strides),
        false => Err("the layers' times do not fit each other".into()),
    }
}

/// The greatest common divisor; 0 divides nothing.
fn divisor(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        b => divisor(b, a % b),
    }
}
