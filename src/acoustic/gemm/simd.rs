//! The x86-64 micro-kernels: AVX2 with FMA (6 × 16) and AVX-512 (14 × 32).
//!
//! Both keep the tile in registers over the whole depth: per step of the depth two vectors of
//! weights are loaded and each element of A is broadcast once for two fused multiply–adds. 12
//! accumulators of 16 registers and 28 of 32 leave just enough for the two weight vectors and one
//! broadcast. `store`, which finishes a tile, also serves the 8-bit kernels.
#![allow(unsafe_code)]

macro_rules! kernel {
    (
        $(#[$doc:meta])* $module:ident, $name:ident, $features:literal, $tile_rows:literal,
        $lanes:literal, $vector:ident,
        $zero:ident, $load:ident, $load_unaligned:ident, $store:ident, $broadcast:ident, $fma:ident,
        $add:ident, $mul:ident, $max:ident,
        [$($count:literal)*]
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use std::arch::x86_64::*;

            use super::super::driver::Tile;
            use super::super::finish::Destination;
            use super::super::{Operands, Target};

            const LANES: usize = $lanes;
            const ROWS: usize = $tile_rows;
            /// Columns of the tile: two vectors.
            pub(in super::super) const COLUMNS: usize = 2 * LANES;

            $(#[$doc])*
            pub(in super::super) struct $name;

            impl Tile for $name {
                const ROWS: usize = ROWS;
                const COLUMNS: usize = COLUMNS;
                type Operands<'a> = Operands<'a>;

                #[inline]
                fn multiply(count: usize, operands: &Operands<'_>, to: &mut Destination<'_>) {
                    match count {
                        // SAFETY: a matrix is packed for this kernel only after `Kernel::available`
                        // has detected these features, and only the kernel of its matrix is
                        // dispatched to.
                        $($count => unsafe { tile::<$count>(operands, to) },)*
                        _ => unreachable!("the driver asks for 1 to {ROWS} rows"),
                    }
                }
            }

            #[target_feature(enable = $features)]
            fn tile<const R: usize>(
                &Operands { rows, stride, panel }: &Operands<'_>,
                to: &mut Destination<'_>,
            ) {
                let depth = panel.len() / COLUMNS;
                assert!(rows.len() >= (R - 1) * stride + depth, "A holds all rows of the tile");
                assert!(panel.as_ptr().addr().is_multiple_of(4 * LANES), "panels are aligned");
                let mut sums = [[$zero(); 2]; R];
                // All weights together exceed the second-level cache, so each panel is fetched
                // while the one before it is used; beyond the last, nothing is read.
                let next = panel.as_ptr_range().end;
                for k in 0..depth {
                    // SAFETY: k < depth, so both vectors lie within the panel, which is aligned to
                    // a vector since its start is (asserted above) and COLUMNS is two vectors.
                    let weights = unsafe {
                        let at = panel.as_ptr().add(k * COLUMNS);
                        [$load(at), $load(at.add(LANES))]
                    };
                    for line in (0..COLUMNS).step_by(16) {
                        let at = next.wrapping_add(k * COLUMNS + line);
                        // SAFETY: a prefetch neither reads nor writes, whatever the address. Newer
                        // compilers take it for safe here; Rust 1.89 does not.
                        #[allow(unused_unsafe)]
                        unsafe {
                            _mm_prefetch::<_MM_HINT_T1>(at.cast());
                        }
                    }
                    for (r, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: r < R and k < depth; the first assertion covers (R − 1)·stride +
                        // depth elements.
                        let a = $broadcast(unsafe { *rows.get_unchecked(r * stride + k) });
                        sum[0] = $fma(a, weights[0], sum[0]);
                        sum[1] = $fma(a, weights[1], sum[1]);
                    }
                }
                store::<R>(|r, half| sums[r][half], to);
            }

            /// Finishes `R` rows of a tile, whose halves `value` returns, and writes them to C.
            #[target_feature(enable = $features)]
            pub(in super::super) fn store<const R: usize>(
                value: impl Fn(usize, usize) -> $vector,
                to: &mut Destination<'_>,
            ) {
                let &mut Destination { ref mut out, stride, target, finish } = to;
                assert!(out.len() >= (R - 1) * stride + COLUMNS, "C holds all rows of the tile");
                for half in 0..2 {
                    let load = |values: &[f32]| {
                        assert!(values.len() >= COLUMNS, "a value for each column");
                        // SAFETY: half < 2; asserted above.
                        unsafe { $load_unaligned(values.as_ptr().add(half * LANES)) }
                    };
                    let activation = finish.map(|finish| {
                        [load(finish.bias), load(finish.floor), load(finish.scale), load(finish.shift)]
                    });
                    let bypass = finish.and_then(|finish| finish.bypass);
                    if let Some(bypass) = bypass {
                        let length = (R - 1) * bypass.stride + COLUMNS;
                        assert!(bypass.rows.len() >= length, "the bypass holds all rows of the tile");
                    }
                    for r in 0..R {
                        // SAFETY: r < R and half < 2; the first assertion covers (R − 1)·stride +
                        // COLUMNS elements of C.
                        let at = unsafe { out.as_mut_ptr().add(r * stride + half * LANES) };
                        let mut value = value(r, half);
                        if target == Target::Add {
                            // SAFETY: as above.
                            value = $add(value, unsafe { $load_unaligned(at) });
                        }
                        if let Some([bias, floor, scale, shift]) = activation {
                            // The second operand of the maximum is what it gives for no number.
                            value = $max(floor, $add(value, bias));
                            value = $add($mul(value, scale), shift);
                        }
                        if let Some(bypass) = bypass {
                            // SAFETY: r < R and half < 2; asserted above.
                            let row = unsafe {
                                $load_unaligned(bypass.rows.as_ptr().add(r * bypass.stride + half * LANES))
                            };
                            value = $add(value, $mul($broadcast(bypass.factor), row));
                        }
                        // SAFETY: as for `at`.
                        unsafe { $store(at, value) };
                    }
                }
            }
        }
    };
}

kernel!(
    /// 256-bit vectors: 6 rows × 16 columns.
    avx2, Avx2, "avx2,fma", 6, 8, __m256,
    _mm256_setzero_ps, _mm256_load_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps,
    _mm256_add_ps, _mm256_mul_ps, _mm256_max_ps,
    [1 2 3 4 5 6]
);

kernel!(
    /// 512-bit vectors: 14 rows × 32 columns.
    avx512, Avx512, "avx512f", 14, 16, __m512,
    _mm512_setzero_ps, _mm512_load_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps,
    _mm512_add_ps, _mm512_mul_ps, _mm512_max_ps,
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
