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

/// From a pixel 0..255 to the stored number: pixel × scale + offset for each channel, which integer
/// types round to the nearest and clamp. Normalization and quantization in one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PixelMap {
    /// Factor of each channel.
    pub scale: [f32; 3],
    /// Added to each channel.
    pub offset: [f32; 3],
}

impl PixelMap {
    /// Whether stored bytes are the pixels themselves, or the pixels less 128 for int8.
    pub fn is_plain(&self) -> bool {
        self.scale == [1.0; 3] && (self.offset == [0.0; 3] || self.offset == [-128.0; 3])
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
    /// What to store for a pixel.
    pub pixel_map: PixelMap,
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
            _ => entry.map(|e| e.color).filter(|c| *c != ColorOrder::Gray).unwrap_or_default(),
        };
        let pixel_map = pixel_map(spec, &normalization);
        let resize = entry.map(|e| e.resize).unwrap_or_default();
        Ok(Self { width, height, channels, dtype: spec.dtype, color, resize, normalization, pixel_map })
    }
}

/// Quantization parameters are rounded by converters, so that the exact map of a model trained on
/// −1..1 is a fraction of a level off the identity. LiteRT's users feed such models plain bytes, and
/// plain bytes are also the fastest to write: taken where no pixel moves by more than a level.
const PLAIN_TOLERANCE: f32 = 1.0;

fn pixel_map(spec: &TensorSpec, n: &Normalization) -> PixelMap {
    let plain_offset = match spec.dtype {
        DType::U8 => 0.0,
        DType::I8 => -128.0,
        _ => {
            return PixelMap {
                scale: n.std.map(|s| 1.0 / s),
                offset: std::array::from_fn(|c| -n.mean[c] / n.std[c]),
            };
        }
    };
    let plain = PixelMap { scale: [1.0; 3], offset: [plain_offset; 3] };
    let (q_scale, zero_point) = spec.affine();
    if spec.quantization.is_none() || q_scale <= 0.0 {
        return plain;
    }
    let scale = n.std.map(|s| 1.0 / (s * q_scale));
    let offset: [f32; 3] = std::array::from_fn(|c| zero_point as f32 - n.mean[c] * scale[c]);
    let moved = |p: f32, c: usize| (p * scale[c] + offset[c] - (p + plain_offset)).abs();
    let near = (0..3).all(|c| moved(0.0, c) <= PLAIN_TOLERANCE && moved(255.0, c) <= PLAIN_TOLERANCE);
    if near { plain } else { PixelMap { scale, offset } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use osprey_engine::Quantization;

    fn spec(dtype: DType, quantization: Option<(f32, i32)>) -> TensorSpec {
        let quantization =
            quantization.map(|(s, z)| Quantization { scales: vec![s], zero_points: vec![z], axis: 0 });
        TensorSpec { name: "image".into(), shape: vec![1, 20, 30, 3], dtype, quantization }
    }

    #[test]
    fn quantized_inputs_near_the_identity_take_plain_bytes() {
        // The pairs that real converters wrote for −1..1.
        for (dtype, scale, zero_point, offset) in [
            (DType::U8, 0.0078125, 128, 0.0),
            (DType::U8, 0.007_843_138, 128, 0.0),
            (DType::U8, 0.007_843_13, 127, 0.0),
            (DType::I8, 0.007_843_138, 0, -128.0),
        ] {
            let input = ImageInput::new(&spec(dtype, Some((scale, zero_point))), None, &Metadata::default());
            let map = input.unwrap().pixel_map;
            assert!(map.is_plain(), "{scale} {zero_point}");
            assert_eq!(map.offset, [offset; 3]);
        }
    }

    #[test]
    fn other_scales_compose_with_the_normalization() {
        // Trained on 0..1 but stored with a scale of 1/100.
        let entry = InputEntry { mean: Some(vec![0.0]), std: Some(vec![255.0]), ..InputEntry::default() };
        let input =
            ImageInput::new(&spec(DType::U8, Some((0.01, 5))), Some(&entry), &Metadata::default()).unwrap();
        let stored = 255.0 * input.pixel_map.scale[0] + input.pixel_map.offset[0];
        assert!((stored - 105.0).abs() < 1e-3, "{stored}");
        assert_eq!((input.width, input.height), (30, 20));
    }

    #[test]
    fn floats_are_normalized() {
        let input = ImageInput::new(&spec(DType::F32, None), None, &Metadata::default()).unwrap();
        let stored = |p: f32| p * input.pixel_map.scale[2] + input.pixel_map.offset[2];
        assert!((stored(0.0) + 1.0).abs() < 1e-6 && (stored(255.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for shape in [vec![1, 10], vec![2, 8, 8, 3], vec![1, 0, 8, 3], vec![1, 8, 8, 4]] {
            let spec = TensorSpec { shape, ..spec(DType::U8, None) };
            assert!(ImageInput::new(&spec, None, &Metadata::default()).is_err());
        }
    }
}
