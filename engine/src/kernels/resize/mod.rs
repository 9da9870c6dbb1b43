//! RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR, NHWC.
//!
//! Bilinear on bytes weighs with 11-bit fractions along each axis and rounds once, which is XNNPACK's
//! rule to the bit (TFLite's reference kernel takes 10 bits and can differ by one step). Bytes keep
//! their quantization.

mod scalar;

use crate::error::Result;
use crate::graph::{DType, ResizeOptions};
use crate::lowering::{Lower, Lowered, Operand};
use scalar::Tap;

/// Largest extent whose coordinates float32 tells apart.
const MAX_EXTENT: usize = 1 << 24;

/// RESIZE_BILINEAR of float32 or bytes.
pub(super) fn bilinear(ctx: &Lower<'_>, options: ResizeOptions) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let sizes = Sizes::of(ctx, input, output)?;
    let taps = |(from, to)| (0..to).map(|i| Tap::new(coordinate(options, from, to, i), from)).collect();
    let kernel = |name| scalar::Bilinear {
        name,
        isa: ctx.isa,
        rows: taps(sizes.height),
        columns: taps(sizes.width),
        input: [sizes.height.0, sizes.width.0],
        channels: sizes.channels,
    };
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => {
            ctx.task(scalar::Resize::<f32>::new(kernel("portable-f32-resize-bilinear")), &[input])
        }
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            ctx.task(scalar::Resize::<u8>::new(kernel("portable-u8-resize-bilinear")), &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

/// RESIZE_NEAREST_NEIGHBOR of any type.
pub(super) fn nearest(ctx: &Lower<'_>, options: ResizeOptions) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    let sizes = Sizes::of(ctx, input, output)?;
    ctx.ensure(input.dtype() == output.dtype() && input.dtype().size() > 0, || {
        format!("{} from {}", output.dtype(), input.dtype())
    })?;
    let index = |(from, to): (usize, usize)| (0..to).map(|i| nearest_index(options, from, to, i)).collect();
    let kernel = scalar::Nearest {
        rows: index(sizes.height),
        columns: index(sizes.width),
        input: [sizes.height.0, sizes.width.0],
        pixel_bytes: sizes.channels * input.dtype().size(),
    };
    ctx.task(kernel, &[input])
}

/// Extents before and after.
struct Sizes {
    height: (usize, usize),
    width: (usize, usize),
    channels: usize,
}

impl Sizes {
    fn of(ctx: &Lower<'_>, input: Operand<'_>, output: Operand<'_>) -> Result<Self> {
        let &[batch, h, w, channels] = input.shape() else {
            return Err(ctx.invalid(format!("input of shape {:?}", input.shape())));
        };
        let size = ctx.integers(ctx.input(1)?)?;
        let extent = |i: usize| size.get(i).and_then(|&s| usize::try_from(s).ok()).filter(|&s| s > 0);
        let (2, Some(oh), Some(ow)) = (size.len(), extent(0), extent(1)) else {
            return Err(ctx.invalid(format!("size {size:?}")));
        };
        ctx.ensure_shape(output, &[batch, oh, ow, channels])?;
        ctx.ensure(h > 0 && w > 0, || format!("input of shape {:?}", input.shape()))?;
        if [h, w, oh, ow].iter().any(|&e| e > MAX_EXTENT) {
            return Err(ctx.unsupported(format!("{:?} to {:?}", input.shape(), output.shape())));
        }
        Ok(Self { height: (h, oh), width: (w, ow), channels })
    }
}

/// Input pixels per output pixel, in float32 as TFLite.
fn ratio(options: ResizeOptions, from: usize, to: usize) -> f32 {
    if options.align_corners && to > 1 {
        (from - 1) as f32 / (to - 1) as f32
    } else {
        from as f32 / to as f32
    }
}

/// Where output pixel `i` of `to` lies among `from` input pixels.
fn coordinate(options: ResizeOptions, from: usize, to: usize, i: usize) -> f32 {
    let ratio = ratio(options, from, to);
    let at = if options.half_pixel_centers { (i as f32 + 0.5) * ratio - 0.5 } else { i as f32 * ratio };
    at.clamp(0.0, (from - 1) as f32)
}

fn nearest_index(options: ResizeOptions, from: usize, to: usize, i: usize) -> usize {
    let center = if options.half_pixel_centers { 0.5 } else { 0.0 };
    let at = (i as f32 + center) * ratio(options, from, to);
    let at = if options.align_corners { at.round() } else { at.floor() };
    (at as usize).min(from - 1)
}
