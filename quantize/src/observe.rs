//! Runs the float model on samples and notes what its tensors hold.

use crate::error::{QuantizeError, Result};
use crate::histogram::Histogram;
use crate::source::Source;
use osprey_engine::graph::{DType, Op, TensorId};
use osprey_engine::{Options, Program, Session};
use std::collections::BTreeMap;

/// Values of one channel, the last dimension, over all samples and positions.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Channel {
    sum: f64,
    count: u64,
}

impl Channel {
    pub(crate) fn mean(&self) -> f64 {
        self.sum / self.count.max(1) as f64
    }
}

/// What tensors held.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    tensors: BTreeMap<TensorId, (Histogram, Vec<Channel>)>,
    samples: u64,
}

impl Observed {
    pub(crate) fn histogram(&self, id: TensorId) -> Option<&Histogram> {
        self.tensors.get(&id).map(|(h, _)| h)
    }

    pub(crate) fn channels(&self, id: TensorId) -> &[Channel] {
        self.tensors.get(&id).map_or(&[], |(_, channels)| channels)
    }

    fn add(&mut self, source: &Source<'_>, id: TensorId, values: &[f32]) -> Result<()> {
        let (histogram, channels) = self.tensors.entry(id).or_default();
        histogram
            .add(values)
            .map_err(|value| QuantizeError::NotFinite { tensor: source.name(id).to_owned(), value })?;
        let width = source.shape(id).last().copied().unwrap_or(1).max(1);
        channels.resize(width, Channel::default());
        for row in values.chunks_exact(width) {
            for (channel, &v) in channels.iter_mut().zip(row) {
                channel.sum += f64::from(v);
                channel.count += 1;
            }
        }
        Ok(())
    }
}

/// A session whose real tensors can all be read after a run.
pub(crate) struct Observer {
    session: Session,
    /// Tensors by position among the session's outputs.
    taps: Vec<TensorId>,
    inputs: Vec<TensorId>,
    observed: Observed,
}

impl Observer {
    pub(crate) fn new(source: &Source<'_>, threads: usize) -> Result<Self> {
        let mut graph = source.graph.clone();
        // Its outputs are no tensors of the engine's.
        graph.nodes.retain(|n| !matches!(n.op, Op::DetectionPostProcess(_)));
        for &id in &graph.inputs {
            let tensor = &graph.tensors[id];
            if tensor.dtype != DType::F32 {
                return Err(QuantizeError::Input { tensor: tensor.name.clone(), dtype: tensor.dtype });
            }
        }
        let computed = graph.nodes.iter().flat_map(|n| &n.outputs).copied();
        graph.outputs =
            computed.filter(|&id| source.is_activation(id) && graph.tensors[id].elements() > 0).collect();
        let program = Program::compile(&graph, &Options { threads, ..Options::default() })?;
        let session = Session::new(program.into())?;
        Ok(Self { session, taps: graph.outputs, inputs: graph.inputs, observed: Observed::default() })
    }

    /// Elements of each input.
    pub(crate) fn lengths(&self) -> Vec<usize> {
        self.session.program().inputs().iter().map(|p| p.shape.iter().product()).collect()
    }

    pub(crate) fn observe(&mut self, source: &Source<'_>, sample: &[&[f32]]) -> Result<()> {
        let (expected, actual) = (self.lengths(), sample.iter().map(|s| s.len()).collect::<Vec<_>>());
        if expected != actual {
            return Err(QuantizeError::Sample { expected, actual });
        }
        for (index, values) in sample.iter().enumerate() {
            let (bytes, _) = self.session.input_mut(index)?.as_chunks_mut::<4>();
            bytes.iter_mut().zip(*values).for_each(|(b, v)| *b = v.to_le_bytes());
            self.observed.add(source, self.inputs[index], values)?;
        }
        self.session.reset_state();
        self.session.run();
        for (index, &id) in self.taps.iter().enumerate() {
            let bytes = self.session.output(index)?.as_chunks().0;
            let values: Vec<f32> = bytes.iter().map(|b| f32::from_le_bytes(*b)).collect();
            self.observed.add(source, id, &values)?;
        }
        self.observed.samples += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<Observed> {
        if self.observed.samples == 0 { Err(QuantizeError::NoSamples) } else { Ok(self.observed) }
    }
}
