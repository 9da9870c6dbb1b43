//! Walking two operands with NumPy's broadcasting, on all threads.

use crate::error::Result;
use crate::kernels::Isa;
use crate::kernels::nest::{Dim, Nest, row_major};
use crate::kernels::simd::{self, Loops};
use crate::lowering::{Lower, Operand};
use crate::threads::Pool;

/// Fewest elements of a task: far more than what a fork costs.
const PIECE: usize = 8 << 10;

/// The elements of two operands that belong together, and of the output. The output's own stride is
/// one, since its shape is the widest.
pub(in crate::kernels) struct Pairs {
    nest: Nest<3>,
    isa: Isa,
}

impl Pairs {
    /// Of `output`, whose shape must be that of `a` and `b` broadcast to each other.
    pub(in crate::kernels) fn new(
        ctx: &Lower<'_>,
        a: Operand<'_>,
        b: Operand<'_>,
        output: Operand<'_>,
    ) -> Result<Self> {
        Ok(Self { nest: broadcast(ctx, a, b, output)?, isa: ctx.isa })
    }

    /// Applies `f` to all pairs, on all threads.
    pub(in crate::kernels) fn apply<T: Copy + Sync, R: Send>(
        &self,
        [a, b]: [&[T]; 2],
        out: &mut [R],
        pool: &Pool,
        f: impl Fn(T, T) -> R + Sync,
    ) {
        let nest = &self.nest;
        pool.split(out, 1, PIECE, &mut [], &|first, out, _| {
            simd::vectorize(self.isa, Piece { nest, a, b, first, out, f: &f });
        });
    }
}

/// The results from `first` on, as many as `out` holds.
struct Piece<'a, T, R, F> {
    nest: &'a Nest<3>,
    a: &'a [T],
    b: &'a [T],
    first: usize,
    out: &'a mut [R],
    f: &'a F,
}

impl<T: Copy, R, F: Fn(T, T) -> R> Loops for Piece<'_, T, R, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { nest, a, b, first, out, f } = self;
        apply(nest, a, b, first, out, f);
    }
}

#[inline(always)]
fn apply<T: Copy, R>(nest: &Nest<3>, a: &[T], b: &[T], first: usize, out: &mut [R], f: impl Fn(T, T) -> R) {
    let Dim { strides, .. } = nest.inner();
    nest.for_each_in(first..first + out.len(), |[i, j, k], count| {
        let out = &mut out[k - first..][..count];
        match strides {
            [1, 1, _] => {
                let pairs = a[i..i + count].iter().zip(&b[j..j + count]);
                out.iter_mut().zip(pairs).for_each(|(out, (&a, &b))| *out = f(a, b));
            }
            [1, _, _] => {
                let b = b[j];
                out.iter_mut().zip(&a[i..i + count]).for_each(|(out, &a)| *out = f(a, b));
            }
            _ => {
                let a = a[i];
                out.iter_mut().zip(&b[j..j + count]).for_each(|(out, &b)| *out = f(a, b));
            }
        }
    });
}

/// Loops over `output`, whose shape must be that of `a` and `b` broadcast to each other.
fn broadcast(ctx: &Lower<'_>, a: Operand<'_>, b: Operand<'_>, output: Operand<'_>) -> Result<Nest<3>> {
    let rank = a.shape().len().max(b.shape().len());
    let (sa, sb) = (expand(a.shape(), rank), expand(b.shape(), rank));
    let mut shape = Vec::with_capacity(rank);
    for (&x, &y) in sa.iter().zip(&sb) {
        ctx.ensure(x == y || x == 1 || y == 1, || format!("{:?} against {:?}", a.shape(), b.shape()))?;
        shape.push(if x == 1 { y } else { x });
    }
    ctx.ensure_shape(output, &shape)?;
    let strides = [row_major(&sa), row_major(&sb), row_major(&shape)];
    let dim = |d: usize| {
        let stays = [sa[d] == 1, sb[d] == 1, false];
        Dim { count: shape[d], strides: std::array::from_fn(|k| if stays[k] { 0 } else { strides[k][d] }) }
    };
    let dims: Vec<_> = (0..rank).map(dim).collect();
    Nest::new(&dims, [0; 3], [a.elements(), b.elements(), output.elements()])
        .ok_or_else(|| ctx.unsupported(format!("{:?} against {:?}", a.shape(), b.shape())))
}

/// `shape` with dimensions of one in front, up to `rank`.
fn expand(shape: &[usize], rank: usize) -> Vec<usize> {
    std::iter::repeat_n(1, rank - shape.len()).chain(shape.iter().copied()).collect()
}
