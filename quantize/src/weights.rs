//! Weights and biases of convolutions and fully connected layers as integers.

use crate::observe::Channel;
use crate::ranges::Affine;
use osprey_engine::graph::Op;

/// Symmetric levels of an int8 weight: −128 is not used, by TFLite's specification.
const LEVELS: f32 = 127.0;
/// A bias stays below this, so that the products added to it cannot overflow 32 bits.
const BIAS_LIMIT: f32 = (1u32 << 30) as f32;
/// LiteRT's kernels refuse output steps that are more than 2³² times those of products.
const FINEST: f32 = 1.0 / (1u32 << 24) as f32;

/// Weights as int8, and the scale of each output channel, or one for all.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Int8Weights {
    pub(crate) values: Vec<i8>,
    pub(crate) scales: Vec<f32>,
}

/// Which output channel each weight belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    pub(crate) channels: usize,
    /// Weights between two steps along the channels.
    inner: usize,
    /// Extent of the last dimension.
    row: usize,
}

impl Layout {
    pub(crate) fn new(shape: &[usize], axis: usize) -> Self {
        let inner = shape[axis + 1..].iter().product::<usize>().max(1);
        Self { channels: shape[axis].max(1), inner, row: shape.last().copied().unwrap_or(1) }
    }

    pub(crate) fn channel(self, index: usize) -> usize {
        index / self.inner % self.channels
    }
}

impl Int8Weights {
    /// Rounds to the nearest of 255 levels around zero; scales are at least `floors`.
    pub(crate) fn of(weights: &[f32], layout: Layout, per_channel: bool, floors: &[f32]) -> Self {
        let mut scales = vec![0.0f32; layout.channels];
        for (i, w) in weights.iter().enumerate() {
            let scale = &mut scales[layout.channel(i)];
            *scale = scale.max(w.abs() / LEVELS);
        }
        scales.iter_mut().zip(floors).for_each(|(s, floor)| *s = s.max(*floor));
        let greatest = scales.iter().copied().fold(0.0, f32::max);
        let usable = if greatest.is_normal() { greatest } else { 1.0 };
        if per_channel {
            // A channel of zeros may have any scale.
            scales.iter_mut().filter(|s| !s.is_normal()).for_each(|s| *s = usable);
        } else {
            scales = vec![usable];
        }
        let scale = |i: usize| scales[layout.channel(i) % scales.len()];
        let level = |(i, w): (usize, &f32)| (w / scale(i)).round_ties_even().clamp(-LEVELS, LEVELS) as i8;
        Self { values: weights.iter().enumerate().map(level).collect(), scales }
    }

    /// The scale of an output channel.
    pub(crate) fn scale(&self, channel: usize) -> f32 {
        self.scales[channel % self.scales.len()]
    }

    /// For each output channel, how much too large rounding makes the mean of its sums: zeros where that is not
    /// known.
    pub(crate) fn shifts(&self, weights: &[f32], layout: Layout, op: &Op, inputs: &[Channel]) -> Vec<f64> {
        let mut shifts = vec![0.0; layout.channels];
        let Some(reads) = Reads::of(op, layout, inputs.len()) else { return shifts };
        for (i, (&q, &w)) in self.values.iter().zip(weights).enumerate() {
            let channel = layout.channel(i);
            let error = f64::from(q) * f64::from(self.scale(channel)) - f64::from(w);
            shifts[channel] += error * inputs[reads.input(i, channel)].mean();
        }
        shifts
    }
}

/// The least scale of each channel's weights with which bias and products fit LiteRT's integers.
pub(crate) fn floors(bias: &[f32], input: Affine, output: Affine) -> Vec<f32> {
    let finest = output.scale / input.scale * FINEST;
    bias.iter().map(|b| (b.abs() / (input.scale * BIAS_LIMIT)).max(finest)).collect()
}

/// A bias in steps of the products.
pub(crate) fn integer_bias(bias: f64, input: Affine, weights: f32) -> i32 {
    let step = f64::from(input.scale) * f64::from(weights);
    (bias / step).round_ties_even().clamp(-f64::from(BIAS_LIMIT), f64::from(BIAS_LIMIT)) as i32
}

/// Which channel of the input a weight is multiplied with.
enum Reads {
    /// Depthwise: so many outputs from each input.
    Own(usize),
    /// So many inputs and outputs to a group.
    Group { inputs: usize, outputs: usize },
}

impl Reads {
    /// `None` where an output does not see every weight of its row.
    fn of(op: &Op, layout: Layout, inputs: usize) -> Option<Self> {
        match op {
            Op::DepthwiseConv2d(_) if inputs > 0 && layout.channels.is_multiple_of(inputs) => {
                Some(Self::Own(layout.channels / inputs))
            }
            Op::Conv2d(_) | Op::FullyConnected { .. }
                if layout.row > 0 && inputs.is_multiple_of(layout.row) =>
            {
                let outputs = layout.channels / (inputs / layout.row).max(1);
                (outputs > 0).then_some(Self::Group { inputs: layout.row, outputs })
            }
            _ => None,
        }
    }

    /// The input channel of the weight at `index`, which belongs to output `channel`.
    fn input(&self, index: usize, channel: usize) -> usize {
        match self {
            Self::Own(multiplier) => channel / multiplier,
            Self::Group { inputs, outputs } => channel / outputs * inputs + index % inputs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_channel_uses_all_levels_and_dead_ones_do_no_harm() {
        // Two outputs of two inputs each, and one that is dead.
        let weights = [0.6, -1.0, 0.012, 0.02, 0.0, 0.0];
        let layout = Layout::new(&[3, 1, 1, 2], 0);
        let q = Int8Weights::of(&weights, layout, true, &[0.0; 3]);
        assert_eq!(q.values, [76, -127, 76, 127, 0, 0]);
        assert!(q.scales.iter().all(|s| s.is_normal()), "{:?}", q.scales);
        assert_eq!(Int8Weights::of(&weights, layout, false, &[0.0; 3]).values, [76, -127, 2, 3, 0, 0]);
    }

    #[test]
    fn a_large_bias_widens_the_scale_until_it_fits() {
        let (input, output) = (Affine::of(0.0, 1e-3), Affine::of(-100.0, 100.0));
        let floors = floors(&[90.0], input, output);
        let q = Int8Weights::of(&[1e-6], Layout::new(&[1, 1, 1, 1], 0), true, &floors);
        let bias = integer_bias(90.0, input, q.scale(0));
        let back = bias as f32 * input.scale * q.scale(0);
        assert!((back - 90.0).abs() < 1e-3, "{back}");
    }

    #[test]
    fn groups_read_their_own_inputs() {
        // Four outputs in two groups, three inputs each.
        let layout = Layout::new(&[4, 1, 1, 3], 0);
        let options = osprey_engine::graph::ConvOptions {
            padding: osprey_engine::graph::Padding::Valid,
            stride: osprey_engine::graph::Size2 { h: 1, w: 1 },
            dilation: osprey_engine::graph::Size2 { h: 1, w: 1 },
            activation: Default::default(),
        };
        let reads = Reads::of(&Op::Conv2d(options), layout, 6).unwrap();
        let inputs: Vec<_> = (0..12).map(|i| reads.input(i, layout.channel(i))).collect();
        assert_eq!(inputs, [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5]);
    }
}
