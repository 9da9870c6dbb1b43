//! Packs weights, biases and scales in the order that interleaving gives the registers.

use super::{BLOCK, DEPTH, Depthwise, Lanes, MAX_TAPS, Vector, tap};
use crate::kernels::Isa;
use crate::kernels::depthwise::Taps;
use crate::kernels::gemm::{can_split, split};
use crate::kernels::requantize::Requantize;

impl Depthwise {
    /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
    pub(in crate::kernels::depthwise) fn new(
        taps: &Taps<'_, u8, i16>,
        requantize: &Requantize,
    ) -> Option<Self> {
        let Taps { window, channels, weights, blank } = *taps;
        let splits = can_split(&weights.data);
        let bound = window.taps() as f64 * 255.0 * 255.0;
        let converts = requantize.bias.iter().zip(&requantize.scale).all(|(&bias, &scale)| {
            (bound + f64::from(bias.unsigned_abs())) * f64::from(scale) < f64::from(1 << 30)
        });
        if !splits
            || !converts
            || !Isa::Avx512Vnni.is_available()
            || window.taps() > MAX_TAPS
            || channels == 0
        {
            return None;
        }
        let sliding = window.kernel.w == 3
            && window.kernel.h <= DEPTH
            && window.dilation.w == 1
            && window.stride.w <= 2;
        let pixels = if sliding && window.stride.w == 1 { (BLOCK / channels).max(1) } else { 1 };
        let mut blocks: Vec<usize> = (0..channels).step_by(BLOCK).collect();
        if let Some(last) = blocks.last_mut() {
            *last = (*last).min(channels.saturating_sub(BLOCK));
        }
        let quads = if sliding { window.kernel.w } else { window.taps().div_ceil(DEPTH) };
        // The channel of each element of a block, where there is one.
        let lanes = |block: usize| {
            order().map(move |i| match pixels {
                1 => Some(block + i).filter(|&c| c < channels),
                _ => (i < pixels * channels).then_some(i % channels),
            })
        };
        let (mut packed, mut rest) = (Vec::with_capacity(blocks.len() * quads), Vec::new());
        for &block in &blocks {
            for quad in 0..quads {
                let (mut first, mut second) = ([Vector([0; 64]); 4], [Vector([0; 64]); 4]);
                let mut is_split = false;
                for (i, c) in lanes(block).enumerate() {
                    for depth in 0..DEPTH {
                        let (Some(c), Some((row, column))) = (c, tap(&window, sliding, quad, depth)) else {
                            continue;
                        };
                        let (a, b) = split(weights.row(row * window.kernel.w + column)[c])?;
                        first[i / 16].0[i % 16 * DEPTH + depth] = a;
                        second[i / 16].0[i % 16 * DEPTH + depth] = b;
                        is_split |= b != 0;
                    }
                }
                packed.push(first);
                rest.push(is_split.then(|| Box::new(second)));
            }
        }
        let (mut bias, mut scale) = (Vec::new(), Vec::new());
        for &block in &blocks {
            let (mut biases, mut scales) = (Lanes([0; BLOCK]), Lanes([0.0; BLOCK]));
            for (i, c) in lanes(block).enumerate().filter_map(|(i, c)| Some((i, c?))) {
                (biases.0[i], scales.0[i]) = (requantize.bias[c], requantize.scale[c]);
            }
            bias.push(biases);
            scale.push(scales);
        }
        Some(Self {
            window,
            channels,
            pixels,
            weights: packed,
            rest,
            quads,
            sliding,
            bias,
            scale,
            zero_point: requantize.zero_point as i16,
            min: requantize.range.min,
            max: requantize.range.max,
            blank: Vector([blank as i8; 64]),
            blank_row: vec![blank; window.input.w * channels],
            blocks,
        })
    }
}

/// Elements of a block in the order that interleaving gives the lanes of four registers.
fn order() -> impl Iterator<Item = usize> {
    (0..BLOCK).map(|i| {
        let (register, element) = (i / 16, i % 16);
        element / 4 * 16 + register * 4 + element % 4
    })
}
