//! `osprey info`.

use crate::args::InfoArgs;
use crate::model::{self, Source};
use crate::run;
use anyhow::Result;
use osprey_detector::TensorSpec;
use osprey_detector::model::{ImageInput, Labels, LoadOptions, ModelInfo};
use osprey_detector::ssd::SsdSpec;
use osprey_engine::{Graph, Program, StepInfo};
use std::fmt::Write;
use std::process::ExitCode;

/// Labels that are shown of a long list.
const LABELS_SHOWN: usize = 12;

pub(crate) fn run(args: &InfoArgs) -> Result<ExitCode> {
    use std::io::Write;
    let source = model::resolve(args.model.as_deref())?;
    let options = LoadOptions { input: args.pictures.entry()?, head: args.head, ..LoadOptions::default() };
    let info = source.info(&options)?;
    let mut text = overview(&source, &info)?;
    if args.nodes {
        text += "\n";
        text += &nodes(&source)?;
    }
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn overview(source: &Source, info: &ModelInfo) -> Result<String> {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            // Writing into a string cannot fail.
            let _ = writeln!(out, "{name:<13} {value}");
        }
    };
    line("file", &format!("{source} ({})", size(info.file_bytes)));
    line("name", &info.metadata.name);
    let entry = info.entry.as_ref();
    let described = one_line(&info.metadata.description, &info.description);
    line("description", entry.map_or(described, |e| one_line(&e.description, described)));
    line("licence", entry.map_or("", |e| e.licence.as_str()));
    line("licence", one_line(&info.metadata.license, ""));
    line("backend", &info.backend.map_or_else(|| "none can run it".into(), |b| b.to_string()));
    line("", &info.reason);
    for (i, spec) in info.inputs.iter().enumerate() {
        line(&format!("input {i}"), &run::describe(spec));
    }
    line("pictures", &info.picture.as_ref().map_or_else(String::new, ImageInput::rule));
    for (i, spec) in info.outputs.iter().enumerate() {
        line(&format!("output {i}"), &run::describe(spec));
    }
    if let Some((head, boxes, classes)) = info.head {
        line(
            "detections",
            &format!("{head}: {boxes} boxes of {classes} classes, by the shapes of the outputs"),
        );
    }
    if let Some(end) = &info.post_process {
        let o = &end.options;
        let rule = if o.use_regular_nms { "per class" } else { "fast" };
        line(
            "detections",
            &format!(
                "{} anchors, {} classes, {rule} NMS at IoU {}, at most {} in the file's own terms",
                end.anchors.len(),
                o.num_classes,
                o.nms_iou_threshold,
                o.max_detections
            ),
        );
    }
    if let Some(head) = entry.and_then(|e| e.ssd.as_ref()).or(info.metadata.detector.as_ref()) {
        line("detections", &raw_outputs(head, &info.inputs)?);
    }
    line("quantization", &info.quantization);
    line("parameters", &count(info.parameters as u64));
    line(
        "compute",
        &info.macs.map_or_else(String::new, |m| format!("{} multiply-accumulates a run", count(m))),
    );
    line(
        "memory",
        &info.arena_bytes.map_or_else(String::new, |b| format!("{} for activations", size(b as u64))),
    );
    line("labels", &info.labels.as_ref().map_or_else(|| "none".into(), labels));
    let scores = entry.iter().flat_map(|e| &e.scores).map(|(name, score)| format!("{name} {score}"));
    line("scores", &scores.collect::<Vec<_>>().join(", "));
    out.push('\n');

    writeln!(out, "{:>5}  operator", "count")?;
    for op in &info.operators {
        let refused = match op.unsupported {
            0 => String::new(),
            n => format!("  ({n} not supported)"),
        };
        writeln!(out, "{:>5}  {}{refused}", op.count, op.name)?;
    }
    if !info.kernels.is_empty() {
        writeln!(out, "\n{:>5}  kernel on this machine", "count")?;
        for (name, count) in &info.kernels {
            writeln!(out, "{count:>5}  {name}")?;
        }
    }
    section(&mut out, "the engine cannot run it, because", info.problems.iter().map(|p| p.error.to_string()));
    section(&mut out, "warnings", info.warnings.iter().cloned());
    Ok(out)
}

/// How the raw outputs of a detector are read.
fn raw_outputs(head: &SsdSpec, inputs: &[TensorSpec]) -> Result<String> {
    let anchors = match (&head.anchors, inputs.first().map(|i| i.shape.as_slice())) {
        (Some(anchors), Some(&[_, height, width, _])) => {
            format!("{} anchors, ", anchors.generate(height, width)?.len())
        }
        _ => String::new(),
    };
    let background = if head.background == Some(true) { ", the first class is the background" } else { "" };
    Ok(format!("{anchors}scores as {:?}{background}", head.scores).to_lowercase())
}

fn section(out: &mut String, title: &str, items: impl ExactSizeIterator<Item = String>) {
    if items.len() > 0 {
        let _ = writeln!(out, "\n{title}");
        for item in items {
            let _ = writeln!(out, "  - {item}");
        }
    }
}

/// Every operator of the graph: its kernel, multiply-accumulates, and what it gives.
fn nodes(source: &Source) -> Result<String> {
    let bytes = source.bytes()?;
    let graph = Graph::read(&bytes)?;
    let program = Program::compile(&graph, &osprey_engine::Options::default()).ok();
    let steps: Vec<StepInfo> = program.iter().flat_map(Program::steps).collect();
    let mut out = String::new();
    writeln!(out, "{:>5}  {:<30} {:<36} {:>12}  output", "node", "operator", "kernel", "MACs")?;
    for (index, node) in graph.nodes.iter().enumerate() {
        let step = steps.iter().find(|s| s.node == Some(index));
        let shapes: Vec<String> = node
            .outputs
            .iter()
            .map(|&id| format!("{} {:?}", graph.tensors[id].dtype, graph.tensors[id].shape))
            .collect();
        writeln!(
            out,
            "{index:>5}  {:<30} {:<36} {:>12}  {}",
            node.op.label(),
            step.map_or("", |s| s.kernel),
            step.map_or(0, |s| s.macs),
            shapes.join(", ")
        )?;
    }
    Ok(out)
}

fn labels(labels: &Labels) -> String {
    let names: Vec<&str> = (0..labels.len()).filter_map(|i| labels.get(i)).collect();
    let shown = names.iter().take(LABELS_SHOWN).copied().collect::<Vec<_>>().join(", ");
    let more = if names.len() > LABELS_SHOWN { ", …" } else { "" };
    format!("{} from {}: {shown}{more}", labels.len(), labels.source())
}

/// The first line of the first text that has one.
fn one_line<'a>(first: &'a str, second: &'a str) -> &'a str {
    let line = |text: &'a str| text.lines().map(str::trim).find(|l| !l.is_empty());
    line(first).or_else(|| line(second)).unwrap_or("")
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{:.1} KB", bytes as f64 / 1e3),
        _ => format!("{:.2} MB", bytes as f64 / 1e6),
    }
}

fn count(n: u64) -> String {
    match n {
        0..1_000_000 => n.to_string(),
        1_000_000..1_000_000_000 => format!("{:.2} million", n as f64 / 1e6),
        _ => format!("{:.2} billion", n as f64 / 1e9),
    }
}
