//! Writes pictures as raw BGRA, for the Swift package's tests: `frames FOLDER PICTURE...`

use std::error::Error;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("frames FOLDER PICTURE...")?;
    std::fs::create_dir_all(&folder)?;
    for picture in arguments {
        let mut pixels = image::open(&picture)?.into_rgba8();
        pixels.pixels_mut().for_each(|p| p.0.swap(0, 2));
        let name = Path::new(&picture).file_stem().ok_or("a picture has a name")?;
        std::fs::write(Path::new(&folder).join(name).with_extension("bgra"), pixels.as_raw())?;
    }
    Ok(())
}
