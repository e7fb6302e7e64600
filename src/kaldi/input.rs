//! Reads Kaldi's binary form: tokens that end in a blank, numbers that carry their size.
//!
//! Reference: `base/io-funcs-inl.h`, `matrix/kaldi-matrix.cc`, `matrix/compressed-matrix.cc`. Every
//! count is held against the bytes that are left before anything is allocated, and every error
//! names the file and the token it was read behind.

use std::ops::Range;
use std::path::Path;

use super::KaldiError;
use super::matrix::{Matrix, compressed};

/// The mark of binary mode.
pub(super) const BINARY: &[u8] = b"\0B";

/// The longest token that is believed.
const LONGEST_TOKEN: usize = 256;

/// A file's bytes, and how far they are read.
pub(super) struct Input<'b> {
    bytes: &'b [u8],
    at: usize,
    path: &'b Path,
    /// The token read last.
    token: String,
}

/// Values as they lie in the file, told apart by their first bytes.
pub(super) enum Kind {
    /// A token in angle brackets.
    Token,
    Number,
    Boolean,
    Vector,
    Matrix,
}

/// Whether a number is finite in single precision too, in which all are used.
pub(super) fn is_float(number: f64) -> bool {
    (number as f32).is_finite()
}

impl<'b> Input<'b> {
    /// A file in binary mode; `path` is what errors call it.
    pub fn new(bytes: &'b [u8], path: &'b Path) -> Result<Self, KaldiError> {
        let mut input = Input { bytes, at: 0, path, token: String::new() };
        if !bytes.starts_with(BINARY) {
            return Err(input.error(
                "it is no Kaldi file in binary mode; convert it, such as with nnet3-am-copy \
                 --binary=true",
            ));
        }
        input.at = BINARY.len();
        Ok(input)
    }

