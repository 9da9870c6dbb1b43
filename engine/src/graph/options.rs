//! From an operator's number and option table to [`Op`].

use super::families::{Binary, Reduction, Unary};
use super::flatbuffer::{Field, Table};
use super::op::*;
use super::schema::builtin;
use crate::error::{Error, Result};

/// An option table that may be absent, in which case every field has its default.
struct Options<'a>(Option<Table<'a>>);

impl Options<'_> {
    fn int(&self, field: Field, default: i32) -> Result<i32> {
        self.0.map_or(Ok(default), |t| t.scalar(field, default))
    }

    fn float(&self, field: Field, default: f32) -> Result<f32> {
        self.0.map_or(Ok(default), |t| t.scalar(field, default))
    }

    fn subgraph(&self, field: Field) -> Result<usize> {
        usize::try_from(self.int(field, 0)?).map_err(|_| malformed("a negative subgraph".into()))
    }

    fn flag(&self, field: Field) -> Result<bool> {
        self.0.map_or(Ok(false), |t| t.flag(field))
    }

    /// An extent that must be at least one.
    fn extent(&self, field: Field, default: i32) -> Result<usize> {
        let value = self.int(field, default)?;
        usize::try_from(value)
            .ok()
            .filter(|&v| v > 0)
            .ok_or_else(|| malformed(format!("a stride, dilation or window of {value}")))
    }

    fn size(&self, h: Field, w: Field, default: i32) -> Result<Size2> {
        Ok(Size2 { h: self.extent(h, default)?, w: self.extent(w, default)? })
    }

    fn padding(&self, field: Field) -> Result<Padding> {
        match self.0.map_or(Ok(0), |t| t.scalar::<i8>(field, 0))? {
            0 => Ok(Padding::Same),
            1 => Ok(Padding::Valid),
            other => Err(malformed(format!("padding {other}"))),
        }
    }

    fn activation(&self, field: Field) -> Result<Activation> {
        Ok(match self.0.map_or(Ok(0), |t| t.scalar::<i8>(field, 0))? {
            0 => Activation::None,
            1 => Activation::Relu,
            2 => Activation::ReluN1To1,
            3 => Activation::Relu6,
            4 => Activation::Tanh,
            5 => Activation::SignBit,
            other => return Err(malformed(format!("activation {other}"))),
        })
    }

    fn pool(&self) -> Result<PoolOptions> {
        Ok(PoolOptions {
            padding: self.padding(0)?,
            stride: self.size(2, 1, 0)?,
            window: self.size(4, 3, 0)?,
            activation: self.activation(5)?,
        })
    }

    fn resize(&self, align_corners: Field) -> Result<ResizeOptions> {
        Ok(ResizeOptions {
            align_corners: self.flag(align_corners)?,
            half_pixel_centers: self.flag(align_corners + 1)?,
        })
    }
}

fn malformed(what: String) -> Error {
    Error::Malformed { what }
}

