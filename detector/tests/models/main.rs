//! Real model files against LiteRT's answers. They need the optional assets, and say so where they
//! find none.

mod anchors;
mod build;
mod catalogue;
mod detections;
mod exact;
mod fixed;
mod float;
mod mediapipe;
mod metadata;
mod options;
mod support;
