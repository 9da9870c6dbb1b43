//! What a model's picture input expects, in a camera's terms.

use super::{InputEntry, Metadata, ModelError};
use crate::tensor::{DType, TensorSpec};
use serde::{Deserialize, Serialize};

/// How a picture is fitted into a model's input of another aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResizeMode {
    /// Each axis is scaled on its own; TensorFlow's SSD models are trained so.
    #[default]
    Stretch,
    /// Both axes are scaled alike, the picture is centred, and the rest is filled.
    Letterbox,
}

/// The order of a pixel's channels in the model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorOrder {
    /// Red, green, blue.
    #[default]
    Rgb,
    /// Blue, green, red.
    Bgr,
    /// One channel of luma.
    Gray,
}

/// What the model was trained on: (pixel − mean) ÷ std, pixels 0..255, in the input's channel order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// Subtracted from a pixel.
    pub mean: [f32; 3],
    /// Divides what is left.
    pub std: [f32; 3],
}

impl Normalization {
    /// Levels as they are.
    pub const NONE: Self = Self::uniform(0.0, 1.0);
    /// To 0..1.
    pub const UNIT: Self = Self::uniform(0.0, 255.0);

    /// The same for all channels.
    pub const fn uniform(mean: f32, std: f32) -> Self {
        Self { mean: [mean; 3], std: [std; 3] }
    }
}

impl Default for Normalization {
    /// To −1..1, as TensorFlow's mobile models are trained.
    fn default() -> Self {
        Self { mean: [127.5; 3], std: [127.5; 3] }
    }
}

/// A model's picture input.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInput {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Numbers for each pixel: 3, or 1 for [`ColorOrder::Gray`].
    pub channels: usize,
    /// Type of the numbers: uint8, int8 or float32.
    pub dtype: DType,
    /// Order of the channels.
    pub color: ColorOrder,
    /// How pictures of another shape are fitted.
    pub resize: ResizeMode,
    /// What the model was trained on.
    pub normalization: Normalization,
}

impl ImageInput {
    /// From the input's specification, and from what the manifest or else the metadata say of it.
    ///
    /// # Errors
    /// [`ModelError::NotAnImage`].
    pub fn new(
        spec: &TensorSpec,
        entry: Option<&InputEntry>,
        metadata: &Metadata,
    ) -> Result<Self, ModelError> {
        let refuse = || ModelError::NotAnImage {
            name: spec.name.clone(),
            shape: spec.shape.clone(),
            dtype: spec.dtype,
        };
        let &[1, height, width, channels @ (1 | 3)] = spec.shape.as_slice() else { return Err(refuse()) };
        if height == 0 || width == 0 || !matches!(spec.dtype, DType::U8 | DType::I8 | DType::F32) {
            return Err(refuse());
        }
        let told = entry.and_then(InputEntry::normalization);
        let normalization =
            told.or_else(|| metadata.inputs.first().and_then(|t| t.normalization)).unwrap_or_default();
        let color = match channels {
            1 => ColorOrder::Gray,
            _ => entry.map(|e| e.color).unwrap_or_default(),
        };
        let resize = entry.map(|e| e.resize).unwrap_or_default();
        if color == ColorOrder::Gray && channels == 3 {
            return Err(refuse());
        }
        Ok(Self { width, height, channels, dtype: spec.dtype, color, resize, normalization })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TensorMetadata;

    fn spec(dtype: DType) -> TensorSpec {
        TensorSpec { name: "image".into(), shape: vec![1, 20, 30, 3], dtype, quantization: None }
    }

    #[test]
    fn the_manifest_goes_before_the_metadata() {
        let told = |mean| Some(Normalization { mean: [mean; 3], std: [1.0; 3] });
        let tensor = TensorMetadata { normalization: told(1.0), ..TensorMetadata::default() };
        let metadata = Metadata { inputs: vec![tensor], ..Metadata::default() };
        let entry = InputEntry {
            mean: Some(vec![2.0]),
            std: Some(vec![1.0]),
            resize: ResizeMode::Letterbox,
            color: ColorOrder::Bgr,
        };
        let input = ImageInput::new(&spec(DType::U8), Some(&entry), &metadata).unwrap();
        assert_eq!((input.width, input.height), (30, 20));
        assert_eq!(input.normalization.mean, [2.0; 3]);
        assert_eq!((input.color, input.resize), (ColorOrder::Bgr, ResizeMode::Letterbox));
        let input = ImageInput::new(&spec(DType::U8), None, &metadata).unwrap();
        assert_eq!((input.normalization.mean, input.color), ([1.0; 3], ColorOrder::Rgb));
        let input = ImageInput::new(&spec(DType::F32), None, &Metadata::default()).unwrap();
        assert_eq!(input.normalization, Normalization::default());
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for shape in [vec![1, 10], vec![2, 8, 8, 3], vec![1, 0, 8, 3], vec![1, 8, 8, 4]] {
            let spec = TensorSpec { shape, ..spec(DType::U8) };
            assert!(ImageInput::new(&spec, None, &Metadata::default()).is_err());
        }
    }
}
