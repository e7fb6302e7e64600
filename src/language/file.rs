//! The file of a neural language model: safetensors, weights as 8-bit integers with a scale a row.
//!
//! | tensor | type and shape |
//! |---|---|
//! | `rank` | U16 (words): a word's rank by frequency, by its id |
//! | `bias` | F16 (words), by rank |
//! | `frequent`, `frequent.scale` | I8 (frequent × width), F32 (frequent): vectors of the first ranks |
//! | `rare`, `rare.scale` | I8 (words − frequent × short), F32: short vectors of the others |
//! | `widen` | F16 (width × short): makes short vectors full ones |
//! | `input`, `recurrent`, with scales | I8 (4 cell × width): to the gates i, f, g, o |
//! | `gate_bias` | F32 (4 cell) |
//! | `projection`, with scale | I8 (width × cell) |
//!
//! The metadata has `format` and `weight`, the share of the network in [`super::Mixture`].

use std::fs::File;
use std::io::Read;
use std::path::Path;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::LanguageError;

/// The `format` that this version reads.
const FORMAT: &str = "paretone neural language model 1";
/// A file larger than this is not one of ours.
const MAX_BYTES: u64 = 1 << 28;
/// Widths beyond this are not ours either; products of two stay far from overflow.
const MAX_WIDTH: usize = 1 << 13;

/// Rows of 8-bit integers, each with a scale: `weight = scale · q`.
#[derive(Clone, Debug)]
pub(super) struct ByteRows {
    pub values: Vec<i8>,
    pub scales: Vec<f32>,
    pub width: usize,
}

impl ByteRows {
    /// A row and its scale.
    pub fn row(&self, index: usize) -> (&[i8], f32) {
        let at = index * self.width;
        (&self.values[at..at + self.width], self.scales[index])
    }

    /// All rows as floats.
    pub fn to_floats(&self) -> Vec<f32> {
        let rows = self.values.chunks_exact(self.width).zip(&self.scales);
        rows.flat_map(|(row, scale)| row.iter().map(move |&q| f32::from(q) * scale)).collect()
    }
}

/// All that a file holds, checked.
pub(super) struct Contents {
    pub weight: f32,
    pub rank: Vec<u16>,
    pub bias: Vec<f32>,
    pub frequent: ByteRows,
    pub rare: ByteRows,
    pub widen: Vec<f32>,
    pub input: ByteRows,
    pub recurrent: ByteRows,
    pub gate_bias: Vec<f32>,
    pub projection: ByteRows,
}

/// The bytes of a file, bounded even if it grows or has no length.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, LanguageError> {
    let error = |source| LanguageError::Read { path: path.into(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(error)?;
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(error)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(LanguageError::TooLarge { path: path.into(), limit: MAX_BYTES });
    }
    Ok(bytes)
}

impl Contents {
    /// Takes a file apart.
    pub fn parse(bytes: &[u8]) -> Result<Contents, LanguageError> {
        let (_, header) = SafeTensors::read_metadata(bytes)?;
        let said = |name: &str| header.metadata().as_ref()?.get(name).cloned();
        if said("format").as_deref() != Some(FORMAT) {
            return Err(LanguageError::Format { found: said("format"), supported: FORMAT });
        }
        let table = Table(SafeTensors::deserialize(bytes)?);
        let [words] = table.dimensions("rank")?;
        let [frequent, width] = table.dimensions("frequent")?;
        let [rare, short] = table.dimensions("rare")?;
        let [gates, _] = table.dimensions("input")?;
        let cell = gates / 4;
        table.expect_sizes(words, frequent, rare, [width, short, cell])?;
        let contents = Contents {
            weight: share(said("weight"))?,
            rank: table.ranks(words)?,
            bias: table.halves("bias", &[words])?,
            frequent: table.rows("frequent", frequent, width)?,
            rare: table.rows("rare", rare, short)?,
            widen: table.halves("widen", &[width, short])?,
            input: table.rows("input", 4 * cell, width)?,
            recurrent: table.rows("recurrent", 4 * cell, width)?,
            gate_bias: table.floats("gate_bias", &[4 * cell])?,
            projection: table.rows("projection", width, cell)?,
        };
        Ok(contents)
    }
}

