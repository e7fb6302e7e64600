//! Linear forms: a value as a sum of matrices times what layers put out at some time offsets, plus
//! a constant. What stands between two nonlinearities of a network folds into one of these.

use ndarray::{Array2, Axis, s};

use super::super::matrix::Matrix;

/// What a form reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// The features.
    Input,
    /// The i-vector, which does not change from frame to frame but from chunk to chunk: at which
    /// offset it is read makes no difference beyond a chunk's edges, and is left out.
    IVector,
    /// The output of a layer.
    Layer(usize),
}

/// How values of a source enter a form.
#[derive(Clone, Debug)]
pub(super) enum Map {
    /// Each times a factor.
    Diagonal(Vec<f32>),
    Dense(Matrix),
}

/// One summand: `map` times the columns of the source from `column` on, at `offset`, added to the
/// rows from `row` on.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub source: Source,
    pub offset: i32,
    pub row: usize,
    pub column: usize,
    pub map: Map,
}

/// A linear form of `width` values.
#[derive(Clone, Debug)]
pub(super) struct Form {
    pub width: usize,
    pub terms: Vec<Term>,
    pub bias: Vec<f32>,
}

impl Map {
    fn rows(&self) -> usize {
        match self {
            Map::Diagonal(factors) => factors.len(),
            Map::Dense(matrix) => matrix.nrows(),
        }
    }

    fn columns(&self) -> usize {
        match self {
            Map::Diagonal(factors) => factors.len(),
            Map::Dense(matrix) => matrix.ncols(),
        }
    }
}

impl Form {
    /// The columns of a source as they are.
    pub fn identity(source: Source, column: usize, width: usize) -> Form {
        let term = Term { source, offset: 0, row: 0, column, map: Map::Diagonal(vec![1.0; width]) };
        Form { width, terms: vec![term], bias: vec![0.0; width] }
    }

    /// The layer whose output this is, unchanged; `None` if it is anything else. `width` is that of
    /// a layer.
    pub fn as_layer(&self, width: impl Fn(usize) -> usize) -> Option<usize> {
        let (layer, factor) = self.as_scaled_layer(width)?;
        (factor == 1.0).then_some(layer)
    }

    /// The layer whose output times a factor this is.
    pub fn as_scaled_layer(&self, width: impl Fn(usize) -> usize) -> Option<(usize, f32)> {
        let [term] = &self.terms[..] else { return None };
        let (Source::Layer(layer), Map::Diagonal(factors)) = (term.source, &term.map) else {
            return None;
        };
        let factor = *factors.first()?;
        let whole = (term.offset, term.row, term.column) == (0, 0, 0)
            && factors.len() == self.width
            && width(layer) == self.width;
        let plain = factors.iter().all(|other| *other == factor)
            && self.bias.iter().all(|bias| *bias == 0.0);
        (whole && plain).then_some((layer, factor))
    }

    /// Whether no summand multiplies by a matrix.
    pub fn is_elementary(&self) -> bool {
        let mut maps = self.terms.iter().map(|term| &term.map);
        maps.all(|map| matches!(map, Map::Diagonal(_)))
    }

    pub fn shifted(mut self, offset: i32) -> Form {
        for term in self.terms.iter_mut().filter(|term| term.source != Source::IVector) {
            term.offset = term.offset.saturating_add(offset);
        }
        self
    }

    /// Each value times its factor, plus its shift; both repeat.
    pub fn scaled(mut self, factors: &[f32], shifts: &[f32]) -> Form {
        let factor = |row: usize| factors[row % factors.len()];
        for term in &mut self.terms {
            let first = term.row;
            match &mut term.map {
                Map::Diagonal(values) => {
                    (first..).zip(values).for_each(|(row, value)| *value *= factor(row))
                }
                Map::Dense(matrix) => (first..)
                    .zip(matrix.rows_mut())
                    .for_each(|(row, mut values)| values *= factor(row)),
            }
        }
        for (row, bias) in self.bias.iter_mut().enumerate() {
            *bias = *bias * factor(row) + shifts[row % shifts.len()];
        }
        self
    }

