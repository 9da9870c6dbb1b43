//! What a program's caller reads: the graph's outputs, or what TFLite_Detection_PostProcess would read.

use super::PostProcess;
use crate::error::Result;
use crate::graph::{DType, DetectionPostProcess, Op, Quantization, TensorId, dequantize};
use crate::lowering::{Lower, Operand};

/// The program's outputs, and the operator that the caller carries out on the first two.
pub(super) struct End {
    pub(super) outputs: Vec<TensorId>,
    pub(super) post_process: Option<PostProcess>,
}

impl End {
    /// Before the post-processing operator that is `ctx`'s node.
    pub(super) fn before(ctx: &Lower<'_>, options: &DetectionPostProcess) -> Result<Self> {
        let (boxes, scores, anchors) = (ctx.input(0)?, ctx.input(1)?, ctx.input(2)?);
        let &[1, count, 4 | 5..] = boxes.shape() else {
            return Err(ctx.unsupported(format!("box encodings of shape {:?}", boxes.shape())));
        };
        ctx.ensure(matches!(scores.shape(), &[1, n, _] if n == count), || {
            format!("{count} boxes and class scores of shape {:?}", scores.shape())
        })?;
        ctx.ensure(anchors.shape() == [count, 4], || {
            format!("{count} boxes, anchors {:?}", anchors.shape())
        })?;
        let consumed = |id: &TensorId| ctx.graph.nodes.iter().any(|n| n.inputs.contains(&Some(*id)));
        if ctx.node.outputs.iter().any(consumed) {
            return Err(ctx.unsupported("its detections are used by further operators".into()));
        }
        let values = match anchors.dtype() {
            DType::F32 => ctx.floats(anchors)?,
            _ => anchors
                .constant()
                .and_then(|data| dequantize(anchors.info, data))
                .ok_or_else(|| ctx.unsupported(format!("anchors of {}", anchors.dtype())))?,
        };
        let others = ctx.graph.outputs.iter().filter(|id| !ctx.node.outputs.contains(id));
        let outputs = [boxes, scores].map(|t| quantized(ctx, t)).into_iter().chain(others.copied()).collect();
        let anchors = values.as_chunks().0.to_vec();
        Ok(Self { outputs, post_process: Some(PostProcess { options: options.clone(), anchors }) })
    }
}

/// The bytes that DEQUANTIZE makes `t` from, if it does: of a hundred thousand scores a few are wanted as
/// real numbers.
fn quantized(ctx: &Lower<'_>, t: Operand<'_>) -> TensorId {
    let source = ctx.graph.nodes.iter().find(|node| node.op == Op::Dequantize && node.outputs == [t.id]);
    let Some(&[Some(bytes)]) = source.map(|node| node.inputs.as_slice()) else { return t.id };
    let info = &ctx.graph.tensors[bytes];
    let per_tensor = info.quantization.as_ref().and_then(Quantization::per_tensor).is_some();
    let is_bytes = matches!(info.dtype, DType::I8 | DType::U8) && info.data.is_none();
    if is_bytes && per_tensor && info.shape == t.shape() { bytes } else { t.id }
}
