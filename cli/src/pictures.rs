//! A picture file as `osprey detect` looks at it: decoded no larger than the model needs, turned upright, boxes in
//! pixels of the file, one class for each object. For other programs that shall find the same.

use crate::args::MAX_MEGAPIXELS;
use crate::detect::decode::{self, Opened, PictureLimits};
use crate::detect::finder;
use crate::detect::pipeline::in_file;
use osprey_detector::frame::Frame;
use osprey_detector::{
    Detect, Detection, Detector, DetectorError, FramePreparer, ModelError, PixelBox, PreparedFrame,
};
use std::path::Path;

pub use crate::detect::decode::error::{PictureError, PictureErrorKind};
pub use crate::detect::decode::kinds::EXTENSIONS;

/// Brings picture files into the form of a detector's input. A clone serves another thread.
#[derive(Debug, Clone)]
pub struct PictureReader {
    limits: PictureLimits,
    preparer: FramePreparer,
    /// Pixels that are decoded, at least.
    least_size: (u32, u32),
}

/// A picture in the form of a detector's input.
#[derive(Debug, Clone)]
pub struct SeenPicture {
    prepared: PreparedFrame,
    size: (u32, u32),
    scale: u32,
}

impl PictureReader {
    /// For the input of `detector`. Pictures of more than `max_megapixels` are refused before memory is asked
    /// for; `None` stands for what `osprey detect` allows.
    ///
    /// # Errors
    /// [`DetectorError::Preprocess`] if the model takes no images.
    pub fn new(detector: &Detector, max_megapixels: Option<u32>) -> Result<Self, DetectorError> {
        Ok(Self {
            limits: PictureLimits::megapixels(max_megapixels.unwrap_or(MAX_MEGAPIXELS)),
            preparer: detector.preparer()?,
            least_size: detector.input().least_size(),
        })
    }

    /// Reads and prepares the file at `path`.
    ///
    /// # Errors
    /// [`PictureError`].
    pub fn open(&mut self, path: &Path) -> Result<SeenPicture, PictureError> {
        self.see(decode::open(path, &self.limits)?)
    }

    /// Prepares the picture in `file`, the bytes of a picture file.
    ///
    /// # Errors
    /// [`PictureError`].
    pub fn read(&mut self, file: Vec<u8>) -> Result<SeenPicture, PictureError> {
        self.see(decode::open_bytes(file, &self.limits)?)
    }

    fn see(&mut self, opened: Opened) -> Result<SeenPicture, PictureError> {
        let size = opened.upright_size();
        let picture = match opened.decode_scaled(self.least_size) {
            Some(scaled) => scaled,
            None => opened.decode()?,
        };
        let prepared = finder::prepare(&mut self.preparer, &picture)
            .map_err(|e| PictureError { kind: PictureErrorKind::Damaged, message: format!("{e:#}") })?;
        Ok(SeenPicture { prepared, size, scale: picture.scale })
    }
}

impl SeenPicture {
    /// Width and height of the upright picture in the file, in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// What `detector`, whose reader made this picture, finds in it: best first, in pixels of the file.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] with another model's picture, [`ModelError::Backend`].
    pub fn find(&self, detector: &mut Detector) -> Result<Vec<Detection<PixelBox>>, ModelError> {
        detector.infer_prepared(&self.prepared)?;
        let mut found = Vec::new();
        detector.finish(self.prepared.placement(), &mut found)?;
        let seen = self.prepared.size();
        Ok(in_pixels(&found, seen, |b| in_file(b, self.scale, self.size)))
    }
}

/// What is in a frame, as [`SeenPicture::find`] tells it, without a copy of the model's input.
///
/// # Errors
/// [`DetectorError`].
pub fn find_in_frame(
    detector: &mut Detector,
    frame: &Frame<'_>,
) -> Result<Vec<Detection<PixelBox>>, DetectorError> {
    let size = frame.upright_size();
    Ok(in_pixels(detector.detect(frame)?, size, |b| *b))
}

fn in_pixels(
    found: &[Detection],
    (width, height): (u32, u32),
    place: impl Fn(&PixelBox) -> PixelBox,
) -> Vec<Detection<PixelBox>> {
    let in_pixels = |d: &Detection| Detection {
        bbox: place(&d.bbox.to_pixels(width, height)),
        class_id: d.class_id,
        score: d.score,
    };
    found.iter().map(in_pixels).collect()
}
