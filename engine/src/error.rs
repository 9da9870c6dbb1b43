//! Why a model was refused.

use crate::graph::DType;

/// Everything that can go wrong between a file's bytes and a session's first run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes do not start like a TFLite model.
    #[error("not a TFLite model: {reason}; pass a .tflite file that a TFLite converter wrote")]
    NotTflite {
        /// What is missing.
        reason: &'static str,
    },
    /// The file's structure points outside itself or contradicts itself.
    #[error("damaged model file: {what}; fetch or convert the file again")]
    Malformed {
        /// The table, field or tensor concerned, and what is wrong with it.
        what: String,
    },
    /// An operator that the engine has no kernel for.
    #[error("operator {op} (node {node}, inputs: {inputs}) is not supported; {remedy}")]
    UnsupportedOperator {
        /// Position of the node in the graph.
        node: usize,
        /// The operator's name in the TFLite schema, or the custom operator's own name.
        op: String,
        /// Type and shape of each input.
        inputs: String,
        /// What the reader of the message can do.
        remedy: &'static str,
    },
    /// A known operator in a variant that the engine has no kernel for.
    #[error("{op} (node {node}): {reason}; {remedy}")]
    UnsupportedVariant {
        /// Position of the node in the graph.
        node: usize,
        /// The operator's name in the TFLite schema.
        op: &'static str,
        /// The variant: types, options, or the tensor concerned.
        reason: String,
        /// What the reader of the message can do.
        remedy: &'static str,
    },
    /// An operator whose tensors do not fit its definition.
    #[error(
        "{op} (node {node}) is inconsistent: {reason}; the file is damaged or was written by a faulty converter"
    )]
    InvalidOperator {
        /// Position of the node in the graph.
        node: usize,
        /// The operator's name in the TFLite schema.
        op: &'static str,
        /// What does not fit.
        reason: String,
    },
    /// Several of the above: everything that stands in the way, in the order of the graph.
    #[error("{}", list(.0))]
    Several(Vec<Error>),
    /// The model asks for more than the limits allow.
    #[error(
        "the model needs {needed} {unit} where {limit} are allowed; raise the limit in `Options` if the file is trusted"
    )]
    TooLarge {
        /// What the model asks for.
        needed: u64,
        /// What [`Limits`](crate::Limits) allow.
        limit: u64,
        /// Unit of both figures: "bytes of memory" or "multiply-accumulates".
        unit: &'static str,
    },
    /// The environment variable `OSPREY_ISA` names no instruction set.
    #[error(transparent)]
    Isa(#[from] crate::isa::IsaError),
    /// A tensor was given that does not match the model's input.
    #[error("input {index} takes {expected_len} bytes of {dtype}, got {actual_len}")]
    InputLength {
        /// Index among the model's inputs.
        index: usize,
        /// Element type of the input.
        dtype: DType,
        /// Bytes the input takes.
        expected_len: usize,
        /// Bytes given.
        actual_len: usize,
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
}

impl Error {
    /// Whether nothing but missing kernels stands in the way: another program may run the model.
    pub fn is_unsupported(&self) -> bool {
        match self {
            Self::UnsupportedOperator { .. } | Self::UnsupportedVariant { .. } => true,
            Self::Several(errors) => errors.iter().all(Self::is_unsupported),
            _ => false,
        }
    }

    /// Counts nodes as the file does: `origin` has its node for each of the graph's.
    pub(crate) fn renumber(&mut self, origin: &[usize]) {
        if let Self::UnsupportedOperator { node, .. }
        | Self::UnsupportedVariant { node, .. }
        | Self::InvalidOperator { node, .. } = self
        {
            *node = origin.get(*node).copied().unwrap_or(*node);
        }
    }
}

/// Reasons that are listed before the rest is only counted.
const LISTED: usize = 12;

fn list(errors: &[Error]) -> String {
    let mut text = format!("{} operators stand in the way:", errors.len());
    for error in errors.iter().take(LISTED) {
        text.push_str(&format!("\n  {error}"));
    }
    if errors.len() > LISTED {
        text.push_str(&format!("\n  and {} more", errors.len() - LISTED));
    }
    text
}

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
