//! A session that goes on and on: memory stays flat and the ledger balances.
//!
//! `OSPREY_SOAK_FRAMES=200000 cargo test -p osprey-detector --test soak -- --nocapture` is the long
//! form.
#![cfg(target_os = "linux")]

use osprey_detector::frame::{Frame, Plane, Timestamp, YuvColor};
use osprey_detector::model::ModelError;
use osprey_detector::pipeline::{Pipeline, PipelineOptions};
use osprey_detector::preprocess::PreprocessOptions;
use osprey_detector::{DType, Detect, Detection, InputBox, Tensor, TensorSpec, TensorViewMut};
use std::time::Duration;

/// A model that takes four times as long as frames take to come, and sees a crowd that wanders.
struct Crowd {
    spec: TensorSpec,
    input: Tensor,
    runs: u32,
    found: Vec<Detection<InputBox>>,
}

impl Crowd {
    fn new() -> Self {
        let spec =
            TensorSpec { name: "in".into(), shape: vec![1, 96, 96, 3], dtype: DType::U8, quantization: None };
        Self {
            input: Tensor::zeros(spec.dtype, &spec.shape).expect("a known type"),
            spec,
            runs: 0,
            found: Vec::new(),
        }
    }
}

impl Detect for Crowd {
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
        self.runs += 1;
        assert!(!self.runs.is_multiple_of(5000), "a fault now and then");
        std::thread::sleep(Duration::from_micros(400));
        Ok(())
    }

    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError> {
        self.found.clear();
        self.found.extend((0..20).map(|i| {
            // Each goes its way, and every now and then all are elsewhere: identities come and go.
            let way = (self.runs as f32 * 0.01 + i as f32 * 0.37).fract();
            let y = ((i * 7 + self.runs / 300 * 3) % 20) as f32 / 20.0;
            let bbox = InputBox { x_min: way, y_min: y, x_max: way + 0.08, y_max: y + 0.1 };
            Detection { bbox, class_id: i as usize % 4, score: 0.8 }
        }));
        Ok(&self.found)
    }
}

/// Kilobytes of memory that the process holds.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).expect("a figure");
    line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("kilobytes")
}

#[test]
fn memory_stays_flat() {
    let frames: u64 = std::env::var("OSPREY_SOAK_FRAMES").ok().and_then(|n| n.parse().ok()).unwrap_or(8_000);
    let (pipeline, results) =
        Pipeline::start(|| Ok(Crowd::new()), &PipelineOptions::default()).expect("a session");
    let reader = std::thread::spawn(move || {
        // A consumer that stops reading now and then.
        for (count, _) in results.iter().enumerate() {
            if count % 1000 == 999 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        results
    });
    let bytes = vec![90; 320 * 240 * 2];
    let mut settled = 0;
    for number in 0..frames {
        // Sizes change, as when a phone is turned or a camera switched.
        let (w, h) = if number / 500 % 2 == 0 { (320, 240) } else { (160, 120) };
        let (luma, chroma) = bytes.split_at(w * h);
        let (luma, chroma) = (Plane::new(luma, w), Plane::new(chroma, w));
        let frame = Frame::nv12(luma, chroma, w as u32, h as u32, YuvColor::BT601_FULL).expect("a frame");
        pipeline.submit(&frame.at(Timestamp::from_nanos(number as i64 * 16_666_667))).expect("a good frame");
        std::thread::sleep(Duration::from_micros(100));
        assert!(number % 100 != 0 || pipeline.ledger().balances());
        if number == frames / 4 {
            settled = resident_kb();
        }
    }
    let end = resident_kb();
    pipeline.finish();
    let ledger = reader.join().expect("the reader").ledger();
    println!("{frames} frames: {settled} kB after a quarter, {end} kB at the end; {ledger:?}");
    assert!(ledger.balances() && ledger.pending == 0 && ledger.captured == frames, "{ledger:?}");
    assert!(ledger.shown > 0 && ledger.dropped.total() > 0);
    assert!(end <= settled + 2048, "memory grew from {settled} to {end} kB");
}
