//! Fails unless two pictures are the same but for rounding: `same_picture PICTURE.bmp TRUTH.png`. With
//! `REGENERATE=1` the picture becomes the truth.

use std::error::Error;

/// Levels that rounding may part.
const ROUNDING: u8 = 2;
/// Share of pixels that may differ by more: edges that fall between two pixels.
const EDGES: f64 = 1e-3;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [picture, truth] = arguments.as_slice() else {
        return Err("same_picture PICTURE.bmp TRUTH.png".into());
    };
    let drawn = image::open(picture)?.into_rgb8();
    if std::env::var_os("REGENERATE").is_some_and(|v| v == "1") {
        drawn.save(truth)?;
    }
    let expected = image::open(truth)?.into_rgb8();
    if drawn.dimensions() != expected.dimensions() {
        return Err(format!("{:?} pixels, expected {:?}", drawn.dimensions(), expected.dimensions()).into());
    }
    let differs = |(a, b): &(&image::Rgb<u8>, &image::Rgb<u8>)| {
        a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > ROUNDING)
    };
    let different = drawn.pixels().zip(expected.pixels()).filter(differs).count();
    let share = different as f64 / (drawn.width() * drawn.height()) as f64;
    if share > EDGES {
        return Err(format!("{:.2} % of the pixels differ from {truth}", 100.0 * share).into());
    }
    println!("as {truth}: {different} pixels differ");
    Ok(())
}
