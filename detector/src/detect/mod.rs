//! From a frame to boxes, once: `osprey detect`, live sessions, replays, the bridge and everybody
//! else go through here, and clipping, mapping and the dropping of empty boxes happen nowhere else.
//!
//! [`Detector::detect`] is the whole way. Where its halves run on different threads, a
//! [`FramePreparer`] makes a [`PreparedFrame`] of a frame; [`Detect::infer_prepared`] runs the model
//! on it, and [`Detect::finish`] brings the model's boxes back to the image.
//!
//! Nothing in this module knows of workers, files or live sessions.

mod detector;
mod tiles;

pub use detector::Detector;
pub use tiles::{MAX_TILES, TileOptions, Tiler, Tiling};

use crate::frame::Frame;
use crate::geometry::{Detection, InputBox, NormBox};
use crate::model::{LoadedModel, ModelError, PictureShape};
use crate::preprocess::{Placement, PreprocessError, PreprocessOptions, Preprocessor};
use crate::ssd::{DetectorError, DetectorOptions};
use crate::tensor::{Tensor, TensorSpec, TensorViewMut};

/// What finds objects in an image that has the form of its input. [`Detector`] does; tests and
/// models of another kind may.
pub trait Detect: Send + 'static {
    /// The input: `[1, height, width, 1 or 3]`.
    fn input_spec(&self) -> &TensorSpec;

    /// How images become inputs.
    fn preprocess(&self) -> PreprocessOptions;

    /// The input, to be filled.
    ///
    /// # Errors
    /// [`ModelError`].
    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError>;

    /// Runs the model on what the input holds.
    ///
    /// # Errors
    /// [`ModelError::Backend`]; the native backend has none.
    fn infer(&mut self) -> Result<(), ModelError>;

    /// What the last run found, best first, in fractions of the input: decoded, suppressed, neither
    /// clipped nor mapped. [`Detect::finish`] does that.
    ///
    /// # Errors
    /// [`ModelError`].
    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError>;

    /// Names of the classes, by class id; none if it has no names.
    fn class_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// Takes thresholds, classes, suppression and limits from `options`; the model stays as it is.
    /// What has no such choices ignores them.
    ///
    /// # Errors
    /// [`DetectorError::BadOption`], [`DetectorError::Labels`]; nothing is changed then.
    fn reconfigure(&mut self, options: &DetectorOptions) -> Result<(), DetectorError> {
        let _ = options;
        Ok(())
    }

    /// What brings frames into the form of the input, for any thread.
    ///
    /// # Errors
    /// [`PreprocessError`] if the input takes no images.
    fn preparer(&self) -> Result<FramePreparer, PreprocessError> {
        FramePreparer::new(self.input_spec().clone(), self.preprocess())
    }

    /// Runs the model on a prepared frame.
    ///
    /// # Errors
    /// [`ModelError::Mismatch`] if the frame was prepared for another input, [`ModelError::Backend`].
    fn infer_prepared(&mut self, frame: &PreparedFrame) -> Result<(), ModelError> {
        self.input_mut()?.assign(&frame.input.view())?;
        self.infer()
    }

    /// What the last run found, best first, in fractions of the upright image that lay in the input
    /// by `placement`; `found` is cleared first. Boxes are clipped to the image, and what lies on
    /// the padding alone is left out.
    ///
    /// # Errors
    /// [`ModelError`].
    fn finish(&mut self, placement: &Placement, found: &mut Vec<Detection>) -> Result<(), ModelError> {
        found.clear();
        found.extend(self.detections()?.iter().filter_map(|d| {
            let bbox = placement.to_frame(d.bbox).clipped();
            (bbox.area() > 0.0).then_some(Detection { bbox, class_id: d.class_id, score: d.score })
        }));
        Ok(())
    }
}

/// Brings frames into the form of a model's input. A clone serves another thread.
#[derive(Debug, Clone)]
pub struct FramePreparer {
    preprocessor: Preprocessor,
    spec: TensorSpec,
}

