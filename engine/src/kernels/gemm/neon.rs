//! NEON without dot products: `smlal` on 16-bit weights, which no weight is too large for.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

super::q128::gemm_on_neon! {
    features: "neon",
    available: std::arch::is_aarch64_feature_detected!("neon"),
    name: "aarch64-u8i16-neon",
    shifted_name: "aarch64-u8i16-neon",
    k_multiple: 8,
    weight: i16,
    shift: no_shift,
    slot: slot,
    accumulate: accumulate,
}

fn no_shift(_: &[i16]) -> Option<i16> {
    Some(0)
}

/// Channels side by side, one product after another.
fn slot(channel: usize, k: usize) -> usize {
    k * CHANNELS + channel
}

/// # Safety
/// R rows, `stride` bytes apart, of 8 bytes for each block of weights.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn accumulate<const R: usize>(
    acc: &mut [[int32x4_t; 4]; R],
    a: *const u8,
    stride: usize,
    weights: &[[i16; CHANNELS * K_MULTIPLE]],
) {
    let mut sums = *acc;
    for (step, weights) in weights.iter().enumerate() {
        let mut x = [vdupq_n_s16(0); R];
        for r in 0..R {
            // SAFETY: the caller's rows reach this far.
            let bytes = unsafe { vld1_u8(a.add(r * stride + step * K_MULTIPLE)) };
            x[r] = vreinterpretq_s16_u16(vmovl_u8(bytes));
        }
        macro_rules! products {
            ($($k:literal)*) => {$(
                // SAFETY: a block holds 8 × 16 weights.
                let (low, high) = unsafe {
                    let w = weights.as_ptr().add($k * CHANNELS);
                    (vld1q_s16(w), vld1q_s16(w.add(8)))
                };
                for r in 0..R {
                    sums[r][0] = vmlal_laneq_s16::<$k>(sums[r][0], vget_low_s16(low), x[r]);
                    sums[r][1] = vmlal_high_laneq_s16::<$k>(sums[r][1], low, x[r]);
                    sums[r][2] = vmlal_laneq_s16::<$k>(sums[r][2], vget_low_s16(high), x[r]);
                    sums[r][3] = vmlal_high_laneq_s16::<$k>(sums[r][3], high, x[r]);
                }
            )*};
        }
        products!(0 1 2 3 4 5 6 7);
    }
    *acc = sums;
}
