//! Tiles of 256-bit registers, shared by the kernels that differ only in how they multiply.
//!
//! Channels are taken in groups of P ≤ 2 registers. Within a group, register q holds in its 128-bit
//! lane L the channels 4·P·L + 4·q + 0..4: the order in which saturating packs put them back side
//! by side.

/// Defines `Gemm` with `$features` enabled: `$pack(row chunk of four weights) -> [T; W]` lays out
/// four weights of a channel in `$vectors` registers, `$multiply(acc, x, w)` adds the products of four
/// broadcast activations with them.
macro_rules! gemm_on_ymm {
    (
        features: $features:literal,
        available: $available:expr,
        name: $name:literal,
        shifted_name: $shifted_name:literal,
        weight: $weight:ty,
        vectors: $vectors:literal,
        shift: $shift:expr,
        pack: $pack:expr,
        multiply: $multiply:path,
    ) => {
        use crate::kernels::gemm::packing::converts_safely;
        use crate::kernels::gemm::{GemmU8, Matrix, Reals, Rows, Target};
        use crate::kernels::requantize::Requantize;
        use core::arch::x86_64::*;

        /// Channels in a register of accumulators.
        const LANES: usize = 8;
        /// Activations that are broadcast together.
        const DEPTH: usize = 4;
        /// Bytes of activations that a strip of rows should stay below.
        const STRIP_BYTES: usize = 16 << 10;
        /// Most rows in a tile; divisible by the rows of every tile.
        const TILE_MAX: usize = 12;
        const STRIP_MAX: usize = 8 * TILE_MAX;

        /// Four weights of eight channels.
        #[derive(Clone, Copy)]
        #[repr(C, align(32))]
        struct Block([[$weight; DEPTH * LANES / $vectors]; $vectors]);

        struct Group {
            registers: usize,
            channel: usize,
            channels: usize,
            weights: usize,
            constants: usize,
        }

        pub(in crate::kernels::gemm) struct Gemm {
            groups: Vec<Group>,
            weights: Vec<Block>,
            bias: Vec<i32>,
            scale: Vec<f32>,
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
                let shift: i16 = $shift(&weights.data)?;
                if !available || !converts_safely(weights, requantize) || weights.n == 0 {
                    return None;
                }
                let mut gemm = Self {
                    groups: Vec::new(),
                    weights: Vec::new(),
                    bias: Vec::new(),
                    scale: Vec::new(),
                    requantize: Requantize {
                        bias: Vec::new(),
                        scale: Vec::new(),
                        zero_point: requantize.zero_point,
                        range: requantize.range,
                    },
                    n: weights.n,
                    k: weights.k,
                    shift: shift.into(),
                };
                gemm.weights.reserve_exact(weights.n.div_ceil(LANES) * weights.k.div_ceil(DEPTH));
                for channel in (0..weights.n).step_by(2 * LANES) {
                    let registers = if weights.n - channel > LANES { 2 } else { 1 };
                    gemm.push_group(weights, requantize, channel, registers);
                }
                Some(gemm)
            }

            fn push_group(
                &mut self,
                weights: &Matrix<i16>,
                requantize: &Requantize,
                first: usize,
                registers: usize,
            ) {
                let (constants, start) = (self.bias.len(), self.weights.len());
                let order: Vec<usize> = (0..registers)
                    .flat_map(|q| (0..LANES).map(move |i| first + i / 4 * 4 * registers + 4 * q + i % 4))
                    .collect();
                for &n in &order {
                    self.bias.push(requantize.bias.get(n).copied().unwrap_or(0));
                    self.scale.push(requantize.scale.get(n).copied().unwrap_or(0.0));
                }
                for k in (0..weights.k).step_by(DEPTH) {
                    for register in order.chunks_exact(LANES) {
                        let mut block = Block([[0; DEPTH * LANES / $vectors]; $vectors]);
                        for (lane, &n) in register.iter().enumerate().filter(|&(_, &n)| n < weights.n) {
                            let mut four = [0i16; DEPTH];
                            for (to, &w) in four.iter_mut().zip(&weights.row(n)[k..]) {
                                *to = w + self.shift as i16;
                            }
                            let packed: [[$weight; DEPTH / $vectors]; $vectors] = $pack(four);
                            for (vector, part) in block.0.iter_mut().zip(packed) {
                                vector[lane * DEPTH / $vectors..][..DEPTH / $vectors].copy_from_slice(&part);
                            }
                        }
                        self.weights.push(block);
                    }
                }
                let channels = (registers * LANES).min(weights.n - first);
                self.groups.push(Group { registers, channel: first, channels, weights: start, constants });
            }

            fn padded_k(&self) -> usize {
                self.k.next_multiple_of(DEPTH)
            }

            #[target_feature(enable = $features)]
            fn strips(&self, rows: Rows<'_, u8>, mut out: Target<'_>) {
                rows.check(self.padded_k());
                let strip = (STRIP_BYTES / self.k.max(1)) / TILE_MAX * TILE_MAX;
                let strip = strip.clamp(TILE_MAX, STRIP_MAX);
                let mut sums = [0i32; STRIP_MAX + TILE_MAX];
                for start in (0..rows.count).step_by(strip) {
                    let end = rows.count.min(start + strip);
                    // The last tile may begin before the strip.
                    let first = start.min(end.saturating_sub(TILE_MAX));
                    if self.shift != 0 {
                        for m in first..end {
                            let sum: i32 = rows.row(m, self.k).iter().map(|&a| i32::from(a)).sum();
                            sums[m - first] = -self.shift.wrapping_mul(sum);
                        }
                    }
                    let strip = Strip { rows, start, end, first, sums: &sums };
                    for group in &self.groups {
                        match group.registers {
                            1 => self.group::<12, 1>(group, &strip, &mut out),
                            _ => self.group::<6, 2>(group, &strip, &mut out),
                        }
                    }
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn group<const R: usize, const P: usize>(
                &self,
                group: &Group,
                strip: &Strip<'_>,
                out: &mut Target<'_>,
            ) {
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

            #[inline]
            #[target_feature(enable = $features)]
            fn tile<const R: usize, const P: usize>(
                &self,
                group: &Group,
                strip: &Strip<'_>,
                m: usize,
                out: &mut Target<'_>,
            ) {
                let Rows { data, stride, .. } = strip.rows;
                let steps = self.padded_k() / DEPTH;
                let weights = &self.weights[group.weights..][..steps * P];
                let bias = &self.bias[group.constants..][..P * LANES];
                let mut acc = [[_mm256_setzero_si256(); P]; R];
                for r in 0..R {
                    let sum = _mm256_set1_epi32(strip.sums[m + r - strip.first]);
                    for p in 0..P {
                        // SAFETY: bias holds P × 8 numbers.
                        let bias = unsafe { _mm256_loadu_si256(bias.as_ptr().add(p * LANES).cast()) };
                        acc[r][p] = _mm256_add_epi32(bias, sum);
                    }
                }
                // SAFETY: `strips` checked that the rows lie in the data.
                let a = unsafe { data.as_ptr().add(m * stride) };
                for step in 0..steps {
                    let mut w = [[_mm256_setzero_si256(); $vectors]; P];
                    for p in 0..P {
                        for v in 0..$vectors {
                            // SAFETY: weights holds steps × P blocks of aligned vectors.
                            w[p][v] = unsafe {
                                _mm256_load_si256(weights.as_ptr().add(step * P + p).cast::<__m256i>().add(v))
                            };
                        }
                    }
                    for r in 0..R {
                        // SAFETY: row m + r < rows.count is readable for the padded k bytes, as
                        // `strips` checked; 4 bytes at 4 × step lie within.
                        let x = unsafe { a.add(r * stride + step * DEPTH).cast::<i32>().read_unaligned() };
                        let x = _mm256_set1_epi32(x);
                        for p in 0..P {
                            acc[r][p] = $multiply(acc[r][p], x, w[p]);
                        }
                    }
                }
                let first = m * self.n + group.channel;
                match out {
                    Target::Bytes(out) => self.store_bytes(group, &acc, &mut out[first..]),
                    Target::Reals(to) => self.store_reals(group, &acc, to, m),
                }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn store_reals<const R: usize, const P: usize>(
                &self,
                group: &Group,
                acc: &[[__m256i; P]; R],
                to: &mut Reals<'_>,
                m: usize,
            ) {
                let (sums, scales, bias) = to.output.from(group.channel);
                let range = to.output.range;
                let (min, max) = (_mm256_set1_ps(range.min), _mm256_set1_ps(range.max));
                for (r, row) in acc.iter().enumerate() {
                    let quantized = to.range(m + r);
                    let zero_point = _mm256_set1_epi32(quantized.zero_point);
                    let scale = _mm256_set1_ps(quantized.scale);
                    let (a, b) = (row[0], row[P - 1]);
                    // Channels side by side; of one register they are that already.
                    let in_order = if P == 1 {
                        [a, a]
                    } else {
                        [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)]
                    };
                    let out = &mut to.out[(m + r) * self.n + group.channel..][..group.channels];
                    for (q, out) in out.chunks_mut(LANES).enumerate() {
                        let mut values = [0.0; LANES];
                        // SAFETY: from every channel on more numbers are readable than a group has
                        // channels; what is written is as long as the register.
                        unsafe {
                            let at = q * LANES;
                            let sums = _mm256_loadu_si256(sums.as_ptr().add(at).cast());
                            let acc = _mm256_sub_epi32(in_order[q], _mm256_mullo_epi32(sums, zero_point));
                            let real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc), scale);
                            let real = _mm256_mul_ps(real, _mm256_loadu_ps(scales.as_ptr().add(at)));
                            let real = _mm256_add_ps(real, _mm256_loadu_ps(bias.as_ptr().add(at)));
                            let real = _mm256_min_ps(max, _mm256_max_ps(min, real));
                            if out.len() == LANES {
                                _mm256_storeu_ps(out.as_mut_ptr(), real);
                                continue;
                            }
                            _mm256_storeu_ps(values.as_mut_ptr(), real);
                        }
                        out.copy_from_slice(&values[..out.len()]);
                    }
                }
            }

            /// Requantizes four registers at a time and packs them into one.
            #[inline]
            #[target_feature(enable = $features)]
            fn store_bytes<const R: usize, const P: usize>(
                &self,
                group: &Group,
                acc: &[[__m256i; P]; R],
                out: &mut [u8],
            ) {
                let scales = &self.scale[group.constants..][..P * LANES];
                let mut scale = [_mm256_setzero_ps(); P];
                for p in 0..P {
                    // SAFETY: scales holds P × 8 numbers.
                    scale[p] = unsafe { _mm256_loadu_ps(scales.as_ptr().add(p * LANES)) };
                }
                let zero_point = _mm256_set1_epi16(self.requantize.zero_point as i16);
                let min = _mm256_set1_epi8(self.requantize.range.min as i8);
                let max = _mm256_set1_epi8(self.requantize.range.max as i8);
                let rows_per_pack = 4 / P;
                let mut r = 0;
                while r < R {
                    let mut rounded = [_mm256_setzero_si256(); 4];
                    for q in 0..4 {
                        // Where fewer rows are left than a pack takes, the last one fills it up.
                        let (row, p) = (r + q / P, q % P);
                        let row = if row < R { row } else { R - 1 };
                        let real = _mm256_mul_ps(_mm256_cvtepi32_ps(acc[row][p]), scale[p]);
                        rounded[q] = _mm256_cvtps_epi32(real);
                    }
                    let [a, b, c, d] = rounded;
                    // Saturation on the way is part of the clamp.
                    let low = _mm256_adds_epi16(_mm256_packs_epi32(a, b), zero_point);
                    let high = _mm256_adds_epi16(_mm256_packs_epi32(c, d), zero_point);
                    let bytes = _mm256_packus_epi16(low, high);
                    let bytes = _mm256_max_epu8(_mm256_min_epu8(bytes, max), min);
                    let packed = if P == 1 {
                        _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
                    } else {
                        _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes)
                    };
                    let mut values = [0u8; 32];
                    // SAFETY: the array is as long as the register.
                    unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), packed) };
                    for (i, values) in
                        values.chunks_exact(LANES * P).enumerate().take(rows_per_pack.min(R - r))
                    {
                        let out = &mut out[(r + i) * self.n..][..group.channels];
                        if group.channels == LANES * P {
                            out.copy_from_slice(values);
                        } else {
                            out.copy_from_slice(&values[..group.channels]);
                        }
                    }
                    r += rows_per_pack;
                }
            }
        }

        struct Strip<'a> {
            rows: Rows<'a, u8>,
            start: usize,
            end: usize,
            /// Row of the first sum.
            first: usize,
            /// What the shift of the weights added to each row's results, negated.
            sums: &'a [i32],
        }

        impl GemmU8 for Gemm {
            fn name(&self) -> &'static str {
                if self.shift == 0 { $name } else { $shifted_name }
            }

            fn k_multiple(&self) -> usize {
                DEPTH
            }

            fn row_multiple(&self) -> usize {
                TILE_MAX
            }

            fn requantized(&self, rows: Rows<'_, u8>, out: &mut [u8]) {
                // SAFETY: `new` found the features on this CPU.
                unsafe { self.strips(rows, Target::Bytes(out)) }
            }

            fn real(&self, rows: Rows<'_, u8>, to: Reals<'_>) {
                to.check(rows.count);
                // SAFETY: as above.
                unsafe { self.strips(rows, Target::Reals(to)) }
            }
        }
    };
}

pub(super) use gemm_on_ymm;
