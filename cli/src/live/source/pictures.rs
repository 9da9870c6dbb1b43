//! Picture files as a stream.

use super::{OwnedFrame, Source};
use crate::args::MAX_MEGAPIXELS;
use crate::detect::decode::{self, PictureLimits};
use crate::detect::inputs::{Inputs, Search};
use crate::live::args::RawFormat;
use anyhow::Result;
use osprey_detector::frame::Orientation;
use std::path::Path;

pub(super) struct Pictures {
    inputs: Inputs,
    next: usize,
    repeat: bool,
}

impl Pictures {
    pub(super) fn new(path: &Path, repeat: bool) -> Result<Self> {
        let inputs = Inputs::collect(&[path.to_owned()], &Search { recursive: false, exclude: &[] })?;
        Ok(Self { inputs, next: 0, repeat })
    }
}

impl Source for Pictures {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        let files = &self.inputs.files;
        for _ in 0..files.len() {
            if self.next == files.len() && self.repeat {
                self.next = 0;
            }
            let Some(input) = files.get(self.next) else { return Ok(false) };
            self.next += 1;
            let picture = decode::open(&input.path, &PictureLimits::megapixels(MAX_MEGAPIXELS))
                .and_then(|o| o.decode());
            match picture {
                Ok(picture) => {
                    frame.format = RawFormat::Rgb;
                    (frame.width, frame.height) = picture.pixels.dimensions();
                    frame.orientation = Orientation::from_exif(picture.orientation.to_exif().into())?;
                    frame.data = picture.pixels.into_raw();
                    return Ok(true);
                }
                Err(e) => eprintln!("osprey: {} is left out: {e}", input.path.display()),
            }
        }
        Ok(false)
    }
}
