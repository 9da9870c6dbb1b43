//! Models behind one trait, whatever runs them.

use crate::tensor::{TensorSpec, TensorView, TensorViewMut};

/// A model with memory of its own: fill the inputs, run, read the outputs.
///
/// Detection, motion, gestures, digits and feature extraction all go through this trait. Inputs
/// keep their content from run to run; so do states inside the model, until
/// [`Model::reset_state`]. An implementation allocates nothing in `run`, where its backend allows.
pub trait Model: Send {
    /// What the inputs expect.
    fn inputs(&self) -> &[TensorSpec];

    /// What the outputs give.
    fn outputs(&self) -> &[TensorSpec];

    /// Input `index`, to be filled in place.
    ///
    /// # Errors
    /// [`ModelError::NoSuchTensor`].
    fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError>;

    /// Computes the outputs from the inputs.
    ///
    /// # Errors
    /// [`ModelError::Backend`] where the backend can fail at run time; the native one cannot.
    fn run(&mut self) -> Result<(), ModelError>;

    /// Output `index` of the last run.
    ///
    /// # Errors
    /// [`ModelError::NoSuchTensor`].
    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError>;

    /// Sets states inside the model back to zero.
    fn reset_state(&mut self) {}
}

/// Why a model did not load or run.
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
