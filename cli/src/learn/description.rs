//! What `classifier.json` says.

use osprey_detector::model::InputEntry;
use serde::{Deserialize, Serialize};

/// `classifier.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    /// 1; a reader that knows less refuses the rest.
    pub(crate) version: u32,
    pub(crate) head: String,
    /// Tensors of features.tflite that features are taken from.
    pub(crate) tensors: Vec<String>,
    /// Views of a picture that are asked about.
    pub(crate) views: usize,
    pub(crate) seed: u64,
    /// A checksum of what the pictures are called and how long they are; 0 where it is not known.
    #[serde(default)]
    pub(crate) pictures: u32,
    /// What was said of the model's input, in a manifest's terms.
    #[serde(default)]
    pub(crate) input: InputEntry,
}

impl Description {
    pub(crate) fn new(head: &str, tensors: &[String], views: usize, seed: u64, input: InputEntry) -> Self {
        Self { version: 1, head: head.into(), tensors: tensors.to_vec(), views, seed, pictures: 0, input }
    }
}
