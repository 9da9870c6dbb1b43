//! Instruction sets that kernels are written for.

use std::fmt;
use std::str::FromStr;

/// An instruction set that a kernel can be chosen for.
///
/// Those of one architecture are ordered by speed, and a kernel may be chosen up to a given one:
/// [`Isa::Scalar`] is everywhere, and a CPU may lack one in the middle (server CPUs have AVX-512
/// VNNI without AVX-VNNI), whose kernels are then passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Portable Rust: the oracle of all others.
    Scalar,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX2, FMA and AVX-VNNI: byte products on 256-bit registers.
    AvxVnni,
    /// x86-64 with AVX-512 F, BW, VL and VNNI.
    Avx512Vnni,
    /// 64-bit Arm.
    Neon,
    /// 64-bit Arm with `sdot` and `udot`.
    NeonDotprod,
    /// 64-bit Arm with `smmla` and `usmmla`.
    I8mm,
    /// WebAssembly with 128-bit SIMD.
    Simd128,
    /// WebAssembly with relaxed SIMD whose byte products are exact.
    RelaxedSimd,
}

impl Isa {
    /// All of them, weakest first.
    pub const ALL: [Self; 9] = [
        Self::Scalar,
        Self::Avx2,
        Self::AvxVnni,
        Self::Avx512Vnni,
        Self::Neon,
        Self::NeonDotprod,
        Self::I8mm,
        Self::Simd128,
        Self::RelaxedSimd,
    ];

    /// The name that `OSPREY_ISA` takes and that kernel names carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avxvnni",
            Self::Avx512Vnni => "avx512vnni",
            Self::Neon => "neon",
            Self::NeonDotprod => "dotprod",
            Self::I8mm => "i8mm",
            Self::Simd128 => "simd128",
            Self::RelaxedSimd => "relaxed-simd",
        }
    }

    /// Whether this architecture can have it.
    const fn is_of_this_architecture(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Avx2 | Self::AvxVnni | Self::Avx512Vnni => cfg!(target_arch = "x86_64"),
            Self::Neon | Self::NeonDotprod | Self::I8mm => cfg!(target_arch = "aarch64"),
            Self::Simd128 | Self::RelaxedSimd => cfg!(target_arch = "wasm32"),
        }
    }

    /// Whether this CPU has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Scalar => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            Self::AvxVnni => Self::Avx2.is_available() && is_x86_feature_detected!("avxvnni"),
            Self::Avx512Vnni => {
                Self::Avx2.is_available()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512vnni")
            }
            _ => false,
        }
        #[cfg(target_arch = "aarch64")]
        match self {
            Self::Scalar => true,
            Self::Neon => std::arch::is_aarch64_feature_detected!("neon"),
            Self::NeonDotprod => std::arch::is_aarch64_feature_detected!("dotprod"),
            Self::I8mm => Self::NeonDotprod.is_available() && std::arch::is_aarch64_feature_detected!("i8mm"),
            _ => false,
        }
        // A module of WebAssembly runs with all the instructions that it was compiled for, or not at all.
        #[cfg(target_arch = "wasm32")]
        match self {
            Self::Scalar => true,
            Self::Simd128 => cfg!(target_feature = "simd128"),
            // The one look up at the kernels: whether relaxed products are exact is known only by computing some.
            Self::RelaxedSimd => crate::kernels::relaxed_products_are_exact(),
            _ => false,
        }
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "wasm32")))]
        {
            self == Self::Scalar
        }
    }

    /// The strongest that this CPU has.
    pub fn best() -> Self {
        Self::strongest_up_to(None)
    }

    /// The strongest that this CPU has and that the environment variable `OSPREY_ISA`, if set and not
    /// empty, allows. A name that this CPU lacks caps at the strongest below it.
    ///
    /// # Errors
    /// [`IsaError`] if the variable holds a name that no instruction set has, or one of another
    /// architecture.
    pub fn from_env() -> Result<Self, IsaError> {
        let value = std::env::var_os("OSPREY_ISA").unwrap_or_default();
        Self::capped_by(&value.to_string_lossy())
    }

    /// [`Isa::from_env`], the variable's value given.
    fn capped_by(value: &str) -> Result<Self, IsaError> {
        if value.is_empty() {
            return Ok(Self::best());
        }
        let cap: Self =
            value.parse().map_err(|_: UnknownIsa| IsaError::Unknown { name: value.to_owned() })?;
        if !cap.is_of_this_architecture() {
            return Err(IsaError::OtherArchitecture { isa: cap });
        }
        Ok(Self::strongest_up_to(Some(cap)))
    }

    /// The strongest available one that does not exceed `cap`.
    pub fn strongest_up_to(cap: Option<Self>) -> Self {
        let allowed = |isa: &Self| isa.is_available() && cap.is_none_or(|cap| *isa <= cap);
        Self::ALL.into_iter().filter(allowed).max().unwrap_or(Self::Scalar)
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Isa {
    type Err = UnknownIsa;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|isa| isa.name() == s).ok_or_else(|| UnknownIsa { name: s.to_owned() })
    }
}

/// A name that no instruction set has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown instruction set \"{name}\"; use {}", names(|_| true))]
pub struct UnknownIsa {
    /// What was given.
    pub name: String,
}

/// Why the environment variable `OSPREY_ISA` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IsaError {
    /// No instruction set has this name.
    #[error(
        "OSPREY_ISA: unknown instruction set \"{name}\"; use {}, or unset it",
        names(Isa::is_of_this_architecture)
    )]
    Unknown {
        /// The variable's value.
        name: String,
    },
    /// The instruction set belongs to another architecture than the program was built for.
    #[error(
        "OSPREY_ISA: {isa} is not of this architecture, {}; use {}, or unset it",
        std::env::consts::ARCH,
        names(Isa::is_of_this_architecture)
    )]
    OtherArchitecture {
        /// The one that was asked for.
        isa: Isa,
    },
}

/// Names of the instruction sets that `keep` keeps, as a list in a sentence.
fn names(keep: impl Fn(Isa) -> bool) -> String {
    let names: Vec<_> = Isa::ALL.into_iter().filter(|&isa| keep(isa)).map(Isa::name).collect();
    match &names[..] {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for isa in Isa::ALL {
            assert_eq!(isa.to_string().parse(), Ok(isa));
        }
    }

    #[test]
    fn the_environment_caps_and_typing_errors_are_refused() {
        assert_eq!(Isa::capped_by(""), Ok(Isa::best()));
        assert_eq!(Isa::capped_by("scalar"), Ok(Isa::Scalar));
        for isa in Isa::ALL.into_iter().filter(|isa| isa.is_of_this_architecture()) {
            let capped = Isa::capped_by(isa.name()).unwrap();
            assert!(capped <= isa && capped.is_available(), "{isa} gave {capped}");
            assert!(!isa.is_available() || capped == isa, "{isa} gave {capped}");
        }
        for typo in ["AVX2", "avx512", " neon"] {
            let error = Isa::capped_by(typo).unwrap_err();
            assert!(error.to_string().contains("scalar"), "{error}");
        }
    }

    #[test]
    fn another_architecture_is_refused() {
        let foreign = if cfg!(target_arch = "x86_64") { Isa::Neon } else { Isa::Avx2 };
        assert_eq!(Isa::capped_by(foreign.name()), Err(IsaError::OtherArchitecture { isa: foreign }));
    }
}
