//! People and cats in the images of a folder, turned upright as their EXIF says:
//! `cargo run --release -p osprey-vision --example folder -- samples`

use osprey_vision::{ClassFilter, Detector, DetectorOptions, Image};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let options = DetectorOptions {
        score_threshold: Some(0.4),
        classes: ClassFilter::Only(vec!["person".into(), "cat".into()]),
        ..DetectorOptions::default()
    };
    let mut detector = Detector::built_in_with(&options)?;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        match Image::open(&path) {
            Ok(image) => println!("{}: {:?}", path.display(), detector.detect(image)?),
            Err(e) => eprintln!("skipped {e}"),
        }
    }
    Ok(())
}
