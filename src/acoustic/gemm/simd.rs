//! The x86-64 micro-kernels: AVX2 with FMA (6 × 16) and AVX-512 (14 × 32).
//!
//! Both keep the tile in registers over the whole depth: per step of the depth two vectors of
//! weights are loaded and each element of A is broadcast once for two fused multiply–adds. 12
//! accumulators of 16 registers and 28 of 32 leave just enough for the two weight vectors and one
//! broadcast.
#![allow(unsafe_code)]

macro_rules! kernel {
    (
        $(#[$doc:meta])* $module:ident, $name:ident, $features:literal, $tile_rows:literal,
        $lanes:literal,
        $zero:ident, $load:ident, $load_unaligned:ident, $store:ident, $broadcast:ident, $fma:ident, $add:ident,
        [$($count:literal)*]
    ) => {
        $(#[$doc])*
        pub(super) mod $module {
            use std::arch::x86_64::*;

            use super::super::Target;
            use super::super::driver::{Operands, Tile};

            const LANES: usize = $lanes;
            const ROWS: usize = $tile_rows;
            /// Columns of the tile: two vectors.
            pub(in super::super) const COLUMNS: usize = 2 * LANES;

            $(#[$doc])*
            pub(in super::super) struct $name;

            impl Tile for $name {
                const ROWS: usize = ROWS;
                const COLUMNS: usize = COLUMNS;

                #[inline]
                fn multiply(
                    count: usize,
                    operands: Operands<'_>,
                    out: &mut [f32],
                    out_stride: usize,
                    target: Target,
                ) {
                    match count {
                        // SAFETY: a matrix is packed for this kernel only after `Kernel::available`
                        // has detected these features, and only the kernel of its matrix is
                        // dispatched to.
                        $($count => unsafe { tile::<$count>(operands, out, out_stride, target) },)*
                        _ => unreachable!("the driver asks for 1 to {ROWS} rows"),
                    }
                }
            }

            #[target_feature(enable = $features)]
            fn tile<const R: usize>(
                Operands { rows, stride, panel }: Operands<'_>,
                out: &mut [f32],
                out_stride: usize,
                target: Target,
            ) {
                let depth = panel.len() / COLUMNS;
                assert!(rows.len() >= (R - 1) * stride + depth, "A holds all rows of the tile");
                assert!(out.len() >= (R - 1) * out_stride + COLUMNS, "C holds all rows of the tile");
                assert!(panel.as_ptr().addr().is_multiple_of(4 * LANES), "panels are aligned");
                let mut sums = [[$zero(); 2]; R];
                for k in 0..depth {
                    // SAFETY: k < depth, so both vectors lie within the panel, which is aligned to
                    // a vector since its start is (asserted above) and COLUMNS is two vectors.
                    let weights = unsafe {
                        let at = panel.as_ptr().add(k * COLUMNS);
                        [$load(at), $load(at.add(LANES))]
                    };
                    for (r, sum) in sums.iter_mut().enumerate() {
                        // SAFETY: r < R and k < depth; the first assertion covers (R − 1)·stride +
                        // depth elements.
                        let a = $broadcast(unsafe { *rows.get_unchecked(r * stride + k) });
                        sum[0] = $fma(a, weights[0], sum[0]);
                        sum[1] = $fma(a, weights[1], sum[1]);
                    }
                }
                for (r, sum) in sums.iter().enumerate() {
                    for (half, &new) in sum.iter().enumerate() {
                        // SAFETY: r < R and half < 2; the second assertion covers (R −
                        // 1)·out_stride + COLUMNS elements of C.
                        unsafe {
                            let at = out.as_mut_ptr().add(r * out_stride + half * LANES);
                            let sum = if target == Target::Add { $add(new, $load_unaligned(at)) } else { new };
                            $store(at, sum);
                        }
                    }
                }
            }
        }
    };
}

kernel!(
    /// 256-bit vectors: 6 rows × 16 columns.
    avx2, Avx2, "avx2,fma", 6, 8,
    _mm256_setzero_ps, _mm256_load_ps, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_add_ps,
    [1 2 3 4 5 6]
);

kernel!(
    /// 512-bit vectors: 14 rows × 32 columns.
    avx512, Avx512, "avx512f", 14, 16,
    _mm512_setzero_ps, _mm512_load_ps, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_add_ps,
    [1 2 3 4 5 6 7 8 9 10 11 12 13 14]
);
