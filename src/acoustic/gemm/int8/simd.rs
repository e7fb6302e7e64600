//! The x86-64 micro-kernels around `vpdpbusd`: AVX-VNNI (6 × 16) and AVX-512 VNNI (14 × 32).
//!
//! Tiles and registers are those of the float kernels. A step of the depth takes four elements of
//! each row, broadcast as one 32-bit word, and four weights of each column.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

macro_rules! kernel {
    (
        $(#[$doc:meta])* $module:ident, $name:ident, $features:literal, $float:ident, $tile_rows:literal,
        $integers:ident,
        $zero:ident, $load:ident, $load_floats:ident, $broadcast:ident, $broadcast_float:ident, $dot:ident,
        $convert:ident, $add:ident, $mul:ident, $sum:ident, $floats:ident, $min:ident, $max:ident,
        $quarters:ident,
        [$($count:literal: $chains:literal),*]
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use std::arch::x86_64::*;

            use super::super::super::driver::Tile;
            use super::super::super::finish::Destination;
            use super::super::super::simd::$float;
            use super::super::super::Cells;
            use super::super::super::cells::Run;
            use super::super::rows::{Columns, Level, write_row};
            use super::super::{GROUP, Operands, QuantisedRows};
            use super::{greatest_lane, least_lane};

            const ROWS: usize = $tile_rows;
            /// Columns of the tile: two vectors.
            pub(in super::super) const COLUMNS: usize = $float::COLUMNS;
            const LANES: usize = COLUMNS / 2;

            $(#[$doc])*
            pub(in super::super) struct $name;

            impl Tile for $name {
                const ROWS: usize = ROWS;
                const COLUMNS: usize = COLUMNS;
                type Operands<'a> = Operands<'a>;

                #[inline]
                fn multiply(count: usize, operands: &Operands<'_>, to: &mut Destination<'_>) {
                    match count {
                        // SAFETY: a matrix is packed for this kernel only after
                        // `DotKernel::available` has detected these features, and only the kernel
                        // of its matrix is dispatched to.
                        $($count => unsafe { tile::<$count, $chains>(operands, to) },)*
                        _ => unreachable!("the driver asks for 1 to {ROWS} rows"),
                    }
                }
            }

            /// A product has `N` sums, each of every N-th group of the depth: where rows are few,
            /// an addition would otherwise wait for the one before it.
            #[target_feature(enable = $features)]
            fn tile<const R: usize, const N: usize>(operands: &Operands<'_>, to: &mut Destination<'_>) {
                let Operands { rows, stride, levels, panel, scales, sums } = *operands;
                let groups = panel.len() / (COLUMNS * GROUP);
                assert!(rows.len() >= (R - 1) * stride + groups * GROUP, "A holds all rows of the tile");
                assert!(panel.as_ptr().addr().is_multiple_of(4 * LANES), "panels are aligned");
                let mut dots = [[[$zero(); 2]; R]; N];
                let add = |dots: &mut [[$integers; 2]; R], k: usize| {
                    // SAFETY: k < groups, so both vectors lie within the panel, which is aligned to
                    // a vector since its start is (asserted above) and COLUMNS is two vectors.
                    let weights = unsafe {
                        let at = panel.as_ptr().cast::<$integers>().add(2 * k);
                        [$load(at), $load(at.add(1))]
                    };
                    for (r, dot) in dots.iter_mut().enumerate() {
                        // SAFETY: r < R and k < groups; the first assertion covers (R − 1)·stride +
                        // groups·GROUP elements.
                        let a = $broadcast(unsafe {
                            rows.as_ptr().add(r * stride + k * GROUP).cast::<i32>().read_unaligned()
                        });
                        dot[0] = $dot(dot[0], a, weights[0]);
                        dot[1] = $dot(dot[1], a, weights[1]);
                    }
                };
                let whole = groups - groups % N;
                for first in (0..whole).step_by(N) {
                    for (n, dots) in dots.iter_mut().enumerate() {
                        add(dots, first + n);
                    }
                }
                for k in whole..groups {
                    add(&mut dots[0], k);
                }
                let (dots, others) = dots.split_first_mut().expect("a product has a sum");
                for other in others {
                    for (dot, other) in dots.iter_mut().zip(other) {
                        *dot = [$sum(dot[0], other[0]), $sum(dot[1], other[1])];
                    }
                }
                assert!(scales.len() >= COLUMNS && sums.len() >= COLUMNS, "a value for each column");
                let levels = &levels[..R];
                let value = |r: usize, half: usize| {
                    // SAFETY: half < 2; asserted above.
                    let (scale, sum) = unsafe {
                        let at = half * LANES;
                        ($load_floats(scales.as_ptr().add(at)), $load_floats(sums.as_ptr().add(at)))
                    };
                    let dot = $mul($convert(dots[r][half]), scale);
                    let dot = $mul(dot, $broadcast_float(levels[r].scale));
                    $add(dot, $mul($broadcast_float(levels[r].minimum), sum))
                };
                $float::store::<R>(value, to);
            }

            /// [`QuantisedRows::quantise`] by the functions of this kernel.
            pub(in super::super) fn quantise(
                to: &mut QuantisedRows,
                cells: &Cells,
                data: &[f32],
                groups: (usize, usize),
            ) {
                #[target_feature(enable = $features)]
                fn columns(
                    by: &mut Columns,
                    cells: &Cells,
                    data: &[f32],
                    to: (&mut [u8], usize),
                    levels: &mut [Level],
                ) {
                    by.quantise(cells, data, to, levels);
                }
                to.quantise(
                    cells,
                    data,
                    groups,
                    // SAFETY: rows are quantised for the kernel of a matrix, for which
                    // `DotKernel::available` has detected these features.
                    |runs, from, to| unsafe { row(runs, from, to) },
                    // SAFETY: as above.
                    |by, cells, data, to, levels| unsafe { columns(by, cells, data, to, levels) },
                );
            }

            /// Quantises a row.
            #[target_feature(enable = $features)]
            fn row(runs: &[Run], (data, width): (&[f32], usize), values: &mut [u8]) -> Level {
                let (infinity, minus_infinity) =
                    ($broadcast_float(f32::INFINITY), $broadcast_float(f32::NEG_INFINITY));
                let (mut low, mut high) = ([infinity; 2], [minus_infinity; 2]);
                let mut widen = |values: &[f32; COLUMNS]| {
                    let values = two(values);
                    // The second operand is what is kept where the first is not a number.
                    low = [$min(values[0], low[0]), $min(values[1], low[1])];
                    high = [$max(values[0], high[0]), $max(values[1], high[1])];
                };
                for run in runs {
                    let from = run.values(data, width).unwrap_or(&[0.0]);
                    let (whole, rest) = from.as_chunks();
                    for values in whole {
                        widen(values);
                    }
                    if let Some(&first) = rest.first() {
                        let mut filled = [first; COLUMNS];
                        filled[..rest.len()].copy_from_slice(rest);
                        widen(&filled);
                    }
                }
                let low = least_lane(super::$quarters($min(low[1], low[0])));
                let high = greatest_lane(super::$quarters($max(high[1], high[0])));
                write_row(runs, (data, width), [low, high], values)
            }

            /// The values of two vectors.
            #[target_feature(enable = $features)]
            #[inline]
            fn two(values: &[f32; COLUMNS]) -> [$floats; 2] {
                // SAFETY: the values fill two vectors.
                unsafe { [$load_floats(values.as_ptr()), $load_floats(values.as_ptr().add(LANES))] }
            }
        }
    };
}

/// The halves of a vector, each twice.
#[target_feature(enable = "avx2")]
#[inline]
fn quarters_256(lanes: __m256) -> [__m128; 4] {
    let [low, high] = [_mm256_castps256_ps128(lanes), _mm256_extractf128_ps::<1>(lanes)];
    [low, high, low, high]
}

/// The quarters of a vector.
#[target_feature(enable = "avx512f")]
#[inline]
fn quarters_512(lanes: __m512) -> [__m128; 4] {
    [
        _mm512_castps512_ps128(lanes),
        _mm512_extractf32x4_ps::<1>(lanes),
        _mm512_extractf32x4_ps::<2>(lanes),
        _mm512_extractf32x4_ps::<3>(lanes),
    ]
}

/// The least of all lanes.
#[target_feature(enable = "avx2")]
#[inline]
fn least_lane([a, b, c, d]: [__m128; 4]) -> f32 {
    let lanes = _mm_min_ps(_mm_min_ps(a, b), _mm_min_ps(c, d));
    let lanes = _mm_min_ps(_mm_movehl_ps(lanes, lanes), lanes);
    _mm_cvtss_f32(_mm_min_ss(_mm_movehdup_ps(lanes), lanes))
}

/// The greatest of all lanes.
#[target_feature(enable = "avx2")]
#[inline]
fn greatest_lane([a, b, c, d]: [__m128; 4]) -> f32 {
    let lanes = _mm_max_ps(_mm_max_ps(a, b), _mm_max_ps(c, d));
    let lanes = _mm_max_ps(_mm_movehl_ps(lanes, lanes), lanes);
    _mm_cvtss_f32(_mm_max_ss(_mm_movehdup_ps(lanes), lanes))
}

kernel!(
    /// 256-bit vectors: 6 rows × 16 columns.
    avx_vnni, AvxVnni, "avx2,fma,avxvnni", avx2, 6, __m256i,
    _mm256_setzero_si256, _mm256_load_si256, _mm256_loadu_ps, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_dpbusd_avx_epi32, _mm256_cvtepi32_ps, _mm256_add_ps, _mm256_mul_ps, _mm256_add_epi32, __m256,
    _mm256_min_ps, _mm256_max_ps, quarters_256,
    [1: 4, 2: 2, 3: 2, 4: 1, 5: 1, 6: 1]
);

kernel!(
    /// 512-bit vectors: 14 rows × 32 columns.
    avx512_vnni, Avx512Vnni, "avx512f,avx512bw,avx512vl,avx512vnni", avx512, 14, __m512i,
    _mm512_setzero_si512, _mm512_load_si512, _mm512_loadu_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_dpbusd_epi32, _mm512_cvtepi32_ps, _mm512_add_ps, _mm512_mul_ps, _mm512_add_epi32, __m512,
    _mm512_min_ps, _mm512_max_ps, quarters_512,
    [1: 6, 2: 4, 3: 2, 4: 2, 5: 2, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1, 12: 1, 13: 1, 14: 1]
);
