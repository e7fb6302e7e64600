//! Scores of any network from a file of NumPy's (`.npy`): one row a frame, one column a pdf or
//! token.
//!
//! Format: [NumPy's](https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html).
//! Values are floats of 32 or 64 bits, in either order of rows and columns. The reader compares
//! what a header claims with the number of bytes in the file, and never allocates memory because of
//! the claim alone.

use std::fs;
use std::path::Path;

use ndarray::ArrayView2;
use ndarray_npy::{ViewNpyError, ViewNpyExt};

use super::{AcousticError, Scores};
use crate::units::Seconds;

/// The longest header that is believed: shape and type take a tenth of it.
const LONGEST_HEADER: usize = 1 << 12;

impl Scores {
    /// Reads a matrix of natural-log scores, frames × pdfs, of rows `shift` apart.
    ///
    /// # Errors
    /// [`AcousticError::Read`] if the file cannot be read, [`AcousticError::ScoreFile`] if it holds
    /// no matrix of floats.
    pub fn open_npy(path: &Path, shift: Seconds) -> Result<Scores, AcousticError> {
        let bytes =
            fs::read(path).map_err(|source| AcousticError::Read { path: path.into(), source })?;
        Scores::from_npy(&bytes, shift)
    }

    /// Reads the bytes of such a file.
    ///
    /// # Errors
    /// As [`Scores::open_npy`].
    pub fn from_npy(bytes: &[u8], shift: Seconds) -> Result<Scores, AcousticError> {
        let what = |what: String| AcousticError::ScoreFile { what };
        check_header(bytes).map_err(|problem| what(problem.into()))?;
        let aligned = aligned(bytes);
        let bytes = &bytemuck::cast_slice::<u64, u8>(&aligned)[..bytes.len()];
        let floats = ArrayView2::<f32>::view_npy(bytes);
        let rows = match floats {
            Ok(matrix) => matrix.as_standard_layout().into_owned(),
            Err(ViewNpyError::WrongDescriptor(_)) => {
                let doubles = ArrayView2::<f64>::view_npy(bytes);
                let doubles = doubles.map_err(|error| what(error.to_string()))?;
                doubles.as_standard_layout().mapv(|value| value as f32)
            }
            Err(error) => return Err(what(error.to_string())),
        };
        let pdfs = rows.ncols();
        if pdfs == 0 {
            return Err(what("it has no columns".into()));
        }
        let data = rows.into_raw_vec_and_offset().0;
        Ok(Scores::from_rows(data, pdfs, shift))
    }
}

/// Whether the header is of a length that may be parsed.
fn check_header(bytes: &[u8]) -> Result<(), &'static str> {
    let length = match bytes {
        [0x93, b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => {
            usize::from(u16::from_le_bytes([*low, *high]))
        }
        [0x93, b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d, ..] => {
            u32::from_le_bytes([*a, *b, *c, *d]) as usize
        }
        _ => return Err("it is no .npy file"),
    };
    match length <= LONGEST_HEADER {
        true => Ok(()),
        false => Err("its header is too long"),
    }
}

/// The bytes where floats of 64 bits may lie.
fn aligned(bytes: &[u8]) -> Vec<u64> {
    let mut aligned = vec![0; bytes.len().div_ceil(size_of::<u64>())];
    bytemuck::cast_slice_mut::<u64, u8>(&mut aligned)[..bytes.len()].copy_from_slice(bytes);
    aligned
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, ShapeBuilder, array};
    use ndarray_npy::WriteNpyExt;

    use super::*;

    const SHIFT: Seconds = Seconds(0.02);

    fn npy<T: ndarray_npy::WritableElement>(matrix: &Array2<T>) -> Vec<u8> {
        let mut bytes = Vec::new();
        matrix.write_npy(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn floats_of_either_size_and_order_are_read() {
        let matrix = array![[-0.5_f32, -1.0, -2.0], [-3.0, -4.0, -5.5]];
        let columns = matrix.columns().into_iter().flatten().copied().collect();
        let by_column = Array2::from_shape_vec((2, 3).f(), columns).unwrap();
        let forms = [npy(&matrix), npy(&matrix.mapv(f64::from)), npy(&by_column)];
        for bytes in forms {
            let scores = Scores::from_npy(&bytes, SHIFT).unwrap();
            assert_eq!((scores.num_frames(), scores.num_pdfs()), (2, 3));
            assert_eq!(scores.as_slice(), matrix.as_slice().unwrap());
        }
    }

    #[test]
    fn what_is_no_matrix_of_floats_is_named() {
        let sound = npy(&array![[-0.5_f32, -1.0]]);
        let cut = &sound[..sound.len() - 1];
        let mut long = sound.clone();
        (long[8], long[9]) = (0xff, 0xff);
        let empty = npy(&Array2::<f32>::zeros((3, 0)));
        let integers = npy(&array![[1_i32, 2]]);
        for bytes in [cut, &long, &empty, &integers, b"no array".as_slice(), &[]] {
            let error = Scores::from_npy(bytes, SHIFT).unwrap_err();
            assert!(error.to_string().contains("numpy.save"), "{error}");
        }
    }
}
