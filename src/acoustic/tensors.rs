//! The weights file: named tensors in the safetensors format, converted to `f32` on the way in.
//!
//! <https://github.com/huggingface/safetensors>: a JSON header with element type, shape and byte
//! range of each tensor, then the data, little endian. The crate checks the header against the
//! file's length.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use half::{bf16, f16};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::AcousticError;

/// A weights file larger than a gigabyte is not one of ours.
const MAX_WEIGHTS_BYTES: u64 = 1 << 30;

/// The bytes of a safetensors file, held while a model is built from them.
pub struct Tensors {
    bytes: Vec<u8>,
}

impl Tensors {
    /// Reads a weights file.
    ///
    /// # Errors
    /// The file cannot be read or is larger than a gigabyte.
    pub fn open(path: &Path) -> Result<Self, AcousticError> {
        Ok(Self::from_bytes(read_bounded(path, MAX_WEIGHTS_BYTES)?))
    }

    /// Takes the bytes of a safetensors file; they are checked when tensors are asked for.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Tensors { bytes }
    }

    /// A tensor of floating-point numbers by name, row-major, as `f32`.
    ///
    /// # Errors
    /// The file is not valid, or has no such tensor of this shape, or a value is not finite.
    pub fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, AcousticError> {
        self.view()?.floats(name, shape)
    }

    /// Parses the header.
    ///
    /// # Errors
    /// The header is not valid or does not fit the file.
    pub(super) fn view(&self) -> Result<TensorTable<'_>, AcousticError> {
        Ok(TensorTable(SafeTensors::deserialize(&self.bytes)?))
    }
}

/// The parsed header over the file's bytes.
pub(super) struct TensorTable<'a>(SafeTensors<'a>);

impl TensorTable<'_> {
    /// A tensor of floating-point numbers, row-major, as `f32`; all finite.
    pub(super) fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, AcousticError> {
        let tensor = self.tensor(name, shape)?;
        let data = tensor.data();
        let values: Vec<f32> = match tensor.dtype() {
            Dtype::F32 => words(data).map(f32::from_le_bytes).collect(),
            Dtype::F16 => words(data).map(|b| f16::from_le_bytes(b).to_f32()).collect(),
            Dtype::BF16 => words(data).map(|b| bf16::from_le_bytes(b).to_f32()).collect(),
            other => return Err(element_type(name, other, "F32, F16 and BF16")),
        };
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(values),
            Some(element) => Err(AcousticError::NonFiniteWeight { tensor: name.into(), element }),
        }
    }

    /// A tensor of 32-bit signed integers, row-major.
    pub(super) fn integers(&self, name: &str, shape: &[usize]) -> Result<Vec<i32>, AcousticError> {
        let tensor = self.tensor(name, shape)?;
        match tensor.dtype() {
            Dtype::I32 => Ok(words(tensor.data()).map(i32::from_le_bytes).collect()),
            other => Err(element_type(name, other, "I32")),
        }
    }

    fn tensor(&self, name: &str, shape: &[usize]) -> Result<TensorView<'_>, AcousticError> {
        let tensor =
            self.0.tensor(name).map_err(|_| AcousticError::MissingTensor(name.to_string()))?;
        if tensor.shape() != shape {
            return Err(AcousticError::Shape {
                tensor: name.into(),
                found: tensor.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        Ok(tensor)
    }
}

/// Reads a whole file of at most `limit` bytes, even if it grows or is a device without a length.
pub(super) fn read_bounded(path: &Path, limit: u64) -> Result<Vec<u8>, AcousticError> {
    let error = |source| AcousticError::Read { path: path.into(), source };
    let file = File::open(path).map_err(error)?;
    let length = file.metadata().map_err(error)?.len();
    let mut bytes = Vec::with_capacity(length.min(limit) as usize + 1);
    file.take(limit + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > limit {
        return Err(AcousticError::TooLarge {
            path: path.into(),
            bytes: length.max(limit + 1),
            limit,
        });
    }
    Ok(bytes)
}

fn words<const N: usize>(data: &[u8]) -> impl Iterator<Item = [u8; N]> {
    data.as_chunks().0.iter().copied()
}

fn element_type(tensor: &str, found: Dtype, expected: &'static str) -> AcousticError {
    AcousticError::ElementType { tensor: tensor.into(), found: format!("{found:?}"), expected }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acoustic::{Hmm, ModelDescription, Network, Precision};

    /// Every prefix and every damaged header byte of a real weights file is an error or a model,
    /// never a panic.
    #[test]
    fn damaged_weights_are_errors() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/acoustic");
        let description = ModelDescription::open(&dir).unwrap();
        let bytes = std::fs::read(dir.join("acoustic.safetensors")).unwrap();
        let open = |bytes: Vec<u8>| {
            let tensors = Tensors::from_bytes(bytes);
            Hmm::from_tensors(&description.hmm, &tensors)?;
            Network::from_tensors(&description, &tensors, Precision::Auto.kernels()).map(|_| ())
        };
        assert!(open(bytes.clone()).is_ok());
        for length in (0..bytes.len()).step_by(7) {
            assert!(open(bytes[..length].to_vec()).is_err(), "{length} bytes");
        }
        for at in 0..bytes.len().min(2000) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x15;
            let _ = open(damaged);
        }
    }

    #[test]
    fn non_finite_weights_are_named() {
        let mut bytes = br#"{"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#.to_vec();
        let header = (bytes.len() as u64).to_le_bytes();
        bytes.splice(0..0, header);
        bytes.extend([0x00, 0x3c, 0x00, 0x7c]);
        let tensors = Tensors::from_bytes(bytes);
        let error = tensors.view().unwrap().floats("w", &[2]).unwrap_err();
        assert!(matches!(error, AcousticError::NonFiniteWeight { element: 1, .. }), "{error}");
    }
}
