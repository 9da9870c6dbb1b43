//! The int8 graph: every tensor in the form that its readers want, converted where forms differ.

use crate::observe::Observed;
use crate::outcome::Kept;
use crate::ranges::Affine;
use crate::roles::{Role, Weighted};
use crate::settings::Borders;
use crate::source::Source;
use crate::versions;
use crate::weights::{Int8Weights, Layout, floors, integer_bias};
use osprey_engine::graph::{DType, NewGraph, NewNode, NewOp, NewTensor, Quantization, TensorId};
use std::borrow::Cow;
use std::collections::HashMap;

/// DEQUANTIZE, and QUANTIZE from one 8-bit form to another, know int8 from here on.
const CONVERT_INT8: u32 = 2;

/// What the int8 graph is built from.
pub(crate) struct Plan<'s, 'a> {
    pub(crate) source: &'s Source<'a>,
    pub(crate) roles: &'s [Role],
    pub(crate) affines: &'s HashMap<TensorId, Affine>,
    pub(crate) observed: &'s Observed,
    pub(crate) borders: Borders,
    pub(crate) correct_bias: bool,
}

/// Where a tensor of the old graph is in the new one, by form.
#[derive(Debug, Clone, Default)]
struct Forms {
    /// As it was: numbers that are no reals, or reals as floats.
    plain: Option<TensorId>,
    /// With the quantization of its group.
    int8: Option<TensorId>,
    /// With that of a reader.
    others: Vec<(Affine, TensorId)>,
}

pub(crate) struct Builder<'s, 'a> {
    plan: Plan<'s, 'a>,
    forms: Vec<Forms>,
    /// Weights that several operators share: the old tensor, its scales, the new one.
    weights: Vec<(TensorId, Vec<f32>, TensorId)>,
    new: NewGraph<'s>,
    kept: Vec<Kept>,
    int8_nodes: usize,
}

impl<'s, 'a> Builder<'s, 'a> {
    pub(crate) fn new(plan: Plan<'s, 'a>) -> Self {
        let forms = vec![Forms::default(); plan.source.graph.tensors.len()];
        Self { plan, forms, weights: Vec::new(), new: NewGraph::default(), kept: Vec::new(), int8_nodes: 0 }
    }

    /// The graph, what stayed float in it, and how many operators did not.
    pub(crate) fn build(mut self) -> (NewGraph<'s>, Vec<Kept>, usize) {
        let source = self.plan.source;
        for &id in &source.graph.inputs {
            let border = self.input(id);
            self.new.inputs.push(border);
        }
        for at in 0..source.graph.nodes.len() {
            if !source.widens(at) {
                self.node(at);
            }
        }
        for &id in &source.graph.outputs {
            let border = self.output(id);
            self.new.outputs.push(border);
        }
        (self.new, self.kept, self.int8_nodes)
    }

    fn input(&mut self, id: TensorId) -> TensorId {
        let read_as_int8 = |(node, role): (&osprey_engine::graph::Node, &Role)| {
            !matches!(role, Role::Float | Role::Shape | Role::Apart) && node.inputs.contains(&Some(id))
        };
        let is_int8 = self.plan.source.graph.nodes.iter().zip(self.plan.roles).any(read_as_int8);
        match (self.plan.affines.get(&id), self.plan.borders) {
            (Some(&affine), Borders::Int8) if is_int8 => self.declare_int8(id, affine),
            (Some(&affine), Borders::Uint8) if is_int8 => {
                let border = self.tensor(id, "", DType::U8, Some(unsigned(affine)), None);
                let inner = self.tensor(id, "/int8", DType::I8, Some(signed(affine)), None);
                self.convert(NewOp::Quantize, CONVERT_INT8, border, inner);
                self.forms[id].int8 = Some(inner);
                border
            }
            _ => self.declare_plain(id),
        }
    }

    fn output(&mut self, id: TensorId) -> TensorId {
        match (self.forms[id].int8, self.plan.affines.get(&id), self.plan.borders) {
            (Some(inner), _, Borders::Int8) => inner,
            (Some(inner), Some(&affine), Borders::Uint8) => {
                let border = self.tensor(id, "", DType::U8, Some(unsigned(affine)), None);
                self.convert(NewOp::Quantize, CONVERT_INT8, inner, border);
                border
            }
            _ => self.plain(id),
        }
    }