    /// An error at this place.
    pub fn error(&self, what: impl Into<String>) -> KaldiError {
        KaldiError::Format {
            path: self.path.to_owned(),
            token: match self.token.is_empty() {
                true => "the beginning".into(),
                false => self.token.clone(),
            },
            what: what.into(),
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    fn rest(&self) -> &'b [u8] {
        &self.bytes[self.at..]
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'b [u8], KaldiError> {
        let taken = self.rest().get(..count);
        let taken = taken.ok_or_else(|| self.error("the file was cut short"))?;
        self.at += count;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], KaldiError> {
        let bytes = self.take(N)?;
        Ok(bytes.try_into().expect("as many bytes as were asked for"))
    }

    /// The next token.
    pub fn token(&mut self) -> Result<String, KaldiError> {
        let rest = self.rest();
        let near = &rest[..rest.len().min(LONGEST_TOKEN)];
        let end = near.iter().position(|byte| byte.is_ascii_whitespace());
        let word = end.and_then(|end| std::str::from_utf8(&near[..end]).ok());
        let word = word.filter(|word| !word.is_empty());
        let word = word.ok_or_else(|| match rest.is_empty() {
            true => self.error("the file was cut short"),
            false => self.error("no token follows"),
        })?;
        self.at += word.len() + 1;
        self.token = word.to_owned();
        Ok(word.to_owned())
    }

    /// Reads this token, or fails.
    pub fn expect(&mut self, token: &str) -> Result<(), KaldiError> {
        let before = self.token.clone();
        let found = self.token()?;
        if found == token {
            return Ok(());
        }
        self.token = before;
        Err(self.error(format!("{token} was expected and {found} found")))
    }

    /// What comes next.
    pub fn kind(&self) -> Result<Kind, KaldiError> {
        let rest = self.rest();
        Ok(match rest {
            [b'<', ..] => Kind::Token,
            [4 | 8, ..] => Kind::Number,
            [b'F' | b'D', b'V', b' ', ..] => Kind::Vector,
            [b'F' | b'D', b'M', b' ', ..] | [b'C', b'M', ..] => Kind::Matrix,
            [b'T' | b'F', ..] => Kind::Boolean,
            [] => return Err(self.error("the file was cut short")),
            _ => return Err(self.error("neither a token nor a value follows")),
        })
    }

    pub fn int(&mut self) -> Result<i32, KaldiError> {
        match self.array::<1>()? {
            [4] => Ok(i32::from_le_bytes(self.array()?)),
            [size] => Err(self.error(format!("an integer of {size} bytes, not 4"))),
        }
    }

    /// An integer of eight bytes.
    pub fn long(&mut self) -> Result<i64, KaldiError> {
        match self.array::<1>()? {
            [8] => Ok(i64::from_le_bytes(self.array()?)),
            [size] => Err(self.error(format!("an integer of {size} bytes, not 8"))),
        }
    }

    /// Passes over so many elements of `size` bytes; where in the file they lie.
    pub fn place(&mut self, count: i64, size: usize) -> Result<Range<usize>, KaldiError> {
        let count = self.check_count(count, size)?;
        let from = self.at;
        self.take(count * size)?;
        Ok(from..self.at)
    }

    /// A count of things of which each takes `size` bytes at least.
    pub fn count(&mut self, size: usize) -> Result<usize, KaldiError> {
        let count = self.int()?;
        self.check_count(i64::from(count), size)
    }

    fn check_count(&self, count: i64, size: usize) -> Result<usize, KaldiError> {
        let fits = usize::try_from(count).ok().filter(|&count| {
            let bytes = count.checked_mul(size.max(1));
            bytes.is_some_and(|bytes| bytes <= self.rest().len())
        });
        fits.ok_or_else(|| self.error(format!("{count} elements, more than the file holds")))
    }

    /// A float of either precision.
    pub fn float(&mut self) -> Result<f64, KaldiError> {
        match self.array::<1>()? {
            [4] => Ok(f32::from_le_bytes(self.array()?).into()),
            [8] => Ok(f64::from_le_bytes(self.array()?)),
            [size] => Err(self.error(format!("a float of {size} bytes, neither 4 nor 8"))),
        }
    }

    /// The four bytes of a number whose type only its token tells, or of a count.
    pub fn number(&mut self) -> Result<[u8; 4], KaldiError> {
        match self.array::<1>()? {
            [4] => self.array(),
            [8] => match f64::from_le_bytes(self.array()?) {
                number if is_float(number) => Ok((number as f32).to_le_bytes()),
                number => Err(self.error(format!("{number} is not finite in single precision"))),
            },
            [size] => Err(self.error(format!("a number of {size} bytes"))),
        }
    }

    pub fn boolean(&mut self) -> Result<bool, KaldiError> {
        match self.array::<1>()? {
            [b'T'] => Ok(true),
            [b'F'] => Ok(false),
            _ => Err(self.error("neither T nor F")),
        }
    }

    /// `per` integers an element.
    pub fn ints(&mut self, per: usize) -> Result<Vec<i32>, KaldiError> {
        let [size] = self.array()?;
        if size != 4 {
            return Err(self.error(format!("integers of {size} bytes, not 4")));
        }
        let count = i64::from(i32::from_le_bytes(self.array()?));
        let count = self.check_count(count, 4 * per)?;
        let bytes = self.take(4 * per * count)?;
        Ok(words(bytes).map(i32::from_le_bytes).collect())
    }

    pub fn vector(&mut self) -> Result<Vec<f32>, KaldiError> {
        Ok(self.vector_f64()?.into_iter().map(|value| value as f32).collect())
    }

    /// As [`Input::vector`], without rounding what the file has in double precision.
    pub fn vector_f64(&mut self) -> Result<Vec<f64>, KaldiError> {
        let size = self.precision(['V'])?.1;
        let count = self.count(size)?;
        self.floats(count, size)
    }

    pub fn matrix(&mut self) -> Result<Matrix, KaldiError> {
        Ok(self.matrix_f64()?.map(|value| *value as f32))
    }

    /// As [`Input::matrix`], without rounding what the file has in double precision.
    pub fn matrix_f64(&mut self) -> Result<ndarray::Array2<f64>, KaldiError> {
        if let [b'C', b'M', ..] = self.rest() {
            let token = self.token()?;
            return self.compressed(&token);
        }
        let size = self.precision(['M'])?.1;
        let (rows, columns) = (self.int()?, self.int()?);
        let count = self.check_count(i64::from(rows) * i64::from(columns), size)?;
        if rows < 0 || columns < 0 {
            return Err(self.error(format!("a matrix of {rows} rows and {columns} columns")));
        }
        let values = self.floats(count, size)?;
        let shape = (rows as usize, columns as usize);
        Ok(ndarray::Array2::from_shape_vec(shape, values).expect("as many values as the shape has"))
    }

    /// A symmetric matrix, of which the file holds the lower triangle.
    pub fn symmetric_f64(&mut self) -> Result<ndarray::Array2<f64>, KaldiError> {
        let size = self.precision(['P'])?.1;
        // Of n rows the triangle has more elements than n²/2, so the matrix is no larger than the
        // file but for a factor.
        let rows = self.int()?;
        let elements = i64::from(rows) * (i64::from(rows) + 1) / 2;
        let count = self.check_count(if rows < 0 { -1 } else { elements }, size)?;
        let values = self.floats(count, size)?;
        let rows = rows as usize;
        Ok(ndarray::Array2::from_shape_fn((rows, rows), |(row, column)| {
            let (high, low) = (row.max(column), row.min(column));
            values[high * (high + 1) / 2 + low]
        }))
    }

    /// Makes sure that nothing follows.
    pub fn end(&self) -> Result<(), KaldiError> {
        match self.is_at_end() {
            true => Ok(()),
            false => Err(self.error("bytes stand behind the end")),
        }
    }

    /// `F` or `D` and one of these letters; the size of a value.
    fn precision<const N: usize>(
        &mut self,
        letters: [char; N],
    ) -> Result<(char, usize), KaldiError> {
        let (before, token) = (self.token.clone(), self.token()?);
        self.token = before;
        let mut chars = token.chars();
        let (first, second, third) = (chars.next(), chars.next(), chars.next());
        let letter = second.filter(|letter| letters.contains(letter) && third.is_none());
        let size = first.and_then(|first| match first {
            'F' => Some(4),
            'D' => Some(8),
            _ => None,
        });
        letter.zip(size).ok_or_else(|| self.error(format!("{token} where numbers were expected")))
    }

    fn floats(&mut self, count: usize, size: usize) -> Result<Vec<f64>, KaldiError> {
        let bytes = self.take(count * size)?;
        let values: Vec<f64> = match size {
            4 => words(bytes).map(|word| f32::from_le_bytes(word).into()).collect(),
            _ => words(bytes).map(f64::from_le_bytes).collect(),
        };
        match values.iter().position(|value| !is_float(*value)) {
            None => Ok(values),
            Some(at) => Err(self.error(format!("value {at} is not finite in single precision"))),
        }
    }

    fn compressed(&mut self, token: &str) -> Result<ndarray::Array2<f64>, KaldiError> {
        let low = f32::from_le_bytes(self.array()?);
        let range = f32::from_le_bytes(self.array()?);
        let rows = i64::from(i32::from_le_bytes(self.array()?));
        let columns = i64::from(i32::from_le_bytes(self.array()?));
        if rows < 0 || columns < 0 || !low.is_finite() || !range.is_finite() {
            return Err(
                self.error(format!("a compressed matrix of {rows} rows, {columns} columns"))
            );
        }
        let size = match token {
            "CM" | "CM3" => 1,
            "CM2" => 2,
            _ => return Err(self.error(format!("{token} where numbers were expected"))),
        };
        self.check_count(rows * columns, size)?;
        let shape = (rows as usize, columns as usize);
        let heads = match token {
            "CM" => self.take(8 * shape.1)?,
            _ => &[],
        };
        let bytes = self.take(shape.0 * shape.1 * size)?;
        let matrix = compressed((low, range), shape, heads, bytes);
        match matrix.iter().all(|value| is_float(*value)) {
            true => Ok(matrix),
            false => Err(self
                .error("a compressed matrix with a value that is not finite in single precision")),
        }
    }

    /// The lines up to an empty one, the rest of the line where it stands left out.
    pub fn lines(&mut self) -> Result<Vec<String>, KaldiError> {
        let mut lines = Vec::new();
        let mut first = true;
        loop {
            let rest = self.rest();
            let end = rest.iter().position(|&byte| byte == b'\n');
            let end = end.ok_or_else(|| self.error("the config lines do not end"))?;
            let line = std::str::from_utf8(&rest[..end]);
            let line = line.map_err(|_| self.error("a config line is not UTF-8"))?;
            self.at += end + 1;
            if line.trim().is_empty() && !first {
                return Ok(lines);
            }
            if !first {
                lines.push(line.to_owned());
            }
            first = false;
        }
    }
}

fn words<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.chunks_exact(N).map(|word| word.try_into().expect("chunks of this size"))
}
