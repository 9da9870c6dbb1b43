//! The images of a folder as the frames of a film, each object with one number throughout:
//! `cargo run --release -p osprey-vision --example track -- frames`

use osprey_vision::frame::Timestamp;
use osprey_vision::track::{Tracker, TrackerOptions};
use osprey_vision::{Detector, Image};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let mut paths: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut detector = Detector::built_in()?;
    let labels = detector.labels().to_vec();
    let mut tracker = Tracker::new(TrackerOptions::default());
    for (number, path) in paths.iter().enumerate() {
        let Ok(image) = Image::open(path) else { continue };
        let frame = image.frame()?;
        let at = Timestamp::from_seconds(number as f64 / 30.0);
        for track in tracker.update(detector.detect_frame(&frame)?, at) {
            let (width, height) = frame.upright_size();
            println!("{} {} {:?}", labels[track.class_id], track.id, track.bbox.to_pixels(width, height));
        }
    }
    Ok(())
}
