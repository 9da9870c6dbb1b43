//! From a frame to a model's input in one pass: crop, turn, mirror, resize, convert, quantize.
//!
//! Samples are resampled across, then down, in integers with 14-bit weights; colours are converted
//! at the size of the input. Every instruction set gives the scalar code's bytes.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod axis;
mod color;
mod encode;
mod fast;
#[cfg(target_arch = "aarch64")]
mod neon;
mod options;
mod placement;
mod plan;
mod rows;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod simd128;
mod upright;

pub use crate::model::Normalization;
pub use options::{Align, ChannelOrder, Filter, Fit, PreprocessOptions};
pub use placement::Placement;
pub use upright::{UprightCopier, UprightImage};

use crate::frame::{Frame, FrameError};
use crate::model::PictureShape;
use crate::tensor::{DType, TensorMismatch, TensorSpec, TensorViewMut};
use encode::{Elements, Encoder};
use osprey_engine::{Isa, IsaError};
use plan::Plan;

/// Fills a model's input from frames of any size and format.
///
/// Tables are kept from frame to frame and made anew when size, format, orientation or region
/// change; otherwise [`Preprocessor::run`] allocates nothing.
///
/// ```
/// use osprey_detector::frame::Frame;
/// use osprey_detector::preprocess::{PreprocessOptions, Preprocessor};
/// use osprey_detector::{DType, InputBox, Tensor, TensorSpec};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let spec = TensorSpec { name: "image".into(), shape: vec![1, 300, 300, 3], dtype: DType::U8, quantization: None };
/// let mut input = Tensor::zeros(spec.dtype, &spec.shape).ok_or("no such tensor")?;
/// let mut preprocessor = Preprocessor::new(&spec, PreprocessOptions::default())?;
///
/// let pixels = vec![0; 640 * 480 * 4];
/// let placement = preprocessor.run(&Frame::bgra(&pixels, 640, 480)?, &mut input.view_mut())?;
/// assert_eq!(placement.to_frame(InputBox::WHOLE).to_pixels(640, 480).x_max, 640.0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Preprocessor {
    width: usize,
    height: usize,
    shape: Vec<usize>,
    dtype: DType,
    options: PreprocessOptions,
    encoder: Encoder,
    plan: Option<Plan>,
    scalar: scalar::Scalar,
    kernel: Option<fast::Kernel>,
    rgb: Vec<u8>,
}

/// Why frames cannot be put into an input.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// The input is no picture.
    #[error(
        "an input of shape {shape:?} takes no picture: it must be [1, height, width, 1 or 3] or [1, 1 or 3, height, width]"
    )]
    Shape {
        /// Shape of the input.
        shape: Vec<usize>,
    },
    /// An element type that pictures are not stored in.
    #[error("pictures go into uint8, int8 or float32, not {dtype}")]
    Type {
        /// Type of the input.
        dtype: DType,
    },
    /// The tensor's elements do not lie in order.
    #[error("the input tensor must be contiguous")]
    Layout,
    /// A tensor other than the one that was announced.
    #[error(transparent)]
    Mismatch(#[from] TensorMismatch),
    /// A deviation of zero, or a number that is not finite.
    #[error("{normalization:?} is impossible: means must be finite, deviations neither zero nor infinite")]
    Normalization {
        /// What was asked for.
        normalization: Normalization,
    },
    /// The environment variable `OSPREY_ISA` names no instruction set.
    #[error(transparent)]
    Isa(#[from] IsaError),
    /// A part of a frame that is no part.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

impl Preprocessor {
    /// For an input `[1, height, width, 3]` or `[1, 3, height, width]`, or with one channel for gray.
    ///
    /// 8-bit inputs take the levels themselves (int8: the level − 128) unless a normalization is asked
    /// for. Then the numbers are those that `spec` gives the normalized levels; where that is within
    /// one of the level itself, the level is fed as it is.
    ///
    /// # Errors
    /// [`PreprocessError::Shape`], [`PreprocessError::Type`], [`PreprocessError::Normalization`],
    /// [`PreprocessError::Isa`].
    pub fn new(spec: &TensorSpec, options: PreprocessOptions) -> Result<Self, PreprocessError> {
        let picture = PictureShape::of(&spec.shape)
            .ok_or_else(|| PreprocessError::Shape { shape: spec.shape.clone() })?;
        let encoder = Encoder::new(spec, &picture, &options)?;
        Ok(Self {
            width: picture.width,
            height: picture.height,
            shape: spec.shape.clone(),
            dtype: spec.dtype,
            options,
            encoder,
            plan: None,
            scalar: scalar::Scalar::default(),
            kernel: fast::Kernel::up_to(Isa::from_env()?),
            rgb: Vec::new(),
        })
    }

    /// The instruction set that packed frames use on this CPU, and two-plane frames with plain
    /// bilinear resampling; all else is portable code.
    pub fn kernel_name(&self) -> &'static str {
        self.kernel.map_or("scalar", fast::Kernel::name)
    }

    /// What was asked for.
    pub fn options(&self) -> &PreprocessOptions {
        &self.options
    }

    /// Fills `input` with what `frame` shows, and tells how boxes come back.
    ///
    /// # Errors
    /// [`PreprocessError::Mismatch`], [`PreprocessError::Layout`].
    pub fn run(
        &mut self,
        frame: &Frame<'_>,
        input: &mut TensorViewMut<'_>,
    ) -> Result<Placement, PreprocessError> {
        if input.shape() != self.shape || input.dtype() != self.dtype {
            return Err(PreprocessError::Mismatch(TensorMismatch {
                expected: self.dtype,
                expected_shape: self.shape.clone(),
                actual: input.dtype(),
                actual_shape: input.shape().to_vec(),
            }));
        }
        let mut elements = Elements::of(input)?;
        let plan = match self.plan.take() {
            Some(plan) if plan.fits(frame) => plan,
            _ => Plan::new(frame, (self.width, self.height), &self.options),
        };
        self.fill_bars(&plan, &mut elements);
        self.scalar.prepare(frame, &plan);
        let (rect, width, bytes) = (plan.rect, self.width, plan.columns() * 3);
        self.rgb.resize(bytes + rows::SLACK, 0);
        for row in 0..plan.rows() {
            if !self.kernel.is_some_and(|kernel| kernel.row(frame, &plan, row, &mut self.rgb)) {
                self.scalar.row(frame, &plan, row, self.kernel, &mut self.rgb[..bytes]);
            }
            let (first, step) = match plan.swaps_axes {
                true => (rect.y * width + rect.x + row, width),
                false => ((rect.y + row) * width + rect.x, 1),
            };
            self.encoder.write(&self.rgb[..bytes], &mut elements, first, step);
        }
        let placement = plan.placement;
        self.plan = Some(plan);
        Ok(placement)
    }

    fn fill_bars(&mut self, plan: &Plan, elements: &mut Elements<'_>) {
        let (rect, width, height) = (plan.rect, self.width, self.height);
        let Fit::Letterbox { fill, .. } = self.options.fit else { return };
        if (rect.width, rect.height) == (width, height) {
            return;
        }
        self.rgb.clear();
        self.rgb.extend(fill.iter().cycle().take(width * 3));
        let mut bar = |x: usize, y: usize, len: usize| {
            self.encoder.write(&self.rgb[..len * 3], elements, y * width + x, 1);
        };
        for y in 0..height {
            if (rect.y..rect.y + rect.height).contains(&y) {
                bar(0, y, rect.x);
                bar(rect.x + rect.width, y, width - rect.x - rect.width);
            } else {
                bar(0, y, width);
            }
        }
    }
}

#[cfg(test)]
mod tests;