    fn node(&mut self, at: usize) {
        let source = self.plan.source;
        let node = &source.graph.nodes[at];
        let role = self.plan.roles[at];
        let shared = node.outputs.first().and_then(|id| self.plan.affines.get(id)).copied();
        let real = |id: TensorId| source.graph.tensors[id].dtype == DType::F32;
        let inputs = match (role, shared) {
            (Role::Weighted(w), Some(output)) => self.weighted(at, w, output),
            (Role::Moves | Role::Joins, Some(affine)) => {
                self.inputs(
                    at,
                    |builder, id| {
                        if real(id) { builder.int8(id, affine) } else { builder.plain(id) }
                    },
                )
            }
            (Role::Free | Role::Fixed(..), _) => self.inputs(at, |builder, id| match builder.own(id) {
                Some(affine) if real(id) => builder.int8(id, affine),
                _ => builder.plain(id),
            }),
            (Role::Shape, _) => {
                self.inputs(at, |builder, id| builder.forms[id].int8.unwrap_or_else(|| builder.plain(id)))
            }
            _ => self.inputs(at, Self::plain),
        };
        let is_int8 = !matches!(role, Role::Float | Role::Apart | Role::Shape);
        if role == Role::Float {
            let name = node.outputs.first().map_or("", |&id| source.name(id)).to_owned();
            self.kept.push(Kept { node: at, op: node.op.label(), name });
        }
        let mut outputs = Vec::with_capacity(node.outputs.len());
        for &id in &node.outputs {
            outputs.push(match self.plan.affines.get(&id) {
                Some(&affine) if is_int8 && real(id) => self.declare_int8(id, affine),
                _ => self.declare_plain(id),
            });
        }
        self.int8_nodes += usize::from(is_int8);
        let version = if is_int8 { versions::int8(&node.op) } else { 1 };
        self.new.nodes.push(NewNode { op: NewOp::Old(at), version, inputs, outputs });
    }

    fn inputs(
        &mut self,
        at: usize,
        mut form: impl FnMut(&mut Self, TensorId) -> TensorId,
    ) -> Vec<Option<TensorId>> {
        let source = self.plan.source;
        source.graph.nodes[at].inputs.iter().map(|id| id.map(|id| form(self, id))).collect()
    }

    /// The operands of a layer: input, weights and bias as integers that go together.
    fn weighted(&mut self, at: usize, w: Weighted, output: Affine) -> Vec<Option<TensorId>> {
        let source = self.plan.source;
        let op = &source.graph.nodes[at].op;
        let input = self.own(w.input).unwrap_or(output);
        let layout = Layout::new(source.shape(w.weights), w.axis);
        let reals = source.reals(w.weights).unwrap_or_default();
        let bias = w.bias.and_then(|id| source.reals(id));
        let values = bias.clone().unwrap_or_else(|| vec![0.0; layout.channels]);
        let weights = Int8Weights::of(&reals, layout, w.per_channel, &floors(&values, input, output));
        let shifts = match self.plan.correct_bias && w.bias.is_some() {
            true => weights.shifts(&reals, layout, op, self.plan.observed.channels(w.input)),
            false => vec![0.0; values.len()],
        };
        let steps = |(channel, (bias, shift)): (usize, (&f32, &f64))| {
            integer_bias(f64::from(*bias) - shift, input, weights.scale(channel))
        };
        let integers: Vec<i32> = values.iter().zip(&shifts).enumerate().map(steps).collect();
        let bias_scales = weights.scales.iter().map(|s| s * input.scale).collect();
        let weights_id = self.weights(&w, weights);
        let bias_id = w.bias.map(|id| {
            let data = integers.iter().flat_map(|v| v.to_le_bytes()).collect();
            self.tensor(id, "", DType::I32, Some(symmetric(bias_scales, 0)), Some(data))
        });
        self.inputs(at, |builder, id| match id {
            _ if id == w.input => builder.int8(id, input),
            _ if id == w.weights => weights_id,
            _ if w.bias == Some(id) => bias_id.unwrap_or(weights_id),
            _ => builder.plain(id),
        })
    }

    fn weights(&mut self, w: &Weighted, weights: Int8Weights) -> TensorId {
        let known = self.weights.iter().find(|(id, scales, _)| *id == w.weights && *scales == weights.scales);
        if let Some((_, _, id)) = known {
            return *id;
        }
        let Int8Weights { values, scales } = weights;
        let data = values.into_iter().map(|v| v as u8).collect();
        let quantization = Some(symmetric(scales.clone(), w.axis));
        let id = self.tensor(w.weights, "", DType::I8, quantization, Some(data));
        self.weights.push((w.weights, scales, id));
        id
    }

    /// The quantization that a real tensor has by itself.
    fn own(&self, id: TensorId) -> Option<Affine> {
        if !self.plan.source.is_real_constant(id) {
            return self.plan.affines.get(&id).copied();
        }
        let values = self.plan.source.reals(id)?;
        let ends = values.iter().fold((0.0f32, 0.0f32), |(low, high), &v| (low.min(v), high.max(v)));
        Some(Affine::of(ends.0, ends.1))
    }

