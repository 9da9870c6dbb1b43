//! A folder per operator family. In each, `mod.rs` checks shapes and types, packs weights and
//! chooses a kernel; `scalar.rs` is the portable kernel and the oracle of the others; a file per
//! instruction set holds what is hand-written.

mod activation;
mod add;
mod block;
mod conv;
mod convert;
mod depthwise;
mod dynamic;
mod elementwise;
mod fixed_point;
pub(crate) mod flip_sign;
mod fully_connected;
mod gemm;
mod grouped;
mod index;
mod lookup;
mod lstm;
mod math;
mod matmul;
mod movement;
mod nest;
mod normalize;
mod pool;
mod quantized_sum;
mod reduce;
mod requantize;
mod resize;
mod rnn;
mod rounding;
mod shape;
mod simd;
mod softmax;
mod spectrum;
mod svdf;
mod transpose_conv;
mod unary;
mod weights;
mod window;

pub use gemm::peak_macs_per_second;

use crate::error::Result;
use crate::graph::Op;
use crate::isa::Isa;
use crate::lowering::{Lower, Lowered};
use pool::Pooling;

/// Whether this module was compiled for WebAssembly's relaxed SIMD, and the engine that runs it adds up
/// byte products exactly.
#[cfg(target_arch = "wasm32")]
pub(crate) fn relaxed_products_are_exact() -> bool {
    #[cfg(target_feature = "relaxed-simd")]
    return gemm::RelaxedProducts::<false>::new().is_some() || gemm::RelaxedProducts::<true>::new().is_some();
    #[cfg(not(target_feature = "relaxed-simd"))]
    false
}

/// The kernel for a node.
pub(crate) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    match &ctx.node.op {
        Op::Add(activation) => add::lower(ctx, *activation),
        Op::AddN => elementwise::add_n(ctx),
        Op::ArgMax => reduce::arg_max(ctx, false),
        Op::ArgMin => reduce::arg_max(ctx, true),
        Op::AssignVariable => index::assign(ctx),
        Op::AveragePool2d(options) => pool::lower(ctx, *options, Pooling::Average),
        Op::BatchMatMul { adjoint } => matmul::batch(ctx, *adjoint),
        Op::BatchToSpaceNd => movement::space_and_batch(ctx, true),
        Op::Binary(function) => elementwise::binary(ctx, *function),
        Op::BroadcastTo => movement::broadcast_to(ctx),
        Op::CallOnce { .. } => Err(ctx.unsupported("it does more than assign constants to variables".into())),
        Op::Cast => convert::cast(ctx),
        Op::ComplexAbs => spectrum::magnitude(ctx),
        Op::Concatenation { axis, activation } => movement::concatenation(ctx, *axis, *activation),
        Op::Conv2d(options) => match block::lower(ctx) {
            Some(block) => Ok(block),
            None => conv::lower(ctx, options),
        },
        Op::CumSum { exclusive, reverse } => index::cumulative_sum(ctx, *exclusive, *reverse),
        Op::Densify => shape::same(ctx),
        Op::DepthToSpace { block_size } => movement::depth_to_space(ctx, *block_size),
        Op::DepthwiseConv2d(options) => match block::lower(ctx) {
            Some(block) => Ok(block),
            None => depthwise::lower(ctx, options),
        },
        Op::Dequantize => convert::dequantize(ctx),
        Op::DynamicUpdateSlice => index::dynamic_update_slice(ctx),
        Op::ExpandDims => shape::expand_dims(ctx),
        Op::Fill => index::fill(ctx),
        Op::FullyConnected { activation, shuffled, keep_num_dims, .. } => {
            fully_connected::lower(ctx, *activation, *shuffled, *keep_num_dims)
        }
        Op::Gather { axis, batch_dims } => movement::gather(ctx, *axis, *batch_dims),
        Op::GatherNd => index::gather_nd(ctx),
        Op::HardSwish | Op::LeakyRelu { .. } | Op::Logistic | Op::Relu | Op::Relu6 | Op::Tanh => {
            lookup::lower(ctx)
        }
        Op::If { .. } => Err(ctx.unsupported("which branch it takes depends on the input".into())),
        Op::L2Normalization(activation) => normalize::l2(ctx, *activation),
        Op::LogSoftmax => normalize::log_softmax(ctx),
        Op::MaxPool2d(options) => pool::lower(ctx, *options, Pooling::Max),
        Op::Mean { keep_dims } => reduce::mean(ctx, *keep_dims),
        Op::MirrorPad { symmetric } => movement::mirror_pad(ctx, *symmetric),
        Op::Mul(activation) => elementwise::mul(ctx, *activation),
        Op::NonMaxSuppression { soft } => index::non_max_suppression(ctx, *soft),
        Op::OneHot { axis } => index::one_hot(ctx, *axis),
        Op::Pack { axis } => movement::pack(ctx, *axis),
        Op::Pad | Op::PadV2 => movement::pad(ctx),
        Op::Prelu => elementwise::prelu(ctx),
        Op::Quantize => convert::quantize(ctx),
        Op::Range => index::range(ctx),
        Op::Rank => shape::rank(ctx),
        Op::ReadVariable => index::read(ctx),
        Op::Reduce { reduction, keep_dims } => reduce::fold(ctx, *reduction, *keep_dims),
        Op::Reshape { shape } => shape::reshape(ctx, shape.as_deref()),
        Op::ResizeBilinear(options) => resize::bilinear(ctx, *options),
        Op::ResizeNearestNeighbor(options) => resize::nearest(ctx, *options),
        Op::ReverseV2 => movement::reverse(ctx),
        Op::Rfft2d => spectrum::rfft2d(ctx),
        Op::Rnn { activation, sequence, time_major } => rnn::lower(ctx, *activation, *sequence, *time_major),
        Op::ScatterNd => index::scatter_nd(ctx),
        Op::Select { version } => index::select(ctx, *version),
        Op::Shape => shape::shape(ctx),
        Op::Slice => movement::slice(ctx),
        Op::Softmax { beta } => softmax::lower(ctx, *beta),
        Op::SpaceToBatchNd => movement::space_and_batch(ctx, false),
        Op::SpaceToDepth { block_size } => movement::space_to_depth(ctx, *block_size),
        Op::Split => movement::split(ctx),
        Op::SplitV => movement::split_v(ctx),
        Op::Squeeze { dims } => shape::squeeze(ctx, dims),
        Op::StridedSlice(options) => movement::strided_slice(ctx, *options),
        Op::Sub(activation) => elementwise::sub(ctx, *activation),
        Op::Svdf { rank, activation } => svdf::lower(ctx, *rank, *activation),
        Op::Tile => movement::tile(ctx),
        Op::TopK => index::top_k(ctx),
        Op::Transpose => movement::transpose(ctx),
        Op::TransposeConv(options) => transpose_conv::lower(ctx, options),
        Op::TransposeConvBias(options) => transpose_conv::with_bias(ctx, options),
        Op::Unary(function) => unary::lower(ctx, *function),
        Op::UnidirectionalSequenceLstm(options) => lstm::lower(ctx, *options),
        Op::Unpack { axis } => movement::unpack(ctx, *axis),
        Op::Where => index::true_places(ctx),
        Op::While { .. } => Err(ctx.unsupported("how often it runs depends on the input".into())),
        Op::ZerosLike => index::zeros_like(ctx),
        _ => Err(ctx.unsupported_operator()),
    }
}
