//! How fast this machine multiplies: what profiles are compared with.

use super::{GemmU8, Matrix, Rows, quantized};
use crate::kernels::Isa;
use crate::kernels::requantize::{ByteRange, Requantize};
use std::time::Instant;

/// Products of 24 rows with 64 channels of 512 fit in the first-level cache with their results.
const ROWS: usize = 24;
const CHANNELS: usize = 64;
const DEPTH: usize = 512;

/// Multiply-accumulates a second that one thread reaches with the 8-bit kernel of `isa` when all
/// operands are in the first-level cache: measured in some milliseconds, the best of several tries.
///
/// It is the ceiling for a convolution on this machine, with requantization of one result in
/// 512 products included.
pub fn peak_macs_per_second(isa: Isa) -> f64 {
    let kernel = kernel(isa);
    let (data, mut out) = (vec![5u8; ROWS * DEPTH], vec![0u8; ROWS * CHANNELS]);
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        for _ in 0..20 {
            let rows = Rows { data: std::hint::black_box(&data[..]), stride: DEPTH, count: ROWS };
            kernel.requantized(rows, std::hint::black_box(&mut out));
        }
        best = best.min(start.elapsed().as_secs_f64() / 20.0);
    }
    (ROWS * CHANNELS * DEPTH) as f64 / best.max(1e-9)
}

/// The kernel that is measured.
fn kernel(isa: Isa) -> Box<dyn GemmU8> {
    let weights = Matrix { data: vec![3i16; CHANNELS * DEPTH], n: CHANNELS, k: DEPTH };
    let requantize = Requantize {
        bias: vec![0; CHANNELS],
        scale: vec![1e-4; CHANNELS],
        zero_point: 0,
        range: ByteRange::FULL,
    };
    quantized(isa, &weights, requantize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instruction_set_is_measured_by_its_own_kernel() {
        for isa in Isa::ALL.into_iter().filter(|i| i.is_available()) {
            let name = kernel(isa).name();
            assert!(name.contains(isa.name()), "{isa} is measured by {name}");
        }
    }
}
