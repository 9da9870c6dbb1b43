//! A camera without a camera: shapes that move over a gradient, in NV12 as phones give it.

use super::{OwnedFrame, Source, frame_bytes};
use crate::live::args::RawFormat;
use anyhow::Result;
use osprey_detector::frame::YuvColor;

/// Luma, Cb and Cr of the shapes.
const COLORS: [[u8; 3]; 5] = [[82, 90, 240], [145, 54, 34], [41, 240, 110], [210, 16, 146], [170, 166, 16]];

pub(super) struct Synthetic {
    size: (u32, u32),
    fps: f64,
    count: u64,
}

impl Synthetic {
    pub(super) fn new(size: (u32, u32), fps: f64) -> Self {
        Self { size, fps, count: 0 }
    }
}

impl Source for Synthetic {
    fn next(&mut self, frame: &mut OwnedFrame) -> Result<bool> {
        let (width, height) = self.size;
        (frame.format, frame.color) = (RawFormat::Nv12, YuvColor::BT709_VIDEO);
        (frame.width, frame.height) = self.size;
        frame.data.resize(frame_bytes(RawFormat::Nv12, width, height), 0);
        let (w, h) = (width as usize, height as usize);
        let (luma, chroma) = frame.data.split_at_mut(w * h);
        for (y, row) in luma.chunks_exact_mut(w).enumerate() {
            row.fill(40 + (y * 120 / h) as u8);
        }
        chroma.fill(128);
        let seconds = self.count as f64 / self.fps;
        for (index, color) in COLORS.iter().enumerate() {
            let phase = index as f64 * 1.3;
            let side = h.min(w) / (4 + index);
            let swing = |speed: f64, room: usize| {
                ((1.0 + (seconds * speed + phase).sin()) / 2.0 * room as f64) as usize
            };
            let (x, y) =
                (swing(0.7 + 0.2 * index as f64, w - side), swing(0.5 + 0.1 * index as f64, h - side));
            paint(luma, chroma, w, [x, y, side], *color);
        }
        self.count += 1;
        Ok(true)
    }
}

fn paint(luma: &mut [u8], chroma: &mut [u8], width: usize, [x, y, side]: [usize; 3], [l, cb, cr]: [u8; 3]) {
    for row in luma.chunks_exact_mut(width).skip(y).take(side) {
        row[x..x + side].fill(l);
    }
    for row in chroma.chunks_exact_mut(width.div_ceil(2) * 2).skip(y / 2).take(side / 2) {
        for pair in row[x / 2 * 2..][..side / 2 * 2].chunks_exact_mut(2) {
            pair.copy_from_slice(&[cb, cr]);
        }
    }
}
