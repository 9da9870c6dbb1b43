//! What a phone senses beside its camera: motion and gestures, handwritten digits, each behind the
//! same [`Model`](osprey_detector::Model) as the detector.

#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub mod digits;
pub mod motion;
