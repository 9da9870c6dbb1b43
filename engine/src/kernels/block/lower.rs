//! Which operators of a graph make a block.

use super::{Block, Channels};
use crate::graph::Op;
use crate::kernels::add::FusedSum;
use crate::kernels::conv::Pointwise;
use crate::kernels::depthwise;
use crate::lowering::{Lower, Lowered};

/// Bytes between two operators that are worth keeping in cache: smaller ones stay there anyway.
const MIN_MIDDLE: usize = 256 << 10;

/// The block that begins with `ctx`'s node, a convolution or a depthwise one. `None` where there is none,
/// or its operators do as well by themselves.
pub(in crate::kernels) fn lower(ctx: &Lower<'_>) -> Option<Lowered> {
    let (expand, filter) = match &ctx.node.op {
        Op::Conv2d(options) => (Some(options), ctx.only_reader()?),
        _ => (None, *ctx),
    };
    let Op::DepthwiseConv2d(options) = &filter.node.op else { return None };
    let depthwise = depthwise::Node::new(&filter, options).ok()?;
    let (window, image) = (depthwise.window, depthwise.input);
    if !depthwise.is_plain() || window.batch != 1 || image.elements() < MIN_MIDDLE {
        return None;
    }
    let end = filter.only_reader()?;
    let Op::Conv2d(options) = &end.node.op else { return None };
    let project = Pointwise::new(&end, options)?;
    let expand = match expand {
        Some(options) => Some(Pointwise::new(ctx, options)?),
        None => None,
    };
    let (middle, output) = (project.k, project.n);
    let input = expand.as_ref().map_or(middle, |expand| expand.k);
    let (sum, residual) = FusedSum::behind(&end).filter(|(_, residual)| ctx.is_ready(residual.id)).unzip();

    let expand = expand.map(|expand| expand.kernel()).transpose().ok()?;
    let (depthwise, project) = (depthwise.quantized().ok()?, project.kernel().ok()?);
    let pads = |k: usize, multiple: usize| !k.is_multiple_of(multiple);
    if pads(middle, project.k_multiple()) || expand.as_ref().is_some_and(|e| pads(input, e.k_multiple())) {
        return None;
    }
    let absorbed = [filter.index, end.index].into_iter().chain(sum.as_ref().map(|sum| sum.node));
    let absorbed: Vec<usize> = absorbed.filter(|&node| node != ctx.index).collect();
    let written = sum.as_ref().map_or(end.output(0).ok()?.id, |sum| sum.output);
    let pixels = |size: crate::graph::Size2| size.h as u64 * size.w as u64 * middle as u64;
    let expansion = if expand.is_some() { pixels(window.input) * input as u64 } else { 0 };
    let macs = expansion + pixels(window.output) * (window.taps() + output) as u64;
    let channels = Channels { input, middle, output };
    let parts = expand.iter().map(|e| e.name()).chain([depthwise.name(), project.name()]);
    let block = Block { name: name(parts), expand, depthwise, project, sum, window, channels };
    let source = if block.expand.is_some() { ctx.input(0).ok()? } else { image };
    let operands: Vec<_> = std::iter::once(source).chain(residual).collect();
    let scratch = block.scratch(ctx.threads);
    Some(ctx.task_with(block, &operands, scratch, macs).ok()?.absorbing(absorbed, written))
}

/// A block is named after the kernels in it: what their names begin with in common, then, in
/// parentheses, how they go on.
fn name<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut parts: Vec<Vec<&str>> = parts.map(|part| part.split('-').collect()).collect();
    parts.dedup();
    let first = parts[0].clone();
    let is_shared = |len: &usize| parts.iter().all(|part| part.get(..*len) == first.get(..*len));
    let shared = (1..=first.len()).take_while(is_shared).last().unwrap_or(0);
    let prefix = [&first[..shared], &["block"]].concat().join("-");
    let mut rests: Vec<String> = Vec::new();
    for rest in parts.iter().map(|part| part[shared..].join("-")).filter(|rest| !rest.is_empty()) {
        if !rests.contains(&rest) {
            rests.push(rest);
        }
    }
    if rests.is_empty() { prefix } else { format!("{prefix}({})", rests.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_name_says_every_kernel_that_runs() {
        let vnni = "x86_64-u8i8-avx512vnni";
        assert_eq!(name([vnni, vnni, vnni].into_iter()), "x86_64-u8i8-avx512vnni-block");
        let sliding = "x86_64-u8i8-avx512vnni-sliding";
        assert_eq!(name([vnni, sliding, vnni].into_iter()), "x86_64-u8i8-avx512vnni-block(sliding)");
        let (unsigned, plain) = ("x86_64-u8u8-avxvnni", "x86_64-u8i16-avx2");
        assert_eq!(name([unsigned, plain, plain].into_iter()), "x86_64-block(u8u8-avxvnni, u8i16-avx2)");
        let scalar = "portable-u8i8-scalar";
        assert_eq!(name([scalar, plain].into_iter()), "block(portable-u8i8-scalar, x86_64-u8i16-avx2)");
    }
}
