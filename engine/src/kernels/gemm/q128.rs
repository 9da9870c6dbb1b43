//! Matrix products in 128-bit NEON registers, shared by the kernels that differ only in how they
//! multiply.
//!
//! A strip of rows is packed into the order the multiplications eat it, pairs of rows side by side,
//! so that the inner loop reads two pointers with wide loads and nothing else. Over each strip pass
//! all groups of eight channels, tile by tile; a tile is requantized in its registers.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::Rows;
use core::arch::aarch64::{uint8x16_t, vld1q_u8};
use std::mem::MaybeUninit;

/// Channels of a group.
pub(super) const CHANNELS: usize = 8;
/// Packed rows of a strip should stay below this: half the smallest first-level cache of a phone.
pub(super) const STRIP_BYTES: usize = 16 << 10;
/// Packed rows of a tile have to stay below this.
pub(super) const BUFFER_BYTES: usize = 32 << 10;

/// Where packed rows lie.
#[repr(align(64))]
pub(super) struct Buffer([MaybeUninit<u8>; BUFFER_BYTES]);

impl Buffer {
    pub(super) fn new() -> Self {
        Self([MaybeUninit::uninit(); BUFFER_BYTES])
    }

    pub(super) fn as_mut_ptr(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }
}

/// Eight channels.
pub(super) struct Group {
    /// The first of them. The last group may overlap the one before.
    pub(super) channel: usize,
    /// Blocks of weights that hold some beyond a signed byte, and where what is left of them lies.
    pub(super) rest: Vec<(usize, usize)>,
}

/// Rows that are packed.
pub(super) struct Source<'a> {
    data: &'a [u8],
    stride: usize,
    /// Whether sixteen bytes are readable from every sixteenth of each row on.
    whole: bool,
}

impl<'a> Source<'a> {
    /// `count` rows of `k` from `first` on.
    #[inline]
    pub(super) fn new(rows: &Rows<'a, u8>, first: usize, count: usize, k: usize) -> Self {
        let data = &rows.data[first * rows.stride..];
        let reach = (count - 1) * rows.stride + k;
        assert!(reach <= data.len(), "the rows lie in the data");
        let whole = (count - 1) * rows.stride + k.next_multiple_of(16) <= data.len();
        Self { data, stride: rows.stride, whole }
    }

    /// Whether [`Source::sixteen`] may be asked for whole registers.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Sixteen bytes of a row from byte `k` on; of what lies beyond the row's end any value.
    ///
    /// # Safety
    /// `row` is one of those rows, `k` a multiple of sixteen below their length, and `WHOLE` no more
    /// than [`Source::is_whole`].
    #[inline]
    #[target_feature(enable = "neon")]
    pub(super) unsafe fn sixteen<const WHOLE: bool>(&self, row: usize, k: usize) -> uint8x16_t {
        let at = row * self.stride + k;
        if WHOLE {
            // SAFETY: `new` found it readable.
            return unsafe { vld1q_u8(self.data.as_ptr().add(at)) };
        }
        let mut bytes = [0; 16];
        let from = &self.data[at..];
        let len = from.len().min(16);
        bytes[..len].copy_from_slice(&from[..len]);
        // SAFETY: an array of sixteen.
        unsafe { vld1q_u8(bytes.as_ptr()) }
    }
}

