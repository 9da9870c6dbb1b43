//! AVX-VNNI: `vpdpbusd` on 256-bit registers, for CPUs with it that lack AVX-512.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

use super::packing::shift_into_i8;

super::ymm::gemm_on_ymm! {
    features: "avx2,avxvnni",
    available: is_x86_feature_detected!("avx2") && is_x86_feature_detected!("avxvnni"),
    name: "x86_64-u8i8-avxvnni",
    shifted_name: "x86_64-u8u8-avxvnni",
    weight: i8,
    vectors: 1,
    shift: shift_into_i8,
    pack: |four: [i16; 4]| [four.map(|w| w as i8)],
    multiply: multiply,
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn multiply(acc: __m256i, x: __m256i, [w]: [__m256i; 1]) -> __m256i {
    _mm256_dpbusd_avx_epi32(acc, x, w)
}
