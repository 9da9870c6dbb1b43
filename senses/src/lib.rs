//! What a phone senses beside its camera: motion and gestures, handwritten digits, each behind the
//! same [`Model`](osprey_detector::Model) as the detector.

pub mod digits;
pub mod motion;
