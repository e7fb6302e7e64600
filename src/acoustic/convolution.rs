//! Convolution over time and height: a row of features seen as a plane of heights and channels.
//!
//! Value (height, channel) of a row lies at `height · channels + channel`. An output height reads
//! the channels of a few neighbouring heights, at the layer's time offsets; heights beyond the
//! edges are zero. All outputs of all heights are one product, of their neighbourhoods with weights
//! that every height shares (im2col). Floats are gathered for it; integers are quantised from where
//! they lie.

use super::description::LayerDescription;
use super::gemm::Cells;

/// The neighbourhoods of an output row's heights: time outermost, then heights. Cells are the
/// heights of the input, a group is an output row.
///
/// None for a layer that is no convolution; the layer is a validated one.
pub(super) fn neighbourhoods(layer: &LayerDescription) -> Option<Cells> {
    let convolution = layer.convolution.as_ref()?;
    let (first, heights) = (*layer.offsets.first()?, convolution.height);
    let place = |time: i32, centre: usize, offset: i32| {
        let height = centre.checked_add_signed(offset as isize);
        let inside = height.filter(|height| *height < heights);
        inside.map(|height| ((time - first) as usize * heights + height) as u32)
    };
    let mut places = Vec::new();
    for centre in (0..heights).step_by(convolution.height_stride) {
        for &time in &layer.offsets {
            let offsets = convolution.height_offsets.iter();
            places.extend(offsets.map(|&offset| place(time, centre, offset)));
        }
    }
    let per_row = layer.offsets.len() * convolution.height_offsets.len();
    Some(Cells::new(layer.input_dim / heights, per_row, &places))
}
