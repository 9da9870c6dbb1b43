//! AVX-512 VBMI: the whole table in four registers.

#![allow(unsafe_code, reason = "vectors are loaded and stored through pointers")]

use super::Table;
use core::arch::x86_64::*;

/// Whether this CPU has the instructions.
pub(super) fn is_available() -> bool {
    is_x86_feature_detected!("avx512vbmi") && is_x86_feature_detected!("avx512bw")
}

/// Looks up each byte of `from`; `None` if this CPU lacks the instructions.
pub(super) fn look_up(table: &Table, from: &[u8], to: &mut [u8]) -> Option<()> {
    // SAFETY: the features were found on this CPU.
    is_available().then(|| unsafe { run(table, from, to) })
}

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
fn run(table: &Table, from: &[u8], to: &mut [u8]) {
    let mut parts = [_mm512_setzero_si512(); 4];
    for (part, bytes) in parts.iter_mut().zip(table.as_chunks::<64>().0) {
        // SAFETY: a part is 64 bytes.
        *part = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    }
    for (to, from) in to.chunks_mut(64).zip(from.chunks(64)) {
        let mask = u64::MAX >> (64 - to.len().min(from.len()));
        // SAFETY: the mask covers bytes of both chunks alone.
        unsafe {
            let index = _mm512_maskz_loadu_epi8(mask, from.as_ptr().cast());
            let low = _mm512_permutex2var_epi8(parts[0], index, parts[1]);
            let high = _mm512_permutex2var_epi8(parts[2], index, parts[3]);
            let bytes = _mm512_mask_blend_epi8(_mm512_movepi8_mask(index), low, high);
            _mm512_mask_storeu_epi8(to.as_mut_ptr().cast(), mask, bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_the_plain_table() {
        let table: Table = std::array::from_fn(|i| (i * 37 + 11) as u8);
        for len in [1, 63, 64, 65, 1000] {
            let from: Vec<u8> = (0..len).map(|i| (i * 7) as u8).collect();
            let mut to = vec![0; len];
            if look_up(&table, &from, &mut to).is_none() {
                println!("not run: this CPU lacks AVX-512 VBMI");
                return;
            }
            assert!(to.iter().zip(&from).all(|(&to, &from)| to == table[usize::from(from)]));
        }
    }
}
