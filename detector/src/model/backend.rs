//! What can run a model.

use osprey_engine::{DType, Graph};
use serde::Serialize;
use std::fmt;

/// What runs a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// osprey-engine.
    Native,
    /// tract-tflite, for float models with operators that the engine lacks.
    Tract,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "native",
            Self::Tract => "tract",
        })
    }
}

/// Which backend to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum BackendChoice {
    /// Native; tract for float models that the engine refuses.
    #[default]
    Auto,
    /// This one or none.
    Only(Backend),
}

/// Whether nothing but constants is quantized: tract computes wrong on some quantized operators.
pub(super) fn is_float(graph: &Graph<'_>) -> bool {
    graph
        .tensors
        .iter()
        .all(|t| !matches!(t.dtype, DType::I8 | DType::U8 | DType::I16) || t.quantization.is_none())
}
