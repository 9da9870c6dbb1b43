//! ADD, with broadcasting.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512vnni;
mod fused;
#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;

use super::Isa;
use super::elementwise::Pairs;
use super::gemm::FloatRange;
use super::quantized_sum::QuantizedSum;
use super::requantize::ByteRange;
use crate::arena::Io;
use crate::error::Result;
use crate::graph::{Activation, DType};
use crate::lowering::{Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;
pub(super) use fused::FusedSum;

/// Fewest elements of a task: far more than what a fork costs.
const PIECE: usize = 8 << 10;

/// Sum of two floats.
#[inline(always)]
fn float_slices(range: FloatRange, a: &[f32], b: &[f32], out: &mut [f32]) {
    for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *out = range.clamp(a + b);
    }
}

/// A sum, and the kernel for it.
#[derive(Clone, Copy)]
struct ByteSum {
    sum: QuantizedSum,
    isa: Isa,
}

impl ByteSum {
    /// Of `a` and `b`, with the activation and the quantization of `output`.
    fn new(
        ctx: &Lower<'_>,
        [a, b]: [Operand<'_>; 2],
        output: Operand<'_>,
        activation: Activation,
    ) -> Result<Self> {
        let (inputs, output) = ([ctx.affine(a)?, ctx.affine(b)?], ctx.affine(output)?);
        let range = ByteRange::new(ctx, activation, output)?;
        let sum = QuantizedSum::new(inputs, output, range).ok_or_else(|| {
            let [a, b] = inputs.map(|i| i.scale);
            ctx.unsupported(format!("scales {a} and {b} with an output scale of {}", output.scale))
        })?;
        Ok(Self { sum, isa: ctx.isa })
    }

    /// Sums slices of equal length.
    fn slices(&self, a: &[u8], b: &[u8], out: &mut [u8]) {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => avx512vnni::bytes(&self.sum, a, b, out),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 | Isa::AvxVnni => avx2::bytes(&self.sum, a, b, out),
            #[cfg(target_arch = "aarch64")]
            Isa::Neon | Isa::NeonDotprod | Isa::I8mm => neon::bytes(&self.sum, a, b, out),
            _ => scalar::bytes(&self.sum, a, b, out),
        }
    }
}

struct AddU8 {
    sum: ByteSum,
    broadcast: Option<Pairs>,
}

struct AddF32 {
    range: FloatRange,
    isa: Isa,
    broadcast: Option<Pairs>,
}

struct AddI32 {
    range: (i32, i32),
    broadcast: Option<Pairs>,
}

/// ADD of two tensors of one type.
pub(super) fn lower(ctx: &Lower<'_>, activation: Activation) -> Result<Lowered> {
    let (a, b, output) = (ctx.input(0)?, ctx.input(1)?, ctx.output(0)?);
    let pairs = Pairs::new(ctx, a, b, output)?;
    let same = a.shape() == output.shape() && b.shape() == output.shape();
    let broadcast = (!same).then_some(pairs);
    let isa = ctx.isa;
    match (a.dtype(), b.dtype(), output.dtype()) {
        (DType::I8, DType::I8, DType::I8) | (DType::U8, DType::U8, DType::U8) => {
            let (inputs, to) = ([ctx.affine(a)?, ctx.affine(b)?], ctx.affine(output)?);
            let range = ByteRange::new(ctx, activation, to)?;
            if QuantizedSum::new(inputs, to, range).is_none() {
                return super::elementwise::reference_sum(ctx, [1, 1], inputs, to, range);
            }
            let sum = ByteSum::new(ctx, [a, b], output, activation)?;
            ctx.task(AddU8 { sum, broadcast }, &[a, b])
        }
        (DType::F32, DType::F32, DType::F32) => {
            let range = FloatRange::new(ctx, activation)?;
            ctx.task(AddF32 { range, isa, broadcast }, &[a, b])
        }
        (DType::I32, DType::I32, DType::I32) => {
            let range = match activation {
                Activation::None => (i32::MIN, i32::MAX),
                Activation::Relu => (0, i32::MAX),
                Activation::ReluN1To1 => (-1, 1),
                Activation::Relu6 => (0, 6),
                Activation::Tanh | Activation::SignBit => {
                    return Err(ctx.unsupported(format!("fused activation {activation:?}")));
                }
            };
            ctx.task(AddI32 { range, broadcast }, &[a, b])
        }
        (DType::I64, DType::I64, DType::I64) if activation == Activation::None => {
            super::elementwise::add_i64(ctx)
        }
        _ => Err(ctx.unsupported_types(&[a, b, output])),
    }
}

/// Splits slices of equal length among the threads.
fn split<T: bytemuck::Pod + Send + Sync>(
    io: &mut Io<'_>,
    pool: &Pool,
    work: impl Fn(&[T], &[T], &mut [T]) + Sync,
) {
    let (a, b) = (io.input::<T>(0), io.input::<T>(1));
    pool.split(io.output::<T>(0), 1, PIECE, &mut [], &|first, out, _| {
        let range = first..first + out.len();
        work(&a[range.clone()], &b[range], out);
    });
}

