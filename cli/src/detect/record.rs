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

/// Leaves one box where several of different classes lie on one object: of any two that overlap by more
/// than `iou`, the likelier one. `found` has the best score first; `of` tells class and box.
pub(crate) fn keep_one_class<T>(found: &mut Vec<T>, iou: f32, of: impl Fn(&T) -> (usize, PixelBox)) {
    let mut kept: Vec<T> = Vec::with_capacity(found.len());
    for f in found.drain(..) {
        let (class, bbox) = of(&f);
        let same_object = |k: &T| matches!(of(k), (other, at) if other != class && at.iou(&bbox) > iou);
        if !kept.iter().any(same_object) {
            kept.push(f);
        }
    }
    *found = kept;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_object_keeps_its_likeliest_class() {
        let found = |class_id, score, x_min: f32| Found {
            class_id,
            label: class_id.to_string(),
            score,
            bbox: PixelBox { x_min, y_min: 10.0, x_max: x_min + 100.0, y_max: 60.0 },
        };
        // A cat that is a dog and a horse as well, another cat on it, and a person beside them.
        let mut all = vec![found(1, 0.9, 0.0), found(2, 0.8, 5.0), found(1, 0.7, 4.0), found(3, 0.6, 90.0)];
        all.push(found(4, 0.5, 2.0));
        keep_one_class(&mut all, 0.7, |f| (f.class_id, f.bbox));
        let kept: Vec<_> = all.iter().map(|f| (f.class_id, f.score)).collect();
        assert_eq!(kept, [(1, 0.9), (1, 0.7), (3, 0.6)], "boxes of one class are the model's own business");
        let before = all.len();
        keep_one_class(&mut all, 1.0, |f| (f.class_id, f.bbox));
        assert_eq!(all.len(), before);
    }
}
