//! Operators and their options.

use super::names;

/// Function applied to an operator's result before it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Activation {
    /// The result itself.
    #[default]
    None,
    /// max(x, 0).
    Relu,
    /// Clamped to −1..1.
    ReluN1To1,
    /// Clamped to 0..6.
    Relu6,
    /// Hyperbolic tangent.
    Tanh,
    /// Sign bit; never fused by today's converters.
    SignBit,
}

/// How a window meets the border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Output extent ⌈input ÷ stride⌉, zeros around; an odd surplus goes to the end.
    Same,
    /// Windows lie inside the input.
    Valid,
}

/// Height and width of a stride, dilation or window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size2 {
    /// Along the height.
    pub h: usize,
    /// Along the width.
    pub w: usize,
}

/// Options of CONV_2D, DEPTHWISE_CONV_2D and TRANSPOSE_CONV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvOptions {
    /// Border rule.
    pub padding: Padding,
    /// Step between windows.
    pub stride: Size2,
    /// Step between the taps of a window.
    pub dilation: Size2,
    /// Fused activation.
    pub activation: Activation,
}

/// Options of AVERAGE_POOL_2D and MAX_POOL_2D.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Border rule.
    pub padding: Padding,
    /// Step between windows.
    pub stride: Size2,
    /// Extent of a window.
    pub window: Size2,
    /// Fused activation.
    pub activation: Activation,
}

/// How RESIZE_* maps output to input coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResizeOptions {
    /// Corner pixels of input and output coincide.
    pub align_corners: bool,
    /// Coordinates are those of pixel centres.
    pub half_pixel_centers: bool,
}

/// Bit masks of STRIDED_SLICE, a bit per dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StridedSliceOptions {
    /// Ignore `begin`.
    pub begin_mask: i32,
    /// Ignore `end`.
    pub end_mask: i32,
    /// The position that stands for all dimensions not named.
    pub ellipsis_mask: i32,
    /// Insert a dimension of one.
    pub new_axis_mask: i32,
    /// Take a single index and drop the dimension.
    pub shrink_axis_mask: i32,
    /// `end` is an offset from `begin`.
    pub offset: bool,
}

/// Options of UNIDIRECTIONAL_SEQUENCE_LSTM.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LstmOptions {
    /// Activation of cell input and output.
    pub activation: Activation,
    /// Cell state is clamped to ±this where it is positive.
    pub cell_clip: f32,
    /// Projection is clamped to ±this where it is positive.
    pub projection_clip: f32,
    /// Input is [time, batch, features] in place of [batch, time, features].
    pub time_major: bool,
    /// Hybrid: activations are quantized with a zero point.
    pub asymmetric_quantize_inputs: bool,
}

/// Options of TFLite_Detection_PostProcess; defaults as in TFLite.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectionPostProcess {
    /// Detections reported.
    pub max_detections: usize,
    /// Classes tried for each anchor by the fast rule.
    pub max_classes_per_detection: usize,
    /// Detections kept for each class by the regular rule.
    pub detections_per_class: usize,
    /// NMS per class in place of the fast rule.
    pub use_regular_nms: bool,
    /// Scores below are dropped.
    pub nms_score_threshold: f32,
    /// Overlap above which the lower score is dropped.
    pub nms_iou_threshold: f32,
    /// Classes, the background not counted.
    pub num_classes: usize,
    /// Divisors of encoded y, x, h, w.
    pub scale_yxhw: [f32; 4],
}

