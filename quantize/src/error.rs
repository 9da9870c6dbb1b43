//! Why a model was not quantized.

/// What can go wrong between a float model and its quantized one.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The model cannot be read, run or written.
    #[error(transparent)]
    Engine(#[from] osprey_engine::Error),
    /// The model holds 8-bit activations.
    #[error(
        "tensor \"{tensor}\" is {dtype}: the model is quantized already; pass the float model that it was made from"
    )]
    AlreadyQuantized {
        /// The first such tensor.
        tensor: String,
        /// Its type.
        dtype: osprey_engine::DType,
    },
    /// Constants that list their elements.
    #[error("tensor \"{tensor}\" is sparse; convert the model without sparse weights")]
    Sparse {
        /// The first such tensor.
        tensor: String,
    },
    /// A model input that no float sample can fill.
    #[error("input \"{tensor}\" takes {dtype}; models with float32 inputs can be quantized")]
    Input {
        /// The input.
        tensor: String,
        /// Its type.
        dtype: osprey_engine::DType,
    },
    /// No operator has an 8-bit form, or no weights are large enough.
    #[error("there is nothing to quantize in this model")]
    Nothing,
    /// The ranges of tensors are not known without samples.
    #[error("no sample was observed; quantization needs some of what the model is made for")]
    NoSamples,
    /// As many slices as inputs are wanted, each of its input's length.
    #[error("the model takes inputs of {expected:?} numbers, the sample has {actual:?}")]
    Sample {
        /// Elements of each input.
        expected: Vec<usize>,
        /// Numbers of each slice.
        actual: Vec<usize>,
    },
    /// A tensor that cannot have a range.
    #[error("tensor \"{tensor}\" becomes {value} on a sample: the model or the sample is damaged")]
    NotFinite {
        /// The tensor.
        tensor: String,
        /// Infinite, or not a number.
        value: f32,
    },
    /// The archive behind the model.
    #[error("the files packed behind the model: {what}")]
    Archive {
        /// What is wrong with it.
        what: String,
    },
}

pub(crate) type Result<T> = std::result::Result<T, QuantizeError>;
