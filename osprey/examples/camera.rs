//! A camera's loop: frames go in at their pace and none waits for the model; tracked objects come out.
//! The camera is made up: `cargo run --release -p osprey-vision --features live --example camera`

use osprey_vision::Detector;
use osprey_vision::frame::Frame;
use osprey_vision::live::{Pipeline, PipelineOptions};
use std::time::Duration;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let labels = Detector::built_in()?.labels().to_vec();
    let (pipeline, results) = Pipeline::start(|| Ok(Detector::built_in()?), &PipelineOptions::default())?;
    let reader = std::thread::spawn(move || {
        for result in results.iter().flatten() {
            for track in &result.output.tracks {
                println!("{:?}: {} {}", result.timestamp, labels[track.class_id], track.id);
            }
        }
        println!("{:?}", results.ledger());
    });
    for brightness in 0..60 {
        // A camera's own memory, in any format that `Frame` knows; free again after `submit`.
        let pixels = vec![brightness * 4; 1280 * 720 * 4];
        pipeline.submit(&Frame::bgra(&pixels, 1280, 720)?)?;
        std::thread::sleep(Duration::from_millis(33));
    }
    pipeline.finish();
    reader.join().map_err(|_| "the reader panicked")?;
    Ok(())
}
