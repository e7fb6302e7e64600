//! The x86-64 micro-kernels around `vpdpbusd`: AVX-VNNI (6 × 16) and AVX-512 VNNI (14 × 32).
//!
//! Tiles and registers are those of the float kernels. A step of the depth takes four elements of
//! each row, broadcast as one 32-bit word, and four weights of each column.
#![allow(unsafe_code)]

macro_rules! kernel {
    (
        $(#[$doc:meta])* $module:ident, $name:ident, $features:literal, $float:ident, $tile_rows:literal,
        $integers:ident,
        $zero:ident, $load:ident, $load_floats:ident, $broadcast:ident, $broadcast_float:ident, $dot:ident,
        $convert:ident, $add:ident, $mul:ident,
        [$($count:literal)*]
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use std::arch::x86_64::*;

            use super::super::super::driver::Tile;
            use super::super::super::finish::Destination;
            use super::super::super::simd::$float;
            use super::super::super::Cells;
            use super::super::{GROUP, Operands, QuantisedRows};

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
                        $($count => unsafe { tile::<$count>(operands, to) },)*
                        _ => unreachable!("the driver asks for 1 to {ROWS} rows"),
                    }
                }
            }

            #[target_feature(enable = $features)]
            fn tile<const R: usize>(operands: &Operands<'_>, to: &mut Destination<'_>) {
                let Operands { rows, stride, levels, panel, scales, sums } = *operands;
                let groups = panel.len() / (COLUMNS * GROUP);
                assert!(rows.len() >= (R - 1) * stride + groups * GROUP, "A holds all rows of the tile");
                assert!(panel.as_ptr().addr().is_multiple_of(4 * LANES), "panels are aligned");
                let mut dots = [[$zero(); 2]; R];
                for k in 0..groups {
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
                }
                assert!(scales.len() >= COLUMNS && sums.len() >= COLUMNS, "a value for each column");
                let levels = &levels[..R];
                let mut values = [[$broadcast_float(0.0); 2]; R];
                for half in 0..2 {
                    // SAFETY: half < 2; asserted above.
                    let (scale, sum) = unsafe {
                        let at = half * LANES;
                        ($load_floats(scales.as_ptr().add(at)), $load_floats(sums.as_ptr().add(at)))
                    };
                    for r in 0..R {
                        let dot = $mul($convert(dots[r][half]), scale);
                        let dot = $mul(dot, $broadcast_float(levels[r].scale));
                        values[r][half] = $add(dot, $mul($broadcast_float(levels[r].minimum), sum));
                    }
                }
                $float::store(&values, to);
            }

            /// [`QuantisedRows::quantise`], compiled with the features of this kernel.
            pub(in super::super) fn quantise(
                to: &mut QuantisedRows,
                cells: &Cells,
                data: &[f32],
                groups: (usize, usize),
            ) {
                #[target_feature(enable = $features)]
                fn compiled(
                    to: &mut QuantisedRows,
                    cells: &Cells,
                    data: &[f32],
                    groups: (usize, usize),
                ) {
                    to.quantise(cells, data, groups);
                }
                // SAFETY: rows are quantised for the kernel of a matrix, for which
                // `DotKernel::available` has detected these features.
                unsafe { compiled(to, cells, data, groups) }
            }
        }
    };
}

kernel!(
    /// 256-bit vectors: 6 rows × 16 columns.
    avx_vnni, AvxVnni, "avx2,fma,avxvnni", avx2, 6, __m256i,
    _mm256_setzero_si256, _mm256_load_si256, _mm256_loadu_ps, _mm256_set1_epi32, _mm256_set1_ps,
    _mm256_dpbusd_avx_epi32, _mm256_cvtepi32_ps, _mm256_add_ps, _mm256_mul_ps,
    [1 2 3 4 5 6]
);

kernel!(
    /// 512-bit vectors: 14 rows × 32 columns.
    avx512_vnni, Avx512Vnni, "avx512f,avx512vnni", avx512, 14, __m512i,
    _mm512_setzero_si512, _mm512_load_si512, _mm512_loadu_ps, _mm512_set1_epi32, _mm512_set1_ps,
    _mm512_dpbusd_epi32, _mm512_cvtepi32_ps, _mm512_add_ps, _mm512_mul_ps,
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
