//! ADD carried out by the kernel before it, as at the end of an inverted residual.

use super::ByteSum;
use crate::graph::{DType, Op, TensorId};
use crate::lowering::{Lower, Operand};

/// The sum of a kernel's bytes with those of another tensor, the residual.
pub(in crate::kernels) struct FusedSum {
    sum: ByteSum,
    /// The ADD, and what it writes.
    pub(in crate::kernels) node: usize,
    pub(in crate::kernels) output: TensorId,
}

impl FusedSum {
    /// What the ADD behind `ctx`'s node does, and its other operand: where that is the only reader of
    /// the node's bytes, and all shapes are equal.
    pub(in crate::kernels) fn behind<'g>(ctx: &Lower<'g>) -> Option<(Self, Operand<'g>)> {
        let add = ctx.only_reader()?;
        let Op::Add(activation) = add.node.op else { return None };
        let (own, output) = (ctx.output(0).ok()?, add.output(0).ok()?);
        let operands = [add.input(0).ok()?, add.input(1).ok()?];
        let residual = *operands.iter().find(|operand| operand.id != own.id)?;
        let alike = |t: &Operand<'_>| t.shape() == own.shape() && t.dtype() == own.dtype();
        if !matches!(own.dtype(), DType::I8 | DType::U8) || !alike(&residual) || !alike(&output) {
            return None;
        }
        let sum = ByteSum::new(&add, [own, residual], output, activation).ok()?;
        Some((Self { sum, node: add.index, output: output.id }, residual))
    }

    /// Sums slices of equal length.
    pub(in crate::kernels) fn slices(&self, own: &[u8], residual: &[u8], out: &mut [u8]) {
        self.sum.slices(own, residual, out);
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{
        Activation, ConvOptions, DType, Graph, Node, Op, Padding, Quantization, Size2, TensorInfo,
    };
    use crate::{Options, Program, Session};
    use proptest::prelude::*;

    /// Input → convolution of 1×1 → plus the input. Where the convolution's output is one of the
    /// graph's, the sum is a step of its own.
    fn run(case: &Case, outputs: Vec<usize>, threads: usize) -> (usize, Vec<u8>) {
        let (c, pixels) = (case.channels, case.pixels);
        let tensor = |name: &str, shape: Vec<usize>, scale: f32, zero_point, data| TensorInfo {
            name: name.into(),
            shape,
            dtype: DType::U8,
            quantization: Some(Quantization { scales: vec![scale], zero_points: vec![zero_point], axis: 0 }),
            data,
            is_variable: false,
            sparsity: None,
        };
        let image = vec![1, 1, pixels, c];
        let weights: Vec<u8> = (0..c * c).map(|i| (i * i % 251 + 3) as u8).collect();
        let one = Size2 { h: 1, w: 1 };
        let conv =
            ConvOptions { padding: Padding::Same, stride: one, dilation: one, activation: Activation::None };
        let node = |op, inputs: [Option<usize>; 2], output| Node {
            op,
            inputs: inputs.to_vec(),
            outputs: vec![output],
            intermediates: Vec::new(),
        };
        let sum = if case.input_first { [Some(0), Some(2)] } else { [Some(2), Some(0)] };
        let graph = Graph {
            tensors: vec![
                tensor("input", image.clone(), 0.1, case.zero_points.0, None),
                tensor("weights", vec![c, 1, 1, c], 0.01, 120, Some(&weights)),
                tensor("conv", image.clone(), 0.2, case.zero_points.1, None),
                tensor("sum", image, 0.3, case.zero_points.2, None),
            ],
            nodes: vec![
                node(Op::Conv2d(conv), [Some(0), Some(1)], 2),
                node(Op::Add(Activation::Relu6), sum, 3),
            ],
            inputs: vec![0],
            outputs,
            metadata: Vec::new(),
            description: String::new(),
            ..Graph::default()
        };
        let program = Program::compile(&graph, &Options { threads, ..Options::default() }).unwrap();
        let steps = program.steps().len();
        let mut session = Session::new(program.into()).unwrap();
        session.input_mut(0).unwrap().iter_mut().enumerate().for_each(|(i, b)| *b = (i * 31 % 256) as u8);
        session.run();
        (steps, session.output(0).unwrap().to_vec())
    }

    #[derive(Debug, Clone)]
    struct Case {
        channels: usize,
        pixels: usize,
        zero_points: (i32, i32, i32),
        input_first: bool,
    }

    proptest! {
        #[test]
        fn fusing_changes_no_byte(
            quarters in 1usize..20, rest in 0usize..4, pixels in 1usize..300,
            zero_points in (0i32..256, 0i32..256, 0i32..256), input_first: bool, threads in 1usize..4,
        ) {
            let case = Case { channels: 4 * quarters + rest, pixels, zero_points, input_first };
            let (alone, expected) = run(&case, vec![3, 2], 1);
            let (fused, bytes) = run(&case, vec![3], threads);
            prop_assert_eq!(bytes, expected);
            prop_assert_eq!(alone, 2);
            // Pixels that need padding are copied first, and sums stay a step of their own.
            prop_assert!(fused == 1 || rest > 0 || quarters % 2 > 0);
        }
    }
}
