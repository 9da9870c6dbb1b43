//! What a model's picture input expects, in a camera's terms.

use super::{HeadKind, InputEntry, ModelError};
use crate::tensor::{DType, TensorSpec};
use serde::{Deserialize, Serialize};
use std::fmt;

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
    /// By the mean and deviation of ImageNet's photos: what PyTorch's models are trained on.
    pub const IMAGENET: Self = Self { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };

    /// The same for all channels.
    pub const fn uniform(mean: f32, std: f32) -> Self {
        Self { mean: [mean; 3], std: [std; 3] }
    }
}

impl fmt::Display for Normalization {
    /// `(level − 127.5) ÷ 127.5`; three numbers where channels differ, no mean of zero.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |v: [f32; 3]| match v {
            [a, b, c] if a == b && b == c => a.to_string(),
            [a, b, c] => format!("({a}, {b}, {c})"),
        };
        match self.mean {
            [0.0, 0.0, 0.0] => write!(f, "level ÷ {}", number(self.std)),
            _ => write!(f, "(level − {}) ÷ {}", number(self.mean), number(self.std)),
        }
    }
}

impl Default for Normalization {
    /// To −1..1, as TensorFlow's mobile models are trained.
    fn default() -> Self {
        Self { mean: [127.5; 3], std: [127.5; 3] }
    }
}

/// How the numbers of a picture lie in a model's input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PictureShape {
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    /// Channel after channel in place of pixel after pixel.
    pub(crate) planar: bool,
}

impl PictureShape {
    /// `[1, height, width, 1 or 3]`, `[1, 1 or 3, height, width]`, or a gray `[1, height, width]`.
    pub(crate) fn of(shape: &[usize]) -> Option<Self> {
        let (height, width, channels, planar) = match *shape {
            [1, height, width, channels @ (1 | 3)] => (height, width, channels, false),
            [1, channels @ (1 | 3), height, width] => (height, width, channels, true),
            [1, height, width] => (height, width, 1, false),
            _ => return None,
        };
        (height > 0 && width > 0).then_some(Self { height, width, channels, planar })
    }
}

/// Where the rule for an input's numbers comes from, the weightiest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputOrigin {
    /// The caller.
    Given,
    /// The manifest, or the description packed behind the model.
    Manifest,
    /// The input is 8-bit: such inputs take the picture's levels as they are, whatever their scale.
    EightBit,
    /// The file's metadata.
    Metadata,
    /// What the graph itself does with its input first.
    Graph,
    /// What the authors of this family of detectors feed their models.
    Convention(HeadKind),
    /// Nothing says it.
    Assumed,
}

impl fmt::Display for InputOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Given => "as given",
            Self::Manifest => "by the manifest",
            Self::EightBit => "as 8-bit inputs are fed",
            Self::Metadata => "by the metadata",
            Self::Graph => "by what the graph does first",
            Self::Convention(family) => return write!(f, "as {family} models are fed"),
            Self::Assumed => "assumed: nothing says it",
        })
    }
}

/// What the authors of a family of detectors feed their models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InputConvention {
    /// The family.
    pub family: HeadKind,
    /// What levels become in float inputs.
    pub normalization: Normalization,
    /// Order of the channels.
    pub color: ColorOrder,
}

/// All that is known of a picture input besides its specification, the weightiest first.
#[derive(Debug, Clone, Copy, Default)]
pub struct InputFacts<'a> {
    /// What the caller says.
    pub given: Option<&'a InputEntry>,
    /// What the manifest says.
    pub manifest: Option<&'a InputEntry>,
    /// What the metadata say; 8-bit inputs do not follow them.
    pub metadata: Option<Normalization>,
    /// What the graph's first operators expect.
    pub graph: Option<Normalization>,
    /// What models with its head are fed.
    pub convention: Option<InputConvention>,
}

/// A model's picture input. This is the one place that decides how a picture becomes its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageInput {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Numbers for each pixel: 3, or 1 for [`ColorOrder::Gray`].
    pub channels: usize,
    /// Channels lie one after the other, `[1, channels, height, width]`.
    pub planar: bool,
    /// Type of the numbers: uint8, int8 or float32.
    pub dtype: DType,
    /// Order of the channels.
    pub color: ColorOrder,
    /// How pictures of another shape are fitted.
    pub resize: ResizeMode,
    /// What levels become. `None`: 8-bit inputs take them as they are, the byte in uint8 and the
    /// byte − 128 in int8.
    pub normalization: Option<Normalization>,
    /// Where `normalization` comes from.
    pub origin: InputOrigin,
    /// Pixels that a picture decoded at a fraction of its size has for each of the input, along either side; 1 or more.
    pub oversampling: f32,
}

