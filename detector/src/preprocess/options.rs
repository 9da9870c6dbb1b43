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

/// From levels (0 to 255) to the real numbers that a model was trained on:
/// (level − mean) ÷ deviation, for each of red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalization {
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub std: [f32; 3],
}

impl Normalization {
    /// Levels as they are.
    pub const NONE: Self = Self::uniform(0.0, 1.0);
    /// 0 to 1.
    pub const UNIT: Self = Self::uniform(0.0, 255.0);
    /// −1 to 1: MobileNet and TensorFlow's SSD models.
    pub const SIGNED_UNIT: Self = Self::uniform(127.5, 127.5);

    /// The same for all channels.
    pub const fn uniform(mean: f32, std: f32) -> Self {
        Self { mean: [mean; 3], std: [std; 3] }
    }
}

impl Default for Normalization {
    fn default() -> Self {
        Self::SIGNED_UNIT
    }
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
    /// What levels mean to the model.
    pub normalization: Normalization,
}
