//! DEPTHWISE_CONV_2D: a window for each channel.

#[cfg(any(target_arch = "aarch64", all(target_arch = "wasm32", target_feature = "simd128")))]
mod addresses;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512vnni;
#[cfg(target_arch = "x86_64")]
mod avxvnni;
#[cfg(target_arch = "aarch64")]
mod dotprod;
mod float;
mod hybrid;
mod lower;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;

pub(super) use lower::{Node, lower};

use super::Isa;
use super::gemm::Matrix;
use super::requantize::Requantize;
use super::window::Window;
use crate::arena::Io;
use crate::lowering::Kernel;
use crate::threads::Pool;

/// The rows of the image that an output row's windows cover; `None` beyond the image.
pub(super) type TapRows<'a, T> = [Option<&'a [T]>];

/// Computes rows of output pixels, channels adjacent.
pub(super) trait RowKernel<T>: Send + Sync {
    /// Architecture, types and variant.
    fn name(&self) -> &'static str;

    /// One output row from `Window::kernel.h` input rows, each of `Window::input.w` pixels.
    fn row(&self, rows: &TapRows<'_, T>, out: &mut [T]);

    /// Whether [`RowKernel::pair`] can be called: for a stride and a dilation of 1 in height.
    fn computes_pairs(&self) -> bool {
        false
    }

    /// Two adjacent output rows, from one input row more than [`RowKernel::row`] takes.
    fn pair(&self, _rows: &TapRows<'_, T>, _out: &mut [T]) {
        unreachable!("asked for only where computes_pairs() says so");
    }
}

/// Output rows from `first` on, as many as `out` has, of an image whose row y is `line(y)`.
pub(super) fn output_rows<'a, T: 'a>(
    kernel: &dyn RowKernel<T>,
    window: &Window,
    first: usize,
    out: &mut [T],
    row_len: usize,
    line: impl Fn(usize) -> &'a [T],
) {
    let together = if kernel.computes_pairs() { 2 } else { 1 };
    let mut y = first;
    for out in out.chunks_mut(together * row_len) {
        let pair = out.len() > row_len;
        let mut taps = [None; MAX_KERNEL_HEIGHT + 1];
        let taps = &mut taps[..window.kernel.h + usize::from(pair)];
        for (tap, row) in taps.iter_mut().enumerate() {
            *row = window.input_row(y, tap).map(&line);
        }
        if pair {
            kernel.pair(taps, out)
        } else {
            kernel.row(taps, out)
        }
        y += together;
    }
}

/// What all row kernels are made from.
struct Taps<'a, T, W> {
    window: Window,
    channels: usize,
    /// A row for each tap, a column for each channel, zero point subtracted.
    weights: &'a Matrix<W>,
    /// Stands for zero beyond the image.
    blank: T,
}

/// The strongest kernel up to `isa` for these taps.
fn quantized(isa: Isa, taps: &Taps<'_, u8, i16>, requantize: Requantize) -> Box<dyn RowKernel<u8>> {
    let best = candidates(isa, taps, &requantize).next();
    best.unwrap_or_else(|| Box::new(scalar::Depthwise::new(taps, requantize)))
}

