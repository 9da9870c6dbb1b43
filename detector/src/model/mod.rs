//! Models behind one trait, whatever runs them.

mod associated;
mod backend;
mod description;
mod error;
mod exporter;
mod first;
mod image;
mod info;
mod labels;
mod last;
mod load;
mod manifest;
mod mediapipe;
mod metadata;
mod native;
mod probabilities;
#[cfg(feature = "tract")]
mod tract;

pub use backend::{Backend, BackendChoice};
pub use description::{
    AccelerationUnit, Anchor, AnchorSpec, Calibration, Channel, Convention, EfficientDetAnchors, HeadKind,
    MotionSpec, MultiscaleAnchors, Quantity, Resampling, RotationUnit, STANDARD_GRAVITY, ScoreKind,
    SignConvention, SpecError, SsdAnchors, SsdSpec, UnknownChannel,
};
pub use error::ModelError;
pub(crate) use image::PictureShape;
pub use image::{
    ColorOrder, ImageInput, InputConvention, InputFacts, InputOrigin, Normalization, ResizeMode,
};
pub use info::{ModelInfo, OperatorCount, Problem};
pub use labels::{LabelError, LabelSource, Labels};
pub use load::{LoadOptions, LoadedModel, PACKED_ENTRY, PostProcessing, load};
pub use manifest::{Entry, InputEntry, LabelsEntry, Manifest, ManifestError, Task};
pub use metadata::{AssociatedFile, FileKind, Metadata, ScoreCalibration, ScoreTransform, TensorMetadata};
pub use native::NativeModel;
pub(crate) use probabilities::sigmoid;
pub use probabilities::{softmax, to_probabilities};

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

    /// Copies `values` into input `index`.
    ///
    /// # Errors
    /// [`ModelError::NoSuchTensor`], [`ModelError::Mismatch`].
    fn set_input(&mut self, index: usize, values: &TensorView<'_>) -> Result<(), ModelError> {
        Ok(self.input_mut(index)?.assign(values)?)
    }

    /// Sets states inside the model back to zero.
    fn reset_state(&mut self) {}
}

/// `items[index]`, or the error that says how many there are.
fn find<'a, T>(items: &'a [T], index: usize, kind: &'static str) -> Result<&'a T, ModelError> {
    items.get(index).ok_or(ModelError::NoSuchTensor { kind, index, count: items.len() })
}
