//! Six rows × eight channels, eight steps of k a turn, in one loop of assembler.
//!
//! ```text
//! a row's eight elements     x = k 0..4, y = k 4..8          one `ldp` of each of six rows
//! eight channels at a k      u0 v0, u1 v1, u2 v2, u3 v3      four `ldp` for four steps of k, twice
//! sums                       c = channels 0..4, d = 4..8     of each row
//! ```
//!
//! All 32 registers are taken: 12 sums, 12 of activations, 8 of weights. 96 multiplications need 14 loads and
//! two instructions of loop control; LLVM computes an address for each row and spills besides.

use super::F32x4;
use core::arch::asm;

/// Rows.
pub(super) const ROWS: usize = 6;
/// Registers of channels.
pub(super) const REGISTERS: usize = 2;
/// Steps of k in a turn.
pub(super) const DEPTH: usize = 8;

/// Both registers of sums of each row plus weights `$u`, `$v` times lane `$lane` of the row's register.
macro_rules! step {
    ($u:literal, $v:literal, $lane:literal, [$($x:literal $c:literal $d:literal),*]) => {
        concat!($(
            "fmla {", $c, ":v}.4s, {", $u, ":v}.4s, {", $x, ":v}.s[", $lane, "]\n",
            "fmla {", $d, ":v}.4s, {", $v, ":v}.4s, {", $x, ":v}.s[", $lane, "]\n",
        )*)
    };
}

/// Lane `$lane` of the first four elements of all rows.
macro_rules! near {
    ($u:literal, $v:literal, $lane:literal) => {
        step!($u, $v, $lane, ["x0" "c0" "d0", "x1" "c1" "d1", "x2" "c2" "d2",
            "x3" "c3" "d3", "x4" "c4" "d4", "x5" "c5" "d5"])
    };
}

/// Lane `$lane` of the last four elements of all rows.
macro_rules! far {
    ($u:literal, $v:literal, $lane:literal) => {
        step!($u, $v, $lane, ["y0" "c0" "d0", "y1" "c1" "d1", "y2" "c2" "d2",
            "y3" "c3" "d3", "y4" "c4" "d4", "y5" "c5" "d5"])
    };
}

/// Adds to `acc` the products of `turns` × [`DEPTH`] elements of six rows, which lie `stride` apart from
/// `a` on, with as many pairs of registers of weights from `w` on.
///
/// # Safety
/// The CPU has NEON, the elements and weights are readable, and there is a turn at least. `R` is
/// [`ROWS`], and `P` [`REGISTERS`].
#[inline(always)]
pub(super) unsafe fn products<const R: usize, const P: usize>(
    acc: &mut [[F32x4; P]; R],
    a: *const f32,
    stride: usize,
    w: *const f32,
    turns: usize,
) {
    let row = |r: usize| a.wrapping_add(r * stride);
    // SAFETY: the caller's; reads memory and changes the registers that are named.
    unsafe {
        asm!(
            "2:",
            "ldp {x0:q}, {y0:q}, [{r0}], #32",
            "ldp {u0:q}, {v0:q}, [{w}], #256",
            "ldp {x1:q}, {y1:q}, [{r1}], #32",
            "ldp {x2:q}, {y2:q}, [{r2}], #32",
            "ldp {x3:q}, {y3:q}, [{r3}], #32",
            "ldp {x4:q}, {y4:q}, [{r4}], #32",
            "ldp {x5:q}, {y5:q}, [{r5}], #32",
            "ldp {u1:q}, {v1:q}, [{w}, #-224]",
            "subs {n}, {n}, #1",
            near!("u0", "v0", "0"),
            "ldp {u2:q}, {v2:q}, [{w}, #-192]",
            near!("u1", "v1", "1"),
            "ldp {u3:q}, {v3:q}, [{w}, #-160]",
            near!("u2", "v2", "2"),
            "ldp {u0:q}, {v0:q}, [{w}, #-128]",
            near!("u3", "v3", "3"),
            "ldp {u1:q}, {v1:q}, [{w}, #-96]",
            far!("u0", "v0", "0"),
            "ldp {u2:q}, {v2:q}, [{w}, #-64]",
            far!("u1", "v1", "1"),
            "ldp {u3:q}, {v3:q}, [{w}, #-32]",
            far!("u2", "v2", "2"),
            far!("u3", "v3", "3"),
            "b.ne 2b",
            r0 = inout(reg) row(0) => _,
            r1 = inout(reg) row(1) => _,
            r2 = inout(reg) row(2) => _,
            r3 = inout(reg) row(3) => _,
            r4 = inout(reg) row(4) => _,
            r5 = inout(reg) row(5) => _,
            w = inout(reg) w => _,
            n = inout(reg) turns => _,
            c0 = inout(vreg) acc[0][0].0,
            d0 = inout(vreg) acc[0][1].0,
            c1 = inout(vreg) acc[1][0].0,
            d1 = inout(vreg) acc[1][1].0,
            c2 = inout(vreg) acc[2][0].0,
            d2 = inout(vreg) acc[2][1].0,
            c3 = inout(vreg) acc[3][0].0,
            d3 = inout(vreg) acc[3][1].0,
            c4 = inout(vreg) acc[4][0].0,
            d4 = inout(vreg) acc[4][1].0,
            c5 = inout(vreg) acc[5][0].0,
            d5 = inout(vreg) acc[5][1].0,
            x0 = out(vreg) _, y0 = out(vreg) _,
            x1 = out(vreg) _, y1 = out(vreg) _,
            x2 = out(vreg) _, y2 = out(vreg) _,
            x3 = out(vreg) _, y3 = out(vreg) _,
            x4 = out(vreg) _, y4 = out(vreg) _,
            x5 = out(vreg) _, y5 = out(vreg) _,
            u0 = out(vreg) _, v0 = out(vreg) _,
            u1 = out(vreg) _, v1 = out(vreg) _,
            u2 = out(vreg) _, v2 = out(vreg) _,
            u3 = out(vreg) _, v3 = out(vreg) _,
            options(readonly, nostack),
        );
    }
}
