//! Matrices in NumPy's format 1.0, little-endian `float32`.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use ndarray::{Array2, ArrayView2};

/// Writes a matrix.
pub fn write_npy(path: &Path, matrix: ArrayView2<'_, f32>) -> Result<()> {
    let (rows, columns) = matrix.dim();
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, {columns}), }}");
    while !(10 + header.len() + 1).is_multiple_of(64) {
        header.push(' ');
    }
    header.push('\n');
    let mut out = BufWriter::new(fs::File::create(path)?);
    out.write_all(b"\x93NUMPY\x01\x00")?;
    out.write_all(&(header.len() as u16).to_le_bytes())?;
    out.write_all(header.as_bytes())?;
    let values = matrix.as_slice().context("a matrix in row order")?;
    out.write_all(bytemuck::cast_slice(values))?;
    Ok(out.flush()?)
}

/// Reads a matrix.
pub fn read_npy(path: &Path) -> Result<Array2<f32>> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(bytes.len() > 10 && bytes.starts_with(b"\x93NUMPY\x01"), "not NumPy format 1.0");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(bytes.get(10..10 + length).context("cut short")?)?;
    ensure!(header.contains("'<f4'") && header.contains("'fortran_order': False"), "{header}");
    let shape =
        header.split('(').nth(1).and_then(|rest| rest.split(')').next()).context("shape")?;
    let shape: Vec<usize> = shape.split(',').filter_map(|n| n.trim().parse().ok()).collect();
    ensure!(shape.len() == 2, "not a matrix: {header}");
    let values = bytes[10 + length..].chunks_exact(4);
    let values = values.map(|v| f32::from_le_bytes([v[0], v[1], v[2], v[3]])).collect();
    Ok(Array2::from_shape_vec((shape[0], shape[1]), values)?)
}