    /// A real tensor as int8 of this quantization.
    fn int8(&mut self, id: TensorId, affine: Affine) -> TensorId {
        if let Some((_, other)) = self.forms[id].others.iter().find(|(other, _)| *other == affine) {
            return *other;
        }
        if self.plan.affines.get(&id) == Some(&affine) {
            if let Some(int8) = self.forms[id].int8 {
                return int8;
            }
            let plain = self.plain(id);
            let int8 = self.tensor(id, "/int8", DType::I8, Some(signed(affine)), None);
            self.convert(NewOp::Quantize, 1, plain, int8);
            self.forms[id].int8 = Some(int8);
            return int8;
        }
        let constant = self.plan.source.is_real_constant(id).then(|| self.plan.source.reals(id)).flatten();
        let other = match constant {
            Some(values) => {
                let data = values.iter().map(|v| affine.level(*v) as u8).collect();
                self.tensor(id, "", DType::I8, Some(signed(affine)), Some(data))
            }
            None => {
                let from = self.forms[id].int8;
                let (from, version) = from.map_or_else(|| (self.plain(id), 1), |int8| (int8, CONVERT_INT8));
                let other = self.tensor(id, "/requantized", DType::I8, Some(signed(affine)), None);
                self.convert(NewOp::Quantize, version, from, other);
                other
            }
        };
        self.forms[id].others.push((affine, other));
        other
    }

    /// A tensor as it was.
    fn plain(&mut self, id: TensorId) -> TensorId {
        if let Some(plain) = self.forms[id].plain {
            return plain;
        }
        let Some(int8) = self.forms[id].int8 else { return self.declare_plain(id) };
        let plain = self.tensor(id, self.inner_suffix(id, true), DType::F32, None, None);
        self.convert(NewOp::Dequantize, CONVERT_INT8, int8, plain);
        self.forms[id].plain = Some(plain);
        plain
    }

    fn declare_plain(&mut self, id: TensorId) -> TensorId {
        let tensor = &self.plan.source.graph.tensors[id];
        let reals = self.plan.source.is_real_constant(id).then(|| self.plan.source.reals(id)).flatten();
        let data = match reals {
            Some(values) => Some(Cow::Owned(values.iter().flat_map(|v| v.to_le_bytes()).collect())),
            None => tensor.data.map(Cow::Borrowed),
        };
        let plain = self.push(NewTensor {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            like: Some(id),
            dtype: tensor.dtype,
            quantization: tensor.quantization.clone(),
            data,
            is_variable: tensor.is_variable,
        });
        self.forms[id].plain = Some(plain);
        plain
    }

    fn declare_int8(&mut self, id: TensorId, affine: Affine) -> TensorId {
        let int8 = self.tensor(id, self.inner_suffix(id, false), DType::I8, Some(signed(affine)), None);
        self.forms[id].int8 = Some(int8);
        int8
    }

    /// What tells a tensor inside from the one that the caller reads, which has the model's own name.
    fn inner_suffix(&self, id: TensorId, is_float: bool) -> &'static str {
        let is_output = self.plan.source.graph.outputs.contains(&id);
        match (is_float, is_output && self.plan.borders != Borders::Int8) {
            (false, true) => "/int8",
            (true, false) => "/float",
            _ => "",
        }
    }

    fn tensor(
        &mut self,
        like: TensorId,
        suffix: &str,
        dtype: DType,
        quantization: Option<Quantization>,
        data: Option<Vec<u8>>,
    ) -> TensorId {
        let old = &self.plan.source.graph.tensors[like];
        self.push(NewTensor {
            name: format!("{}{suffix}", old.name),
            shape: old.shape.clone(),
            like: Some(like),
            dtype,
            quantization,
            data: data.map(Cow::Owned),
            is_variable: false,
        })
    }

    fn push(&mut self, tensor: NewTensor<'s>) -> TensorId {
        self.new.tensors.push(tensor);
        self.new.tensors.len() - 1
    }

    fn convert(&mut self, op: NewOp, version: u32, from: TensorId, to: TensorId) {
        self.new.nodes.push(NewNode { op, version, inputs: vec![Some(from)], outputs: vec![to] });
    }
}

fn signed(affine: Affine) -> Quantization {
    Quantization { scales: vec![affine.scale], zero_points: vec![affine.zero_point], axis: 0 }
}

/// The same numbers in uint8.
fn unsigned(affine: Affine) -> Quantization {
    signed(Affine { zero_point: affine.zero_point + 128, ..affine })
}

fn symmetric(scales: Vec<f32>, axis: usize) -> Quantization {
    Quantization { zero_points: vec![0; scales.len()], scales, axis }
}
