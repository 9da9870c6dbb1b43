//! Tiles of 128-bit registers for WebAssembly, shared by the kernels that differ only in how they
//! multiply.
//!
//! Channels are taken in groups of P ≤ 4 registers of four. A register of weights holds a step of four
//! products for each channel; four activations are broadcast to meet them.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::packing::converts_safely;
use super::{GemmU8, MAX_LINES, Matrix, Reals, Rows, Target, Windows};
use crate::kernels::requantize::Requantize;
use crate::kernels::requantize::simd128::Finish;
use core::arch::wasm32::*;

/// Channels in a register of accumulators.
const LANES: usize = 4;
/// Activations that are broadcast together.
const DEPTH: usize = 4;
/// Most registers of accumulators for a row.
const MAX_REGISTERS: usize = 4;
/// Bytes of activations that a strip of rows should stay below, so that every group of channels finds
/// them in the first-level cache.
const STRIP_BYTES: usize = 16 << 10;
/// Divisible by the rows of every tile.
const TILE_MAX: usize = 24;
const STRIP_MAX: usize = 4 * TILE_MAX;

/// How an instruction set multiplies, with `V` registers for the weights of one step.
pub(super) trait Multiply<const V: usize>: Copy + Send + Sync + 'static {
    /// Names of the kernel for weights that are signed bytes, and for others.
    const NAMES: [&'static str; 2];
    /// What is taken off each activation before it is multiplied.
    const OFFSET: i32;

    /// `None` where this engine cannot run it, or not exactly.
    fn new() -> Option<Self>;

    /// What makes the weights fit when added to each; `None` where nothing does.
    fn shift(weights: &[i16]) -> Option<i16>;

    /// The weights of a step, four for each of four channels.
    fn pack(weights: &[[i16; DEPTH]; LANES]) -> [v128; V];

    /// Four activations, broadcast, in the form that meets the weights.
    fn prepare(self, activations: v128) -> [v128; V];

    /// acc + the products.
    fn multiply(self, acc: v128, activations: [v128; V], weights: [v128; V]) -> v128;
}

struct Group {
    registers: usize,
    channel: usize,
    channels: usize,
    weights: usize,
    constants: usize,
}

pub(super) struct Gemm<M, const V: usize> {
    multiply: M,
    groups: Vec<Group>,
    weights: Vec<v128>,
    bias: Vec<v128>,
    scale: Vec<v128>,
    finish: Finish,
    n: usize,
    k: usize,
    /// What was added to each weight to make it fit; taken back by row sums.
    shift: i32,
}

/// Where the rows of activations lie: row m is the bytes from m × `stride` on in each of the lines.
#[derive(Clone, Copy)]
struct Source<'a> {
    lines: &'a [&'a [u8]],
    /// Steps of [`DEPTH`] in a line.
    steps: usize,
    stride: usize,
    count: usize,
}

struct Strip<'a> {
    source: Source<'a>,
    start: usize,
    end: usize,
    /// Row of the first sum.
    first: usize,
    /// What the shift of the weights added to each row's results, negated.
    sums: &'a [i32],
}

impl<M: Multiply<V>, const V: usize> Gemm<M, V> {
    /// `None` where this engine cannot run it, or its arithmetic would not be exact.
    pub(super) fn new(weights: &Matrix<i16>, requantize: &Requantize) -> Option<Self> {
        let (multiply, shift) = (M::new()?, M::shift(&weights.data)?);
        if !converts_safely(weights, requantize) || weights.n == 0 {
            return None;
        }
        let mut gemm = Self {
            multiply,
            groups: Vec::new(),
            weights: Vec::with_capacity(weights.n.div_ceil(LANES) * weights.k.div_ceil(DEPTH) * V),
            bias: Vec::new(),
            scale: Vec::new(),
            finish: Finish::new(requantize),
            n: weights.n,
            k: weights.k,
            shift: shift.into(),
        };
        let mut channel = 0;
        while channel < weights.n {
            let registers = match (weights.n - channel).div_ceil(LANES) {
                few @ ..=2 => few,
                _ => MAX_REGISTERS,
            };
            gemm.push_group(weights, requantize, channel, registers);
            channel += registers * LANES;
        }
        Some(gemm)
    }

