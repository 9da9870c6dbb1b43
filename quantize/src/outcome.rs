//! What comes of quantizing.

/// An operator that is not 8-bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Its position in the float model's graph.
    pub node: usize,
    /// Its name.
    pub op: String,
    /// The name of its first output.
    pub name: String,
}

/// A quantized model.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantized {
    /// The bytes of the `.tflite` file.
    pub file: Vec<u8>,
    /// Operators that compute with floats, for want of an 8-bit form.
    pub float: Vec<Kept>,
    /// How many operators were quantized.
    pub quantized: usize,
}