/// The operator that `code` and its options describe; unknown ones are kept as such.
pub(super) fn read(code: i32, custom_name: &str, options: Option<Table<'_>>, custom: &[u8]) -> Result<Op> {
    let o = Options(options);
    Ok(match code {
        builtin::ADD => Op::Add(o.activation(0)?),
        builtin::AVERAGE_POOL_2D => Op::AveragePool2d(o.pool()?),
        builtin::CONCATENATION => Op::Concatenation { axis: o.int(0, 0)?, activation: o.activation(1)? },
        builtin::CONV_2D => Op::Conv2d(ConvOptions {
            padding: o.padding(0)?,
            stride: o.size(2, 1, 0)?,
            activation: o.activation(3)?,
            dilation: o.size(5, 4, 1)?,
        }),
        builtin::DEPTHWISE_CONV_2D => Op::DepthwiseConv2d(ConvOptions {
            padding: o.padding(0)?,
            stride: o.size(2, 1, 0)?,
            activation: o.activation(4)?,
            dilation: o.size(6, 5, 1)?,
        }),
        builtin::DEPTH_TO_SPACE => Op::DepthToSpace { block_size: o.int(0, 0)? },
        builtin::DEQUANTIZE => Op::Dequantize,
        builtin::FULLY_CONNECTED => Op::FullyConnected {
            activation: o.activation(0)?,
            shuffled: o.flag(1)?,
            keep_num_dims: o.flag(2)?,
            asymmetric_inputs: o.flag(3)?,
        },
        builtin::LOGISTIC => Op::Logistic,
        builtin::MAX_POOL_2D => Op::MaxPool2d(o.pool()?),
        builtin::MUL => Op::Mul(o.activation(0)?),
        builtin::RELU => Op::Relu,
        builtin::RELU6 => Op::Relu6,
        builtin::RESHAPE => {
            Op::Reshape { shape: o.0.map(|t| t.scalars(0)).transpose()?.filter(|s| !s.is_empty()) }
        }
        builtin::RESIZE_BILINEAR => Op::ResizeBilinear(o.resize(2)?),
        builtin::SOFTMAX => Op::Softmax { beta: o.float(0, 0.0)? },
        builtin::TANH => Op::Tanh,
        builtin::PAD => Op::Pad,
        builtin::GATHER => Op::Gather { axis: o.int(0, 0)?, batch_dims: o.int(1, 0)? },
        builtin::TRANSPOSE => Op::Transpose,
        builtin::MEAN => Op::Mean { keep_dims: o.flag(0)? },
        builtin::SUB => Op::Sub(o.activation(0)?),
        builtin::SQUEEZE => Op::Squeeze { dims: o.0.map(|t| t.scalars(0)).transpose()?.unwrap_or_default() },
        builtin::UNIDIRECTIONAL_SEQUENCE_LSTM => Op::UnidirectionalSequenceLstm(LstmOptions {
            activation: o.activation(0)?,
            cell_clip: o.float(1, 0.0)?,
            projection_clip: o.float(2, 0.0)?,
            time_major: o.flag(3)?,
            asymmetric_quantize_inputs: o.flag(4)?,
        }),
        builtin::STRIDED_SLICE => Op::StridedSlice(StridedSliceOptions {
            begin_mask: o.int(0, 0)?,
            end_mask: o.int(1, 0)?,
            ellipsis_mask: o.int(2, 0)?,
            new_axis_mask: o.int(3, 0)?,
            shrink_axis_mask: o.int(4, 0)?,
            offset: o.flag(5)?,
        }),
        builtin::SPLIT => Op::Split,
        builtin::CAST => Op::Cast,
        builtin::PRELU => Op::Prelu,
        builtin::ARG_MAX => Op::ArgMax,
        builtin::PADV2 => Op::PadV2,
        builtin::TRANSPOSE_CONV => Op::TransposeConv(ConvOptions {
            padding: o.padding(0)?,
            stride: o.size(2, 1, 0)?,
            activation: o.activation(3)?,
            dilation: Size2 { h: 1, w: 1 },
        }),
        builtin::PACK => Op::Pack { axis: o.int(1, 0)? },
        builtin::UNPACK => Op::Unpack { axis: o.int(1, 0)? },
        builtin::RESIZE_NEAREST_NEIGHBOR => Op::ResizeNearestNeighbor(o.resize(0)?),
        builtin::LEAKY_RELU => Op::LeakyRelu { alpha: o.float(0, 0.0)? },
        builtin::QUANTIZE => Op::Quantize,
        builtin::HARD_SWISH => Op::HardSwish,
        builtin::CUSTOM if custom_name == "TFLite_Detection_PostProcess" => {
            Op::DetectionPostProcess(detection_post_process(custom)?)
        }
        builtin::CUSTOM if custom_name == "Convolution2DTransposeBias" => {
            Op::TransposeConvBias(transpose_conv_bias(custom)?)
        }
        builtin::CUSTOM => Op::Custom { name: custom_name.to_owned() },
        code => return family(code, &o),
    })
}

