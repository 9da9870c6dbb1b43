//! Float vectors of each instruction set behind one trait, and the one place where float code is
//! compiled for them.
//!
//! A [`Job`] is written once over any [`Vector`]. [`dispatch`] runs it inside a function that has the
//! instruction set's features enabled; everything that the job calls must be `#[inline(always)]`,
//! since what is not inlined there is compiled without the features. [`vectorize`] does the same for
//! plain loops.

#![allow(
    unsafe_code,
    reason = "vectors are loaded and stored through pointers, and code is called whose features the CPU has"
)]
#![allow(clippy::needless_range_loop, reason = "one index runs through several arrays of registers")]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

use super::Isa;

/// A register of float32 lanes.
///
/// # Safety of all methods
/// The CPU has the vector's instruction set, as it has inside [`Job::run`]; pointers are valid for as
/// many elements as the method says.
pub(crate) trait Vector: Copy {
    /// Lanes of a register.
    const LANES: usize;
    /// Vector registers that the instruction set has.
    const REGISTERS: usize;

    /// All lanes `x`.
    ///
    /// # Safety
    /// See [`Vector`].
    unsafe fn splat(x: f32) -> Self;

    /// Reads [`Vector::LANES`] elements.
    ///
    /// # Safety
    /// See [`Vector`].
    unsafe fn load(from: *const f32) -> Self;

    /// Writes [`Vector::LANES`] elements.
    ///
    /// # Safety
    /// See [`Vector`].
    unsafe fn store(self, to: *mut f32);

    /// Writes the first `count` < [`Vector::LANES`] elements.
    ///
    /// # Safety
    /// See [`Vector`].
    unsafe fn store_first(self, to: *mut f32, count: usize);

    /// `self` + `a` × `b`, fused where the instruction set does that.
    ///
    /// # Safety
    /// See [`Vector`].
    unsafe fn add_product(self, a: Self, b: Self) -> Self;

    /// Between `min` and `max`; a NaN stays one.
    ///
    /// # Safety
    /// See [`Vector`].
    unsafe fn clamp(self, min: Self, max: Self) -> Self;

    /// Adds to `acc` the products of one element of each of `R` rows, which lie `stride` apart from
    /// `a` on, with `P` vectors from `w` on.
    ///
    /// # Safety
    /// See [`Vector`]: element r × `stride` of `a` for every r < `R`, and `P` vectors at `w`.
    #[inline(always)]
    unsafe fn outer_product<const R: usize, const P: usize>(
        acc: &mut [[Self; P]; R],
        a: *const f32,
        stride: usize,
        w: *const f32,
    ) {
        // SAFETY: the caller's.
        unsafe {
            let mut weights = [Self::splat(0.0); P];
            for p in 0..P {
                weights[p] = Self::load(w.add(p * Self::LANES));
            }
            for r in 0..R {
                let x = Self::splat(*a.add(r * stride));
                for p in 0..P {
                    acc[r][p] = acc[r][p].add_product(x, weights[p]);
                }
            }
        }
    }

    /// [`Vector::outer_product`] of [`DEPTH`] successive elements of each row with as many times `P`
    /// vectors.
    ///
    /// # Safety
    /// See [`Vector`]: [`DEPTH`] elements at r × `stride` of `a` for every r < `R`, and `DEPTH` × `P`
    /// vectors at `w`.
    #[inline(always)]
    unsafe fn outer_products<const R: usize, const P: usize>(
        acc: &mut [[Self; P]; R],
        a: *const f32,
        stride: usize,
        w: *const f32,
    ) {
        for k in 0..DEPTH {
            // SAFETY: the caller's.
            unsafe { Self::outer_product(acc, a.add(k), stride, w.add(k * P * Self::LANES)) };
        }
    }

    /// [`Vector::outer_product`] of `len` successive elements of each row with as many times `P`
    /// vectors.
    ///
    /// # Safety
    /// See [`Vector`]: `len` elements at r × `stride` of `a` for every r < `R`, and `len` × `P` vectors
    /// at `w`.
    #[inline(always)]
    unsafe fn products<const R: usize, const P: usize>(
        acc: &mut [[Self; P]; R],
        a: *const f32,
        stride: usize,
        w: *const f32,
        len: usize,
    ) {
        // SAFETY: the caller's.
        unsafe { steps(acc, a, stride, w, len) };
    }
}

/// [`Vector::products`] step by step.
///
/// # Safety
/// As for [`Vector::products`].
#[inline(always)]
unsafe fn steps<V: Vector, const R: usize, const P: usize>(
    acc: &mut [[V; P]; R],
    mut a: *const f32,
    stride: usize,
    mut w: *const f32,
    len: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        for _ in 0..len / DEPTH {
            V::outer_products(acc, a, stride, w);
            a = a.add(DEPTH);
            w = w.add(DEPTH * P * V::LANES);
        }
        for _ in 0..len % DEPTH {
            V::outer_product(acc, a, stride, w);
            a = a.add(1);
            w = w.add(P * V::LANES);
        }
    }
}

/// Steps of k in [`Vector::outer_products`]: the lanes of a NEON register.
pub(crate) const DEPTH: usize = 4;

/// Float code that is compiled for every instruction set.
pub(crate) trait Job {
    type Output;

