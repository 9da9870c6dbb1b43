//! A detector of one's own, its labels and its options:
//! `cargo run --release -p osprey-vision --example own_model -- model.tflite labels.txt dog.jpg`

use osprey_vision::{Detector, DetectorOptions, Image, Labels, LoadOptions, Nms};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, labels, image] = arguments.as_slice() else { return Err("model, labels, image?".into()) };
    let options = DetectorOptions {
        load: LoadOptions { labels: Some(Labels::read(labels)?), threads: 2, ..LoadOptions::default() },
        score_threshold: Some(0.5),
        nms: Nms { iou_threshold: Some(0.45), ..Nms::default() },
        ..DetectorOptions::default()
    };
    let mut detector = Detector::load_with(model, &options)?;
    for note in detector.library().notes() {
        eprintln!("{note}");
    }
    for d in detector.detect(Image::open(image)?)? {
        println!("{} {:.2} {:?}", d.label, d.score, d.bbox);
    }
    Ok(())
}