/// Operators without options, or with few.
fn family(code: i32, o: &Options<'_>) -> Result<Op> {
    if let Some(function) = Unary::of(code) {
        return Ok(Op::Unary(function));
    }
    if let Some(function) = Binary::of(code) {
        return Ok(Op::Binary(function));
    }
    if let Some(reduction) = Reduction::of(code) {
        return Ok(Op::Reduce { reduction, keep_dims: o.flag(0)? });
    }
    Ok(match code {
        builtin::ADD_N => Op::AddN,
        builtin::ARG_MIN => Op::ArgMin,
        builtin::ASSIGN_VARIABLE => Op::AssignVariable,
        builtin::BATCH_MATMUL => Op::BatchMatMul { adjoint: [o.flag(0)?, o.flag(1)?] },
        builtin::BATCH_TO_SPACE_ND => Op::BatchToSpaceNd,
        builtin::BROADCAST_TO => Op::BroadcastTo,
        builtin::CALL_ONCE => Op::CallOnce { subgraph: o.subgraph(0)?, resolved: false },
        builtin::COMPLEX_ABS => Op::ComplexAbs,
        builtin::CUMSUM => Op::CumSum { exclusive: o.flag(0)?, reverse: o.flag(1)? },
        builtin::DENSIFY => Op::Densify,
        builtin::DIV => Op::Binary(Binary::Div(o.activation(0)?)),
        builtin::DYNAMIC_UPDATE_SLICE => Op::DynamicUpdateSlice,
        builtin::EXPAND_DIMS => Op::ExpandDims,
        builtin::FILL => Op::Fill,
        builtin::GATHER_ND => Op::GatherNd,
        builtin::GELU => Op::Unary(Unary::Gelu { approximate: o.flag(0)? }),
        builtin::IF => Op::If { then: o.subgraph(0)?, otherwise: o.subgraph(1)? },
        builtin::L2_NORMALIZATION => Op::L2Normalization(o.activation(0)?),
        builtin::LOG_SOFTMAX => Op::LogSoftmax,
        builtin::MIRROR_PAD => Op::MirrorPad { symmetric: o.0.map_or(Ok(0), |t| t.scalar::<i8>(0, 0))? == 1 },
        builtin::NON_MAX_SUPPRESSION_V4 => Op::NonMaxSuppression { soft: false },
        builtin::NON_MAX_SUPPRESSION_V5 => Op::NonMaxSuppression { soft: true },
        builtin::ONE_HOT => Op::OneHot { axis: o.int(0, 0)? },
        builtin::RANGE => Op::Range,
        builtin::RANK => Op::Rank,
        builtin::READ_VARIABLE => Op::ReadVariable,
        builtin::REVERSE_V2 => Op::ReverseV2,
        builtin::RFFT2D => Op::Rfft2d,
        builtin::RNN => Op::Rnn { activation: o.activation(0)?, sequence: false, time_major: false },
        builtin::SCATTER_ND => Op::ScatterNd,
        builtin::SELECT => Op::Select { version: 1 },
        builtin::SELECT_V2 => Op::Select { version: 2 },
        builtin::SHAPE => Op::Shape,
        builtin::SLICE => Op::Slice,
        builtin::SPACE_TO_BATCH_ND => Op::SpaceToBatchNd,
        builtin::SPACE_TO_DEPTH => Op::SpaceToDepth { block_size: o.int(0, 0)? },
        builtin::SPLIT_V => Op::SplitV,
        builtin::SVDF => Op::Svdf { rank: o.extent(0, 0)?, activation: o.activation(1)? },
        builtin::TILE => Op::Tile,
        builtin::TOPK_V2 => Op::TopK,
        builtin::UNIDIRECTIONAL_SEQUENCE_RNN => {
            Op::Rnn { activation: o.activation(1)?, sequence: true, time_major: o.flag(0)? }
        }
        builtin::VAR_HANDLE => Op::VarHandle {
            name: match o.0 {
                Some(t) => format!("{}/{}", t.string(0)?, t.string(1)?),
                None => String::new(),
            },
        },
        builtin::WHERE => Op::Where,
        builtin::WHILE => Op::While { condition: o.subgraph(0)?, body: o.subgraph(1)? },
        builtin::ZEROS_LIKE => Op::ZerosLike,
        code => Op::Unknown { code },
    })
}

/// Options of MediaPipe's Convolution2DTransposeBias: TFLite's own padding, stride width and stride height, three
/// 32-bit integers of which the padding counts 1 for SAME and 2 for VALID.
fn transpose_conv_bias(bytes: &[u8]) -> Result<ConvOptions> {
    let words: Vec<i32> = bytes.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b)).collect();
    let damaged = || malformed(format!("options of Convolution2DTransposeBias: {words:?}"));
    let extent = |v: i32| usize::try_from(v).ok().filter(|&v| v > 0).ok_or_else(damaged);
    let &[padding, w, h, ..] = words.as_slice() else { return Err(damaged()) };
    let padding = match padding {
        1 => Padding::Same,
        2 => Padding::Valid,
        _ => return Err(damaged()),
    };
    Ok(ConvOptions {
        padding,
        stride: Size2 { h: extent(h)?, w: extent(w)? },
        dilation: Size2 { h: 1, w: 1 },
        activation: Activation::None,
    })
}

/// Options of TFLite_Detection_PostProcess, a FlexBuffers map.
fn detection_post_process(bytes: &[u8]) -> Result<DetectionPostProcess> {
    let damaged =
        |e: flexbuffers::ReaderError| malformed(format!("options of TFLite_Detection_PostProcess: {e}"));
    let map = flexbuffers::Reader::get_root(bytes).and_then(|root| root.get_map()).map_err(damaged)?;
    let present = |key: &str| map.index_key(key).is_some();
    let count = |key: &str, default: usize| -> Result<usize> {
        if !present(key) {
            return Ok(default);
        }
        let value = map.idx(key).as_i64();
        usize::try_from(value)
            .map_err(|_| malformed(format!("TFLite_Detection_PostProcess: {key} is {value}")))
    };
    let float = |key: &str| map.idx(key).as_f32();
    Ok(DetectionPostProcess {
        max_detections: count("max_detections", 0)?,
        max_classes_per_detection: count("max_classes_per_detection", 1)?,
        detections_per_class: count("detections_per_class", 100)?,
        use_regular_nms: present("use_regular_nms") && map.idx("use_regular_nms").as_bool(),
        nms_score_threshold: float("nms_score_threshold"),
        nms_iou_threshold: float("nms_iou_threshold"),
        num_classes: count("num_classes", 0)?,
        scale_yxhw: [float("y_scale"), float("x_scale"), float("h_scale"), float("w_scale")],
    })
}
