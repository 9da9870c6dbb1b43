//! Tiles of 4 rows × 16 channels in 128-bit NEON registers, shared by the kernels that differ only in
//! how they multiply.

/// Defines `Gemm` with `$features` enabled. `$pack` lays out the weights of 16 channels, `$k_multiple`
/// of them at a time; `$accumulate` adds the products of R rows with all of them.
macro_rules! gemm_on_neon {
    (
        features: $features:literal,
        available: $available:expr,
        name: $name:literal,
        shifted_name: $shifted_name:literal,
        k_multiple: $k_multiple:literal,
        weight: $weight:ty,
        shift: $shift:path,
        slot: $slot:path,
        accumulate: $accumulate:ident,
    ) => {
        use crate::kernels::gemm::packing::converts_safely;
        use crate::kernels::gemm::{GemmU8, Matrix, Rows};
        use crate::kernels::requantize::Requantize;
        use core::arch::aarch64::*;

        /// Channels of a group.
        const CHANNELS: usize = 16;
        /// Products that packed weights are grouped by.
        const K_MULTIPLE: usize = $k_multiple;
        /// Rows of a tile.
        const TILE: usize = 4;
        /// Rows over which all groups of channels pass before the next.
        const STRIP: usize = 16 * TILE;

        pub(in crate::kernels::gemm) struct Gemm {
            /// Groups of [padded k ÷ multiple][16 × multiple].
            weights: Vec<[$weight; CHANNELS * K_MULTIPLE]>,
            bias: Vec<[i32; CHANNELS]>,
            scale: Vec<[f32; CHANNELS]>,
            requantize: Requantize,
            n: usize,
            k: usize,
            /// What was added to each weight to make it fit; taken back by row sums.
            shift: i32,
        }

        impl Gemm {
            /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
            pub(in crate::kernels::gemm) fn new(
                weights: &Matrix<i16>,
                requantize: &Requantize,
            ) -> Option<Self> {
                let available: bool = $available;
                let shift = $shift(&weights.data)?;
                if !available || !converts_safely(weights, requantize) || weights.n == 0 {
                    return None;
                }
                let groups = weights.n.div_ceil(CHANNELS);
                let steps = weights.k.div_ceil(K_MULTIPLE);
                let mut packed = vec![[0; CHANNELS * K_MULTIPLE]; groups * steps];
                for n in 0..weights.n {
                    let (group, channel) = (n / CHANNELS, n % CHANNELS);
                    for (k, &w) in weights.row(n).iter().enumerate() {
                        let block = &mut packed[group * steps + k / K_MULTIPLE];
                        block[$slot(channel, k % K_MULTIPLE)] = (w + shift) as $weight;
                    }
                }
                let mut bias = vec![[0; CHANNELS]; groups];
                let mut scale = vec![[0.0; CHANNELS]; groups];
                bias.as_flattened_mut()[..weights.n].copy_from_slice(&requantize.bias);
                scale.as_flattened_mut()[..weights.n].copy_from_slice(&requantize.scale);
                Some(Self {
                    weights: packed,
                    bias,
                    scale,
                    requantize: requantize.clone(),
                    n: weights.n,
                    k: weights.k,
                    shift: shift.into(),
                })
            }

            fn steps(&self) -> usize {
                self.k.div_ceil(K_MULTIPLE)
            }

            #[target_feature(enable = $features)]
            fn strips(&self, rows: Rows<'_, u8>, mut out: Target<'_>) {
                rows.check(self.steps() * K_MULTIPLE);
                let mut sums = [0i32; STRIP + TILE];
                for start in (0..rows.count).step_by(STRIP) {
                    let end = rows.count.min(start + STRIP);
                    // The last tile may begin before the strip.
                    let first = start.min(end.saturating_sub(TILE));
                    if self.shift != 0 {
                        for m in first..end {
                            let sum: i32 = rows.row(m, self.k).iter().map(|&a| i32::from(a)).sum();
                            sums[m - first] = -self.shift.wrapping_mul(sum);
                        }
                    }
                    for group in 0..self.bias.len() {
                        let mut m = start;
                        while m < end {
                            if m + TILE <= end {
                                self.tile::<TILE>(group, rows, m, &sums[m - first..], &mut out);
                                m += TILE;
                            } else if end >= TILE {
                                m = end - TILE;
                                self.tile::<TILE>(group, rows, m, &sums[m - first..], &mut out);
                                break;
                            } else {
                                self.tile::<1>(group, rows, m, &sums[m - first..], &mut out);
                                m += 1;
                            }
                        }
                    }
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn tile<const R: usize>(
                &self,
                group: usize,
                rows: Rows<'_, u8>,
                m: usize,
                sums: &[i32],
                out: &mut Target<'_>,
            ) {
                let mut acc = [[vdupq_n_s32(0); 4]; R];
                for r in 0..R {
                    for q in 0..4 {
                        // SAFETY: the bias of a group is 16 numbers.
                        let bias = unsafe { vld1q_s32(self.bias[group].as_ptr().add(4 * q)) };
                        acc[r][q] = vaddq_s32(bias, vdupq_n_s32(sums[r]));
                    }
                }
                let steps = self.steps();
                let weights = &self.weights[group * steps..][..steps];
                // SAFETY: `strips` checked that the rows lie in the data, each of steps ×
                // multiple bytes.
                unsafe {
                    $accumulate(&mut acc, rows.data.as_ptr().add(m * rows.stride), rows.stride, weights)
                };
                let first = m * self.n + group * CHANNELS;
                let width = CHANNELS.min(self.n - group * CHANNELS);
                for (r, acc) in acc.iter().enumerate() {
                    match out {
                        Target::Bytes(out) => {
                            let mut values = [0u8; CHANNELS];
                            let bytes = self.bytes(group, acc);
                            // SAFETY: the array is as long as the register.
                            unsafe { vst1q_u8(values.as_mut_ptr(), bytes) };
                            out[first + r * self.n..][..width].copy_from_slice(&values[..width]);
                        }
                        Target::Sums(out) => {
                            let mut values = [0i32; CHANNELS];
                            for q in 0..4 {
                                // SAFETY: the array is as long as four registers.
                                unsafe { vst1q_s32(values.as_mut_ptr().add(4 * q), acc[q]) };
                            }
                            out[first + r * self.n..][..width].copy_from_slice(&values[..width]);
                        }
                    }
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn bytes(&self, group: usize, acc: &[int32x4_t; 4]) -> uint8x16_t {
                let mut rounded = *acc;
                for q in 0..4 {
                    // SAFETY: the scales of a group are 16 numbers.
                    let scale = unsafe { vld1q_f32(self.scale[group].as_ptr().add(4 * q)) };
                    rounded[q] = vcvtnq_s32_f32(vmulq_f32(vcvtq_f32_s32(acc[q]), scale));
                }
                let zero_point = vdupq_n_s16(self.requantize.zero_point as i16);
                // Saturation on the way is part of the clamp.
                let low = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(rounded[0]), rounded[1]), zero_point);
                let high = vqaddq_s16(vqmovn_high_s32(vqmovn_s32(rounded[2]), rounded[3]), zero_point);
                let bytes = vqmovun_high_s16(vqmovun_s16(low), high);
                let bytes = vminq_u8(bytes, vdupq_n_u8(self.requantize.range.max));
                vmaxq_u8(bytes, vdupq_n_u8(self.requantize.range.min))
            }
        }

        /// Where a kernel's results go.
        enum Target<'a> {
            Bytes(&'a mut [u8]),
            Sums(&'a mut [i32]),
        }

        impl GemmU8 for Gemm {
            fn name(&self) -> &'static str {
                if self.shift == 0 { $name } else { $shifted_name }
            }

            fn k_multiple(&self) -> usize {
                K_MULTIPLE
            }

            fn row_multiple(&self) -> usize {
                3 * TILE
            }

            fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
                // SAFETY: `new` found the features on this CPU.
                unsafe { self.strips(rows, Target::Bytes(out)) }
            }

            fn accumulated(&self, rows: Rows<'_, u8>, out: &mut [i32]) {
                // SAFETY: as above.
                unsafe { self.strips(rows, Target::Sums(out)) }
            }
        }
    };
}

pub(super) use gemm_on_neon;