    /// One behind the other.
    pub fn append(parts: Vec<Form>) -> Form {
        let mut all = Form { width: 0, terms: Vec::new(), bias: Vec::new() };
        for mut part in parts {
            part.terms.iter_mut().for_each(|term| term.row += all.width);
            all.terms.append(&mut part.terms);
            all.bias.append(&mut part.bias);
            all.width += part.width;
        }
        all
    }

    /// The sum of forms of the same width.
    pub fn sum(parts: Vec<Form>) -> Option<Form> {
        let mut parts = parts.into_iter();
        let mut all = parts.next()?;
        for mut part in parts {
            if part.width != all.width {
                return None;
            }
            all.terms.append(&mut part.terms);
            all.bias.iter_mut().zip(&part.bias).for_each(|(to, bias)| *to += bias);
        }
        Some(all)
    }

    /// Value `i` is what was value `order[i]`.
    pub fn permuted(&self, order: &[i32]) -> Option<Form> {
        let mut matrix = Array2::zeros((order.len(), self.width));
        for (row, column) in order.iter().enumerate() {
            let column = usize::try_from(*column).ok().filter(|column| *column < self.width)?;
            matrix[[row, column]] = 1.0;
        }
        Some(self.under(&matrix, &vec![0.0; order.len()]))
    }

    /// `weights` times this, plus `bias`.
    pub fn under(&self, weights: &Matrix, bias: &[f32]) -> Form {
        let terms = self.terms.iter().map(|term| {
            let part = weights.slice(s![.., term.row..term.row + term.map.rows()]);
            let map = match &term.map {
                Map::Diagonal(factors) => {
                    let mut part = part.to_owned();
                    for (mut column, factor) in part.axis_iter_mut(Axis(1)).zip(factors) {
                        column *= *factor;
                    }
                    part
                }
                Map::Dense(matrix) => part.dot(matrix),
            };
            Term { map: Map::Dense(map), row: 0, ..*term }
        });
        let constant = ndarray::ArrayView1::from(&self.bias);
        let constant = weights.dot(&constant);
        Form {
            width: weights.nrows(),
            terms: terms.collect(),
            bias: constant.iter().zip(bias).map(|(a, b)| a + b).collect(),
        }
    }

    /// The places it reads: sources and offsets, each once, ascending.
    pub fn places(&self) -> Vec<(Source, i32)> {
        let places = self.terms.iter().map(|term| (term.source, term.offset));
        let mut places: Vec<_> = places.collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Weights that it would have as a layer, of sources of this width.
    pub fn weight_count(&self, width: impl Fn(Source) -> usize) -> usize {
        let places = self.places();
        let read: usize = places.iter().map(|(source, _)| width(*source)).sum();
        self.width * read
    }

    /// The offsets and weights of a layer that computes it from one source of this width: offsets
    /// ascending, weights offset-major. No offsets where the source is not read.
    pub fn weights(&self, source: Source, width: usize) -> (Vec<i32>, Matrix) {
        let places = self.places();
        let offsets = places.iter().filter(|place| place.0 == source).map(|place| place.1);
        let offsets: Vec<i32> = offsets.collect();
        let mut weights = Matrix::zeros((self.width, offsets.len() * width));
        for term in self.terms.iter().filter(|term| term.source == source) {
            let at = offsets.binary_search(&term.offset).expect("every offset is listed");
            let first = at * width + term.column;
            let columns = first..first + term.map.columns();
            let rows = term.row..term.row + term.map.rows();
            let mut part = weights.slice_mut(s![rows, columns]);
            match &term.map {
                Map::Dense(matrix) => part += matrix,
                Map::Diagonal(factors) => {
                    part.diag_mut().iter_mut().zip(factors).for_each(|(to, factor)| *to += factor)
                }
            }
        }
        (offsets, weights)
    }
}
