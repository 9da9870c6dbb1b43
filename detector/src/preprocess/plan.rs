//! What is worked out once per geometry, not per frame.

use super::axis::Axis;
use super::{Align, Fit, Placement, PreprocessOptions};
use crate::frame::{Components, Frame, Orientation};
use crate::geometry::{InputBox, NormBox};

/// All that a plan depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key {
    size: (u32, u32),
    chroma: Option<(usize, usize)>,
    orientation: Orientation,
    roi: NormBox,
}

/// A rectangle of the model's input, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Axes<'a> {
    pub(super) across: &'a Axis,
    pub(super) down: &'a Axis,
}

/// Resampling tables along the picture's rows and columns as they lie in memory. Flips are part of
/// the tables; swapped axes are left to whoever writes the output.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    key: Key,
    pub(super) rect: Rect,
    pub(super) placement: Placement,
    pub(super) swaps_axes: bool,
    across: Axis,
    down: Axis,
    chroma: Option<(Axis, Axis)>,
}

impl Plan {
    pub(super) fn fits(&self, frame: &Frame<'_>) -> bool {
        self.key == key(frame)
    }

    pub(super) fn new(frame: &Frame<'_>, input: (usize, usize), options: &PreprocessOptions) -> Self {
        let key = key(frame);
        let rect = rect(frame, input, options.fit);
        let (w, h) = (input.0 as f32, input.1 as f32);
        let target = InputBox {
            x_min: rect.x as f32 / w,
            y_min: rect.y as f32 / h,
            x_max: (rect.x + rect.width) as f32 / w,
            y_max: (rect.y + rect.height) as f32 / h,
        };
        let orientation = frame.orientation();
        let swaps_axes = orientation.swaps_axes();
        let stored = orientation.to_stored(frame.roi());
        let (columns, rows) = match swaps_axes {
            true => (rect.height, rect.width),
            false => (rect.width, rect.height),
        };
        let axes = |(sub_x, sub_y): (usize, usize)| {
            let (width, height) = (f64::from(frame.width()), f64::from(frame.height()));
            let axis = |low: f32, high: f32, side: f64, sub: usize, len: usize, reversed: bool| {
                let window = f64::from(low) * side / sub as f64..f64::from(high) * side / sub as f64;
                let source = (side as usize).div_ceil(sub);
                Axis::new(options.filter, source, window, len, reversed)
            };
            (
                axis(stored.x_min, stored.x_max, width, sub_x, columns, orientation.reverses_columns()),
                axis(stored.y_min, stored.y_max, height, sub_y, rows, orientation.reverses_rows()),
            )
        };
        let (across, down) = axes((1, 1));
        Self {
            key,
            rect,
            placement: Placement::new(frame.roi(), target),
            swaps_axes,
            across,
            down,
            chroma: key.chroma.map(axes),
        }
    }

    /// Tables for channel `index` of `components`.
    pub(super) fn axes(&self, components: &Components<'_>, index: usize) -> Axes<'_> {
        match (&self.chroma, components) {
            (Some((across, down)), Components::Yuv(..)) if index > 0 => Axes { across, down },
            _ => Axes { across: &self.across, down: &self.down },
        }
    }

    /// Output samples along a row in memory.
    pub(super) fn columns(&self) -> usize {
        self.across.len()
    }

    /// Output samples along a column in memory.
    pub(super) fn rows(&self) -> usize {
        self.down.len()
    }
}

fn key(frame: &Frame<'_>) -> Key {
    let chroma = match frame.components() {
        Components::Yuv([_, cb, _], _) => Some(cb.subsampling),
        _ => None,
    };
    Key { size: (frame.width(), frame.height()), chroma, orientation: frame.orientation(), roi: frame.roi() }
}

fn rect(frame: &Frame<'_>, (width, height): (usize, usize), fit: Fit) -> Rect {
    let Fit::Letterbox { align, .. } = fit else {
        return Rect { x: 0, y: 0, width, height };
    };
    let (roi, (upright_w, upright_h)) = (frame.roi(), frame.upright_size());
    let seen_w = f64::from(roi.x_max - roi.x_min) * f64::from(upright_w);
    let seen_h = f64::from(roi.y_max - roi.y_min) * f64::from(upright_h);
    let scale = (width as f64 / seen_w).min(height as f64 / seen_h);
    let inner_w = ((seen_w * scale).round() as usize).clamp(1, width);
    let inner_h = ((seen_h * scale).round() as usize).clamp(1, height);
    let (x, y) = match align {
        Align::Center => ((width - inner_w) / 2, (height - inner_h) / 2),
        Align::TopLeft => (0, 0),
    };
    Rect { x, y, width: inner_w, height: inner_h }
}