/// The share of the network, strictly between 0 and 1.
fn share(found: Option<String>) -> Result<f32, LanguageError> {
    let value = found.as_deref().and_then(|text| text.parse().ok());
    let value = value.filter(|share| *share > 0.0 && *share < 1.0);
    value.ok_or(LanguageError::Setting {
        name: "weight",
        found,
        expected: "a number between 0 and 1",
    })
}

/// The tensors, by name.
struct Table<'a>(SafeTensors<'a>);

impl<'a> Table<'a> {
    fn tensor(&self, name: &str) -> Result<TensorView<'a>, LanguageError> {
        let found = self.0.tensor(name);
        found.map_err(|_| LanguageError::Missing(name.into()))
    }

    /// The dimensions of a tensor that should have so many.
    fn dimensions<const N: usize>(&self, name: &str) -> Result<[usize; N], LanguageError> {
        let tensor = self.tensor(name)?;
        let shape = <[usize; N]>::try_from(tensor.shape());
        shape.map_err(|_| wrong(name, &tensor, format!("a tensor of {N} dimensions")))
    }

    /// The sizes fit each other and lie in range.
    fn expect_sizes(
        &self,
        words: usize,
        frequent: usize,
        rare: usize,
        widths: [usize; 3],
    ) -> Result<(), LanguageError> {
        if frequent + rare != words || words > 1 << 16 || frequent == 0 {
            let tensor = self.tensor("rank")?;
            let expected = format!("{frequent} + {rare} words, at most 65,536");
            return Err(wrong("rank", &tensor, expected));
        }
        if widths.iter().any(|width| !(1..=MAX_WIDTH).contains(width)) {
            let tensor = self.tensor("input")?;
            let expected = format!("of widths between 1 and {MAX_WIDTH}, not {widths:?}");
            return Err(wrong("input", &tensor, expected));
        }
        Ok(())
    }

    /// The bytes of a tensor of this type and shape.
    fn bytes(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<&'a [u8], LanguageError> {
        let tensor = self.tensor(name)?;
        if tensor.dtype() != dtype || tensor.shape() != shape {
            return Err(wrong(name, &tensor, format!("{dtype:?} {shape:?}")));
        }
        Ok(tensor.data())
    }

    fn floats(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LanguageError> {
        let words = self.bytes(name, Dtype::F32, shape)?.as_chunks().0.iter();
        finite(name, words.map(|&word| f32::from_le_bytes(word)).collect())
    }

    fn halves(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LanguageError> {
        let words = self.bytes(name, Dtype::F16, shape)?.as_chunks().0.iter();
        let values = words.map(|&word| f16::from_le_bytes(word).to_f32());
        finite(name, values.collect())
    }

    fn rows(&self, name: &str, count: usize, width: usize) -> Result<ByteRows, LanguageError> {
        let bytes = self.bytes(name, Dtype::I8, &[count, width])?;
        let scale_name = format!("{name}.scale");
        let scales = self.floats(&scale_name, &[count])?;
        if let Some(element) = scales.iter().position(|&scale| scale < 0.0) {
            return Err(LanguageError::Value { tensor: scale_name, element });
        }
        Ok(ByteRows {
            values: bytes.iter().map(|&byte| byte.cast_signed()).collect(),
            scales,
            width,
        })
    }

    /// A permutation.
    fn ranks(&self, words: usize) -> Result<Vec<u16>, LanguageError> {
        let numbers = self.bytes("rank", Dtype::U16, &[words])?.as_chunks().0;
        let ranks: Vec<u16> = numbers.iter().map(|&n| u16::from_le_bytes(n)).collect();
        let mut seen = vec![false; words];
        for &rank in &ranks {
            match seen.get_mut(usize::from(rank)) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(LanguageError::Rank),
            }
        }
        Ok(ranks)
    }
}

fn finite(name: &str, values: Vec<f32>) -> Result<Vec<f32>, LanguageError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(element) => Err(LanguageError::Value { tensor: name.into(), element }),
    }
}

fn wrong(name: &str, found: &TensorView<'_>, expected: String) -> LanguageError {
    LanguageError::Shape {
        tensor: name.into(),
        found: format!("{:?} {:?}", found.dtype(), found.shape()),
        expected,
    }
}
