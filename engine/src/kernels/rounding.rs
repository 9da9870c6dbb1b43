//! From real numbers to the arena's unsigned bytes.

use crate::lowering::Affine;

/// Rounds to the nearest integer (ties to even), adds a zero point and clamps: XNNPACK's rule, and
/// vectorizable on every CPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rounder {
    low: f32,
    high: f32,
    bias: i32,
}

impl Rounder {
    /// Adding 1.5 × 2²³ leaves the integer nearest to a small float in the low bits, ties to even.
    pub(crate) const MAGIC: f32 = 12_582_912.0;

    /// Results lie in `range`.
    pub(crate) fn new(zero_point: i32, range: (u8, u8)) -> Self {
        let bound = |limit: u8| (i32::from(limit) - zero_point) as f32;
        Self { low: bound(range.0), high: bound(range.1), bias: zero_point - Self::MAGIC.to_bits() as i32 }
    }

    /// Results take the whole byte.
    pub(crate) fn whole(to: Affine) -> Self {
        Self::new(to.zero_point, (0, 255))
    }

    /// The least and the greatest number of steps from the zero point.
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn limits(&self) -> (f32, f32) {
        (self.low, self.high)
    }

    /// What makes a result of the bits of a clamped number plus [`Rounder::MAGIC`].
    #[cfg(target_arch = "wasm32")]
    pub(crate) fn bias(&self) -> i32 {
        self.bias
    }

    /// The byte for `x` steps from the zero point; not a number becomes the lowest.
    #[inline(always)]
    pub(crate) fn round(&self, x: f32) -> u8 {
        let clamped = between(x, self.low, self.high);
        ((clamped + Self::MAGIC).to_bits() as i32).wrapping_add(self.bias) as u8
    }
}

/// Clamps; not a number becomes `low`. In the form that is two instructions: `f32::max` asks for a
/// case of its own for NaN, which `vmaxps` lacks and `fmaxnm` has.
#[inline(always)]
fn between(x: f32, low: f32, high: f32) -> f32 {
    if cfg!(any(target_arch = "x86_64", target_arch = "wasm32")) {
        let x = if x > low { x } else { low };
        if x < high { x } else { high }
    } else {
        x.max(low).min(high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_go_to_even_and_ends_saturate() {
        let r = Rounder::new(100, (10, 250));
        let rounded = [0.5, 1.5, -0.5, -1.5, 0.49, 1e30, -1e30, f32::NAN].map(|x| r.round(x));
        assert_eq!(rounded, [100, 102, 100, 98, 100, 250, 10, 10]);
    }
}