impl Kernel for AddU8 {
    fn name(&self) -> &'static str {
        match self.sum.isa {
            Isa::Avx512Vnni => "x86_64-u8-avx512",
            Isa::Avx2 | Isa::AvxVnni => "x86_64-u8-avx2",
            Isa::Neon | Isa::NeonDotprod | Isa::I8mm => "aarch64-u8-neon",
            _ => "portable-u8-scalar",
        }
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        if let Some(broadcast) = &self.broadcast {
            let operands = [io.input::<u8>(0), io.input(1)];
            return broadcast.apply(operands, io.output(0), pool, |a, b| self.sum.sum.byte(a, b));
        }
        split(io, pool, |a, b, out| self.sum.slices(a, b, out));
    }
}

impl Kernel for AddF32 {
    fn name(&self) -> &'static str {
        match self.isa {
            Isa::Avx512Vnni => "x86_64-f32-avx512",
            Isa::Avx2 | Isa::AvxVnni => "x86_64-f32-avx2",
            _ => "portable-f32-scalar",
        }
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let range = self.range;
        if let Some(broadcast) = &self.broadcast {
            let operands = [io.input::<f32>(0), io.input(1)];
            return broadcast.apply(operands, io.output(0), pool, |a: f32, b: f32| range.clamp(a + b));
        }
        split(io, pool, |a, b, out| match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Vnni => avx512vnni::floats(range, a, b, out),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 | Isa::AvxVnni => avx2::floats(range, a, b, out),
            _ => scalar::floats(range, a, b, out),
        });
    }
}

impl Kernel for AddI32 {
    fn name(&self) -> &'static str {
        "portable-i32-scalar"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let (min, max) = self.range;
        let sum = |a: i32, b: i32| a.wrapping_add(b).clamp(min, max);
        if let Some(broadcast) = &self.broadcast {
            return broadcast.apply([io.input::<i32>(0), io.input(1)], io.output(0), pool, sum);
        }
        split(io, pool, |a, b, out| {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = sum(a, b);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lowering::Affine;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_kernel_equals_the_rule_and_comes_near_the_real_sum(
            values in prop::collection::vec((any::<u8>(), any::<u8>()), 0..300),
            scales in (0.01f32..1.0, 0.01f32..1.0, 0.01f32..1.0),
            zero_points in (0i32..256, 0i32..256, 0i32..256),
        ) {
            let input = [
                Affine { scale: scales.0, zero_point: zero_points.0 },
                Affine { scale: scales.1, zero_point: zero_points.1 },
            ];
            let output = Affine { scale: scales.2, zero_point: zero_points.2 };
            let range = ByteRange { min: 3, max: 250 };
            let sum = QuantizedSum::new(input, output, range).unwrap();
            let (a, b): (Vec<u8>, Vec<u8>) = values.into_iter().unzip();
            let mut expected = vec![0; a.len()];
            scalar::bytes(&sum, &a, &b, &mut expected);
            for ((&a, &b), &byte) in a.iter().zip(&b).zip(&expected) {
                let real = (i32::from(a) - input[0].zero_point) as f32 * input[0].scale
                    + (i32::from(b) - input[1].zero_point) as f32 * input[1].scale;
                let exact = (real / output.scale + output.zero_point as f32).clamp(3.0, 250.0);
                prop_assert!((f32::from(byte) - exact).abs() < 0.51, "{byte} {exact}");
            }
            #[cfg(target_arch = "aarch64")]
            {
                let mut out = vec![0; a.len()];
                neon::bytes(&sum, &a, &b, &mut out);
                prop_assert_eq!(&out, &expected);
            }
            #[cfg(target_arch = "x86_64")]
            {
                let mut out = vec![0; a.len()];
                if Isa::Avx2.is_available() {
                    avx2::bytes(&sum, &a, &b, &mut out);
                    prop_assert_eq!(&out, &expected);
                }
                out.fill(0);
                if Isa::Avx512Vnni.is_available() {
                    avx512vnni::bytes(&sum, &a, &b, &mut out);
                    prop_assert_eq!(&out, &expected);
                }
            }
        }
    }

    #[test]
    fn extreme_scales_are_refused() {
        let affine = |scale| Affine { scale, zero_point: 0 };
        let range = ByteRange { min: 0, max: 255 };
        assert!(QuantizedSum::new([affine(1e-9); 2], affine(1.0), range).is_none());
        assert!(QuantizedSum::new([affine(1e9); 2], affine(1.0), range).is_none());
        assert!(QuantizedSum::new([affine(f32::NAN); 2], affine(1.0), range).is_none());
    }
}
