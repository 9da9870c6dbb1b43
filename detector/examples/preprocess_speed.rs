//! Median time of preprocessing a 1920×1080 frame to 300×300, by format and filter, as CSV.
//!
//!     cargo run --release -p osprey-detector --no-default-features --example preprocess_speed

use osprey_detector::frame::{Frame, Plane, YuvColor};
use osprey_detector::preprocess::{Filter, PreprocessOptions, Preprocessor};
use osprey_detector::{DType, Tensor, TensorSpec};
use std::time::Instant;

const SIZE: (u32, u32) = (1920, 1080);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runs: usize = std::env::args().nth(1).map_or(Ok(200), |n| n.parse())?;
    let (w, h) = SIZE;
    let pixels: Vec<u8> = (0..w * h * 4).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let (luma, chroma) = pixels.split_at((w * h) as usize);
    let stride = w as usize;
    let nv12 =
        Frame::nv12(Plane::new(luma, stride), Plane::new(chroma, stride), w, h, YuvColor::BT709_VIDEO)?;
    let frames = [Frame::bgra(&pixels, w, h)?, Frame::rgb(&pixels[..(w * h * 3) as usize], w, h)?, nv12];

    let spec =
        TensorSpec { name: "in".into(), shape: vec![1, 300, 300, 3], dtype: DType::U8, quantization: None };
    let mut input = Tensor::zeros(spec.dtype, &spec.shape).ok_or("no such tensor")?;
    println!("# {}", Preprocessor::new(&spec, PreprocessOptions::default())?.kernel_name());
    println!("format,filter,median_ms,minimum_ms");
    for filter in [Filter::Bilinear, Filter::Area, Filter::Antialiased] {
        for frame in &frames {
            let mut preprocessor =
                Preprocessor::new(&spec, PreprocessOptions { filter, ..Default::default() })?;
            let mut times = Vec::with_capacity(runs);
            for _ in 0..runs.max(1) + 3 {
                let start = Instant::now();
                preprocessor.run(frame, &mut input.view_mut())?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
            times.drain(..3);
            times.sort_by(f64::total_cmp);
            println!("{},{filter:?},{:.4},{:.4}", frame.format_name(), times[times.len() / 2], times[0]);
        }
    }
    Ok(())
}
