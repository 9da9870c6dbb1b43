//! What a graph does with its float input first, and so which numbers it expects there.
//!
//! A rescaling layer, a subtraction of means or a QUANTIZE of a known range tells whether pictures
//! come as 0..255, 0..1 or −1..1.

use super::Normalization;
use osprey_engine::Graph;
use osprey_engine::graph::{Activation, Binary, DType, Node, Op, Quantization, TensorId};

/// Largest magnitude of what a network's first layer is given, where levels are scaled at all.
const NETWORK_RANGE: f32 = 6.0;
/// Zero lies above this level only where levels are 0..255.
const LEAST_MEAN: f32 = 2.0;

/// What the first input is to hold, where it is float and the first operators tell.
pub(super) fn expected(graph: &Graph<'_>) -> Option<Normalization> {
    let mut at = *graph.inputs.first()?;
    if graph.tensors[at].dtype != DType::F32 {
        return None;
    }
    let mut steps = Affine::default();
    // Each step leads to another tensor; a chain is no longer than the graph.
    for _ in 0..graph.nodes.len() {
        let mut users = graph.nodes.iter().filter(|n| n.inputs.contains(&Some(at)));
        let (Some(node), None) = (users.next(), users.next()) else { break };
        let Some(&output) = node.outputs.first() else { break };
        match &node.op {
            Op::Pad
            | Op::PadV2
            | Op::Transpose
            | Op::Reshape { .. }
            | Op::Squeeze { .. }
            | Op::ExpandDims
            | Op::ResizeBilinear(_)
            | Op::ResizeNearestNeighbor(_)
                if node.inputs.first() == Some(&Some(at)) => {}
            Op::Quantize if steps.is_identity() => {
                return range(graph.tensors[output].dtype, graph.tensors[output].quantization.as_ref()?);
            }
            _ if !steps.follow(graph, node, at) => break,
            _ => {}
        }
        at = output;
    }
    steps.expects()
}

/// x × scale + offset for each channel: what was done to the input so far.
#[derive(Debug, PartialEq)]
struct Affine {
    scale: [f32; 3],
    offset: [f32; 3],
}

impl Default for Affine {
    fn default() -> Self {
        Self { scale: [1.0; 3], offset: [0.0; 3] }
    }
}

impl Affine {
    fn is_identity(&self) -> bool {
        *self == Self::default()
    }

    /// Takes one more operator in; false where it is no arithmetic of the tensor `at` and a constant.
    fn follow(&mut self, graph: &Graph<'_>, node: &Node, at: TensorId) -> bool {
        let &[Some(left), Some(right)] = node.inputs.as_slice() else { return false };
        let (other, first) = if left == at { (right, true) } else { (left, false) };
        let Some(values) = constant(graph, other) else { return false };
        for ((scale, offset), value) in self.scale.iter_mut().zip(&mut self.offset).zip(values) {
            match (&node.op, first) {
                (Op::Mul(Activation::None), _) => (*scale, *offset) = (*scale * value, *offset * value),
                (Op::Add(Activation::None), _) => *offset += value,
                (Op::Sub(Activation::None), true) => *offset -= value,
                (Op::Binary(Binary::Div(Activation::None)), true) => {
                    (*scale, *offset) = (*scale / value, *offset / value);
                }
                _ => return false,
            }
        }
        true
    }

    /// The numbers that these steps bring into a network's range.
    fn expects(&self) -> Option<Normalization> {
        let all = |holds: &dyn Fn(f32, f32) -> bool| {
            self.scale.iter().zip(&self.offset).all(|(&scale, &offset)| holds(scale, offset))
        };
        let finite = all(&|scale, offset| scale.is_normal() && offset.is_finite());
        if self.is_identity() || !finite {
            return None;
        }
        // Where the steps give zero; at most that far from zero at the end of a range.
        let zero = |scale: f32, offset: f32| -offset / scale;
        let within = |scale: f32, offset: f32, top: f32| {
            offset.abs() <= NETWORK_RANGE && (scale * top + offset).abs() <= NETWORK_RANGE
        };
        if all(&|s, o| zero(s, o) > LEAST_MEAN || within(s, o, 255.0)) {
            return Some(Normalization::NONE);
        }
        if all(&|s, o| (zero(s, o) + 1.0).abs() < 0.02) {
            return Some(Normalization::default());
        }
        let unit =
            all(&|s, o| (o < 0.0 && zero(s, o) < 1.0 && within(s, o, 1.0)) || (o == 0.0 && s == 255.0));
        unit.then_some(Normalization::UNIT)
    }
}

