//! From a float model and samples to a full-integer model.

use crate::archive;
use crate::build::{Builder, Plan};
use crate::error::{QuantizeError, Result};
use crate::groups;
use crate::observe::Observer;
use crate::ranges::Method;
use crate::roles::{Role, roles};
use crate::source::Source;
use std::fmt;

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

/// Notes what a float model's tensors hold, then quantizes it.
pub struct Quantizer<'a> {
    source: Source<'a>,
    roles: Vec<Role>,
    observer: Observer,
    settings: Settings,
}

impl fmt::Debug for Quantizer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quantizer").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl<'a> Quantizer<'a> {
    /// Reads the float model in `file`. Weights may be float16, or int8 with a DEQUANTIZE or in hybrid operators.
    ///
    /// # Errors
    /// [`QuantizeError::AlreadyQuantized`], [`QuantizeError::Input`], [`QuantizeError::Nothing`],
    /// [`QuantizeError::Engine`].
    pub fn new(file: &'a [u8], settings: &Settings) -> Result<Self> {
        let source = Source::read(file)?;
        let roles = roles(&source);
        if !roles.iter().any(|r| matches!(r, Role::Weighted(_) | Role::Free | Role::Fixed(..))) {
            return Err(QuantizeError::Nothing);
        }
        let observer = Observer::new(&source, settings.threads)?;
        Ok(Self { source, roles, observer, settings: settings.clone() })
    }

    /// Elements of each input.
    pub fn lengths(&self) -> Vec<usize> {
        self.observer.lengths()
    }

    /// Runs the float model on a sample: for each input its numbers, row-major.
    ///
    /// # Errors
    /// [`QuantizeError::Sample`], [`QuantizeError::NotFinite`].
    pub fn observe(&mut self, sample: &[&[f32]]) -> Result<()> {
        self.observer.observe(&self.source, sample)
    }

    /// The full-integer model.
    ///
    /// # Errors
    /// [`QuantizeError::NoSamples`], [`QuantizeError::Archive`], [`QuantizeError::Engine`].
    pub fn finish(self) -> Result<Quantized> {
        let observed = self.observer.finish()?;
        let affines = groups::affines(&self.source, &self.roles, &observed, &self.settings);
        let builder = Builder::new(Plan {
            source: &self.source,
            roles: &self.roles,
            affines: &affines,
            observed: &observed,
            borders: self.settings.borders,
            correct_bias: self.settings.correct_bias,
        });
        let (graph, float, quantized) = builder.build();
        let file = archive::carry_over(self.source.file, graph.write_into(self.source.file)?)?;
        Ok(Quantized { file, float, quantized })
    }
}
