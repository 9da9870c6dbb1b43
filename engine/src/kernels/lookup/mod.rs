//! Functions of one element.
//!
//! On bytes each is a table of 256 entries, computed at load. The entries are those of LiteRT:
//!
//! | operator | rule | differs from LiteRT's default kernels |
//! | --- | --- | --- |
//! | LOGISTIC, TANH | float32 function, rounded to nearest | no |
//! | LEAKY_RELU, QUANTIZE | factors of 8 fractional bits, as XNNPACK; TFLite's fixed point where a factor does not fit them | no |
//! | RELU, RELU6 | TFLite's fixed point | no |
//! | HARD_SWISH | TFLite's 16-bit fixed point | no |

#[cfg(target_arch = "x86_64")]
mod avx512vbmi;
mod float;
mod table;

use crate::arena::Io;
use crate::error::Result;
use crate::graph::{DType, Op};
use crate::kernels::Isa;
use crate::lowering::{Affine, Kernel, Lower, Lowered, Operand};
use crate::threads::Pool;

/// 256 results, one for each byte.
pub(crate) type Table = [u8; 256];

/// LOGISTIC, TANH, HARD_SWISH, RELU, RELU6, LEAKY_RELU.
pub(super) fn lower(ctx: &Lower<'_>) -> Result<Lowered> {
    let (input, output) = ctx.unary()?;
    ctx.ensure_shape(output, input.shape())?;
    match (input.dtype(), output.dtype()) {
        (DType::F32, DType::F32) => float::lower(ctx, input),
        (DType::U8, DType::U8) | (DType::I8, DType::I8) => {
            let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
            let table = match ctx.node.op {
                Op::Logistic => table::real(from, to, |x| 1.0 / (1.0 + (-x).exp())),
                Op::Tanh => table::real(from, to, f32::tanh),
                Op::HardSwish => table::hard_swish(from, to),
                Op::LeakyRelu { alpha } => table::leaky_relu(from, to, alpha),
                Op::Relu => table::clamp(from, to, (0.0, f32::INFINITY)),
                Op::Relu6 => table::clamp(from, to, (0.0, 6.0)),
                _ => return Err(ctx.unsupported_types(&[input, output])),
            };
            ctx.task(Lookup::new(table, ctx.isa), &[input])
        }
        _ => Err(ctx.unsupported_types(&[input, output])),
    }
}

/// QUANTIZE from bytes to bytes.
pub(super) fn requantize(ctx: &Lower<'_>, input: Operand<'_>, output: Operand<'_>) -> Result<Lowered> {
    let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
    let table = if input.dtype() == output.dtype() {
        table::rescale(from, to)
    } else {
        table::rescale_between_types(from, to)
    };
    if table.iter().enumerate().all(|(from, &to)| from == usize::from(to)) {
        return Ok(Lowered::Alias { input: input.id, output: output.id });
    }
    ctx.task(Lookup::new(table, ctx.isa), &[input])
}

/// The table that carries values of `input` over to the quantization of `output`; `None` where the
/// bytes are the same.
pub(super) fn rescaling(ctx: &Lower<'_>, input: Operand<'_>, output: Operand<'_>) -> Result<Option<Table>> {
    let (from, to) = (ctx.affine(input)?, ctx.affine(output)?);
    Ok((from != to).then(|| table::nearest(from, to)))
}

/// Each byte of `input` by `table`.
pub(super) fn by_table(ctx: &Lower<'_>, input: Operand<'_>, table: Table) -> Result<Lowered> {
    ctx.task(Lookup::new(table, ctx.isa), &[input])
}

/// TFLite's table of a clamp to `range`.
pub(super) fn relu(from: Affine, to: Affine, range: (f32, f32)) -> Table {
    table::clamp(from, to, range)
}

/// Fewest elements of a task.
const PIECE: usize = 16 << 10;

struct Lookup {
    table: Table,
    /// Whether AVX-512 VBMI looks up 64 bytes at a time.
    vectors: bool,
}

impl Lookup {
    fn new(table: Table, isa: Isa) -> Self {
        #[cfg(target_arch = "x86_64")]
        let vectors = isa >= Isa::Avx512Vnni && avx512vbmi::is_available();
        #[cfg(not(target_arch = "x86_64"))]
        let (vectors, _) = (false, isa);
        Self { table, vectors }
    }
}

impl Kernel for Lookup {
    fn name(&self) -> &'static str {
        if self.vectors { "x86_64-u8-avx512vbmi-lookup" } else { "portable-u8-lookup" }
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<u8>(0);
        pool.split(io.output::<u8>(0), 1, PIECE, &mut [], &|first, to, _| {
            #[cfg(target_arch = "x86_64")]
            if self.vectors && avx512vbmi::look_up(&self.table, &from[first..], to).is_some() {
                return;
            }
            for (to, &from) in to.iter_mut().zip(&from[first..]) {
                *to = self.table[usize::from(from)];
            }
        });
    }
}
