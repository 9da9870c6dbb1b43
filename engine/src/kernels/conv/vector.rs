//! One row times many channels, as at the end of a classifier: threads share the channels.

use crate::arena::Io;
use crate::error::Result;
use crate::kernels::gemm::{self, GemmU8, Matrix, Rows};
use crate::kernels::requantize::Requantize;
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

/// Fewer products than this take less than a fork.
const MIN_MACS: usize = 1 << 18;
/// Parts begin at multiples of this: what kernels take together.
const CHANNELS: usize = 64;

pub(super) struct VectorProduct {
    /// A kernel for each `width` channels.
    parts: Vec<Box<dyn GemmU8>>,
    width: usize,
    k: usize,
}

impl VectorProduct {
    /// `None` where one kernel alone does better.
    pub(super) fn new(ctx: &Lower<'_>, weights: &Matrix<i16>, requantize: &Requantize) -> Option<Self> {
        let &Matrix { n, k, .. } = weights;
        let width = n.div_ceil(ctx.threads).next_multiple_of(CHANNELS);
        if width >= n || n.saturating_mul(k) < MIN_MACS {
            return None;
        }
        let part = |first: usize| {
            let channels = first..n.min(first + width);
            let data = weights.data[channels.start * k..channels.end * k].to_vec();
            let requantize = Requantize {
                bias: requantize.bias[channels.clone()].to_vec(),
                scale: requantize.scale[channels.clone()].to_vec(),
                ..*requantize
            };
            gemm::quantized(ctx.isa, &Matrix { data, n: channels.len(), k }, requantize)
        };
        let parts: Vec<_> = (0..n).step_by(width).map(part).collect();
        parts.iter().all(|part| k.is_multiple_of(part.k_multiple())).then_some(Self { parts, width, k })
    }

    pub(super) fn lower(self, ctx: &Lower<'_>, input: Operand<'_>, n: usize) -> Result<Lowered> {
        let macs = (self.k as u64).saturating_mul(n as u64);
        ctx.task_with(self, &[input], 0, macs)
    }
}

impl Kernel for VectorProduct {
    fn name(&self) -> &'static str {
        self.parts[0].name()
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let data = &io.input::<u8>(0)[..self.k];
        pool.split(io.output::<u8>(0), 1, self.width, &mut [], &|first, out, _| {
            for (part, out) in self.parts[first / self.width..].iter().zip(out.chunks_mut(self.width)) {
                part.requantized(Rows { data, stride: self.k, count: 1 }, out);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{Activation, Graph, Node, Op, Quantization, TensorInfo};
    use crate::{DType, Options, Program, Session};

    #[test]
    fn threads_do_not_change_a_byte() {
        let (n, k) = (1001, 320);
        let weights: Vec<u8> = (0..n * k).map(|i: usize| (i.wrapping_mul(i) % 251) as u8).collect();
        let tensor = |name: &str, shape: Vec<usize>, scale: f32, data| TensorInfo {
            name: name.into(),
            shape,
            dtype: DType::U8,
            quantization: Some(Quantization { scales: vec![scale], zero_points: vec![120], axis: 0 }),
            data,
            is_variable: false,
            sparsity: None,
        };
        let graph = Graph {
            tensors: vec![
                tensor("input", vec![1, k], 0.1, None),
                tensor("weights", vec![n, k], 0.01, Some(&weights[..])),
                tensor("output", vec![1, n], 0.9, None),
            ],
            nodes: vec![Node {
                op: Op::FullyConnected {
                    activation: Activation::None,
                    shuffled: false,
                    keep_num_dims: false,
                    asymmetric_inputs: false,
                },
                inputs: vec![Some(0), Some(1), None],
                outputs: vec![2],
                intermediates: Vec::new(),
            }],
            inputs: vec![0],
            outputs: vec![2],
            metadata: Vec::new(),
            description: String::new(),
            ..Graph::default()
        };
        let run = |threads: usize| {
            let program = Program::compile(&graph, &Options { threads, ..Options::default() }).unwrap();
            let mut session = Session::new(program.into()).unwrap();
            session.input_mut(0).unwrap().iter_mut().enumerate().for_each(|(i, b)| *b = (i * 7) as u8);
            session.run();
            session.output(0).unwrap().to_vec()
        };
        let one = run(1);
        assert!(one.iter().any(|&b| b != one[0]));
        assert!((2..6).all(|threads| run(threads) == one));
    }
}
