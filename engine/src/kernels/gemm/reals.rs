//! From accumulators to real numbers, for operators whose activations were quantized as they came.

use super::FloatRange;
use crate::kernels::dynamic::Dynamic;

/// Channels beyond the last that kernels may read: their widest group.
const PADDING: usize = 64;

/// What makes real results of a hybrid operator's accumulators.
pub(crate) struct Dequantize {
    n: usize,
    /// Of each channel its weights added up, its scale and its bias; then zeros, so that whole registers
    /// are readable from every channel on.
    sums: Vec<i32>,
    scales: Vec<f32>,
    bias: Vec<f32>,
    pub(super) range: FloatRange,
}

impl Dequantize {
    /// `sums`, `scales` and `bias` have a number for each channel.
    pub(crate) fn new(
        mut sums: Vec<i32>,
        mut scales: Vec<f32>,
        mut bias: Vec<f32>,
        range: FloatRange,
    ) -> Self {
        let n = sums.len();
        assert!(scales.len() == n && bias.len() == n, "a number for each channel");
        sums.resize(n + PADDING, 0);
        scales.resize(n + PADDING, 0.0);
        bias.resize(n + PADDING, 0.0);
        Self { n, sums, scales, bias, range }
    }

    /// Sums, scales and biases of the channels from `channel` on, [`PADDING`] at least.
    #[inline(always)]
    pub(super) fn from(&self, channel: usize) -> (&[i32], &[f32], &[f32]) {
        assert!(channel <= self.n);
        (&self.sums[channel..], &self.scales[channel..], &self.bias[channel..])
    }

    /// The result of an accumulator of `channel`. Vectors do the same: nothing is fused.
    #[inline(always)]
    pub(super) fn real(&self, acc: i32, channel: usize, row: Dynamic) -> f32 {
        let acc = acc.wrapping_sub(self.sums[channel].wrapping_mul(row.zero_point));
        self.range.clamp(acc as f32 * row.scale * self.scales[channel] + self.bias[channel])
    }
}

/// Where a kernel's real results go.
pub(crate) struct Reals<'a> {
    pub(crate) output: &'a Dequantize,
    /// How each row was quantized, or one for all.
    pub(crate) ranges: &'a [Dynamic],
    pub(crate) out: &'a mut [f32],
}

impl Reals<'_> {
    /// Fails where `count` rows have no room, or no ranges.
    pub(super) fn check(&self, count: usize) {
        assert!(self.out.len() >= count * self.output.n, "the rows lie in the output");
        assert!(matches!(self.ranges.len(), 1) || self.ranges.len() >= count, "each row has a range");
    }

    /// How row `m` was quantized.
    #[inline(always)]
    pub(super) fn range(&self, m: usize) -> Dynamic {
        self.ranges[if self.ranges.len() == 1 { 0 } else { m }]
    }
}
