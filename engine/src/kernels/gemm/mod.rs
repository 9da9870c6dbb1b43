//! Matrix products: rows of activations times packed weights. Convolutions, fully connected layers
//! and transposed convolutions are this, once their windows are rows.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512vnni;
#[cfg(target_arch = "x86_64")]
mod avxvnni;
#[cfg(target_arch = "aarch64")]
mod dotprod;
mod float;
#[cfg(target_arch = "aarch64")]
mod i8mm;
#[cfg(target_arch = "aarch64")]
mod neon;
mod packing;
mod peak;
#[cfg(target_arch = "aarch64")]
mod q128;
mod reals;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod relaxed;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod tiles;
#[cfg(target_arch = "x86_64")]
mod ymm;

pub(crate) use float::{FloatRange, GemmF32, Piece, Run};
#[cfg(target_arch = "x86_64")]
pub(crate) use packing::can_split;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use packing::split;
#[cfg(target_arch = "aarch64")]
pub(crate) use packing::{extremes, split_within};
pub use peak::peak_macs_per_second;
pub(crate) use reals::{Dequantize, Reals};
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub(crate) use relaxed::Products as RelaxedProducts;

use super::Isa;
use super::requantize::Requantize;

/// `count` rows of activations, each `stride` elements after the one before.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    pub(crate) data: &'a [T],
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

impl<'a, T> Rows<'a, T> {
    /// The first `k` elements of row `i`.
    fn row(&self, i: usize, k: usize) -> &'a [T] {
        &self.data[i * self.stride..][..k]
    }

    /// Fails where a row of `k` elements would reach beyond the data.
    fn check(&self, k: usize) {
        let reach = self.count.checked_sub(1).map_or(0, |last| last * self.stride + k);
        assert!(reach <= self.data.len(), "{} rows of {k} fit in {}", self.count, self.data.len());
    }
}

/// Windows over an image, read in place: row `i` of the matrix is, for each of `lines`, the `len`
/// elements from `i` × `stride` on. The next [`GemmU8::k_multiple`] − 1 elements have to be readable.
#[derive(Clone, Copy)]
#[cfg_attr(
    not(any(target_arch = "x86_64", target_arch = "wasm32")),
    allow(dead_code, reason = "only kernels of AVX-512 and WebAssembly read windows")
)]
pub(crate) struct Windows<'a> {
    pub(crate) lines: &'a [&'a [u8]],
    pub(crate) len: usize,
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

/// Most lines of [`Windows`].
pub(crate) const MAX_LINES: usize = 8;

/// Weights before packing: `n` rows of `k`, one for each output channel.
pub(crate) struct Matrix<T> {
    pub(crate) data: Vec<T>,
    pub(crate) n: usize,
    pub(crate) k: usize,
}

impl<T> Matrix<T> {
    pub(crate) fn row(&self, n: usize) -> &[T] {
        &self.data[n * self.k..][..self.k]
    }
}

/// Unsigned bytes times packed weights.
pub(crate) trait GemmU8: Send + Sync {
    /// Architecture, types and variant.
    fn name(&self) -> &'static str;

    /// Rows are read in steps of this many bytes; what lies beyond k has to be readable and zero.
    fn k_multiple(&self) -> usize;

    /// Rows that are computed together, so that multiples of it leave nothing over.
    fn row_multiple(&self) -> usize;

    /// Writes the requantized bytes of each row, channels adjacent, rows one after another.
    fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]);

    /// Whether [`GemmU8::windows`] can be called.
    fn reads_windows(&self) -> bool {
        false
    }

    /// Like [`GemmU8::requantized`], for weights whose rows are lines of [`Windows`], each filled up
    /// with zeros to [`GemmU8::k_multiple`].
    fn windows(&self, _windows: Windows<'_>, _out: &mut [u8]) {
        unreachable!("asked for only where reads_windows() says so");
    }

    /// Writes real results in the same order, of rows that were quantized as `to` says.
    fn real(&self, rows: Rows<'_, u8>, to: Reals<'_>);
}

