//! `osprey drift`: where a quantized model departs from the float model it was made from.

mod align;
mod tapped;

use crate::args::DriftArgs;
use crate::model;
use crate::samples::Samples;
use anyhow::{Context, Result, ensure};
use osprey_detector::model::LoadOptions;
use osprey_detector::tensor::DType;
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
    let pair = Pair {
        float: Tapped::new(&float).with_context(|| format!("cannot run {}", args.float.display()))?,
        quantized: Tapped::new(&quantized)
            .with_context(|| format!("cannot run {}", args.quantized.display()))?,
    };
    let port = pair.float.input().context("the float model has no input")?;
    let length = port.shape.iter().product();
    ensure!(
        port.dtype == DType::F32,
        "{} takes {}: pass the float model first",
        args.float.display(),
        port.dtype
    );
    let mut samples = match (&args.images, &args.inputs) {
        (Some(folder), _) => Samples::pictures(folder, args.samples, &args.float, &LoadOptions::default())?,
        (_, Some(file)) => Samples::array(file, length)?,
        _ => {
            let (low, high) = pair.quantized.input_range().unwrap_or((0.0, 1.0));
            Samples::random(low, high, length)
        }
    };
    let comparison = pair.compare(&mut samples, args.samples).with_context(|| {
        format!("cannot compare {} with {}", args.quantized.display(), args.float.display())
    })?;
    print!("{}", text(&comparison.rows(), comparison.samples, samples.origin(), comparison.unmatched()));
    Ok(ExitCode::SUCCESS)
}

/// The float model and the quantized one.
struct Pair {
    float: Tapped,
    quantized: Tapped,
}

/// Differences of all layers that both models have.
struct Comparison {
    layers: Vec<Layer>,
    pairs: Vec<(usize, usize)>,
    drift: Vec<Drift>,
    samples: u32,
    /// Samples for which the last layer is greatest at the same place in both.
    same_first: u32,
}

impl Pair {
    fn compare(mut self, samples: &mut Samples, most: u32) -> Result<Comparison> {
        let pairs = align::align(&self.float.layers, &self.quantized.layers)?;
        ensure!(!pairs.is_empty(), "no layer of one is like one of the other: are they the same model?");
        let mut drift = vec![Drift::default(); pairs.len()];
        let (mut count, mut same_first) = (0, 0);
        while count < most {
            let Some(values) = samples.next()? else { break };
            self.float.set(&values).context("the float model")?;
            self.quantized.set(&values).context("the quantized model")?;
            self.float.run();
            self.quantized.run();
            for (&(f, q), drift) in pairs.iter().zip(&mut drift) {
                drift.add(&self.float.values(f)?, &self.quantized.values(q)?, self.quantized.range(q));
            }
            if let Some(&(f, q)) = pairs.last() {
                let [f, q] = [greatest(&self.float.values(f)?), greatest(&self.quantized.values(q)?)];
                same_first += u32::from(f == q);
            }
            count += 1;
        }
        ensure!(count > 0, "there is no sample to run");
        Ok(Comparison { same_first, layers: self.quantized.layers, pairs, drift, samples: count })
    }
}

impl Comparison {
    fn rows(&self) -> Vec<Row<'_>> {
        rows(&self.pairs, &self.drift, &self.layers)
    }

    /// Layers of the quantized model that are like none of the float model.
    fn unmatched(&self) -> usize {
        self.layers.len() - self.pairs.len()
    }
}

/// What [`run`] shows, in short.
pub(crate) struct Summary {
    /// The layers with the greatest errors, a line for each.
    pub(crate) worst: String,
    /// Samples, and for how many of them both models' last layer is greatest at the same place.
    pub(crate) same_first: (u32, u32),
}

/// Compares both models on at most so many samples.
pub(crate) fn summary(float: &[u8], quantized: &[u8], samples: &mut Samples, most: u32) -> Result<Summary> {
    /// So many are shown.
    const SHOWN: usize = 5;
    let pair = Pair { float: Tapped::new(float)?, quantized: Tapped::new(quantized)? };
    let comparison = pair.compare(samples, most)?;
    let mut rows = comparison.rows();
    rows.sort_by(|a, b| b.error.total_cmp(&a.error));
    rows.truncate(SHOWN);
    let worst = rows.iter().map(Row::line).collect();
    Ok(Summary { worst, same_first: (comparison.samples, comparison.same_first) })
}

/// Where the greatest number is.
fn greatest(values: &[f32]) -> Option<usize> {
    (0..values.len()).max_by(|&a, &b| values[a].total_cmp(&values[b]))
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

    fn line(&self) -> String {
        let mark = if self.jumps() { "  <- jumps" } else { "" };
        format!(
            "{:>5}  {:<24} {:>7.2} %  {:>5.1} dB  {:>7.2} %  {}{mark}\n",
            self.layer.node,
            self.layer.op,
            self.error * 100.0,
            self.sqnr,
            self.clipped * 100.0,
            short(&self.layer.name)
        )
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
    rows.iter().for_each(|r| out.push_str(&r.line()));
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
