//! How a frame becomes a model's input.

use crate::model::{ColorOrder, ImageInput, Normalization, ResizeMode};

/// How a picture of one shape goes into an input of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// Both axes are scaled on their own: shapes change. What TensorFlow's SSD models are trained
    /// with.
    #[default]
    Stretch,
    /// Shapes are kept; the rest of the input is filled.
    Letterbox {
        /// Red, green and blue of the bars.
        fill: [u8; 3],
        /// Where the picture lies between the bars.
        align: Align,
    },
}

/// Where a letterboxed picture lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// In the middle.
    #[default]
    Center,
    /// At the upper left.
    TopLeft,
}

/// How samples between and across pixels are made. Enlarging, all three interpolate linearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filter {
    /// A triangle over as many pixels as an output pixel covers: Pillow's `BILINEAR`, at most one
    /// level apart. Small objects survive; the default.
    #[default]
    Antialiased,
    /// The nearest two pixels on each axis, as OpenCV's `INTER_LINEAR`: the fastest.
    Bilinear,
    /// The mean of what an output pixel covers, as OpenCV's `INTER_AREA`.
    Area,
}

/// Order of an input's colour channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ChannelOrder {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first.
    Bgr,
}

/// What a model expects of its pictures, beyond shape and type of its input.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PreprocessOptions {
    /// Letterbox or stretch.
    pub fit: Fit,
    /// Resampling.
    pub filter: Filter,
    /// Order of channels in the input.
    pub channels: ChannelOrder,
    /// What levels become. `None`: 8-bit inputs take them as they are, float inputs as −1..1.
    pub normalization: Option<Normalization>,
}

/// Letterbox padding, whoever prepares: the gray of the YOLO family, which is what letterboxes. An
/// SSD of TensorFlow's is trained on stretched images.
const PADDING: [u8; 3] = [114; 3];

impl From<&ImageInput> for PreprocessOptions {
    /// As the model was trained.
    fn from(input: &ImageInput) -> Self {
        let fit = match input.resize {
            ResizeMode::Stretch => Fit::Stretch,
            ResizeMode::Letterbox => Fit::Letterbox { fill: PADDING, align: Align::Center },
        };
        let channels = match input.color {
            ColorOrder::Bgr => ChannelOrder::Bgr,
            ColorOrder::Rgb | ColorOrder::Gray => ChannelOrder::Rgb,
        };
        Self { fit, channels, normalization: input.normalization, ..Self::default() }
    }
}
