//! Kaldi's binary form of tokens, numbers, vectors and matrices, as bytes.
//!
//! Numbers carry their size in front, tokens end in a blank (`base/io-funcs.h`,
//! `matrix/kaldi-matrix.cc`).

/// Collects the bytes of a Kaldi object.
pub(super) struct Output {
    bytes: Vec<u8>,
}

impl Output {
    /// A file in binary mode.
    pub fn new() -> Self {
        Output { bytes: b"\0B".to_vec() }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    pub fn token(&mut self, token: &str) -> &mut Self {
        self.bytes.extend(token.bytes());
        self.bytes.push(b' ');
        self
    }

    /// Bytes as they are: the text of config lines.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend(bytes);
        self
    }

    pub fn int(&mut self, value: i32) -> &mut Self {
        self.bytes.push(4);
        self.raw(&value.to_le_bytes())
    }

    /// An integer of eight bytes.
    pub fn long(&mut self, value: i64) -> &mut Self {
        self.bytes.push(8);
        self.raw(&value.to_le_bytes())
    }

    /// A size or an id that the model's limits keep far below 2³¹.
    pub fn size(&mut self, value: usize) -> &mut Self {
        self.int(i32::try_from(value).expect("sizes of a validated model fit 31 bits"))
    }

    pub fn float(&mut self, value: f32) -> &mut Self {
        self.bytes.push(4);
        self.raw(&value.to_le_bytes())
    }

    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"T" } else { b"F" })
    }

    pub fn ints(&mut self, values: &[i32]) -> &mut Self {
        self.bytes.push(4);
        self.raw(&(values.len() as u32).to_le_bytes());
        values.iter().for_each(|value| {
            self.raw(&value.to_le_bytes());
        });
        self
    }

    /// Pairs of integers, a count of pairs in front.
    pub fn pairs(&mut self, values: &[(i32, i32)]) -> &mut Self {
        self.bytes.push(4);
        self.raw(&(values.len() as u32).to_le_bytes());
        for (first, second) in values {
            self.raw(&first.to_le_bytes()).raw(&second.to_le_bytes());
        }
        self
    }

    pub fn vector(&mut self, values: &[f32]) -> &mut Self {
        self.token("FV").size(values.len());
        self.floats(values)
    }

    /// A matrix of `values.len() / rows` columns, row-major.
    pub fn matrix(&mut self, values: &[f32], rows: usize) -> &mut Self {
        let columns = values.len() / rows.max(1);
        self.token("FM").size(rows).size(columns);
        self.floats(values)
    }

    fn floats(&mut self, values: &[f32]) -> &mut Self {
        self.bytes.reserve(4 * values.len());
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        self.bytes.extend(bytes);
        self
    }
}