    fn push_group(&mut self, weights: &Matrix<i16>, requantize: &Requantize, first: usize, registers: usize) {
        let channels = (registers * LANES).min(weights.n - first);
        self.groups.push(Group {
            registers,
            channel: first,
            channels,
            weights: self.weights.len(),
            constants: self.bias.len(),
        });
        let register = |q: usize| first + q * LANES..first + (q + 1) * LANES;
        for q in 0..registers {
            let bias = |n: usize| {
                let sum: i32 = weights.row(n).iter().map(|&w| i32::from(w) + self.shift).sum();
                requantize.bias[n].wrapping_add(M::OFFSET.wrapping_mul(sum))
            };
            let [a, b, c, d] = of_channels(register(q), weights.n, 0, bias);
            self.bias.push(i32x4(a, b, c, d));
            let [a, b, c, d] = of_channels(register(q), weights.n, 0.0, |n| requantize.scale[n]);
            self.scale.push(f32x4(a, b, c, d));
        }
        for k in (0..weights.k).step_by(DEPTH) {
            for q in 0..registers {
                let four = |n: usize| {
                    let mut four = [0; DEPTH];
                    for (to, &w) in four.iter_mut().zip(&weights.row(n)[k..]) {
                        *to = w + self.shift as i16;
                    }
                    four
                };
                let block = of_channels(register(q), weights.n, [0; DEPTH], four);
                self.weights.extend(M::pack(&block));
            }
        }
    }

    fn strips(&self, source: Source<'_>, mut out: Target<'_>) {
        let Source { lines, steps, stride, count } = source;
        let reach = count.checked_sub(1).map_or(0, |last| last * stride + steps * DEPTH);
        assert!(lines.iter().all(|line| reach <= line.len()), "{count} rows fit in each line");
        let wanted = self.n * count;
        let room = out.len();
        assert!(wanted <= room, "{wanted} results, room for {room}");
        let strip = (STRIP_BYTES / (lines.len() * steps * DEPTH).max(1)) / TILE_MAX * TILE_MAX;
        let strip = strip.clamp(TILE_MAX, STRIP_MAX);
        let mut sums = [0i32; STRIP_MAX + TILE_MAX];
        for start in (0..count).step_by(strip) {
            let end = count.min(start + strip);
            // The last tile may begin before the strip.
            let first = start.min(end.saturating_sub(TILE_MAX));
            if self.shift != 0 {
                for m in first..end {
                    let row = |line: &&[u8]| -> i32 {
                        line[m * stride..][..steps * DEPTH].iter().map(|&a| i32::from(a)).sum()
                    };
                    sums[m - first] = -self.shift.wrapping_mul(lines.iter().map(row).sum());
                }
            }
            let strip = Strip { source, start, end, first, sums: &sums };
            for group in &self.groups {
                match (group.registers, V) {
                    (1, 1) => self.group::<8, 1>(group, &strip, &mut out),
                    (1, _) => self.group::<4, 1>(group, &strip, &mut out),
                    (2, 1) => self.group::<4, 2>(group, &strip, &mut out),
                    (2, _) => self.group::<3, 2>(group, &strip, &mut out),
                    _ => self.group::<2, 4>(group, &strip, &mut out),
                }
            }
        }
    }

