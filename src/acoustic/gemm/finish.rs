//! What happens to a product while it is still in registers: bias, ReLU, batch normalisation and
//! bypass.
//!
//! `y = max(x + bias, floor) · scale + shift + factor · bypass`, channel by channel, where a floor
//! of −∞ stands for no ReLU. A layer that lacks a step has its neutral element, so that one
//! branchless form serves all layers. Products and sums are rounded one by one, never fused: the
//! vector kernels then agree with their portable twins bit for bit.

/// Channels are padded to a multiple of this, the widest tile.
const PADDING: usize = 32;

/// The steps that depend on the channel alone.
#[derive(Clone, Debug)]
pub struct Activation {
    bias: Vec<f32>,
    floor: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// What an activation is made from; a slice has a value for each channel.
#[derive(Clone, Copy, Debug, Default)]
pub struct Steps<'a> {
    /// Added to the product.
    pub bias: Option<&'a [f32]>,
    /// Whether negative values are set to zero after that.
    pub relu: bool,
    /// Scale and shift of the batch normalisation, after the ReLU.
    pub norm: Option<[&'a [f32]; 2]>,
}

impl Activation {
    /// The activation of so many channels.
    ///
    /// # Panics
    /// A slice has another number of channels.
    pub fn new(channels: usize, steps: Steps<'_>) -> Self {
        let padded = |values: Option<&[f32]>, neutral: f32| {
            let mut all = values.map_or(vec![neutral; channels], <[f32]>::to_vec);
            assert_eq!(all.len(), channels, "a value for each channel");
            all.resize(channels.next_multiple_of(PADDING), neutral);
            all
        };
        let floor = if steps.relu { 0.0 } else { f32::NEG_INFINITY };
        Activation {
            bias: padded(steps.bias, 0.0),
            floor: padded(None, floor),
            scale: padded(steps.norm.map(|[scale, _]| scale), 1.0),
            shift: padded(steps.norm.map(|[_, shift]| shift), 0.0),
        }
    }

    /// The bias, padded.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }
}

/// An earlier output that is added last: rows of the shape of C.
#[derive(Clone, Copy, Debug)]
pub struct Bypass<'a> {
    /// From the row on that is added to C's first.
    pub rows: &'a [f32],
    /// What it is multiplied with.
    pub factor: f32,
}

/// All that happens to C after the product.
#[derive(Clone, Copy, Debug)]
pub struct Finish<'a> {
    /// By channel.
    pub activation: &'a Activation,
    /// In place of the activation's bias, padded alike ([`Activation::bias`]).
    pub bias: Option<&'a [f32]>,
    /// And by element.
    pub bypass: Option<Bypass<'a>>,
}

impl<'a> Finish<'a> {
    /// The part for the tile at `row` and `column` of a C with so many columns. Inlined, so that it
    /// is written where it is read: a copy would wait for the stores of its fields.
    #[inline(always)]
    pub(super) fn tile(&self, (row, column): (usize, usize), columns: usize) -> TileFinish<'a> {
        let Activation { bias, floor, scale, shift } = self.activation;
        let bias = self.bias.unwrap_or(bias);
        TileFinish {
            bias: &bias[column..],
            floor: &floor[column..],
            scale: &scale[column..],
            shift: &shift[column..],
            bypass: self.bypass.map(|bypass| TileBypass {
                rows: &bypass.rows[row * columns + column..],
                stride: columns,
                factor: bypass.factor,
            }),
        }
    }
}

/// [`Finish`] of one tile: slices begin at its first column and have a value for each column.
#[derive(Clone, Copy)]
pub(super) struct TileFinish<'a> {
    pub(super) bias: &'a [f32],
    pub(super) floor: &'a [f32],
    pub(super) scale: &'a [f32],
    pub(super) shift: &'a [f32],
    pub(super) bypass: Option<TileBypass<'a>>,
}

/// [`Bypass`] of one tile.
#[derive(Clone, Copy)]
pub(super) struct TileBypass<'a> {
    pub(super) rows: &'a [f32],
    /// Distance between rows.
    pub(super) stride: usize,
    pub(super) factor: f32,
}

/// Where a tile goes, and how.
pub(super) struct Destination<'a> {
    /// C, from the tile's first element on.
    pub(super) out: &'a mut [f32],
    /// Distance between rows of C.
    pub(super) stride: usize,
    pub(super) target: super::Target,
    pub(super) finish: Option<TileFinish<'a>>,
}

impl Destination<'_> {
    /// The portable twin of the vector kernels' `store`: one row of the tile.
    #[inline]
    pub(super) fn store(&mut self, row: usize, values: &[f32]) {
        let out = &mut self.out[row * self.stride..][..values.len()];
        for (column, (old, &value)) in out.iter_mut().zip(values).enumerate() {
            let mut value = match self.target {
                super::Target::Overwrite => value,
                super::Target::Add => value + *old,
            };
            if let Some(finish) = &self.finish {
                value += finish.bias[column];
                // Not `max`: what is not a number stays so.
                if finish.floor[column] > value {
                    value = finish.floor[column];
                }
                value = value * finish.scale[column] + finish.shift[column];
                if let Some(bypass) = &finish.bypass {
                    value += bypass.factor * bypass.rows[row * bypass.stride + column];
                }
            }
            *old = value;
        }
    }
}
