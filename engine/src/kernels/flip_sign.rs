//! Between a model's int8 and the arena's unsigned bytes.

use crate::arena::Io;
use crate::lowering::Kernel;
use crate::threads::Pool;

/// Fewest bytes of a task.
const PIECE: usize = 32 << 10;

/// Adds 128 to each byte, which is its own inverse.
pub(crate) struct FlipSign;

impl Kernel for FlipSign {
    fn name(&self) -> &'static str {
        "portable-flip-sign"
    }

    fn run(&self, io: &mut Io<'_>, pool: &Pool) {
        let from = io.input::<u8>(0);
        pool.split(io.output::<u8>(0), 1, PIECE, &mut [], &|first, to, _| {
            for (to, from) in to.iter_mut().zip(&from[first..]) {
                *to = from ^ 0x80;
            }
        });
    }
}
