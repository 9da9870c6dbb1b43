//! `osprey drift`: where a quantized model departs from the float model it was made from.

mod align;
mod inputs;
mod tapped;

use crate::args::DriftArgs;
use crate::model;
use anyhow::{Context, Result, ensure};
use inputs::Inputs;
use std::borrow::Cow;
use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use tapped::{Layer, Tapped};

/// A layer's error jumps where it is more than this many times that of what goes into it,
const JUMP: f64 = 2.0;
/// and at least this share of the layer's size: below, rounding alone doubles errors.
const NOTICEABLE: f64 = 0.05;

pub(crate) fn run(args: &DriftArgs) -> Result<ExitCode> {
    let (float, quantized) = (bytes(&args.float)?, bytes(&args.quantized)?);
    let mut float = Tapped::new(&float).with_context(|| format!("cannot run {}", args.float.display()))?;
    let mut quantized =
        Tapped::new(&quantized).with_context(|| format!("cannot run {}", args.quantized.display()))?;
    let pairs = align::align(&float.layers, &quantized.layers)?;
    ensure!(
        !pairs.is_empty(),
        "no layer of {} is like one of {}: are they the same model?",
        args.quantized.display(),
        args.float.display()
    );
    let mut samples = Inputs::open(args, &float, &quantized)?;
    let mut drift = vec![Drift::default(); pairs.len()];
    let mut count = 0;
    while count < args.samples && samples.next(&mut float, &mut quantized)? {
        float.run();
        quantized.run();
        for (&(f, q), drift) in pairs.iter().zip(&mut drift) {
            drift.add(&float.values(f)?, &quantized.values(q)?, quantized.range(q));
        }
        count += 1;
    }
    ensure!(count > 0, "there is no sample to run");
    let rows = rows(&pairs, &drift, &quantized.layers);
    print!("{}", text(&rows, count, samples.origin(), quantized.layers.len() - pairs.len()));
    Ok(ExitCode::SUCCESS)
}

fn bytes(path: &Path) -> Result<Cow<'static, [u8]>> {
    model::resolve(Some(path))?.bytes()
}

/// Differences of one layer over all samples.
#[derive(Debug, Clone, Default)]
struct Drift {
    squared_error: f64,
    squared_size: f64,
    /// Float values that the quantized tensor cannot hold.
    clipped: u64,
    count: u64,
}

impl Drift {
    fn add(&mut self, float: &[f32], quantized: &[f32], range: Option<(f32, f32)>) {
        for (f, q) in float.iter().zip(quantized) {
            self.squared_error += f64::from(f - q).powi(2);
            self.squared_size += f64::from(*f).powi(2);
            self.clipped += u64::from(range.is_some_and(|(low, high)| !(low..=high).contains(f)));
        }
        self.count += float.len() as u64;
    }

    /// Root mean square of the difference, as a share of the layer's own.
    fn relative(&self) -> f64 {
        (self.squared_error / self.squared_size.max(f64::MIN_POSITIVE)).sqrt()
    }

    /// Signal to quantization noise, in decibels.
    fn sqnr(&self) -> f64 {
        -20.0 * self.relative().max(1e-9).log10()
    }

    fn clipped_share(&self) -> f64 {
        self.clipped as f64 / self.count.max(1) as f64
    }
}

struct Row<'a> {
    layer: &'a Layer,
    error: f64,
    sqnr: f64,
    clipped: f64,
    /// The greatest error among what goes in.
    before: f64,
}

impl Row<'_> {
    fn jumps(&self) -> bool {
        self.error > NOTICEABLE && self.error > JUMP * self.before
    }
}

fn rows<'a>(pairs: &[(usize, usize)], drift: &[Drift], layers: &'a [Layer]) -> Vec<Row<'a>> {
    let mut errors = vec![None; layers.len()];
    let mut rows = Vec::with_capacity(pairs.len());
    for (&(_, q), d) in pairs.iter().zip(drift) {
        let layer = &layers[q];
        errors[q] = Some(d.relative());
        let before = sources(q, layers, &errors);
        rows.push(Row { layer, error: d.relative(), sqnr: d.sqnr(), clipped: d.clipped_share(), before });
    }
    rows
}