    #[inline(always)]
    fn group<const R: usize, const P: usize>(&self, group: &Group, strip: &Strip<'_>, out: &mut Target<'_>) {
        let mut m = strip.start;
        while m < strip.end {
            if m + R <= strip.end {
                self.tile::<R, P>(group, strip, m, out);
                m += R;
            } else if strip.end >= R {
                self.tile::<R, P>(group, strip, strip.end - R, out);
                break;
            } else {
                self.tile::<1, P>(group, strip, m, out);
                m += 1;
            }
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const P: usize>(
        &self,
        group: &Group,
        strip: &Strip<'_>,
        m: usize,
        out: &mut Target<'_>,
    ) {
        let Source { lines, steps, stride, .. } = strip.source;
        let weights = &self.weights[group.weights..][..lines.len() * steps * P * V];
        let bias = &self.bias[group.constants..][..P];
        let mut acc = [[i32x4_splat(0); P]; R];
        for r in 0..R {
            let sum = i32x4_splat(strip.sums[m + r - strip.first]);
            for p in 0..P {
                acc[r][p] = if self.shift == 0 { bias[p] } else { i32x4_add(bias[p], sum) };
            }
        }
        let mut w = weights.as_ptr();
        for line in lines {
            let rows = std::array::from_fn(|r| line.as_ptr().wrapping_add((m + r) * stride));
            // SAFETY: `strips` checked that all rows lie in each line with whole steps, and there are
            // `steps` blocks of P × V vectors for each line.
            unsafe {
                acc = self.products(acc, rows, w, steps);
                w = w.add(steps * P * V);
            }
        }
        let first = m * self.n + group.channel;
        match out {
            Target::Bytes(out) => self.store_bytes(group, &acc, &mut out[first..]),
            Target::Reals(to) => self.store_reals(group, &acc, to, m),
        }
    }

    /// acc + the products of `steps` steps of R rows.
    ///
    /// # Safety
    /// So many steps are readable from each row, and so many blocks of weights.
    #[inline(always)]
    unsafe fn products<const R: usize, const P: usize>(
        &self,
        mut acc: [[v128; P]; R],
        mut rows: [*const u8; R],
        mut weights: *const v128,
        steps: usize,
    ) -> [[v128; P]; R] {
        // Two steps a turn halve what the loop itself costs.
        for _ in 0..steps / 2 {
            // SAFETY: the caller's.
            unsafe {
                acc = self.step(acc, rows, weights);
                acc = self.step(acc, rows.map(|row| row.add(DEPTH)), weights.add(P * V));
                rows = rows.map(|row| row.add(2 * DEPTH));
                weights = weights.add(2 * P * V);
            }
        }
        if steps % 2 == 1 {
            // SAFETY: the caller's.
            acc = unsafe { self.step(acc, rows, weights) };
        }
        acc
    }

    /// # Safety
    /// A step is readable from each row, and a block of weights.
    #[inline(always)]
    unsafe fn step<const R: usize, const P: usize>(
        &self,
        mut acc: [[v128; P]; R],
        rows: [*const u8; R],
        weights: *const v128,
    ) -> [[v128; P]; R] {
        let mut activations = [[i32x4_splat(0); V]; R];
        for r in 0..R {
            // SAFETY: the caller's.
            activations[r] = self.multiply.prepare(unsafe { v128_load32_splat(rows[r].cast()) });
        }
        for p in 0..P {
            let mut w = [i32x4_splat(0); V];
            for v in 0..V {
                // SAFETY: the caller's.
                w[v] = unsafe { v128_load(weights.add(p * V + v)) };
            }
            for r in 0..R {
                acc[r][p] = self.multiply.multiply(acc[r][p], activations[r], w);
            }
        }
        acc
    }

    #[inline(always)]
    fn store_reals<const R: usize, const P: usize>(
        &self,
        group: &Group,
        acc: &[[v128; P]; R],
        to: &mut Reals<'_>,
        m: usize,
    ) {
        let (sums, scales, bias) = to.output.from(group.channel);
        let range = to.output.range;
        let (min, max) = (f32x4_splat(range.min), f32x4_splat(range.max));
        for (r, row) in acc.iter().enumerate() {
            let quantized = to.range(m + r);
            let (zero_point, scale) = (i32x4_splat(quantized.zero_point), f32x4_splat(quantized.scale));
            let out = &mut to.out[(m + r) * self.n + group.channel..][..group.channels];
            for (q, (out, &register)) in out.chunks_mut(LANES).zip(row).enumerate() {
                // SAFETY: from every channel on more numbers are readable than a group has channels.
                let [sums, scales, bias] = unsafe {
                    [sums.as_ptr().cast(), scales.as_ptr().cast(), bias.as_ptr().cast::<v128>()]
                        .map(|numbers| v128_load(numbers.add(q)))
                };
                let acc = i32x4_sub(register, i32x4_mul(sums, zero_point));
                let real = f32x4_mul(f32x4_mul(f32x4_convert_i32x4(acc), scale), scales);
                let real = f32x4_pmin(max, f32x4_pmax(min, f32x4_add(real, bias)));
                let mut values = [0f32; LANES];
                // SAFETY: the array is as long as the register.
                unsafe { v128_store(values.as_mut_ptr().cast(), real) };
                out.copy_from_slice(&values[..out.len()]);
            }
        }
    }

    #[inline(always)]
    fn store_bytes<const R: usize, const P: usize>(
        &self,
        group: &Group,
        acc: &[[v128; P]; R],
        out: &mut [u8],
    ) {
        let scales = &self.scale[group.constants..][..P];
        for (r, row) in acc.iter().enumerate() {
            let mut four = [i32x4_splat(0); MAX_REGISTERS];
            for p in 0..MAX_REGISTERS {
                four[p] = if p < P { self.finish.levels(row[p], scales[p]) } else { four[p % P] };
            }
            let bytes = Finish::narrow(four);
            let out = &mut out[r * self.n..][..group.channels];
            if group.channels == P * LANES {
                let to = out.as_mut_ptr();
                // SAFETY: the slice has P × 4 bytes.
                unsafe {
                    match P {
                        1 => v128_store32_lane::<0>(bytes, to.cast()),
                        2 => v128_store64_lane::<0>(bytes, to.cast()),
                        _ => v128_store(to.cast(), bytes),
                    }
                }
            } else {
                let mut values = [0u8; MAX_REGISTERS * LANES];
                // SAFETY: the array is as long as the register.
                unsafe { v128_store(values.as_mut_ptr().cast(), bytes) };
                out.copy_from_slice(&values[..out.len()]);
            }
        }
    }

    fn rows(&self, rows: Rows<'_, u8>, out: Target<'_>) {
        let Rows { data, stride, count } = rows;
        self.strips(Source { lines: &[data], steps: self.k.div_ceil(DEPTH), stride, count }, out);
    }
}

/// What `of` gives for four channels; `none` for those beyond the `n`th.
fn of_channels<T: Copy>(
    channels: std::ops::Range<usize>,
    n: usize,
    none: T,
    of: impl Fn(usize) -> T,
) -> [T; LANES] {
    std::array::from_fn(|lane| Some(channels.start + lane).filter(|&c| c < n).map_or(none, &of))
}

impl<M: Multiply<V>, const V: usize> GemmU8 for Gemm<M, V> {
    fn name(&self) -> &'static str {
        M::NAMES[usize::from(self.shift != 0)]
    }

    fn k_multiple(&self) -> usize {
        DEPTH
    }

    fn row_multiple(&self) -> usize {
        TILE_MAX
    }

    fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
        self.rows(rows, Target::Bytes(out));
    }

    /// The sums of rows that overlap would have to leave out what lies between the lines.
    fn reads_windows(&self) -> bool {
        self.shift == 0
    }

    fn windows(&self, windows: Windows<'_>, out: &mut [u8]) {
        let Windows { lines, len, stride, count } = windows;
        assert!(lines.len() <= MAX_LINES && lines.len() * len.next_multiple_of(DEPTH) == self.k);
        self.strips(Source { lines, steps: len.div_ceil(DEPTH), stride, count }, Target::Bytes(out));
    }

    fn real(&self, rows: Rows<'_, u8>, to: Reals<'_>) {
        to.check(rows.count);
        self.rows(rows, Target::Reals(to));
    }
}
