//! From resampled YUV to RGB, in integers.

use crate::frame::{YuvColor, YuvMatrix, YuvRange};

/// Fraction bits that resampled samples carry into colour conversion.
pub(super) const SAMPLE_BITS: u32 = 6;

/// Fraction bits of a coefficient: the largest (2.11) times this fits an i16.
const COEFFICIENT_BITS: u32 = 13;

/// From products of samples and coefficients to levels.
pub(super) const COLOR_SHIFT: u32 = SAMPLE_BITS + COEFFICIENT_BITS;

/// R = y·(Y − black) + rv·V, G = y·(Y − black) + gu·U + gv·V, B = y·(Y − black) + bu·U, with U and
/// V about zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ToRgb {
    pub(super) y: i16,
    pub(super) rv: i16,
    pub(super) gu: i16,
    pub(super) gv: i16,
    pub(super) bu: i16,
    /// In samples with [`SAMPLE_BITS`].
    pub(super) black: i16,
}

/// Chroma of gray, in samples with [`SAMPLE_BITS`].
pub(super) const NEUTRAL: i16 = 128 << SAMPLE_BITS;

impl ToRgb {
    /// ITU-R BT.601-7 and BT.709-6, section 3: from the weights of red and blue in luma.
    pub(super) fn new(color: YuvColor) -> Self {
        let (kr, kb) = match color.matrix {
            YuvMatrix::Bt601 => (0.299, 0.114),
            YuvMatrix::Bt709 => (0.2126, 0.0722),
        };
        let (luma, chroma, black) = match color.range {
            YuvRange::Full => (1.0, 1.0, 0),
            YuvRange::Video => (255.0 / 219.0, 255.0 / 224.0, 16),
        };
        let kg = 1.0 - kr - kb;
        let fixed = |c: f64| (c * f64::from(1 << COEFFICIENT_BITS)).round() as i16;
        Self {
            y: fixed(luma),
            rv: fixed(chroma * 2.0 * (1.0 - kr)),
            gu: fixed(-chroma * 2.0 * (1.0 - kb) * kb / kg),
            gv: fixed(-chroma * 2.0 * (1.0 - kr) * kr / kg),
            bu: fixed(chroma * 2.0 * (1.0 - kb)),
            black: black << SAMPLE_BITS,
        }
    }

    pub(super) fn convert(&self, y: i16, u: i16, v: i16) -> [u8; 3] {
        let luma = i32::from(self.y) * i32::from(y - self.black);
        let (u, v) = (i32::from(u - NEUTRAL), i32::from(v - NEUTRAL));
        let level = |sum: i32| ((sum + (1 << (COLOR_SHIFT - 1))) >> COLOR_SHIFT).clamp(0, 255) as u8;
        [
            level(luma + i32::from(self.rv) * v),
            level(luma + i32::from(self.gu) * u + i32::from(self.gv) * v),
            level(luma + i32::from(self.bu) * u),
        ]
    }
}

/// A resampled sample as a level.
pub(super) fn level(sample: i16) -> u8 {
    ((sample + (1 << (SAMPLE_BITS - 1))) >> SAMPLE_BITS) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primaries_come_out_within_a_level() {
        // Levels of pure colours, by the standards' own formulas.
        for color in
            [YuvColor::BT601_FULL, YuvColor::BT601_VIDEO, YuvColor::BT709_FULL, YuvColor::BT709_VIDEO]
        {
            let (kr, kb) = match color.matrix {
                YuvMatrix::Bt601 => (0.299, 0.114),
                YuvMatrix::Bt709 => (0.2126, 0.0722),
            };
            let (luma, chroma, black) = match color.range {
                YuvRange::Full => (255.0, 255.0, 0.0),
                YuvRange::Video => (219.0, 224.0, 16.0),
            };
            let to_rgb = ToRgb::new(color);
            for rgb in [
                [1.0, 0.0, 0.0],
                [0.0, 1.0, 0.0],
                [0.0, 0.0, 1.0],
                [1.0, 1.0, 1.0],
                [0.2, 0.6, 0.4],
                [0.0; 3],
            ] {
                let y: f64 = kr * rgb[0] + (1.0 - kr - kb) * rgb[1] + kb * rgb[2];
                let u = (rgb[2] - y) / (2.0 * (1.0 - kb));
                let v = (rgb[0] - y) / (2.0 * (1.0 - kr));
                let sample = |level: f64| (level * 64.0).round() as i16;
                let got = to_rgb.convert(
                    sample(y * luma + black),
                    sample((u * chroma + 128.0).min(255.0)),
                    sample((v * chroma + 128.0).min(255.0)),
                );
                for (got, wanted) in got.iter().zip(rgb) {
                    assert!((f64::from(*got) - wanted * 255.0).abs() <= 1.0, "{color:?} {rgb:?}: {got:?}");
                }
            }
        }
    }
}
