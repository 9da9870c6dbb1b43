//! Operators and their options.

use super::families::{Binary, Reduction, Unary};
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
    AddN,
    ArgMax,
    ArgMin,
    AssignVariable,
    AveragePool2d(PoolOptions),
    BatchMatMul {
        adjoint: [bool; 2],
    },
    BatchToSpaceNd,
    /// Functions of two elements, with broadcasting.
    Binary(Binary),
    BroadcastTo,
    /// Runs the given subgraph before the first run.
    CallOnce {
        subgraph: usize,
        /// Whether all that it does is known, so that variables start with its values.
        resolved: bool,
    },
    Cast,
    ComplexAbs,
    Concatenation {
        axis: i32,
        activation: Activation,
    },
    Conv2d(ConvOptions),
    CumSum {
        exclusive: bool,
        reverse: bool,
    },
    Densify,
    DepthToSpace {
        block_size: i32,
    },
    DepthwiseConv2d(ConvOptions),
    Dequantize,
    DetectionPostProcess(DetectionPostProcess),
    DynamicUpdateSlice,
    ExpandDims,
    Fill,
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
    GatherNd,
    HardSwish,
    /// Runs one of two subgraphs.
    If {
        then: usize,
        otherwise: usize,
    },
    L2Normalization(Activation),
    LeakyRelu {
        alpha: f32,
    },
    Logistic,
    LogSoftmax,
    MaxPool2d(PoolOptions),
    Mean {
        keep_dims: bool,
    },
    MirrorPad {
        symmetric: bool,
    },
    Mul(Activation),
    /// V4, or V5 with `soft` scores.
    NonMaxSuppression {
        soft: bool,
    },
    OneHot {
        axis: i32,
    },
    Pack {
        axis: i32,
    },
    Pad,
    PadV2,
    Prelu,
    Quantize,
    Range,
    Rank,
    ReadVariable,
    /// SUM and the REDUCE_ operators.
    Reduce {
        reduction: Reduction,
        keep_dims: bool,
    },
    Relu,
    Relu6,
    /// The shape is input 1 or, in old files, an option.
    Reshape {
        shape: Option<Vec<i32>>,
    },
    ResizeBilinear(ResizeOptions),
    ResizeNearestNeighbor(ResizeOptions),
    ReverseV2,
    Rfft2d,
    Rnn {
        activation: Activation,
        sequence: bool,
        time_major: bool,
    },
    ScatterNd,
    /// Version 2 broadcasts.
    Select {
        version: u8,
    },
    Shape,
    Slice,
    Softmax {
        beta: f32,
    },
    SpaceToBatchNd,
    SpaceToDepth {
        block_size: i32,
    },
    Split,
    SplitV,
    Squeeze {
        dims: Vec<i32>,
    },
    StridedSlice(StridedSliceOptions),
    Sub(Activation),
    Svdf {
        rank: usize,
        activation: Activation,
    },
    Tanh,
    Tile,
    TopK,
    Transpose,
    TransposeConv(ConvOptions),
    /// MediaPipe's Convolution2DTransposeBias: input, weights, bias.
    TransposeConvBias(ConvOptions),
    /// Functions of one element.
    Unary(Unary),
    UnidirectionalSequenceLstm(LstmOptions),
    Unpack {
        axis: i32,
    },
    /// The variable of this name.
    VarHandle {
        name: String,
    },
    Where,
    /// Runs a subgraph as long as another says so.
    While {
        condition: usize,
        body: usize,
    },
    ZerosLike,
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
            Self::Reshape { .. } => "RESHAPE",
            Self::ResizeBilinear(_) => "RESIZE_BILINEAR",
            Self::ResizeNearestNeighbor(_) => "RESIZE_NEAREST_NEIGHBOR",
            Self::Softmax { .. } => "SOFTMAX",
            Self::Split => "SPLIT",
            Self::Squeeze { .. } => "SQUEEZE",
            Self::StridedSlice(_) => "STRIDED_SLICE",
            Self::Sub(_) => "SUB",
            Self::Tanh => "TANH",
            Self::Transpose => "TRANSPOSE",
            Self::TransposeConv(_) => "TRANSPOSE_CONV",
            Self::UnidirectionalSequenceLstm(_) => "UNIDIRECTIONAL_SEQUENCE_LSTM",
            Self::Unpack { .. } => "UNPACK",
            Self::AddN => "ADD_N",
            Self::ArgMin => "ARG_MIN",
            Self::AssignVariable => "ASSIGN_VARIABLE",
            Self::BatchMatMul { .. } => "BATCH_MATMUL",
            Self::BatchToSpaceNd => "BATCH_TO_SPACE_ND",
            Self::BroadcastTo => "BROADCAST_TO",
            Self::CallOnce { .. } => "CALL_ONCE",
            Self::ComplexAbs => "COMPLEX_ABS",
            Self::CumSum { .. } => "CUMSUM",
            Self::Densify => "DENSIFY",
            Self::DynamicUpdateSlice => "DYNAMIC_UPDATE_SLICE",
            Self::ExpandDims => "EXPAND_DIMS",
            Self::Fill => "FILL",
            Self::GatherNd => "GATHER_ND",
            Self::If { .. } => "IF",
            Self::L2Normalization(_) => "L2_NORMALIZATION",
            Self::LogSoftmax => "LOG_SOFTMAX",
            Self::MirrorPad { .. } => "MIRROR_PAD",
            Self::NonMaxSuppression { soft: false } => "NON_MAX_SUPPRESSION_V4",
            Self::NonMaxSuppression { soft: true } => "NON_MAX_SUPPRESSION_V5",
            Self::OneHot { .. } => "ONE_HOT",
            Self::Range => "RANGE",
            Self::Rank => "RANK",
            Self::ReadVariable => "READ_VARIABLE",
            Self::ReverseV2 => "REVERSE_V2",
            Self::Rfft2d => "RFFT2D",
            Self::Rnn { sequence: false, .. } => "RNN",
            Self::Rnn { sequence: true, .. } => "UNIDIRECTIONAL_SEQUENCE_RNN",
            Self::ScatterNd => "SCATTER_ND",
            Self::Select { version: 1 } => "SELECT",
            Self::Select { .. } => "SELECT_V2",
            Self::Shape => "SHAPE",
            Self::Slice => "SLICE",
            Self::SpaceToBatchNd => "SPACE_TO_BATCH_ND",
            Self::SpaceToDepth { .. } => "SPACE_TO_DEPTH",
            Self::SplitV => "SPLIT_V",
            Self::Svdf { .. } => "SVDF",
            Self::Tile => "TILE",
            Self::TopK => "TOPK_V2",
            Self::TransposeConvBias(_) => "Convolution2DTransposeBias",
            Self::VarHandle { .. } => "VAR_HANDLE",
            Self::Where => "WHERE",
            Self::While { .. } => "WHILE",
            Self::ZerosLike => "ZEROS_LIKE",
            Self::Binary(f) => f.name(),
            Self::Unary(f) => f.name(),
            Self::Reduce { reduction, .. } => reduction.name(),
            Self::Unknown { code } => names::builtin(*code).unwrap_or("an operator of a later schema"),
            Self::Custom { .. } => "custom operator",
        }
    }

    /// A name to show, which tells unknown operators apart.
    pub fn label(&self) -> String {
        match self {
            Self::Unknown { code } if names::builtin(*code).is_none() => {
                format!("operator {code} of a later schema")
            }
            Self::Custom { name } => format!("custom operator \"{name}\""),
            known => known.name().to_owned(),
        }
    }
}