/// Scores move by less than 0.03 against whole pictures from here on; with 1 by up to 0.1, and grids lose objects.
const OVERSAMPLING: f32 = 2.0;

impl ImageInput {
    /// From the input's specification and what else is known of it.
    ///
    /// # Errors
    /// [`ModelError::NotAnImage`].
    pub fn new(spec: &TensorSpec, facts: &InputFacts<'_>) -> Result<Self, ModelError> {
        let refuse = || ModelError::NotAnImage {
            name: spec.name.clone(),
            shape: spec.shape.clone(),
            dtype: spec.dtype,
        };
        let PictureShape { height, width, channels, planar } =
            PictureShape::of(&spec.shape).ok_or_else(refuse)?;
        let eight_bit = match spec.dtype {
            DType::U8 | DType::I8 => true,
            DType::F32 => false,
            _ => return Err(refuse()),
        };
        let told = [(facts.given, InputOrigin::Given), (facts.manifest, InputOrigin::Manifest)];
        let told = || told.into_iter().filter_map(|(entry, origin)| Some((entry?, origin)));
        let said = told().find_map(|(entry, origin)| Some((entry.normalization()?, origin)));
        let read = || {
            let metadata = facts.metadata.map(|n| (n, InputOrigin::Metadata));
            let graph = facts.graph.map(|n| (n, InputOrigin::Graph));
            let convention = facts.convention.map(|c| (c.normalization, InputOrigin::Convention(c.family)));
            metadata.or(graph).or(convention)
        };
        let (normalization, origin) = match said {
            Some((normalization, origin)) => (Some(normalization), origin),
            None if eight_bit => (None, InputOrigin::EightBit),
            None => {
                let (normalization, origin) =
                    read().unwrap_or((Normalization::default(), InputOrigin::Assumed));
                (Some(normalization), origin)
            }
        };
        let color = match channels {
            1 => ColorOrder::Gray,
            _ => told().find_map(|(e, _)| e.color).or(facts.convention.map(|c| c.color)).unwrap_or_default(),
        };
        if color == ColorOrder::Gray && channels == 3 {
            return Err(refuse());
        }
        let resize = told().find_map(|(e, _)| e.resize).unwrap_or_default();
        let oversampling = told().find_map(|(e, _)| e.oversampling).unwrap_or(OVERSAMPLING).max(1.0);
        let dtype = spec.dtype;
        Ok(Self {
            width,
            height,
            channels,
            planar,
            dtype,
            color,
            resize,
            normalization,
            origin,
            oversampling,
        })
    }

    /// Pixels, across and down, that a picture decoded at a fraction of its size must have.
    pub fn least_size(&self) -> (u32, u32) {
        let of = |side: usize| (side as f32 * self.oversampling).ceil() as u32;
        (of(self.width), of(self.height))
    }

    /// The rule in words: order of channels, fitting, what levels become, and where that comes from.
    pub fn rule(&self) -> String {
        let color = match self.color {
            ColorOrder::Rgb => "RGB",
            ColorOrder::Bgr => "BGR",
            ColorOrder::Gray => "gray",
        };
        let planar = if self.planar && self.channels > 1 { ", channel after channel" } else { "" };
        let resize = match self.resize {
            ResizeMode::Stretch => "stretched",
            ResizeMode::Letterbox => "letterboxed",
        };
        let levels = match (self.normalization, self.dtype) {
            (None, DType::I8) => "levels less 128".into(),
            (None, _) => "levels as they are".into(),
            (Some(n), _) if n == Normalization::NONE => "levels as they are".into(),
            (Some(n), _) => n.to_string(),
        };
        format!("{} × {} {color}{planar}, {resize}; {levels}, {}", self.width, self.height, self.origin)
    }

