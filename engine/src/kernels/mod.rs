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
mod lookup;
mod lstm;
mod math;
mod movement;
mod nest;
mod pool;
mod reduce;
mod requantize;
mod resize;
mod rounding;
mod shape;
mod simd;
mod softmax;
mod transpose_conv;
mod weights;
mod window;

pub use gemm::peak_macs_per_second;

use crate::error::{Error, Result};
use crate::graph::Op;
use crate::isa::Isa;
use crate::lowering::{Lower, Lowered};
use pool::Pooling;

/// The kernel for a node.
pub(crate) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    match &ctx.node.op {
        Op::Add(activation) => add::lower(ctx, *activation),
        Op::ArgMax => reduce::arg_max(ctx),
        Op::AveragePool2d(options) => pool::lower(ctx, *options, Pooling::Average),
        Op::Cast => convert::cast(ctx),
        Op::Concatenation { axis, activation } => movement::concatenation(ctx, *axis, *activation),
        Op::Conv2d(options) => match block::lower(ctx) {
            Some(block) => Ok(block),
            None => conv::lower(ctx, options),
        },
        Op::DepthToSpace { block_size } => movement::depth_to_space(ctx, *block_size),
        Op::DepthwiseConv2d(options) => match block::lower(ctx) {
            Some(block) => Ok(block),
            None => depthwise::lower(ctx, options),
        },
        Op::Dequantize => convert::dequantize(ctx),
        Op::FullyConnected { activation, shuffled, .. } => {
            fully_connected::lower(ctx, *activation, *shuffled)
        }
        Op::Gather { axis, batch_dims } => movement::gather(ctx, *axis, *batch_dims),
        Op::HardSwish | Op::LeakyRelu { .. } | Op::Logistic | Op::Relu | Op::Relu6 | Op::Tanh => {
            lookup::lower(ctx)
        }
        Op::MaxPool2d(options) => pool::lower(ctx, *options, Pooling::Max),
        Op::Mean { keep_dims } => reduce::mean(ctx, *keep_dims),
        Op::Mul(activation) => elementwise::mul(ctx, *activation),
        Op::Pack { axis } => movement::pack(ctx, *axis),
        Op::Pad | Op::PadV2 => movement::pad(ctx),
        Op::Prelu => elementwise::prelu(ctx),
        Op::Quantize => convert::quantize(ctx),
        Op::Reshape | Op::Squeeze => shape::reshape(ctx),
        Op::ResizeBilinear(options) => resize::bilinear(ctx, *options),
        Op::ResizeNearestNeighbor(options) => resize::nearest(ctx, *options),
        Op::Softmax { beta } => softmax::lower(ctx, *beta),
        Op::Split => movement::split(ctx),
        Op::StridedSlice(options) => movement::strided_slice(ctx, *options),
        Op::Sub(activation) => elementwise::sub(ctx, *activation),
        Op::Transpose => movement::transpose(ctx),
        Op::TransposeConv(options) => transpose_conv::lower(ctx, options),
        Op::UnidirectionalSequenceLstm(options) => lstm::lower(ctx, *options),
        Op::Unpack { axis } => movement::unpack(ctx, *axis),
        op => Err(Error::UnsupportedOperator {
            node: ctx.index,
            op: op.label(),
            remedy: "convert the model without it",
        }),
    }
}
