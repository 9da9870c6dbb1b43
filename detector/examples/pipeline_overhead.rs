//! What the pipeline itself costs: a model that takes no time, 1920×1080 frames, 300×300 input.
//!
//!     cargo run --release -p osprey-detector --no-default-features --example pipeline_overhead

use osprey_detector::frame::{Frame, Plane, YuvColor};
use osprey_detector::model::ModelError;
use osprey_detector::pipeline::{Pipeline, PipelineOptions, Stage};
use osprey_detector::preprocess::PreprocessOptions;
use osprey_detector::{DType, Detect, Detection, InputBox, Tensor, TensorSpec, TensorViewMut};
use std::time::Duration;

struct Nothing {
    spec: TensorSpec,
    input: Tensor,
}

impl Detect for Nothing {
    fn input_spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn preprocess(&self) -> PreprocessOptions {
        PreprocessOptions::default()
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        Ok(self.input.view_mut())
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        Ok(())
    }

    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError> {
        Ok(&[])
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spec =
        TensorSpec { name: "in".into(), shape: vec![1, 300, 300, 3], dtype: DType::U8, quantization: None };
    let pixels = vec![77; 1920 * 1080 * 4];
    let (luma, chroma) = pixels.split_at(1920 * 1080);
    let (luma, chroma) = (Plane::new(luma, 1920), Plane::new(chroma, 1920));
    println!("frame,stage,p50_ms,p95_ms,p99_ms");
    for frame in [
        Frame::nv12(luma, chroma, 1920, 1080, YuvColor::BT709_VIDEO)?,
        Frame::bgra(&pixels, 1920, 1080)?,
        Frame::gray(&pixels[..320 * 240], 320, 240)?,
    ] {
        let spec = spec.clone();
        let make = move || {
            let input = Tensor::zeros(spec.dtype, &spec.shape).ok_or(ModelError::NoSuchTensor {
                kind: "input",
                index: 0,
                count: 0,
            })?;
            Ok(Nothing { spec: spec.clone(), input })
        };
        let (pipeline, results) = Pipeline::start(make, &PipelineOptions::default())?;
        for _ in 0..1000 {
            pipeline.submit(&frame)?;
            results.recv()??;
            // As a camera would, rather than back to back.
            std::thread::sleep(Duration::from_millis(1));
        }
        let snapshot = pipeline.snapshot();
        for stage in [Stage::Submit, Stage::Preprocess, Stage::Wait, Stage::Age] {
            let p = snapshot.latency.of(stage);
            let ms = |d: Duration| d.as_secs_f64() * 1e3;
            println!(
                "{} {}x{},{},{:.3},{:.3},{:.3}",
                frame.format_name(),
                frame.width(),
                frame.height(),
                stage.name(),
                ms(p.p50),
                ms(p.p95),
                ms(p.p99)
            );
        }
    }
    Ok(())
}
