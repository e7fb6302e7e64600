//! Small files of one matrix, in binary or text mode.

use std::path::Path;

use ndarray::Array2;

use super::KaldiError;
use super::input::{BINARY, Input, is_float};

/// Reads a file that holds one matrix, in binary or text mode.
pub(super) fn matrix_file(path: &Path) -> Result<Array2<f64>, KaldiError> {
    let bytes = super::read(path)?;
    if bytes.starts_with(BINARY) {
        return Input::new(&bytes, path)?.matrix_f64();
    }
    text(&bytes).map_err(|what| KaldiError::Format {
        path: path.to_owned(),
        token: "[".into(),
        what,
    })
}

/// ` [`, rows of numbers, `]`.
pub(super) fn text(bytes: &[u8]) -> Result<Array2<f64>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is neither text nor binary")?;
    let inside = text.trim().strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let inside = inside.ok_or("a matrix in text stands between [ and ]")?;
    let (mut values, mut columns, mut rows) = (Vec::new(), None, 0);
    for line in inside.lines().filter(|line| !line.trim().is_empty()) {
        let before = values.len();
        for word in line.split_whitespace() {
            let value: f64 = word.parse().map_err(|_| format!("\"{word}\" is no number"))?;
            if !is_float(value) {
                return Err(format!("\"{word}\" is not finite in single precision"));
            }
            values.push(value);
        }
        rows += 1;
        let width = values.len() - before;
        if *columns.get_or_insert(width) != width {
            return Err(format!("row {rows} has {width} numbers, the others another number"));
        }
    }
    let shape = (rows, columns.unwrap_or(0));
    Ok(Array2::from_shape_vec(shape, values).expect("rows of the same width"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_matrices() {
        let read = text(b" [\n 1 2.5\n -3 4e-1 ]\n").unwrap();
        assert_eq!(read, ndarray::array![[1.0, 2.5], [-3.0, 0.4]]);
        assert_eq!(text(b" [ ]").unwrap().dim(), (0, 0));
        assert!(text(b"[ 1 2\n 3 ]").unwrap_err().contains("row 2"));
        for number in ["nan", "inf", "1e39", "-9e99"] {
            let said = text(format!("[ 1 {number} ]").as_bytes()).unwrap_err();
            assert!(said.contains("not finite"), "{said}");
        }
        assert!(text(b"1 2").is_err());
    }
}
