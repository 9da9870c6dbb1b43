//! Between a model's int8 and the arena's unsigned bytes.

use crate::arena::Io;
use crate::lowering::Kernel;
use crate::threads::Pool;

/// Adds 128 to each byte, which is its own inverse.
pub(crate) struct FlipSign;

impl Kernel for FlipSign {
    fn name(&self) -> &'static str {
        "portable-flip-sign"
    }

    fn run(&self, io: &mut Io<'_>, _pool: &Pool) {
        let from = io.input::<u8>(0);
        for (to, from) in io.output::<u8>(0).iter_mut().zip(from) {
            *to = from ^ 0x80;
        }
    }
}
