//! Convolution over time and height: a row of features seen as a plane of heights and channels.
//!
//! Value (height, channel) of a row lies at `height · channels + channel`. An output height reads
//! the channels of a few neighbouring heights, at the layer's time offsets; heights beyond the
//! edges are zero. All outputs of all heights are one product, of the gathered neighbourhoods with
//! weights that every height shares (im2col). Along time nothing is copied for other layers; here
//! the heights would make runs of a few floats each, and gathering them costs less than that.

use super::description::LayerDescription;
use super::gemm::int8::Cells;

/// The geometry of a convolutional layer.
pub(super) struct Plane {
    height: usize,
    channels: usize,
    height_stride: usize,
    height_offsets: Vec<i32>,
    /// Time offsets, relative to the smallest.
    times: Vec<usize>,
}

impl Plane {
    /// The geometry of a validated layer, if it is a convolution.
    pub(super) fn of(layer: &LayerDescription) -> Option<Plane> {
        let convolution = layer.convolution.as_ref()?;
        let first = *layer.offsets.first()?;
        Some(Plane {
            height: convolution.height,
            channels: layer.input_dim / convolution.height,
            height_stride: convolution.height_stride,
            height_offsets: convolution.height_offsets.clone(),
            times: layer.offsets.iter().map(|time| (time - first) as usize).collect(),
        })
    }

    /// Heights of an output row.
    pub(super) fn heights(&self) -> usize {
        self.height.div_ceil(self.height_stride)
    }

    /// Values in the neighbourhood of one output height: time outermost, channels innermost.
    pub(super) fn depth(&self) -> usize {
        self.times.len() * self.height_offsets.len() * self.channels
    }

    /// Cells of an input row: its heights.
    pub(super) fn cells_of_frame(&self) -> usize {
        self.height
    }

    /// The neighbourhoods of an output row's heights, in the order of [`Plane::gather`].
    pub(super) fn cells(&self) -> Cells {
        let centres = (0..self.height).step_by(self.height_stride);
        let places = centres.flat_map(|centre| {
            let place = move |time: usize, offset: i32| {
                let height = centre.checked_add_signed(offset as isize);
                let inside = height.filter(|height| *height < self.height);
                inside.map(|height| (time * self.height + height) as u32)
            };
            let times = self.times.iter();
            times.flat_map(move |&time| {
                self.height_offsets.iter().map(move |&offset| place(time, offset))
            })
        });
        let per_row = self.times.len() * self.height_offsets.len();
        Cells::new(self.channels, per_row, places.collect())
    }

    /// Writes the neighbourhoods of `count` output rows, one after the other, into `out`, which
    /// grows to the longest it ever had to be. Output row `r` reads `input` from row `r · stride`
    /// on.
    pub(super) fn gather<'a>(
        &self,
        input: &[f32],
        stride: usize,
        count: usize,
        out: &'a mut Vec<f32>,
    ) -> &'a [f32] {
        let length = count * self.heights() * self.depth();
        if out.len() < length {
            out.resize(length, 0.0);
        }
        let out = &mut out[..length];
        let width = self.height * self.channels;
        let mut parts = out.chunks_exact_mut(self.channels);
        for row in (0..count).map(|row| row * stride) {
            for centre in (0..self.height).step_by(self.height_stride) {
                for time in &self.times {
                    let plane = &input[(row + time) * width..][..width];
                    for offset in &self.height_offsets {
                        let part = parts.next().expect("as many parts as the length says");
                        match centre.checked_add_signed(*offset as isize) {
                            Some(height) if height < self.height => part
                                .copy_from_slice(&plane[height * self.channels..][..self.channels]),
                            _ => part.fill(0.0),
                        }
                    }
                }
            }
        }
        out
    }
}
