//! Objects in one image: `cargo run --release -p osprey-vision --example image -- dog.jpg`

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which image?")?;
    for d in osprey_vision::Detector::built_in()?.detect(&image::open(path)?)? {
        println!("{} {:.2} {:?}", d.label, d.score, d.bbox);
    }
    Ok(())
}
