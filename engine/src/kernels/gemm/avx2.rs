//! AVX2: `vpmaddwd`, since `vpmaddubsw` saturates where both of two products are large.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

super::ymm::gemm_on_ymm! {
    features: "avx2",
    available: is_x86_feature_detected!("avx2"),
    name: "x86_64-u8i16-avx2",
    shifted_name: "x86_64-u8i16-avx2",
    weight: i16,
    vectors: 2,
    shift: |_: &[i16]| Some(0i16),
    // Masking and shifting pairs of bytes separates the even activations from the odd ones.
    pack: |[a, b, c, d]: [i16; 4]| [[a, c], [b, d]],
    multiply: multiply,
}

#[inline]
#[target_feature(enable = "avx2")]
fn multiply(acc: __m256i, x: __m256i, [even, odd]: [__m256i; 2]) -> __m256i {
    let x_even = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
    let x_odd = _mm256_srli_epi16::<8>(x);
    let products = _mm256_add_epi32(_mm256_madd_epi16(x_even, even), _mm256_madd_epi16(x_odd, odd));
    _mm256_add_epi32(acc, products)
}
