//! Packs weights, biases and scales in the order of the registers.

use super::{DEPTH, Gemm, Group, LANES, Vector};
use crate::kernels::Isa;
use crate::kernels::gemm::Matrix;
use crate::kernels::gemm::packing::{can_split, converts_safely, split};
use crate::kernels::requantize::Requantize;

impl Gemm {
    /// `None` where this CPU cannot run it, or its arithmetic would not be exact.
    pub(in crate::kernels::gemm) fn new(weights: &Matrix<i16>, requantize: &Requantize) -> Option<Self> {
        let exact = can_split(&weights.data) && converts_safely(weights, requantize);
        if !exact || !Isa::Avx512Vnni.is_available() || weights.n == 0 {
            return None;
        }
        let mut gemm = Self {
            groups: Vec::new(),
            weights: Vec::new(),
            bias: Vec::new(),
            scale: Vec::new(),
            zero_point: requantize.zero_point as i16,
            min: requantize.range.min,
            max: requantize.range.max,
            n: weights.n,
            k: weights.k,
        };
        let mut registers = weights.n.div_ceil(LANES);
        gemm.weights.reserve_exact(registers * weights.k.div_ceil(DEPTH));
        let mut channel = 0;
        while registers > 0 {
            // As equal as four at most allow: 5 registers become 3 + 2 rather than 4 + 1.
            let count = registers.div_ceil(registers.div_ceil(4));
            gemm.push_group(weights, requantize, channel, count);
            channel += count * LANES;
            registers -= count;
        }
        Some(gemm)
    }

    fn push_group(&mut self, weights: &Matrix<i16>, requantize: &Requantize, first: usize, registers: usize) {
        let (constants, start) = (self.bias.len(), self.weights.len());
        let order: Vec<usize> = (0..registers)
            .flat_map(|q| (0..LANES).map(move |i| first + i / 4 * 4 * registers + 4 * q + i % 4))
            .collect();
        for &n in &order {
            self.bias.push(requantize.bias.get(n).copied().unwrap_or(0));
            self.scale.push(requantize.scale.get(n).copied().unwrap_or(0.0));
        }
        let nothing = vec![0; weights.k];
        let row = |&n: &usize| if n < weights.n { weights.row(n) } else { &nothing };
        let rows: Vec<&[i16]> = order.iter().map(row).collect();
        let mut rest = Vec::new();
        for (step, k) in (0..weights.k).step_by(DEPTH).enumerate() {
            if self.push_step(&rows, k) {
                rest.push(step);
            }
        }
        let rest_weights = self.weights.len();
        for &step in &rest {
            self.push_rest(&rows, step * DEPTH);
        }
        let channels = (registers * LANES).min(weights.n - first);
        let weights = start;
        self.groups.push(Group {
            registers,
            channel: first,
            channels,
            weights,
            rest,
            rest_weights,
            constants,
        });
    }

    /// Packs four products of each row from `k` on; whether something of them is left over.
    fn push_step(&mut self, rows: &[&[i16]], k: usize) -> bool {
        let mut fits = true;
        for rows in rows.chunks_exact(LANES) {
            let mut vector = Vector([0; 64]);
            let mut excess = 0;
            for (to, row) in vector.0.as_chunks_mut::<DEPTH>().0.iter_mut().zip(rows) {
                let four = row[k..].first_chunk().copied().unwrap_or_else(|| padded(&row[k..]));
                *to = four.map(|w| w as i8);
                excess |= four.iter().fold(0, |excess, &w| excess | (w + 128) & !0xff);
            }
            if excess != 0 {
                fits = false;
                for (to, row) in vector.0.as_chunks_mut::<DEPTH>().0.iter_mut().zip(rows) {
                    *to = padded(&row[k..]).map(|w| split(w).unwrap_or_default().0);
                }
            }
            self.weights.push(vector);
        }
        !fits
    }

    /// Packs what [`Gemm::push_step`] left over.
    fn push_rest(&mut self, rows: &[&[i16]], k: usize) {
        for rows in rows.chunks_exact(LANES) {
            let mut vector = Vector([0; 64]);
            for (to, row) in vector.0.as_chunks_mut::<DEPTH>().0.iter_mut().zip(rows) {
                *to = padded(&row[k..]).map(|w| split(w).unwrap_or_default().1);
            }
            self.weights.push(vector);
        }
    }
}

/// The first four weights; zeros beyond the end.
fn padded(weights: &[i16]) -> [i16; DEPTH] {
    std::array::from_fn(|i| weights.get(i).copied().unwrap_or(0))
}