/// The greatest known error among the layers that a layer reads, through layers that were not
/// compared.
fn sources(layer: usize, layers: &[Layer], errors: &[Option<f64>]) -> f64 {
    let from = |&i: &usize| errors[i].unwrap_or_else(|| sources(i, layers, errors));
    layers[layer].inputs.iter().map(from).fold(0.0, f64::max)
}

fn text(rows: &[Row<'_>], samples: u32, origin: &str, unmatched: usize) -> String {
    let mut out = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(
        out,
        "{:>5}  {:<24} {:>9}  {:>8}  {:>9}  layer",
        "node", "operator", "error", "SQNR", "clipped"
    );
    for r in rows {
        let mark = if r.jumps() { "  <- jumps" } else { "" };
        let _ = writeln!(
            out,
            "{:>5}  {:<24} {:>7.2} %  {:>5.1} dB  {:>7.2} %  {}{mark}",
            r.layer.node,
            r.layer.op,
            r.error * 100.0,
            r.sqnr,
            r.clipped * 100.0,
            short(&r.layer.name)
        );
    }
    let _ = writeln!(out, "\n{} layers compared on {samples} samples ({origin})", rows.len());
    if unmatched > 0 {
        let _ = writeln!(out, "{unmatched} layers of the quantized model are like none of the float model");
    }
    let _ = match rows.iter().find(|r| r.jumps()) {
        Some(r) => writeln!(
            out,
            "the error first jumps at node {}, {} \"{}\": from {:.2} % to {:.2} %{}",
            r.layer.node,
            r.layer.op,
            short(&r.layer.name),
            r.before * 100.0,
            r.error * 100.0,
            if r.clipped > 0.001 { "; its range is too narrow for the values" } else { "" }
        ),
        None => writeln!(out, "the error jumps at no layer"),
    };
    if let Some(worst) = rows.iter().max_by(|a, b| a.error.total_cmp(&b.error)) {
        let _ = writeln!(out, "it is greatest at node {}: {:.2} %", worst.layer.node, worst.error * 100.0);
    }
    out
}

/// Fused layers carry the names of all their parts: the first will do.
fn short(name: &str) -> &str {
    name.split(';').find(|part| !part.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(node: usize, inputs: &[usize]) -> Layer {
        Layer {
            node,
            op: "CONV_2D".into(),
            name: format!("layer{node}"),
            shape: vec![1],
            inputs: inputs.to_vec(),
        }
    }

    fn drift(error: f64) -> Drift {
        Drift { squared_error: error * error, squared_size: 1.0, clipped: 0, count: 1 }
    }

    #[test]
    fn the_layer_that_spoils_the_values_is_named_not_those_after_it() {
        let layers = [layer(0, &[]), layer(1, &[0]), layer(2, &[1]), layer(3, &[2, 0])];
        let pairs = [(0, 0), (1, 1), (2, 2), (3, 3)];
        let drifts = [0.01, 0.015, 0.2, 0.25].map(drift);
        let rows = rows(&pairs, &drifts, &layers);
        assert_eq!(rows.iter().map(Row::jumps).collect::<Vec<_>>(), [false, false, true, false]);
        let text = text(&rows, 1, "random numbers", 0);
        assert!(text.contains("first jumps at node 2") && text.contains("from 1.50 % to 20.00 %"), "{text}");
    }

    #[test]
    fn errors_are_seen_through_layers_that_were_not_compared() {
        let layers = [layer(0, &[]), layer(1, &[0]), layer(2, &[1])];
        let rows = rows(&[(0, 0), (2, 2)], &[drift(0.2), drift(0.3)], &layers);
        assert_eq!(rows[1].before, rows[0].error);
    }
}
