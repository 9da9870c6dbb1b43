//! Why a model did not load or run.

use super::{LabelError, ManifestError};
use crate::tensor::{DType, TensorMismatch};
use std::path::PathBuf;
use std::sync::Arc;

/// Everything that can go wrong between a model file and its outputs.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The engine refused the file.
    #[error(transparent)]
    Engine(#[from] osprey_engine::Error),
    /// Another backend failed.
    #[error("{backend}: {message}")]
    Backend {
        /// Name of the backend.
        backend: &'static str,
        /// The backend's own words.
        message: String,
    },
    /// Neither backend can run the file.
    #[error("no backend can run this model; native: {native}; tract: {tract}")]
    NoBackend {
        /// Why the engine refused it.
        native: osprey_engine::Error,
        /// Why tract refused it.
        tract: String,
    },
    /// The file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: Arc<std::io::Error>,
    },
    /// The file is longer than the limits allow.
    #[error("{} has {bytes} bytes where {limit} are allowed; raise `limits.memory` if it is trusted", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: u64,
        /// What is allowed.
        limit: u64,
    },
    /// An input or output index beyond the model's.
    #[error("there is no {kind} {index}: the model has {count}")]
    NoSuchTensor {
        /// "input" or "output".
        kind: &'static str,
        /// Index asked for.
        index: usize,
        /// How many the model has.
        count: usize,
    },
    /// A tensor was given that does not fit.
    #[error(transparent)]
    Mismatch(#[from] TensorMismatch),
    /// An input or output of a type that no array has.
    #[error(
        "the model's {kind} \"{name}\" holds {dtype}, which cannot be handed out; convert it with 32-bit floats"
    )]
    UnsupportedTensor {
        /// "input" or "output".
        kind: &'static str,
        /// The tensor.
        name: String,
        /// Its type.
        dtype: DType,
    },
    /// A tensor whose bytes are not values of its type.
    #[error("\"{name}\" holds bytes that are no {dtype}")]
    InvalidValues {
        /// The tensor.
        name: String,
        /// Its type.
        dtype: DType,
    },
    /// The TFLite metadata, or a file packed behind the model, is damaged or too large.
    #[error("metadata: {what}; write the metadata again, or load with `ignore_metadata`")]
    Metadata {
        /// The part concerned, and what is wrong with it.
        what: String,
    },
    /// A post-processing operator that contradicts itself.
    #[error("TFLite_Detection_PostProcess: {what}; the file is damaged or was written by a faulty converter")]
    PostProcess {
        /// The option concerned, and what is wrong with it.
        what: String,
    },
    /// The labels cannot be used.
    #[error(transparent)]
    Labels(#[from] LabelError),
    /// The description of the model cannot be used.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The model takes no picture.
    #[error(
        "input \"{name}\" of shape {shape:?} and type {dtype} is no picture: [1, height, width, 1 or 3] or [1, 1 or 3, height, width] of uint8, int8 or float32 is expected"
    )]
    NotAnImage {
        /// The input.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its type.
        dtype: DType,
    },
}