impl FramePreparer {
    /// For the input that `spec` describes.
    ///
    /// # Errors
    /// [`PreprocessError`] if the input takes no images.
    pub fn new(spec: TensorSpec, options: PreprocessOptions) -> Result<Self, PreprocessError> {
        Ok(Self { preprocessor: Preprocessor::new(&spec, options)?, spec })
    }

    /// For the first input of a model of any kind that takes images.
    ///
    /// # Errors
    /// [`DetectorError::Model`], [`DetectorError::Preprocess`].
    pub fn for_model(loaded: &LoadedModel) -> Result<Self, DetectorError> {
        let (spec, input) = loaded.image_input()?;
        Ok(Self::new(spec.clone(), PreprocessOptions::from(&input))?)
    }

    /// What it fills.
    pub fn spec(&self) -> &TensorSpec {
        &self.spec
    }

    /// Pixels of the input, across and down.
    pub fn input_size(&self) -> (u32, u32) {
        // `Preprocessor::new` has refused inputs of another form.
        PictureShape::of(&self.spec.shape).map_or((1, 1), |shape| (shape.width as u32, shape.height as u32))
    }

    /// Fills `prepared` with what `frame` shows. Memory of an earlier frame is used again.
    ///
    /// # Errors
    /// [`PreprocessError`].
    pub fn prepare(
        &mut self,
        frame: &Frame<'_>,
        prepared: &mut PreparedFrame,
    ) -> Result<(), PreprocessError> {
        let (shape, dtype) = (&self.spec.shape, self.spec.dtype);
        let fits = {
            let view = prepared.input.view();
            view.shape() == shape && view.dtype() == dtype
        };
        if !fits {
            prepared.input = Tensor::zeros(dtype, shape).ok_or(PreprocessError::Type { dtype })?;
        }
        prepared.placement = self.write(frame, &mut prepared.input.view_mut())?;
        prepared.size = frame.upright_size();
        Ok(())
    }

    /// Fills `prepared` with the parts `regions` of what `frame` shows, for a
    /// [`Tiler`]. Memory of an earlier frame is used again.
    ///
    /// # Errors
    /// [`PreprocessError`]; [`FrameError::Roi`](crate::frame::FrameError::Roi) in it for a region of less than a pixel.
    pub fn prepare_parts(
        &mut self,
        frame: &Frame<'_>,
        regions: &[NormBox],
        prepared: &mut Vec<PreparedFrame>,
    ) -> Result<(), PreprocessError> {
        prepared.resize_with(regions.len(), PreparedFrame::default);
        for (region, part) in regions.iter().zip(prepared) {
            self.prepare(&frame.with_roi(*region)?, part)?;
        }
        Ok(())
    }

    /// Fills a model's own input, and says where the frame lies in it.
    pub(crate) fn write(
        &mut self,
        frame: &Frame<'_>,
        input: &mut TensorViewMut<'_>,
    ) -> Result<Placement, PreprocessError> {
        self.preprocessor.run(frame, input)
    }
}

/// A frame in the form of a model's input. The default is empty, to be filled by
/// [`FramePreparer::prepare`].
#[derive(Debug, Clone, PartialEq)]
pub struct PreparedFrame {
    input: Tensor,
    placement: Placement,
    size: (u32, u32),
}

impl Default for PreparedFrame {
    fn default() -> Self {
        Self { input: Tensor::empty(), placement: Placement::default(), size: (0, 0) }
    }
}

impl PreparedFrame {
    /// From a model's input as it was recorded.
    pub fn new(input: Tensor, placement: Placement, size: (u32, u32)) -> Self {
        Self { input, placement, size }
    }

    /// The model's input.
    pub fn input(&self) -> &Tensor {
        &self.input
    }

    /// Where the frame lies in the input.
    pub fn placement(&self) -> &Placement {
        &self.placement
    }

    /// Width and height of the upright image, in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }
}
