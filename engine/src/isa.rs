//! Instruction sets that kernels are written for.

use std::fmt;
use std::str::FromStr;

/// An instruction set that a kernel can be chosen for. Later ones of an architecture include
/// earlier ones; [`Isa::Scalar`] is everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Isa {
    /// Portable Rust: the oracle of all others.
    Scalar,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VL and VNNI.
    Avx512Vnni,
    /// 64-bit Arm.
    Neon,
    /// 64-bit Arm with `sdot` and `udot`.
    NeonDotprod,
    /// 64-bit Arm with `smmla` and `usmmla`.
    I8mm,
}

impl Isa {
    /// All of them, weakest first.
    pub const ALL: [Self; 6] =
        [Self::Scalar, Self::Avx2, Self::Avx512Vnni, Self::Neon, Self::NeonDotprod, Self::I8mm];

    /// The name that `OSPREY_ISA` takes and that kernel names carry.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Avx2 => "avx2",
            Self::Avx512Vnni => "avx512vnni",
            Self::Neon => "neon",
            Self::NeonDotprod => "dotprod",
            Self::I8mm => "i8mm",
        }
    }

    /// Whether this CPU has it.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Scalar => true,
            Self::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
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
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        {
            self == Self::Scalar
        }
    }

    /// The strongest that this CPU has and that `OSPREY_ISA`, where set, allows.
    ///
    /// An unknown or unavailable name in `OSPREY_ISA` caps at the strongest available one below it.
    pub fn detect() -> Self {
        let cap = std::env::var("OSPREY_ISA").ok().and_then(|name| name.parse().ok());
        Self::strongest_up_to(cap)
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
#[error("unknown instruction set \"{name}\"; use scalar, avx2, avx512vnni, neon, dotprod or i8mm")]
pub struct UnknownIsa {
    /// What was given.
    pub name: String,
}