/// The hand-written kernels up to `isa` that this CPU and these weights allow, strongest first.
fn candidates<'a>(
    isa: Isa,
    taps: &'a Taps<'a, u8, i16>,
    requantize: &'a Requantize,
) -> impl Iterator<Item = Box<dyn RowKernel<u8>>> + 'a {
    type Constructor = fn(&Taps<'_, u8, i16>, &Requantize) -> Option<Box<dyn RowKernel<u8>>>;
    fn boxed<K: RowKernel<u8> + 'static>(kernel: Option<K>) -> Option<Box<dyn RowKernel<u8>>> {
        kernel.map(|k| Box::new(k) as Box<dyn RowKernel<u8>>)
    }
    #[cfg(target_arch = "x86_64")]
    const KERNELS: &[(Isa, Constructor)] = &[
        (Isa::Avx512Vnni, |t, r| boxed(avx512vnni::Depthwise::new(t, r))),
        (Isa::AvxVnni, |t, r| boxed(avxvnni::Depthwise::new(t, r))),
        (Isa::Avx2, |t, r| boxed(avx2::Depthwise::new(t, r))),
    ];
    #[cfg(target_arch = "aarch64")]
    const KERNELS: &[(Isa, Constructor)] = &[
        (Isa::NeonDotprod, |t, r| boxed(dotprod::Depthwise::new(t, r))),
        (Isa::Neon, |t, r| boxed(neon::Depthwise::new(t, r))),
    ];
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    const KERNELS: &[(Isa, Constructor)] = &[(Isa::Simd128, |t, r| boxed(simd128::Depthwise::new(t, r)))];
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "wasm32", target_feature = "simd128")
    )))]
    const KERNELS: &[(Isa, Constructor)] = &[];
    KERNELS.iter().filter(move |(needs, _)| *needs <= isa).filter_map(move |(_, new)| new(taps, requantize))
}

/// Taps of a window's height that are gathered without allocation; taller windows are refused.
pub(super) const MAX_KERNEL_HEIGHT: usize = 64;

struct DepthwiseConv<T> {
    kernel: Box<dyn RowKernel<T>>,
    window: Window,
    /// Output channels.
    channels: usize,
    /// Output channels for each input channel.
    multiplier: usize,
}

impl<T: bytemuck::Pod + Send + Sync> Kernel for DepthwiseConv<T> {
    fn name(&self) -> &'static str {
        self.kernel.name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let image = io.input::<T>(0);
        let ([out], scratch) = io.outputs_and_scratch();
        let out: &mut [T] = bytemuck::cast_slice_mut(out);
        if self.multiplier == 1 {
            self.rows(image, out, pool);
            return;
        }
        let expanded: &mut [T] = bytemuck::cast_slice_mut(scratch);
        for (copies, &value) in expanded.chunks_exact_mut(self.multiplier).zip(image) {
            copies.fill(value);
        }
        self.rows(expanded, out, pool);
    }
}

impl<T: bytemuck::Pod + Send + Sync> DepthwiseConv<T> {
    /// Elements of the image with every channel repeated for each of its outputs.
    fn expanded_len(&self) -> usize {
        let Window { batch, input, .. } = self.window;
        if self.multiplier == 1 { 0 } else { batch * input.h * input.w * self.channels }
    }