/// Where a kernel's results go.
#[cfg(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
))]
enum Target<'a> {
    Bytes(&'a mut [u8]),
    Reals(Reals<'a>),
}

#[cfg(any(target_arch = "aarch64", all(target_arch = "wasm32", target_feature = "simd128")))]
impl Target<'_> {
    fn len(&self) -> usize {
        match self {
            Target::Bytes(out) => out.len(),
            Target::Reals(to) => to.out.len(),
        }
    }
}

/// The strongest kernel up to `isa` for weights whose zero point has been subtracted.
pub(crate) fn quantized(isa: Isa, weights: &Matrix<i16>, requantize: Requantize) -> Box<dyn GemmU8> {
    let best = candidates(isa, weights, &requantize).next();
    best.unwrap_or_else(|| Box::new(scalar::Gemm::new(weights, requantize)))
}

/// The hand-written kernels up to `isa` that this CPU and these weights allow, strongest first.
fn candidates<'a>(
    isa: Isa,
    weights: &'a Matrix<i16>,
    requantize: &'a Requantize,
) -> impl Iterator<Item = Box<dyn GemmU8>> + 'a {
    type Constructor = fn(&Matrix<i16>, &Requantize) -> Option<Box<dyn GemmU8>>;
    fn boxed<K: GemmU8 + 'static>(kernel: Option<K>) -> Option<Box<dyn GemmU8>> {
        kernel.map(|k| Box::new(k) as Box<dyn GemmU8>)
    }
    #[cfg(target_arch = "x86_64")]
    const KERNELS: &[(Isa, Constructor)] = &[
        (Isa::Avx512Vnni, |w, r| boxed(avx512vnni::Gemm::new(w, r))),
        (Isa::AvxVnni, |w, r| boxed(avxvnni::Gemm::new(w, r))),
        (Isa::Avx2, |w, r| boxed(avx2::Gemm::new(w, r))),
    ];
    #[cfg(target_arch = "aarch64")]
    const KERNELS: &[(Isa, Constructor)] = &[
        (Isa::I8mm, |w, r| boxed(i8mm::Gemm::new(w, r))),
        (Isa::NeonDotprod, |w, r| boxed(dotprod::Gemm::new(w, r))),
        (Isa::Neon, |w, r| boxed(neon::Gemm::new(w, r))),
    ];
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    const KERNELS: &[(Isa, Constructor)] = &[
        #[cfg(target_feature = "relaxed-simd")]
        (Isa::RelaxedSimd, |w, r| boxed(relaxed::Gemm::<false>::new(w, r))),
        #[cfg(target_feature = "relaxed-simd")]
        (Isa::RelaxedSimd, |w, r| boxed(relaxed::Gemm::<true>::new(w, r))),
        (Isa::Simd128, |w, r| boxed(simd128::Gemm::new(w, r))),
    ];
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    const KERNELS: &[(Isa, Constructor)] = &[];
    KERNELS
        .iter()
        .filter(move |(needs, _)| *needs <= isa)
        .filter_map(move |(_, new)| new(weights, requantize))
}

#[cfg(test)]
mod tests {
    use super::super::dynamic::Dynamic;
    use super::super::requantize::ByteRange;
    use super::*;
    use proptest::prelude::*;

    /// The sum that all kernels compute.
    fn oracle(weights: &Matrix<i16>, bias: &[i32], rows: Rows<'_, u8>) -> Vec<i32> {
        let dot = |a: &[u8], w: &[i16]| -> i32 {
            a.iter().zip(w).map(|(&a, &w)| i32::from(a) * i32::from(w)).sum()
        };
        let row = |m| (0..weights.n).map(move |n| bias[n] + dot(rows.row(m, weights.k), weights.row(n)));
        (0..rows.count).flat_map(row).collect()
    }

    #[derive(Debug, Clone)]
    struct Case {
        m: usize,
        n: usize,
        k: usize,
        weight_zero_point: i16,
        slack: usize,
        seed: u64,
    }

