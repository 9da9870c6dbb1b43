//! How a model is quantized.

use crate::ranges::Method;

/// Types of the model's inputs and outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Borders {
    /// int8, as inside.
    #[default]
    Int8,
    /// uint8: the bytes of a picture, where the model takes −1 to 1 or 0 to 1.
    Uint8,
    /// float32, so that callers need not change.
    Float,
}

/// How a model is quantized.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// How ranges are chosen.
    pub method: Method,
    /// Types of inputs and outputs. What an operator without an 8-bit form reads or writes stays float32.
    pub borders: Borders,
    /// Whether biases make up for what rounding does to the mean of each channel.
    pub correct_bias: bool,
    /// What inputs can hold, least and greatest, if that is known beyond what samples show: for a picture, what the
    /// levels 0 and 255 become.
    pub input_range: Option<(f32, f32)>,
    /// Threads that run the float model.
    pub threads: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: Method::default(),
            borders: Borders::default(),
            correct_bias: true,
            input_range: None,
            threads: 1,
        }
    }
}
