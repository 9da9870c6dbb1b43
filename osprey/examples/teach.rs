//! Classes of one's own from a few images, a folder for each class; then whose image is this?
//! `cargo run --release -p osprey-vision --features learn --example teach -- pets who.jpg`

use osprey_vision::Image;
use osprey_vision::learn::{Examples, Features, KnnSettings, NearestNeighbors};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (folder, asked) = arguments.next().zip(arguments.next()).ok_or("which folder, which image?")?;
    let mut features = Features::built_in()?;
    let mut learned = NearestNeighbors::new(Examples::new(features.dim()), KnnSettings::default())?;
    for class in std::fs::read_dir(folder)? {
        let class = class?.path();
        let name = class.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let number = learned.add_class(name)?;
        for file in std::fs::read_dir(class)? {
            learned.add(number, &features.of(Image::open(file?.path())?)?)?;
        }
    }
    let answer = learned.classify(&features.of(Image::open(asked)?)?)?;
    let classes = learned.examples().classes();
    for (class, probability) in classes.iter().zip(&answer.probabilities) {
        println!("{class} {probability:.2}");
    }
    Ok(())
}