    fn case() -> impl Strategy<Value = Case> {
        let extents = (1usize..60, 1usize..150, 1usize..70, 0i16..256, 0usize..9, any::<u64>());
        extents.prop_map(|(m, n, k, weight_zero_point, slack, seed)| Case {
            m,
            n,
            k,
            weight_zero_point,
            slack,
            seed,
        })
    }

    fn check(case: &Case) -> Result<(), TestCaseError> {
        let &Case { m, n, k, weight_zero_point, slack, seed } = case;
        let mut state = seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u32
        };
        let extreme = |r: u32| if r.is_multiple_of(7) { 255 } else { (r >> 8) as u8 };
        let data = (0..n * k).map(|_| i16::from(extreme(next())) - weight_zero_point).collect();
        let weights = Matrix { data, n, k };
        let requantize = Requantize {
            bias: (0..n).map(|_| next() as i32 >> 12).collect(),
            scale: (0..n).map(|_| 1e-4 * (1.0 + (next() % 100) as f32)).collect(),
            zero_point: (next() % 256) as i32,
            range: ByteRange { min: (next() % 100) as u8, max: 255 - (next() % 100) as u8 },
        };
        let scalar: Box<dyn GemmU8> = Box::new(scalar::Gemm::new(&weights, requantize.clone()));
        let all = candidates(Isa::strongest_up_to(None), &weights, &requantize);
        for kernel in all.chain([scalar]) {
            let padded = k.next_multiple_of(kernel.k_multiple());
            let stride = padded + slack;
            let mut a = vec![0u8; (m - 1) * stride + padded];
            for row in 0..m {
                a[row * stride..][..k].iter_mut().for_each(|b| *b = extreme(next()));
            }
            let rows = Rows { data: &a, stride, count: m };
            let expected = oracle(&weights, &requantize.bias, rows);
            let bias = (0..n).map(|i| i as f32 - 3.0).collect();
            let sum = |i| weights.row(i).iter().map(|&w| i32::from(w)).sum();
            let sums = (0..n).map(sum).collect();
            let range = FloatRange { min: -50.0, max: 900.0 };
            let output = Dequantize::new(sums, requantize.scale.clone(), bias, range);
            for ranges in [1, m] {
                let ranges: Vec<_> = (0..ranges).map(|i| Dynamic::of(&[-0.3, i as f32])).collect();
                let mut reals = vec![f32::NAN; m * n];
                kernel.real(rows, Reals { output: &output, ranges: &ranges, out: &mut reals });
                let real = |(i, &acc)| output.real(acc, i % n, ranges[i / n % ranges.len()]);
                let expected: Vec<f32> = expected.iter().enumerate().map(real).collect();
                prop_assert_eq!(&reals, &expected, "{}", kernel.name());
            }
            let bytes: Vec<u8> = expected
                .iter()
                .enumerate()
                .map(|(i, &acc)| requantize.byte(acc, requantize.scale[i % n]))
                .collect();
            let mut out = vec![0; m * n];
            kernel.requantized(rows, &mut out);
            prop_assert_eq!(&out, &bytes, "{}", kernel.name());
            if kernel.reads_windows() && padded == k {
                let halves = [&a[..], &a[k / 8 * 4..]];
                // Two lines that follow each other are the row again, if their lengths are equal.
                if k / 8 * 8 == k {
                    let windows = Windows { lines: &halves, len: k / 2, stride, count: m };
                    out.fill(0);
                    kernel.windows(windows, &mut out);
                    prop_assert_eq!(&out, &bytes, "{} over windows", kernel.name());
                }
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn every_kernel_equals_the_oracle(case in case()) {
            check(&case)?;
        }
    }

    #[test]
    fn large_products_and_small_remainders() {
        for (m, n, k) in
            [(1, 1001, 1280), (49, 96, 16), (7, 24, 96), (100, 320, 960), (13, 546, 32), (25, 16, 28)]
        {
            for weight_zero_point in [0, 128, 255] {
                check(&Case { m, n, k, weight_zero_point, slack: 0, seed: 7 }).unwrap();
            }
        }
        for isa in Isa::ALL.into_iter().filter(|isa| !isa.is_available()) {
            println!("not run: this CPU lacks {isa}");
        }
    }
}
