//! From an anchor and the network's correction to a box.

use super::{Anchor, SpecError};
use crate::geometry::InputBox;

/// Decoder of centre-size encodings, the `faster_rcnn_box_coder` of TensorFlow's detection models.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoxDecoder {
    /// Divisors of encoded y, x, h, w.
    scale: [f64; 4],
    /// Encoded h and w are factors, not logarithms.
    linear: bool,
}

impl Default for BoxDecoder {
    /// TensorFlow's usual divisors: 10, 10, 5, 5.
    fn default() -> Self {
        Self { scale: [10.0, 10.0, 5.0, 5.0], linear: false }
    }
}

impl BoxDecoder {
    /// With divisors of encoded y, x, h, w.
    ///
    /// # Errors
    /// [`SpecError::BoxScale`] where one is not greater than zero.
    pub fn new(scale: [f32; 4]) -> Result<Self, SpecError> {
        match scale.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            Some(&scale) => Err(SpecError::BoxScale { scale }),
            None => Ok(Self { scale: scale.map(f64::from), linear: false }),
        }
    }

    /// The same, where encoded heights and widths are factors of the anchor's (`linear`) or their logarithms.
    #[must_use]
    pub fn with_linear_sizes(self, linear: bool) -> Self {
        Self { linear, ..self }
    }

    /// The box that `encoded` (y, x, h, w) makes of `anchor`: centre + encoded ÷ scale × size, and
    /// size × e^(encoded ÷ scale), or size × encoded ÷ scale with linear sizes. Computed in double precision and rounded where LiteRT does.
    #[inline]
    pub fn decode(&self, encoded: [f32; 4], anchor: Anchor) -> InputBox {
        let [y, x, h, w] = encoded.map(f64::from);
        let [sy, sx, sh, sw] = self.scale;
        let (anchor_h, anchor_w) = (f64::from(anchor.h), f64::from(anchor.w));
        let cy = (y / sy * anchor_h + f64::from(anchor.cy)) as f32;
        let cx = (x / sx * anchor_w + f64::from(anchor.cx)) as f32;
        let factor = |encoded: f64| if self.linear { encoded } else { encoded.exp() };
        let half_h = (0.5 * factor(h / sh) * anchor_h) as f32;
        let half_w = (0.5 * factor(w / sw) * anchor_w) as f32;
        InputBox::from_yxyx([cy - half_h, cx - half_w, cy + half_h, cx + half_w])
    }

    /// The correction that makes `bbox` of `anchor`: the inverse of [`BoxDecoder::decode`].
    pub fn encode(&self, bbox: InputBox, anchor: Anchor) -> [f32; 4] {
        let [sy, sx, sh, sw] = self.scale.map(|s| s as f32);
        let (h, w) = (bbox.y_max - bbox.y_min, bbox.x_max - bbox.x_min);
        let (cy, cx) = ((bbox.y_min + bbox.y_max) / 2.0, (bbox.x_min + bbox.x_max) / 2.0);
        let encoded = |factor: f32| if self.linear { factor } else { factor.ln() };
        [
            (cy - anchor.cy) / anchor.h * sy,
            (cx - anchor.cx) / anchor.w * sx,
            encoded(h / anchor.h) * sh,
            encoded(w / anchor.w) * sw,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_correction_of_zero_is_the_anchor() {
        let anchor = Anchor { cy: 0.4, cx: 0.6, h: 0.2, w: 0.5 };
        let decoded = BoxDecoder::default().decode([0.0; 4], anchor);
        assert_eq!(decoded, InputBox::from_yxyx([0.4 - 0.1, 0.6 - 0.25, 0.4 + 0.1, 0.6 + 0.25]));
    }

    #[test]
    fn y_and_h_go_with_the_height() {
        let anchor = Anchor { cy: 0.5, cx: 0.5, h: 0.2, w: 0.4 };
        let decoder = BoxDecoder::new([10.0, 5.0, 2.0, 4.0]).unwrap();
        // One anchor height down, half as high; a quarter of its width left, twice as wide.
        let decoded = decoder.decode([10.0, -1.25, -2.0 * 2f32.ln(), 4.0 * 2f32.ln()], anchor);
        let expected = InputBox::from_yxyx([0.65, 0.0, 0.75, 0.8]);
        let off = [
            decoded.y_min - expected.y_min,
            decoded.x_min - expected.x_min,
            decoded.y_max - expected.y_max,
            decoded.x_max - expected.x_max,
        ];
        assert!(off.iter().all(|o| o.abs() < 1e-6), "{decoded:?}");
    }

    #[test]
    fn divisors_must_be_positive() {
        for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
            assert!(BoxDecoder::new([10.0, 10.0, scale, 5.0]).is_err());
        }
    }

    proptest! {
        #[test]
        fn encoding_is_undone(
            (y, x, h, w) in (0.0f32..0.8, 0.0f32..0.8, 0.01f32..0.9, 0.01f32..0.9),
            (cy, cx, ah, aw) in (0.0f32..1.0, 0.0f32..1.0, 0.05f32..1.0, 0.05f32..1.0),
        ) {
            let (bbox, anchor) = (InputBox::from_yxyx([y, x, y + h, x + w]), Anchor { cy, cx, h: ah, w: aw });
            for decoder in [BoxDecoder::default(), BoxDecoder::default().with_linear_sizes(true)] {
                let back = decoder.decode(decoder.encode(bbox, anchor), anchor);
                prop_assert!(back.iou(&bbox) > 0.999, "{back:?} in place of {bbox:?}");
            }
        }
    }
}
