//! Helpers shared by the benchmarks: models of a single operator, and the real ones.

use osprey_engine::graph::{
    Activation, ConvOptions, Graph, Node, Op, Padding, Quantization, Size2, TensorInfo,
};
use osprey_engine::{DType, Isa, Options, Program, Session};
use std::path::{Path, PathBuf};

/// A convolution to measure: int8, per-channel weights, ReLU6, as converters write it.
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// Name in reports.
    pub name: &'static str,
    /// Height and width of the input.
    pub size: usize,
    /// Channels of the input.
    pub inputs: usize,
    /// Channels of the output; ignored by depthwise ones.
    pub outputs: usize,
    /// Height and width of the window.
    pub kernel: usize,
    /// Step between windows.
    pub stride: usize,
    /// One window for each channel.
    pub depthwise: bool,
}

/// The constants of a model, which its graph borrows.
pub struct Weights {
    weights: Vec<u8>,
    bias: Vec<u8>,
}

impl Conv {
    fn channels(&self) -> usize {
        if self.depthwise { self.inputs } else { self.outputs }
    }

    /// Random weights, the same every time.
    pub fn weights(&self) -> Weights {
        let depth = if self.depthwise { 1 } else { self.inputs };
        let mut state = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            // Converters leave −128 unused.
            ((state >> 56) as i8).max(-127) as u8
        };
        let count = self.kernel * self.kernel * depth * self.channels();
        Weights { weights: (0..count).map(|_| next()).collect(), bias: vec![0; 4 * self.channels()] }
    }

    /// A graph of this operator alone.
    pub fn graph<'a>(&self, weights: &'a Weights) -> Graph<'a> {
        let out = self.size.div_ceil(self.stride);
        let (kernel, channels) = (self.kernel, self.channels());
        let (shape, axis) = if self.depthwise {
            (vec![1, kernel, kernel, channels], 3)
        } else {
            (vec![channels, kernel, kernel, self.inputs], 0)
        };
        let tensor = |name: &str, shape: Vec<usize>, dtype, scales: Vec<f32>, axis, data| TensorInfo {
            name: name.into(),
            shape,
            dtype,
            quantization: Some(Quantization { zero_points: vec![0; scales.len()], scales, axis }),
            data,
            is_variable: false,
            sparsity: None,
        };
        let scale = 0.1 / (kernel * kernel * self.inputs) as f32;
        let options = ConvOptions {
            padding: Padding::Same,
            stride: Size2 { h: self.stride, w: self.stride },
            dilation: Size2 { h: 1, w: 1 },
            activation: Activation::Relu6,
        };
        let op = if self.depthwise { Op::DepthwiseConv2d(options) } else { Op::Conv2d(options) };
        Graph {
            tensors: vec![
                tensor("input", vec![1, self.size, self.size, self.inputs], DType::I8, vec![0.02], 0, None),
                tensor("weights", shape, DType::I8, vec![scale; channels], axis, Some(&weights.weights)),
                tensor("bias", vec![channels], DType::I32, vec![1.0; channels], 0, Some(&weights.bias)),
                tensor("output", vec![1, out, out, channels], DType::I8, vec![0.02], 0, None),
            ],
            nodes: vec![Node {
                op,
                inputs: vec![Some(0), Some(1), Some(2)],
                outputs: vec![3],
                intermediates: Vec::new(),
            }],
            inputs: vec![0],
            outputs: vec![3],
            metadata: Vec::new(),
            description: String::new(),
            ..Graph::default()
        }
    }

    /// Ready to run with the kernels of `isa`.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn session(&self, isa: Isa, threads: usize) -> osprey_engine::Result<Session> {
        let weights = self.weights();
        let options = Options { isa: Some(isa), threads, ..Options::default() };
        let program = Program::compile(&self.graph(&weights), &options)?;
        let mut session = Session::new(program.into())?;
        for (i, byte) in session.input_mut(0)?.iter_mut().enumerate() {
            *byte = (i * 31) as u8;
        }
        Ok(session)
    }
}

/// Instruction sets that this CPU has, weakest first.
pub fn available_isas() -> Vec<Isa> {
    Isa::ALL.into_iter().filter(|isa| isa.is_available()).collect()
}

/// The models to measure: those of the repository, and those of `$OSPREY_ASSETS` (by default
/// `../shared/assets`) where that exists.
pub fn models() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let assets = std::env::var_os("OSPREY_ASSETS").map_or(root.join("../shared/assets"), PathBuf::from);
    let folders = [root.join("models"), assets.join("models")];
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let mut models: Vec<PathBuf> =
        files.map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "tflite")).collect();
    models.sort();
    models
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_bytes() {
        for depthwise in [false, true] {
            let conv = Conv { name: "", size: 9, inputs: 40, outputs: 24, kernel: 3, stride: 2, depthwise };
            let outputs: Vec<Vec<u8>> = available_isas()
                .into_iter()
                .map(|isa| {
                    let mut session = conv.session(isa, 1).unwrap();
                    session.run();
                    session.output(0).unwrap().to_vec()
                })
                .collect();
            assert!(outputs.windows(2).all(|pair| pair[0] == pair[1]));
            assert!(outputs[0].iter().any(|&b| b != outputs[0][0]), "not all bytes are clamped");
        }
    }
}
