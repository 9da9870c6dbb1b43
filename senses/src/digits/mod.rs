//! Handwritten digits, drawn or photographed, put before a model the way MNIST's were.

mod image;

pub use image::{DigitError, DigitImage, Stroke};

use osprey_detector::model::{LoadOptions, Model, ModelError, load};
use osprey_detector::tensor::TensorSpec;
use std::path::Path;

/// What a model says of an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digit {
    /// The likeliest, 0..=9.
    pub digit: u8,
    /// Probability of each.
    pub probabilities: [f32; 10],
}

/// A model of ten digits.
pub struct DigitClassifier {
    model: Box<dyn Model>,
    input: TensorSpec,
    output: TensorSpec,
}

impl std::fmt::Debug for DigitClassifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DigitClassifier").field("input", &self.input).field("output", &self.output).finish()
    }
}

impl DigitClassifier {
    /// Loads the model at `path`.
    ///
    /// # Errors
    /// [`DigitError::Model`], [`DigitError::NotDigits`].
    pub fn load(path: impl AsRef<Path>, options: &LoadOptions) -> Result<Self, DigitError> {
        Self::new(load(path, options)?.model)
    }

    /// Takes a model with 28 × 28 inputs, that hold ink as 0..1, and ten outputs.
    ///
    /// # Errors
    /// [`DigitError::NotDigits`].
    pub fn new(model: Box<dyn Model>) -> Result<Self, DigitError> {
        let fit =
            |specs: &[TensorSpec], elements| specs.first().filter(|s| s.elements() == elements).cloned();
        let (input, output) = (fit(model.inputs(), DigitImage::PIXELS), fit(model.outputs(), 10));
        match (input, output) {
            (Some(input), Some(output)) => Ok(Self { model, input, output }),
            _ => {
                let shape = |specs: &[TensorSpec]| specs.first().map(|s| s.shape.clone()).unwrap_or_default();
                Err(DigitError::NotDigits { input: shape(model.inputs()), output: shape(model.outputs()) })
            }
        }
    }

    /// Which digit `image` shows.
    ///
    /// # Errors
    /// [`DigitError::Model`].
    pub fn classify(&mut self, image: &DigitImage) -> Result<Digit, DigitError> {
        let mut input = self.model.input_mut(0)?;
        let quantization = self.input.quantization.as_ref();
        input.assign_f32(image.ink(), quantization).map_err(ModelError::from)?;
        self.model.run()?;
        let scores = self.model.output(0)?.to_f32(self.output.quantization.as_ref());
        let mut probabilities = [0.0; 10];
        probabilities.iter_mut().zip(&scores).for_each(|(p, s)| *p = *s);
        let likeliest =
            (0..10u8).max_by(|&a, &b| probabilities[a as usize].total_cmp(&probabilities[b as usize]));
        Ok(Digit { digit: likeliest.unwrap_or(0), probabilities })
    }
}

impl From<ModelError> for DigitError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}
