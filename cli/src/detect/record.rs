//! What is known of a picture once it went through the detector.

use osprey_detector::PixelBox;
use std::path::PathBuf;
use std::time::Duration;

/// A picture with what was found in it.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    /// The path as it was given.
    pub(crate) image: String,
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
    pub(crate) reason: String,
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