    fn rows(&self, image: &[T], out: &mut [T], pool: &Pool) {
        let window = &self.window;
        let input_row = window.input.w * self.channels;
        let output_row = window.output.w * self.channels;
        let together = if self.kernel.computes_pairs() { 2 } else { 1 };
        pool.split(out, output_row, together, &mut [], &|first, mut out, _| {
            let mut row = first;
            while !out.is_empty() {
                let (batch, y) = (row / window.output.h, row % window.output.h);
                let image = &image[batch * window.input.h * input_row..];
                let count = (window.output.h - y).min(out.len() / output_row);
                let (piece, rest) = std::mem::take(&mut out).split_at_mut(count * output_row);
                let line = |y: usize| &image[y * input_row..][..input_row];
                output_rows(&*self.kernel, window, y, piece, output_row, line);
                (out, row) = (rest, row + count);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::requantize::ByteRange;
    use super::*;
    use crate::graph::Size2;
    use proptest::prelude::*;

    #[derive(Debug, Clone)]
    struct Case {
        input: (usize, usize),
        kernel: (usize, usize),
        stride: (usize, usize),
        dilation: (usize, usize),
        channels: usize,
        zero_point: u8,
        weight_zero_point: i16,
        seed: u64,
    }

    fn case() -> impl Strategy<Value = Case> {
        let pair = |max: usize| (1..=max, 1..=max);
        let square = prop_oneof![Just((3, 3)), Just((5, 5)), pair(7)];
        let rest = (1usize..200, any::<u8>(), 0i16..256, any::<u64>());
        (pair(12), square, pair(3), pair(2), rest).prop_map(
            |(input, kernel, stride, dilation, (channels, zero_point, weight_zero_point, seed))| Case {
                input,
                kernel,
                stride,
                dilation,
                channels,
                zero_point,
                weight_zero_point,
                seed,
            },
        )
    }

    fn check(case: &Case) -> Result<(), TestCaseError> {
        let size = |(h, w): (usize, usize)| Size2 { h, w };
        let out = |extent: usize, stride: usize| extent.div_ceil(stride);
        let window = Window {
            batch: 1,
            input: size(case.input),
            output: size((out(case.input.0, case.stride.0), out(case.input.1, case.stride.1))),
            kernel: size(case.kernel),
            stride: size(case.stride),
            dilation: size(case.dilation),
            pad: size((case.kernel.0 / 2, (case.kernel.1 - 1) * case.dilation.1 / 2)),
        };
        let mut state = case.seed | 1;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 32) as u32
        };
        let extreme = |r: u32| if r.is_multiple_of(5) { 255 } else { (r >> 8) as u8 };
        let channels = case.channels;
        let weights = Matrix {
            data: (0..window.taps() * channels)
                .map(|_| i16::from(extreme(next())) - case.weight_zero_point)
                .collect(),
            n: window.taps(),
            k: channels,
        };
        let requantize = Requantize {
            bias: (0..channels).map(|_| next() as i32 >> 14).collect(),
            scale: (0..channels).map(|_| 1e-4 * (1.0 + (next() % 100) as f32)).collect(),
            zero_point: (next() % 256) as i32,
            range: ByteRange { min: (next() % 100) as u8, max: 255 - (next() % 100) as u8 },
        };
        let image: Vec<u8> =
            (0..window.input.h * window.input.w * channels).map(|_| extreme(next())).collect();
        let mut expected = Vec::new();
        for y in 0..window.output.h {
            for x in 0..window.output.w {
                for c in 0..channels {
                    let mut acc = requantize.bias[c];
                    for tap in 0..window.taps() {
                        let row = window.input_row(y, tap / window.kernel.w);
                        let column = window.input_column(x, tap % window.kernel.w);
                        let a = match (row, column) {
                            (Some(row), Some(column)) => {
                                image[(row * window.input.w + column) * channels + c]
                            }
                            _ => case.zero_point,
                        };
                        acc += i32::from(a) * i32::from(weights.row(tap)[c]);
                    }
                    expected.push(requantize.byte(acc, requantize.scale[c]));
                }
            }
        }
        let taps = Taps { window, channels, weights: &weights, blank: case.zero_point };
        let scalar: Box<dyn RowKernel<u8>> = Box::new(scalar::Depthwise::new(&taps, requantize.clone()));
        for kernel in candidates(Isa::strongest_up_to(None), &taps, &requantize).chain([scalar]) {
            let conv = DepthwiseConv { kernel, window, channels, multiplier: 1 };
            let mut out = vec![0; expected.len()];
            conv.rows(&image, &mut out, &Pool::new(1));
            prop_assert_eq!(&out, &expected, "{}", conv.kernel.name());
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
    fn shapes_of_mobile_networks() {
        for (kernel, stride, channels) in
            [(3, 1, 32), (3, 2, 96), (3, 1, 144), (5, 1, 32), (5, 2, 64), (3, 1, 960)]
        {
            for weight_zero_point in [0, 113, 128, 255] {
                check(&Case {
                    input: (9, 11),
                    kernel: (kernel, kernel),
                    stride: (stride, stride),
                    dilation: (1, 1),
                    channels,
                    zero_point: 255,
                    weight_zero_point,
                    seed: 3,
                })
                .unwrap();
            }
        }
    }
}