/// An operator with its options.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "variants are the operators of the TFLite schema")]
pub enum Op {
    Add(Activation),
    ArgMax,
    AveragePool2d(PoolOptions),
    Cast,
    Concatenation {
        axis: i32,
        activation: Activation,
    },
    Conv2d(ConvOptions),
    DepthToSpace {
        block_size: i32,
    },
    DepthwiseConv2d(ConvOptions),
    Dequantize,
    DetectionPostProcess(DetectionPostProcess),
    FullyConnected {
        activation: Activation,
        shuffled: bool,
        keep_num_dims: bool,
        asymmetric_inputs: bool,
    },
    Gather {
        axis: i32,
        batch_dims: i32,
    },
    HardSwish,
    LeakyRelu {
        alpha: f32,
    },
    Logistic,
    MaxPool2d(PoolOptions),
    Mean {
        keep_dims: bool,
    },
    Mul(Activation),
    Pack {
        axis: i32,
    },
    Pad,
    PadV2,
    Prelu,
    Quantize,
    Relu,
    Relu6,
    Reshape,
    ResizeBilinear(ResizeOptions),
    ResizeNearestNeighbor(ResizeOptions),
    Softmax {
        beta: f32,
    },
    Split,
    Squeeze,
    StridedSlice(StridedSliceOptions),
    Sub(Activation),
    Tanh,
    Transpose,
    TransposeConv(ConvOptions),
    UnidirectionalSequenceLstm(LstmOptions),
    Unpack {
        axis: i32,
    },
    /// A builtin operator that the engine does not know, by its number in the schema.
    Unknown {
        code: i32,
    },
    /// A custom operator that the engine does not know, by name.
    Custom {
        name: String,
    },
}

impl Op {
    /// The name in the TFLite schema; for unknown ones see [`Op::label`].
    pub fn name(&self) -> &'static str {
        match self {
            Self::Add(_) => "ADD",
            Self::ArgMax => "ARG_MAX",
            Self::AveragePool2d(_) => "AVERAGE_POOL_2D",
            Self::Cast => "CAST",
            Self::Concatenation { .. } => "CONCATENATION",
            Self::Conv2d(_) => "CONV_2D",
            Self::DepthToSpace { .. } => "DEPTH_TO_SPACE",
            Self::DepthwiseConv2d(_) => "DEPTHWISE_CONV_2D",
            Self::Dequantize => "DEQUANTIZE",
            Self::DetectionPostProcess(_) => "TFLite_Detection_PostProcess",
            Self::FullyConnected { .. } => "FULLY_CONNECTED",
            Self::Gather { .. } => "GATHER",
            Self::HardSwish => "HARD_SWISH",
            Self::LeakyRelu { .. } => "LEAKY_RELU",
            Self::Logistic => "LOGISTIC",
            Self::MaxPool2d(_) => "MAX_POOL_2D",
            Self::Mean { .. } => "MEAN",
            Self::Mul(_) => "MUL",
            Self::Pack { .. } => "PACK",
            Self::Pad => "PAD",
            Self::PadV2 => "PADV2",
            Self::Prelu => "PRELU",
            Self::Quantize => "QUANTIZE",
            Self::Relu => "RELU",
            Self::Relu6 => "RELU6",
            Self::Reshape => "RESHAPE",
            Self::ResizeBilinear(_) => "RESIZE_BILINEAR",
            Self::ResizeNearestNeighbor(_) => "RESIZE_NEAREST_NEIGHBOR",
            Self::Softmax { .. } => "SOFTMAX",
            Self::Split => "SPLIT",
            Self::Squeeze => "SQUEEZE",
            Self::StridedSlice(_) => "STRIDED_SLICE",
            Self::Sub(_) => "SUB",
            Self::Tanh => "TANH",
            Self::Transpose => "TRANSPOSE",
            Self::TransposeConv(_) => "TRANSPOSE_CONV",
            Self::UnidirectionalSequenceLstm(_) => "UNIDIRECTIONAL_SEQUENCE_LSTM",
            Self::Unpack { .. } => "UNPACK",
            Self::Unknown { code } => names::builtin(*code).unwrap_or("operator of a later schema"),
            Self::Custom { .. } => "custom operator",
        }
    }

    /// A name to show, which tells unknown operators apart.
    pub fn label(&self) -> String {
        match self {
            Self::Unknown { code } if names::builtin(*code).is_none() => {
                format!("{code} of a later schema")
            }
            Self::Custom { name } => format!("custom operator \"{name}\""),
            known => known.name().to_owned(),
        }
    }
}