    /// The work, with vectors of type `V`. Implementations are `#[inline(always)]`.
    ///
    /// # Safety
    /// The CPU has the instruction set of `V`.
    unsafe fn run<V: Vector>(self) -> Self::Output;
}

/// Runs `job` with the widest vectors up to `isa` that this CPU has.
pub(crate) fn dispatch<J: Job>(isa: Isa, job: J) -> J::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if isa >= Isa::Avx512Vnni && Isa::Avx512Vnni.is_available() {
            // SAFETY: the features were found on this CPU.
            return unsafe { avx512::run(job) };
        }
        if isa >= Isa::Avx2 && Isa::Avx2.is_available() {
            // SAFETY: as above.
            return unsafe { avx2::run(job) };
        }
    }
    #[cfg(target_arch = "aarch64")]
    if isa >= Isa::Neon && Isa::Neon.is_available() {
        // SAFETY: as above.
        return unsafe { neon::run(job) };
    }
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    if isa >= Isa::Simd128 {
        return wasm::run(job);
    }
    // SAFETY: plain Rust runs everywhere.
    unsafe { job.run::<portable::F32x4>() }
}

/// Plain loops that the compiler can vectorize; what they call is `#[inline(always)]`.
pub(crate) trait Loops {
    type Output;

    /// The work. Implementations are `#[inline(always)]`.
    fn run(self) -> Self::Output;
}

/// Runs `loops` as compiled for `isa`, as far as this CPU has it.
pub(crate) fn vectorize<L: Loops>(isa: Isa, loops: L) -> L::Output {
    struct Plain<L>(L);
    impl<L: Loops> Job for Plain<L> {
        type Output = L::Output;

        #[inline(always)]
        unsafe fn run<V: Vector>(self) -> L::Output {
            self.0.run()
        }
    }
    dispatch(isa, Plain(loops))
}

/// Name of float kernels that [`dispatch`] runs for `isa`.
pub(crate) fn kernel_name(isa: Isa) -> &'static str {
    if cfg!(target_arch = "x86_64") && isa >= Isa::Avx512Vnni {
        "x86_64-f32-avx512"
    } else if cfg!(target_arch = "x86_64") && isa >= Isa::Avx2 {
        "x86_64-f32-avx2"
    } else if cfg!(target_arch = "aarch64") && isa >= Isa::Neon {
        "aarch64-f32-neon"
    } else if cfg!(target_arch = "wasm32") && isa >= Isa::Simd128 {
        "wasm32-f32-simd128"
    } else {
        "portable-f32-scalar"
    }
}

/// Lanes and number of the registers that [`dispatch`] takes for `isa`.
pub(crate) fn registers(isa: Isa) -> (usize, usize) {
    struct Registers;
    impl Job for Registers {
        type Output = (usize, usize);

        #[inline(always)]
        unsafe fn run<V: Vector>(self) -> (usize, usize) {
            (V::LANES, V::REGISTERS)
        }
    }
    dispatch(isa, Registers)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every method once, against plain arithmetic.
    struct Check;

    impl Job for Check {
        type Output = ();

        #[inline(always)]
        unsafe fn run<V: Vector>(self) {
            let from: Vec<f32> = (0..64).map(|i| i as f32 - 20.5).collect();
            let mut out = vec![7.0f32; 40];
            // SAFETY: the arrays are longer than what is read and written: at most 32 elements.
            unsafe {
                let x = V::load(from.as_ptr().add(3));
                x.add_product(V::splat(2.0), x).store(out.as_mut_ptr());
                let first = &from[3..][..V::LANES];
                assert!(out.iter().zip(first).all(|(&o, &x)| o == x + 2.0 * x));
                for count in 0..V::LANES {
                    out.fill(7.0);
                    x.store_first(out.as_mut_ptr(), count);
                    assert_eq!(out[..count], from[3..3 + count]);
                    assert!(out[count..].iter().all(|&o| o == 7.0), "{count} of {}", V::LANES);
                }
                x.clamp(V::splat(-2.0), V::splat(3.0)).store(out.as_mut_ptr());
                assert!(out.iter().zip(first).all(|(&o, &x)| o == x.clamp(-2.0, 3.0)));
                V::splat(f32::NAN).clamp(V::splat(-2.0), V::splat(3.0)).store(out.as_mut_ptr());
                assert!(out[..V::LANES].iter().all(|o| o.is_nan()));
                let weights: Vec<f32> = (0..DEPTH * 2 * V::LANES).map(|i| (i % 7) as f32 - 3.0).collect();
                let mut acc = [[V::splat(1.0); 2]; 3];
                V::outer_products(&mut acc, from.as_ptr(), 9, weights.as_ptr());
                for (r, acc) in acc.iter().enumerate() {
                    for (p, acc) in acc.iter().enumerate() {
                        acc.store(out.as_mut_ptr());
                        for (lane, &o) in out[..V::LANES].iter().enumerate() {
                            let w = |k: usize| weights[(k * 2 + p) * V::LANES + lane];
                            let sum: f32 = (0..DEPTH).map(|k| from[r * 9 + k] * w(k)).sum();
                            assert_eq!(o, 1.0 + sum);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn vectors_compute_what_numbers_do() {
        for isa in Isa::ALL {
            match isa.is_available() {
                true => dispatch(isa, Check),
                false => println!("not run: this CPU lacks {isa}"),
            }
        }
    }
}
