//! Tensors that must share scale and zero point.

use crate::histogram::Histogram;
use crate::observe::Observed;
use crate::ranges::{Affine, Method, choose};
use crate::roles::Role;
use crate::settings::Settings;
use crate::source::Source;
use osprey_engine::graph::TensorId;
use std::collections::HashMap;

/// Scale and zero point of every real tensor that is computed.
pub(crate) fn affines(
    source: &Source<'_>,
    roles: &[Role],
    observed: &Observed,
    settings: &Settings,
) -> HashMap<TensorId, Affine> {
    let mut groups = Groups::new(source.graph.tensors.len());
    for (node, role) in source.graph.nodes.iter().zip(roles) {
        let inputs: Vec<TensorId> =
            node.inputs.iter().flatten().copied().filter(|&id| source.is_activation(id)).collect();
        match role {
            Role::Moves => {
                if let Some(&input) = inputs.first() {
                    node.outputs.iter().for_each(|&to| groups.join(input, to));
                }
            }
            Role::Joins => groups.join_all(&inputs, &node.outputs),
            Role::Fixed(scale, zero_point) => {
                for &id in &node.outputs {
                    groups.fix(id, Affine { scale: *scale, zero_point: *zero_point });
                }
            }
            _ => {}
        }
    }
    let mut held: HashMap<TensorId, Histogram> = HashMap::new();
    // The ends of what a model is given are exact, however few values lie there.
    let mut given: HashMap<TensorId, bool> = HashMap::new();
    for id in 0..source.graph.tensors.len() {
        let group = groups.of(id);
        if let Some(histogram) = observed.histogram(id) {
            held.entry(group).or_default().merge(histogram);
        }
        *given.entry(group).or_default() |= source.graph.inputs.contains(&id);
    }
    let affine = |id: TensorId| {
        let group = groups.of(id);
        groups.fixed[group].or_else(|| {
            let held = held.get(&group)?;
            if given[&group] {
                let (low, high) = choose(Method::MinMax, held);
                let (least, greatest) = settings.input_range.unwrap_or((low, high));
                return Some(Affine::of(low.min(least), high.max(greatest)));
            }
            let (low, high) = choose(settings.method, held);
            Some(Affine::of(low, high))
        })
    };
    (0..source.graph.tensors.len()).filter_map(|id| Some((id, affine(id)?))).collect()
}

struct Groups {
    parent: Vec<TensorId>,
    /// By the group's root.
    fixed: Vec<Option<Affine>>,
}

impl Groups {
    fn new(tensors: usize) -> Self {
        Self { parent: (0..tensors).collect(), fixed: vec![None; tensors] }
    }

    fn of(&self, mut id: TensorId) -> TensorId {
        while self.parent[id] != id {
            id = self.parent[id];
        }
        id
    }

    fn join(&mut self, a: TensorId, b: TensorId) {
        let (a, b) = (self.of(a), self.of(b));
        if a != b {
            self.fixed[a] = self.fixed[a].or(self.fixed[b]);
            self.parent[b] = a;
        }
    }

    fn fix(&mut self, id: TensorId, affine: Affine) {
        let group = self.of(id);
        self.fixed[group] = Some(affine);
    }

    /// Inputs whose quantization is given keep it and are converted, unless all have the same.
    fn join_all(&mut self, inputs: &[TensorId], outputs: &[TensorId]) {
        let Some(&output) = outputs.first() else { return };
        let fixed: Vec<_> = inputs.iter().map(|&id| self.fixed[self.of(id)]).collect();
        let alike = fixed.iter().all(|f| *f == fixed[0]);
        for (&id, fixed) in inputs.iter().zip(&fixed) {
            if alike || fixed.is_none() {
                self.join(id, output);
            }
        }
    }
}