/// A constant for all channels, or one for each of three.
fn constant(graph: &Graph<'_>, id: TensorId) -> Option<[f32; 3]> {
    let tensor = &graph.tensors[id];
    let data = tensor.data.filter(|_| tensor.dtype == DType::F32 && tensor.sparsity.is_none())?;
    let value = |bytes: &[u8; 4]| f32::from_le_bytes(*bytes);
    match data.as_chunks().0 {
        [all] => Some([value(all); 3]),
        [r, g, b] => Some([value(r), value(g), value(b)]),
        _ => None,
    }
}

/// What a float input holds that is brought to 8 bits at once: its range was measured on pictures.
fn range(dtype: DType, quantization: &Quantization) -> Option<Normalization> {
    let (scale, zero_point) = quantization.per_tensor()?;
    let (least, greatest) = match dtype {
        DType::I8 => (-128, 127),
        DType::U8 => (0, 255),
        _ => return None,
    };
    let real = |level: i32| (level - zero_point) as f32 * scale;
    let (low, high) = (real(least), real(greatest));
    let near = |value: f32, wanted: f32| (value - wanted).abs() <= 0.1 * wanted.abs().max(0.1);
    if near(low, 0.0) && near(high, 1.0) {
        Some(Normalization::UNIT)
    } else if near(low, -1.0) && near(high, 1.0) {
        Some(Normalization::default())
    } else if low.abs() < 3.0 && near(high, 255.0) {
        Some(Normalization::NONE)
    } else if near(low, -2.1) && near(high, 2.6) {
        Some(Normalization::IMAGENET)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(scale: f32, offset: f32) -> Option<Normalization> {
        Affine { scale: [scale; 3], offset: [offset; 3] }.expects()
    }

    #[test]
    fn a_rescaling_layer_tells_the_numbers_before_it() {
        assert_eq!(after(1.0 / 255.0, 0.0), Some(Normalization::NONE));
        assert_eq!(after(1.0 / 127.5, -1.0), Some(Normalization::NONE));
        assert_eq!(after(1.0, -123.7), Some(Normalization::NONE), "means are subtracted from levels");
        assert_eq!(after(2.0, -1.0), Some(Normalization::UNIT));
        assert_eq!(after(1.0 / 0.229, -0.485 / 0.229), Some(Normalization::UNIT));
        assert_eq!(after(255.0, 0.0), Some(Normalization::UNIT));
        assert_eq!(after(127.5, 127.5), Some(Normalization::default()));
        for silent in [(1.0, 0.0), (0.0, 1.0), (f32::NAN, 0.0), (-3.0, -700.0)] {
            assert_eq!(after(silent.0, silent.1), None, "{silent:?}");
        }
    }

    #[test]
    fn a_quantized_range_tells_them_too() {
        let of = |dtype, scale, zero_point| {
            range(dtype, &Quantization { scales: vec![scale], zero_points: vec![zero_point], axis: 0 })
        };
        assert_eq!(of(DType::I8, 1.0 / 255.0, -128), Some(Normalization::UNIT));
        assert_eq!(of(DType::I8, 0.00784, -1), Some(Normalization::default()));
        assert_eq!(of(DType::U8, 1.0, 0), Some(Normalization::NONE));
        assert_eq!(of(DType::I8, 0.0186, -14), Some(Normalization::IMAGENET));
        assert_eq!(of(DType::I8, 0.3, 5), None);
        assert_eq!(of(DType::I16, 1.0 / 255.0, 0), None);
    }
}
