//! A block gives the bytes of its operators.

use crate::graph::{
    Activation, ConvOptions, DType, Graph, Node, Op, Padding, Quantization, Size2, TensorInfo,
};
use crate::{Options, Program, Session};
use proptest::prelude::*;

#[derive(Debug, Clone)]
struct Case {
    input: Size2,
    channels: usize,
    middle: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    padding: Padding,
    expands: bool,
    zero_points: (i32, i32),
}

impl Case {
    /// Input → expansion → depthwise → projection (→ plus input), of which `outputs` are the graph's.
    fn run(&self, outputs: &[usize], threads: usize) -> (usize, Vec<u8>) {
        let Case { input, channels, middle, output, kernel, stride, padding, .. } = *self;
        let extent = |e: usize| match padding {
            Padding::Same => e.div_ceil(stride),
            Padding::Valid => (e - kernel) / stride + 1,
        };
        let first = if self.expands { channels } else { middle };
        let bytes = |len: usize, factor: usize| -> Vec<u8> {
            (0..len).map(|i| (i.wrapping_mul(i) % 241 * factor % 256) as u8).collect()
        };
        let weights =
            [bytes(middle * first, 3), bytes(kernel * kernel * middle, 5), bytes(output * middle, 7)];
        let tensor = |name: &str, shape: Vec<usize>, scale, zero_point, data| TensorInfo {
            name: name.into(),
            shape,
            dtype: DType::U8,
            quantization: Some(Quantization { scales: vec![scale], zero_points: vec![zero_point], axis: 0 }),
            data,
            is_variable: false,
            sparsity: None,
        };
        let image = |c, h: usize, w: usize| vec![1, h, w, c];
        let (h, w) = (extent(input.h), extent(input.w));
        let (z0, z1) = self.zero_points;
        let tensors = vec![
            tensor("input", image(first, input.h, input.w), 0.1, z0, None),
            tensor("expand.w", vec![middle, 1, 1, first], 0.01, 120, Some(&weights[0][..])),
            tensor("expanded", image(middle, input.h, input.w), 0.2, 0, None),
            tensor("depthwise.w", vec![1, kernel, kernel, middle], 0.01, 131, Some(&weights[1][..])),
            tensor("convolved", image(middle, h, w), 0.2, z1, None),
            tensor("project.w", vec![output, 1, 1, middle], 0.01, 125, Some(&weights[2][..])),
            tensor("projected", image(output, h, w), 0.4, 128, None),
            tensor("sum", image(output, h, w), 0.5, 100, None),
        ];
        let options = |stride, activation, padding| ConvOptions {
            padding,
            stride: Size2 { h: stride, w: stride },
            dilation: Size2 { h: 1, w: 1 },
            activation,
        };
        let node = |op, inputs: [usize; 2], output| Node {
            op,
            inputs: inputs.map(Some).to_vec(),
            outputs: vec![output],
            intermediates: Vec::new(),
        };
        let conv = |activation| Op::Conv2d(options(1, activation, Padding::Same));
        let mut nodes = vec![
            node(Op::DepthwiseConv2d(options(stride, Activation::Relu6, padding)), [2, 3], 4),
            node(conv(Activation::None), [4, 5], 6),
        ];
        if self.expands {
            nodes.insert(0, node(conv(Activation::Relu6), [0, 1], 2));
        } else {
            nodes[0].inputs[0] = Some(0);
        }
        if tensors[0].shape == tensors[7].shape {
            nodes.push(node(Op::Add(Activation::None), [6, 0], 7));
        }
        let last = nodes[nodes.len() - 1].outputs[0];
        let outputs = std::iter::once(last).chain(outputs.iter().copied()).collect();
        let (metadata, description) = (Vec::new(), String::new());
        let graph =
            Graph { tensors, nodes, inputs: vec![0], outputs, metadata, description, ..Graph::default() };
        let program = Program::compile(&graph, &Options { threads, ..Options::default() }).unwrap();
        let steps = program.steps().len();
        let mut session = Session::new(program.into()).unwrap();
        session.input_mut(0).unwrap().iter_mut().enumerate().for_each(|(i, b)| *b = (i * 31 % 253) as u8);
        session.run();
        (steps, session.output(0).unwrap().to_vec())
    }

    fn check(&self, threads: usize) -> Result<(), TestCaseError> {
        // What is an output of the graph cannot stay inside a block.
        let between: &[usize] = if self.expands { &[2, 4, 6] } else { &[4, 6] };
        let (steps, expected) = self.run(between, 1);
        let (fused, bytes) = self.run(&[], threads);
        prop_assert_eq!(bytes, expected);
        prop_assert!(fused == 1 && steps >= between.len(), "{fused} of {steps} steps");
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn blocks_change_no_byte(
        (h, w) in (40usize..60, 30usize..50), (eighths, sixteenths) in (1usize..5, 14usize..20),
        output in 1usize..9, kernel in prop::sample::select(vec![3usize, 5]), stride in 1usize..3, valid: bool,
        expands: bool, residual: bool, zero_points in (0i32..256, 0i32..256), threads in 1usize..4,
    ) {
        let (channels, middle) = (8 * eighths, 16 * sixteenths);
        let first = if expands { channels } else { middle };
        let case = Case {
            input: Size2 { h, w },
            channels,
            middle,
            output: if residual { first } else { 8 * output },
            kernel,
            stride: if residual { 1 } else { stride },
            padding: if valid && !residual { Padding::Valid } else { Padding::Same },
            expands,
            zero_points,
        };
        case.check(threads)?;
    }
}
