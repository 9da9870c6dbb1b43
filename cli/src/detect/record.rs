//! What is known of a picture once it went through the detector.

use super::decode::error::{PictureError, PictureErrorKind};
use osprey_detector::PixelBox;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A picture with what was found in it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The path as it was given.
    pub(crate) image: String,
    /// Of its file, where the output wants it.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet names files by content"))]
    pub(crate) image_id: ImageId,
    /// What files made from this picture are called, without extension.
    pub(crate) name: PathBuf,
    /// Width of the upright picture in pixels.
    pub(crate) width: u32,
    /// Height of the upright picture in pixels.
    pub(crate) height: u32,
    /// Best score first.
    pub(crate) found: Vec<Found>,
    pub(crate) times: Times,
}

/// An object found, clipped to the picture.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) class_id: usize,
    pub(crate) label: String,
    pub(crate) score: f32,
    pub(crate) bbox: PixelBox,
}

/// How long each stage took.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Times {
    pub(crate) decode: Duration,
    pub(crate) preprocess: Duration,
    pub(crate) inference: Duration,
    pub(crate) postprocess: Duration,
}

impl Times {
    /// Stages in order, in milliseconds.
    pub(crate) fn stages(&self) -> [(&'static str, f64); 4] {
        [
            ("decode", milliseconds(self.decode)),
            ("preprocess", milliseconds(self.preprocess)),
            ("inference", milliseconds(self.inference)),
            ("postprocess", milliseconds(self.postprocess)),
        ]
    }
}

/// A picture that was left out.
#[derive(Debug, Clone)]
pub(crate) struct Skipped {
    pub(crate) image: String,
    /// Of its file, where that could be read and the output wants it.
    #[cfg_attr(not(feature = "parquet"), expect(dead_code, reason = "only Parquet names files by content"))]
    pub(crate) image_id: ImageId,
    pub(crate) error: PictureError,
}

impl Skipped {
    /// A path that cannot be read, for a reason.
    pub(crate) fn unreadable(path: &Path, reason: String) -> Self {
        let error = PictureError { kind: PictureErrorKind::Unreadable, message: reason };
        Self { image: path.display().to_string(), image_id: ImageId::default(), error }
    }
}

/// The first 16 hexadecimal digits of the SHA-256 of a file; by default empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ImageId(String);

impl ImageId {
    pub(crate) fn of(file: &[u8]) -> Self {
        Self(Sha256::digest(file).iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Milliseconds, to the microsecond.
pub(crate) fn milliseconds(time: Duration) -> f64 {
    round(time.as_secs_f64() * 1e3, 3)
}

/// `value` to `digits` decimal places: hundredths of a pixel are finer than any detector.
pub(crate) fn round(value: f64, digits: i32) -> f64 {
    let unit = 10f64.powi(digits);
    (value * unit).round() / unit
}

/// xmin, ymin, xmax, ymax in hundredths of a pixel.
pub(crate) fn corners(b: &PixelBox) -> [f64; 4] {
    [b.x_min, b.y_min, b.x_max, b.y_max].map(|v| round(v.into(), 2))
}