    /// What was assumed because nothing says it, and how to say it.
    pub fn note(&self) -> Option<String> {
        (self.origin == InputOrigin::Assumed).then(|| {
            "nothing says what numbers the float input takes: levels are brought to −1..1; --mean 0 --std 255 \
             gives 0..1, --mean 0 --std 1 the levels as they are"
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(dtype: DType) -> TensorSpec {
        TensorSpec { name: "image".into(), shape: vec![1, 20, 30, 3], dtype, quantization: None }
    }

    fn entry(mean: f32) -> InputEntry {
        InputEntry { mean: Some(vec![mean]), std: Some(vec![1.0]), ..InputEntry::default() }
    }

    fn told(mean: f32) -> Option<Normalization> {
        Some(Normalization::uniform(mean, 1.0))
    }

    #[test]
    fn the_caller_goes_before_the_manifest_and_that_before_the_file() {
        let (given, manifest) = (entry(1.0), entry(2.0));
        let letterboxed = InputEntry {
            resize: Some(ResizeMode::Letterbox),
            color: Some(ColorOrder::Bgr),
            ..InputEntry::default()
        };
        let all = InputFacts {
            given: Some(&given),
            manifest: Some(&manifest),
            metadata: told(3.0),
            graph: told(4.0),
            convention: None,
        };
        let rule = |facts: &InputFacts<'_>, dtype| {
            let input = ImageInput::new(&spec(dtype), facts).unwrap();
            (input.normalization.map(|n| n.mean[0]), input.origin)
        };
        for dtype in [DType::F32, DType::U8, DType::I8] {
            assert_eq!(rule(&all, dtype), (Some(1.0), InputOrigin::Given));
            let facts = InputFacts { given: Some(&letterboxed), ..all };
            assert_eq!(rule(&facts, dtype), (Some(2.0), InputOrigin::Manifest), "{dtype}");
            let input = ImageInput::new(&spec(dtype), &facts).unwrap();
            assert_eq!((input.width, input.height), (30, 20));
            assert_eq!((input.color, input.resize), (ColorOrder::Bgr, ResizeMode::Letterbox));
        }
        let file = InputFacts { metadata: told(3.0), graph: told(4.0), ..InputFacts::default() };
        assert_eq!(rule(&file, DType::F32), (Some(3.0), InputOrigin::Metadata));
        let graph = InputFacts { graph: told(4.0), ..InputFacts::default() };
        assert_eq!(rule(&graph, DType::F32), (Some(4.0), InputOrigin::Graph));
        let yolox = InputConvention {
            family: HeadKind::Yolox,
            normalization: Normalization::NONE,
            color: ColorOrder::Bgr,
        };
        let family = InputFacts { convention: Some(yolox), ..InputFacts::default() };
        assert_eq!(rule(&family, DType::F32), (Some(0.0), InputOrigin::Convention(HeadKind::Yolox)));
        assert_eq!(rule(&family, DType::I8), (None, InputOrigin::EightBit));
        assert_eq!(ImageInput::new(&spec(DType::I8), &family).unwrap().color, ColorOrder::Bgr);
        assert_eq!(rule(&InputFacts::default(), DType::F32), (Some(127.5), InputOrigin::Assumed));
        for dtype in [DType::U8, DType::I8] {
            assert_eq!(rule(&file, dtype), (None, InputOrigin::EightBit), "8-bit inputs take plain levels");
        }
    }

    #[test]
    fn only_an_assumption_is_noted() {
        let note = |dtype, facts: &InputFacts<'_>| ImageInput::new(&spec(dtype), facts).unwrap().note();
        assert!(note(DType::F32, &InputFacts::default()).unwrap().contains("--mean"));
        assert_eq!(note(DType::U8, &InputFacts::default()), None);
        assert_eq!(note(DType::F32, &InputFacts { graph: told(0.0), ..InputFacts::default() }), None);
    }

    #[test]
    fn channels_may_come_first() {
        let planar = TensorSpec { shape: vec![1, 3, 20, 30], ..spec(DType::F32) };
        let input = ImageInput::new(&planar, &InputFacts::default()).unwrap();
        assert_eq!((input.width, input.height, input.channels, input.planar), (30, 20, 3, true));
        let gray = TensorSpec { shape: vec![1, 20, 30], ..spec(DType::F32) };
        let input = ImageInput::new(&gray, &InputFacts::default()).unwrap();
        assert_eq!((input.width, input.height, input.color), (30, 20, ColorOrder::Gray));
    }

    #[test]
    fn what_is_no_picture_is_refused() {
        for shape in [vec![1, 10], vec![2, 8, 8, 3], vec![1, 0, 8, 3], vec![1, 8, 8, 4]] {
            let spec = TensorSpec { shape, ..spec(DType::U8) };
            assert!(ImageInput::new(&spec, &InputFacts::default()).is_err());
        }
        let gray = InputEntry { color: Some(ColorOrder::Gray), ..InputEntry::default() };
        let facts = InputFacts { given: Some(&gray), ..InputFacts::default() };
        assert!(ImageInput::new(&spec(DType::U8), &facts).is_err(), "three channels are not gray");
    }
}