/// Defines `Gemm` with `$features` enabled. Weights are packed in blocks of 8 channels × `$depth`, each
/// at `$slot(steps, channel, k)` of its group; what lies outside `$limits` is kept apart and added
/// afterwards.
/// `$pack` packs rows, `$products` adds the products of a tile, and `$lane` names the channel in each
/// lane of the four registers that hold two rows.
macro_rules! gemm_on_neon {
    (
        features: $features:literal,
        available: $available:expr,
        names: [$name:literal, $split_name:literal],
        flips: $flips:literal,
        depth: $depth:literal,
        limits: $limits:expr,
        tiles: [$($tile:literal)*],
    ) => {
        use super::Target;
        use super::q128::{BUFFER_BYTES, Buffer, CHANNELS, Group, STRIP_BYTES, Source};
        use crate::kernels::gemm::packing::{converts_safely, extremes, split_within};
        use crate::kernels::gemm::{GemmU8, Matrix, Reals, Rows};
        use crate::kernels::requantize::Requantize;
        use crate::kernels::requantize::neon::{Finish, mode};
        use core::arch::aarch64::*;

        /// Products of a block of weights.
        const DEPTH: usize = $depth;
        /// Rows of the tiles that there are, largest first.
        const TILES: &[usize] = &[$($tile),*];
        /// Weights of a block.
        const BLOCK: usize = CHANNELS * DEPTH;

        /// A block of weights.
        #[repr(align(64))]
        #[derive(Clone)]
        struct Block([i8; BLOCK]);

        pub(in crate::kernels::gemm) struct Gemm {
            /// The blocks of each group, then what is left of some of them.
            weights: Vec<Block>,
            groups: Vec<Group>,
            /// For each group, a number for each lane of a pair of rows.
            bias: Vec<[i32; 2 * CHANNELS]>,
            scale: Vec<[f32; 2 * CHANNELS]>,
            finish: Finish,
            n: usize,
            k: usize,
            /// Rows of the largest tile that the buffer takes.
            tile: usize,
        }

        impl Gemm {
            /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
            pub(in crate::kernels::gemm) fn new(
                weights: &Matrix<i16>,
                requantize: &Requantize,
            ) -> Option<Self> {
                let (n, k) = (weights.n, weights.k);
                let available: bool = $available;
                let splits = weights.data.iter().all(|&w| split_within(w, $limits).is_some());
                if !available || !splits || !converts_safely(weights, requantize) || n == 0 || k == 0 {
                    return None;
                }
                let steps = k.div_ceil(DEPTH);
                let fits = |rows: &&usize| tile_bytes(k, **rows) <= BUFFER_BYTES;
                let tile = *TILES.iter().find(fits)?;
                let count = n.div_ceil(CHANNELS);
                let mut packed = vec![Block([0; BLOCK]); count * steps];
                let mut groups = Vec::with_capacity(count);
                let (mut bias, mut scale) = (Vec::with_capacity(count), Vec::with_capacity(count));
                for index in 0..count {
                    let channel = (index * CHANNELS).min(n.saturating_sub(CHANNELS));
                    let mut rest: Vec<(usize, usize)> = Vec::new();
                    let width = CHANNELS.min(n - channel);
                    for c in 0..width {
                        for (at, &w) in weights.row(channel + c).iter().enumerate() {
                            let (first, left) = split_within(w, $limits)?;
                            let slot = slot(steps, c, at);
                            packed[index * steps + slot / BLOCK].0[slot % BLOCK] = first;
                            if left != 0 {
                                let block = at / DEPTH;
                                let found = rest.iter().find(|(of, _)| *of == block).map(|(_, place)| *place);
                                let place = found.unwrap_or_else(|| {
                                    packed.push(Block([0; BLOCK]));
                                    rest.push((block, packed.len() - 1));
                                    packed.len() - 1
                                });
                                packed[place].0[self::slot(1, c, at % DEPTH)] = left;
                            }
                        }
                    }
                    // Activations that are flipped are 128 less.
                    let flipped = |c: usize| -> i32 {
                        let sum = || weights.row(c).iter().map(|&w| i32::from(w)).sum::<i32>();
                        if $flips { sum().wrapping_mul(128) } else { 0 }
                    };
                    let of = |lane: usize| channel + self::lane(lane).min(width - 1);
                    bias.push(std::array::from_fn(|i| requantize.bias[of(i)].wrapping_add(flipped(of(i)))));
                    scale.push(std::array::from_fn(|i| requantize.scale[of(i)]));
                    groups.push(Group { channel, rest });
                }
                let finish = Finish::new(requantize, |n| extremes(weights.row(n)));
                Some(Self { weights: packed, groups, bias, scale, finish, n, k, tile })
            }

            fn steps(&self) -> usize {
                self.k.div_ceil(DEPTH)
            }

            #[target_feature(enable = $features)]
            fn run(&self, rows: Rows<'_, u8>, mut out: Target<'_>) {
                rows.check(self.k);
                assert!(out.len() >= rows.count * self.n, "the rows lie in the output");
                match self.finish.mode() {
                    mode::EVEN => self.strips::<{ mode::EVEN }>(&rows, &mut out),
                    mode::WHOLE => self.strips::<{ mode::WHOLE }>(&rows, &mut out),
                    mode::NARROW => self.strips::<{ mode::NARROW }>(&rows, &mut out),
                    _ => self.strips::<{ mode::ANY }>(&rows, &mut out),
                }
            }

            #[target_feature(enable = $features)]
            fn strips<const MODE: u8>(&self, rows: &Rows<'_, u8>, out: &mut Target<'_>) {
                let mut buffer = Buffer::new();
                let packed = buffer.as_mut_ptr();
                let in_strip = (STRIP_BYTES / tile_bytes(self.k, self.tile)).max(1);
                let mut m = 0;
                while rows.count - m >= self.tile {
                    let tiles = ((rows.count - m) / self.tile).min(in_strip);
                    self.strip::<MODE>(rows, m, self.tile, tiles, packed, out);
                    m += tiles * self.tile;
                }
                while m < rows.count {
                    let left = rows.count - m;
                    // One tile that begins before the strip, where the rows are there.
                    let over = TILES.iter().rev().copied().find(|&tile| tile >= left && tile <= self.tile);
                    let tile = match over {
                        Some(tile) if tile <= rows.count => tile,
                        _ => TILES.iter().copied().find(|&tile| tile <= left).unwrap_or(1),
                    };
                    m = m.min(rows.count - tile);
                    self.strip::<MODE>(rows, m, tile, 1, packed, out);
                    m += tile;
                }
            }

            /// All channels of `tiles` tiles of `tile` rows from row `m` on.
            #[inline]
            #[target_feature(enable = $features)]
            fn strip<const MODE: u8>(
                &self,
                rows: &Rows<'_, u8>,
                m: usize,
                tile: usize,
                tiles: usize,
                packed: *mut u8,
                out: &mut Target<'_>,
            ) {
                match tile {
                    $($tile => {
                        const PAIRS: usize = usize::div_ceil($tile, 2);
                        let bytes = tile_bytes(self.k, $tile);
                        for index in 0..tiles {
                            let source = Source::new(rows, m + index * $tile, $tile, self.k);
                            // SAFETY: the buffer holds `tiles` tiles.
                            unsafe {
                                let to = packed.add(index * bytes);
                                if source.is_whole() {
                                    pack::<$tile, true>(&source, self.k, to);
                                } else {
                                    pack::<$tile, false>(&source, self.k, to);
                                }
                            }
                        }
                        for group in 0..self.groups.len() {
                            // SAFETY: the buffer holds what was packed above.
                            unsafe { self.tiles::<$tile, PAIRS, MODE>(group, packed, m, tiles, out) };
                        }
                    })*
                    _ => unreachable!("only the tiles that there are"),
                }
            }

            /// A group of channels of `count` tiles from row `m` on.
            ///
            /// # Safety
            /// `count` tiles of R packed rows lie at `packed`; those rows lie in the output.
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn tiles<const R: usize, const PAIRS: usize, const MODE: u8>(
                &self,
                index: usize,
                mut packed: *const u8,
                m: usize,
                count: usize,
                out: &mut Target<'_>,
            ) {
                let (group, steps, n) = (&self.groups[index], self.steps(), self.n);
                let (finish, bytes) = (self.finish, tile_bytes(self.k, R));
                let weights = self.weights[index * steps..][..steps].as_ptr().cast::<i8>();
                let (bias, scale) = (registers(&self.bias[index]), reals(&self.scale[index]));
                let (mut m, mut first) = (m, m * n + group.channel);
                // Whole registers are stored in place; everything else is rare.
                let direct = match out {
                    Target::Bytes(out) if n >= CHANNELS => Some(out.as_mut_ptr()),
                    _ => None,
                };
                for _ in 0..count {
                    // SAFETY: both pointers hold `steps` blocks.
                    let mut acc = unsafe { products::<R, PAIRS>([bias; PAIRS], packed, weights, steps) };
                    for &(block, place) in &group.rest {
                        let left = self.weights[place].0.as_ptr();
                        // SAFETY: a block of weights, and the rows' bytes for it.
                        acc = unsafe { products::<R, PAIRS>(acc, packed.add(block_offset(block, R)), left, 1) };
                    }
                    if let Some(out) = direct {
                        // SAFETY: the caller's rows lie in the output, which is at least eight wide.
                        unsafe {
                            let mut to = out.add(first);
                            for p in 0..PAIRS {
                                let bytes = by_rows(finish.bytes::<MODE>(acc[p], scale));
                                vst1_u8(to, vget_low_u8(bytes));
                                if 2 * p + 1 < R {
                                    to = to.add(n);
                                    vst1q_lane_u64::<1>(to.cast(), vreinterpretq_u64_u8(bytes));
                                    to = to.wrapping_add(n);
                                }
                            }
                        }
                    } else {
                        // Copies, so that the accumulators themselves never leave their registers.
                        match out {
                            Target::Reals(to) if n >= CHANNELS => {
                                self.store_reals::<R, PAIRS>(&{ acc }, group.channel, to, m)
                            }
                            _ => self.store::<R, PAIRS, MODE>(&{ acc }, scale, &mut *out, first),
                        }
                    }
                    packed = packed.wrapping_add(bytes);
                    (m, first) = (m + R, first + R * n);
                }
            }

            /// Real results of eight channels from `channel` on, of R rows from row `m` on.
            #[inline(never)]
            #[target_feature(enable = $features)]
            fn store_reals<const R: usize, const PAIRS: usize>(
                &self,
                acc: &[[int32x4_t; 4]; PAIRS],
                channel: usize,
                to: &mut Reals<'_>,
                m: usize,
            ) {
                let (sums, scales, bias) = to.output.from(channel);
                let (min, max) = (vdupq_n_f32(to.output.range.min), vdupq_n_f32(to.output.range.max));
                let out = &mut to.out[m * self.n + channel..][..(R - 1) * self.n + CHANNELS];
                let ranges = if to.ranges.len() == 1 { &to.ranges[..1] } else { &to.ranges[m..][..R] };
                let step = usize::from(ranges.len() > 1);
                // SAFETY: from every channel on more than eight numbers are readable, R rows lie `n` apart
                // in the output, and there is one range or R of them.
                unsafe {
                    let sums = [vld1q_s32(sums.as_ptr()), vld1q_s32(sums.as_ptr().add(4))];
                    let scales = [vld1q_f32(scales.as_ptr()), vld1q_f32(scales.as_ptr().add(4))];
                    let bias = [vld1q_f32(bias.as_ptr()), vld1q_f32(bias.as_ptr().add(4))];
                    for p in 0..PAIRS {
                        let acc = in_order(acc[p]);
                        for row in 0..2 {
                            let r = 2 * p + row;
                            if r < R {
                                let quantized = ranges.get_unchecked(r * step);
                                for half in 0..2 {
                                    let acc =
                                        vmlsq_n_s32(acc[2 * row + half], sums[half], quantized.zero_point);
                                    let real = vmulq_n_f32(vcvtq_f32_s32(acc), quantized.scale);
                                    let real = vaddq_f32(vmulq_f32(real, scales[half]), bias[half]);
                                    let real = vminq_f32(vmaxq_f32(real, min), max);
                                    vst1q_f32(out.as_mut_ptr().add(r * self.n + 4 * half), real);
                                }
                            }
                        }
                    }
                }
            }

            /// Stores a tile channel by channel.
            #[inline(never)]
            #[target_feature(enable = $features)]
            fn store<const R: usize, const PAIRS: usize, const MODE: u8>(
                &self,
                acc: &[[int32x4_t; 4]; PAIRS],
                scale: [float32x4_t; 4],
                out: &mut Target<'_>,
                first: usize,
            ) {
                let width = CHANNELS.min(self.n);
                for (p, acc) in acc.iter().enumerate() {
                    let rows = 2.min(R - 2 * p);
                    match out {
                        Target::Bytes(out) => {
                            let mut values = [0u8; 2 * CHANNELS];
                            let bytes = by_rows(self.finish.bytes::<MODE>(*acc, scale));
                            // SAFETY: the array is as long as the register.
                            unsafe { vst1q_u8(values.as_mut_ptr(), bytes) };
                            for (row, values) in values.chunks_exact(CHANNELS).enumerate().take(rows) {
                                let to = &mut out[first + (2 * p + row) * self.n..][..width];
                                to.copy_from_slice(&values[..width]);
                            }
                        }
                        Target::Reals(to) => {
                            let mut values = [0i32; 2 * CHANNELS];
                            for (q, acc) in acc.iter().enumerate() {
                                // SAFETY: the array is as long as four registers.
                                unsafe { vst1q_s32(values.as_mut_ptr().add(4 * q), *acc) };
                            }
                            for (at, &value) in values.iter().enumerate() {
                                if row_of(at) < rows && lane(at) < width {
                                    let place = first + (2 * p + row_of(at)) * self.n + lane(at);
                                    let (row, channel) = (place / self.n, place % self.n);
                                    to.out[place] = to.output.real(value, channel, to.range(row));
                                }
                            }
                        }
                    }
                }
            }
        }

        /// Four registers as they lie in memory.
        #[inline]
        #[target_feature(enable = $features)]
        fn reals(numbers: &[f32; 2 * CHANNELS]) -> [float32x4_t; 4] {
            registers(bytemuck::must_cast_ref(numbers)).map(|v| vreinterpretq_f32_s32(v))
        }

        impl GemmU8 for Gemm {
            fn name(&self) -> &'static str {
                if self.groups.iter().all(|group| group.rest.is_empty()) { $name } else { $split_name }
            }

            fn k_multiple(&self) -> usize {
                1
            }

            fn row_multiple(&self) -> usize {
                self.tile
            }

            fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
                // SAFETY: `new` found the features on this CPU.
                unsafe { self.run(rows, Target::Bytes(out)) }
            }

            fn real(&self, rows: Rows<'_, u8>, to: Reals<'_>) {
                to.check(rows.count);
                // SAFETY: as above.
                unsafe { self.run(rows, Target::Reals(to)) }
            }
        }
    };
}

pub(super) use gemm_on_neon;
