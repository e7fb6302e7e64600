//! Matrices of Kaldi files, and how the compressed ones are meant.

use ndarray::Array2;

/// A matrix, row-major.
pub(super) type Matrix = Array2<f32>;

/// The values of a compressed matrix: `CM` where `heads` has four percentiles a column, in
/// sixteenths of the range (`compressed-matrix.cc`, `CharToFloat`); else linear in one or two
/// bytes.
pub(super) fn compressed(
    (low, range): (f32, f32),
    shape: (usize, usize),
    heads: &[u8],
    bytes: &[u8],
) -> Array2<f64> {
    let (low, range) = (f64::from(low), f64::from(range));
    if !heads.is_empty() {
        let at = |column: usize, which: usize| {
            let place = 8 * column + 2 * which;
            low + range * f64::from(u16::from_le_bytes([heads[place], heads[place + 1]])) / 65535.0
        };
        return Array2::from_shape_fn(shape, |(row, column)| {
            let byte = f64::from(bytes[column * shape.0 + row]);
            let [p0, p25, p75, p100] = [0, 1, 2, 3].map(|which| at(column, which));
            match byte {
                ..=64.0 => p0 + (p25 - p0) * byte / 64.0,
                ..=192.0 => p25 + (p75 - p25) * (byte - 64.0) / 128.0,
                _ => p75 + (p100 - p75) * (byte - 192.0) / 63.0,
            }
        });
    }
    let wide = bytes.len() == 2 * shape.0 * shape.1 && !bytes.is_empty();
    Array2::from_shape_fn(shape, |(row, column)| {
        let place = row * shape.1 + column;
        match wide {
            true => {
                let value = u16::from_le_bytes([bytes[2 * place], bytes[2 * place + 1]]);
                low + range * f64::from(value) / 65535.0
            }
            false => low + range * f64::from(bytes[place]) / 255.0,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_matrices() {
        // Percentiles 0, 0.25, 0.75 and 1 of the range 0..1: nearly linear in the byte.
        let percentiles = [0u16, 16384, 49151, 65535];
        let heads: Vec<u8> = percentiles.iter().flat_map(|p| p.to_le_bytes()).collect();
        let values = compressed((0.0, 1.0), (3, 1), &heads, &[0, 128, 255]);
        for (value, expected) in values.iter().zip([0.0, 0.5, 1.0]) {
            assert!((value - expected).abs() < 1e-4, "{value} {expected}");
        }
        let values = compressed((-1.0, 2.0), (1, 2), &[], &[0, 255]);
        assert_eq!(values, ndarray::array![[-1.0, 1.0]]);
        let values = compressed((-1.0, 2.0), (1, 2), &[], &[0, 0, 255, 255]);
        assert_eq!(values, ndarray::array![[-1.0, 1.0]]);
    }
}
