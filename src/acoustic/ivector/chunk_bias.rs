//! Biases made of i-vectors, chunk by chunk.

/// What a layer multiplies an i-vector with, and adds to its bias.
pub(in super::super) struct IVectorWeights {
    /// The layer's own bias, padded, and columns of the weights, each padded alike.
    bias: Vec<f32>,
    columns: Vec<f32>,
    /// Input frames from one frame of the layer to the next.
    pub spacing: i64,
}

impl IVectorWeights {
    /// Of row-major weights with a row for each channel; `bias` may be longer than the channels.
    pub fn new(bias: &[f32], weights: &[f32], dim: usize, spacing: i64) -> IVectorWeights {
        let width = bias.len();
        let mut columns = vec![0.0; width * dim];
        for (channel, row) in weights.chunks_exact(dim).enumerate() {
            for (at, weight) in row.iter().enumerate() {
                columns[at * width + channel] = *weight;
            }
        }
        IVectorWeights { bias: bias.to_vec(), columns, spacing }
    }

    fn bias_of(&self, ivector: &[f32], to: &mut [f32]) {
        to.copy_from_slice(&self.bias);
        for (column, value) in self.columns.chunks_exact(self.bias.len()).zip(ivector) {
            to.iter_mut().zip(column).for_each(|(to, weight)| *to += weight * value);
        }
    }
}

/// The biases of the last chunks, of each layer that reads i-vectors.
#[derive(Clone)]
pub(in super::super) struct ChunkBiases {
    chunk: i64,
    /// Chunks from the one that a frame lies in back to the one that first reads it.
    lag: i64,
    /// The last chunk that has an i-vector; at the end all later frames have its own.
    last: i64,
    /// By layer: chunk `k` at `k % slots`.
    rings: Vec<Vec<f32>>,
    slots: usize,
}

impl ChunkBiases {
    pub(super) fn new<'w>(
        chunk: usize,
        right: usize,
        weights: impl Iterator<Item = &'w IVectorWeights>,
    ) -> ChunkBiases {
        let lag = right.div_ceil(chunk);
        let slots = lag + 2;
        ChunkBiases {
            chunk: chunk as i64,
            lag: lag as i64,
            last: 0,
            rings: weights.map(|weights| vec![0.0; slots * weights.bias.len()]).collect(),
            slots,
        }
    }

    /// Makes the biases of a chunk.
    pub(super) fn set<'w>(
        &mut self,
        chunk: usize,
        ivector: &[f32],
        weights: impl Iterator<Item = &'w IVectorWeights>,
    ) {
        self.last = chunk as i64;
        let slot = chunk % self.slots;
        for (ring, weights) in self.rings.iter_mut().zip(weights) {
            let width = weights.bias.len();
            weights.bias_of(ivector, &mut ring[slot * width..][..width]);
        }
    }

    /// The chunk whose i-vector an input frame has, and the first input frame of the next.
    fn chunk_of(&self, time: i64) -> (i64, i64) {
        let at = time.div_euclid(self.chunk) - self.lag;
        let chunk = at.clamp(0, self.last);
        // At the end all frames that are left have the last i-vector.
        let end = match chunk == self.last {
            true => i64::MAX,
            false => (chunk + self.lag + 1) * self.chunk,
        };
        (chunk, end)
    }

    /// The bias of layer `at` at an input frame, and the first input frame that has another.
    pub fn at(&self, at: usize, time: i64) -> (&[f32], i64) {
        let (chunk, end) = self.chunk_of(time);
        let ring = &self.rings[at];
        let width = ring.len() / self.slots;
        (&ring[(chunk as usize % self.slots) * width..][..width], end)
    }
}
