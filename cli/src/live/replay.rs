//! `osprey replay`.

use super::args::ReplayArgs;
use crate::detect::finder;
use crate::detect::tile_args::TileArgs;
use crate::fail::SOME_SKIPPED;
use crate::input::InputArgs;
use crate::model;
use anyhow::{Context, Result, bail};
use osprey_detector::recording::{Header, Kept, Recording, tensor_of};
use osprey_detector::{Detect, PreparedFrame, TensorSpec};
use std::fs::File;
use std::io::BufReader;
use std::process::ExitCode;

/// Runs the recorded inputs through the model and compares what comes out.
pub(crate) fn run(args: &ReplayArgs) -> Result<ExitCode> {
    let source = model::resolve(args.model.model.as_deref())?;
    let options = finder::options(&args.model, &args.choose, &InputArgs::default(), &TileArgs::none())?;
    let mut detector = source.detector(&options)?;
    let spec: TensorSpec = detector.input_spec().clone();
    let shown = args.file.display();
    let file = File::open(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let recording = Recording::new(BufReader::new(file));
    let mut recording = recording.with_context(|| format!("cannot replay {shown}"))?;
    let header = Header::new(&source.name(), &source.bytes()?, &spec);
    let recorded = recording.header().clone();
    if (&recorded.shape, &recorded.dtype) != (&header.shape, &header.dtype) {
        bail!(
            "recorded with {}, whose input is {} {:?}; {} takes {} {:?}",
            recorded.model,
            recorded.dtype,
            recorded.shape,
            header.model,
            header.dtype,
            header.shape
        );
    }
    if recorded.model_crc32 != header.model_crc32 {
        eprintln!("osprey: recorded with another model file ({}): results may differ", recorded.model);
    }
    let element = if spec.dtype == osprey_detector::DType::F32 { 4 } else { 1 };
    let (mut frames, mut different, mut found) = (0, 0, Vec::new());
    while let Some((facts, bytes)) = recording.next(spec.elements() * element)? {
        let input =
            tensor_of(bytes, &spec).context("the recording is damaged: an input has the wrong length")?;
        let prepared = PreparedFrame::new(input, facts.placement(), facts.picture);
        detector.infer_prepared(&prepared)?;
        detector.finish(prepared.placement(), &mut found)?;
        let now: Vec<_> = found.iter().map(Kept::from).collect();
        frames += 1;
        if now != facts.detections {
            different += 1;
            if different <= args.show {
                println!("frame {}: {}", facts.frame, difference(&facts.detections, &now));
            }
        }
    }
    println!("{} of {frames} frames equal", frames - different);
    Ok(if different == 0 { ExitCode::SUCCESS } else { ExitCode::from(SOME_SKIPPED) })
}

/// The first difference, in words.
fn difference(recorded: &[Kept], now: &[Kept]) -> String {
    if recorded.len() != now.len() {
        return format!("{} detections were recorded, now there are {}", recorded.len(), now.len());
    }
    let first = recorded.iter().zip(now).position(|(a, b)| a != b).unwrap_or(0);
    let text = |k: &Kept| format!("class {} score {} at {:?}", k.class_id, k.score, k.edges);
    format!("detection {first} was {}, now {}", text(&recorded[first]), text(&now[first]))
}
