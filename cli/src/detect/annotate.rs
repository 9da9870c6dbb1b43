//! Boxes and labels drawn on a picture.

use super::record::Found;
use ab_glyph::FontRef;
use image::{Rgb, RgbImage};
use imageproc::drawing::{draw_filled_rect_mut, draw_text_mut, text_size};
use imageproc::rect::Rect;

/// DejaVu Sans Bold, reduced to Latin, Greek and Cyrillic.
static FONT: &[u8] = include_bytes!("../../assets/DejaVuSans-Bold.ttf");

/// The font for labels.
pub(crate) fn font() -> FontRef<'static> {
    FontRef::try_from_slice(FONT).expect("the bundled font is valid")
}

/// A colour for a class, the same in every picture and every run.
pub(crate) fn color(class_id: usize) -> [u8; 3] {
    // The golden angle spreads neighbouring ids over the whole circle.
    const GOLDEN_ANGLE: f32 = 137.508;
    let hue = (class_id as f32 * GOLDEN_ANGLE + 150.0) % 360.0;
    // Every other round is lighter, so that classes a full circle apart still differ.
    let lightness = if class_id.is_multiple_of(2) { 0.5 } else { 0.6 };
    hsl(hue, 0.9, lightness)
}

/// Sets boxes and labels into `image`, whose size may differ from the record's.
pub(crate) fn draw(image: &mut RgbImage, found: &[Found], of: (u32, u32), font: &FontRef<'_>) {
    let (width, height) = image.dimensions();
    let (scale_x, scale_y) = (width as f32 / of.0 as f32, height as f32 / of.1 as f32);
    let short_side = width.min(height) as f32;
    let thickness = (short_side / 200.0).round().clamp(1.0, 12.0) as i32;
    let text_height = (short_side / 24.0).clamp(11.0, 72.0);
    let corners = |f: &Found| {
        let [left, right] = [f.bbox.x_min, f.bbox.x_max].map(|x| (x * scale_x).round() as i32);
        let [top, bottom] = [f.bbox.y_min, f.bbox.y_max].map(|y| (y * scale_y).round() as i32);
        [left, top, right.max(left + 1), bottom.max(top + 1)]
    };
    // The best comes first, and is to lie on top; all labels lie above all lines.
    for f in found.iter().rev() {
        frame(image, corners(f), thickness, Rgb(color(f.class_id)));
    }
    let mut placed: Vec<[i32; 4]> = Vec::new();
    for f in found {
        let rgb = color(f.class_id);
        let text = format!("{} {:.0} %", f.label, f.score * 100.0);
        let (text_w, text_h) = text_size(text_height, font, &text);
        let margin = thickness.max(2);
        let (w, h) = (text_w as i32 + 2 * margin, text_h as i32 + margin);
        let (x, y) = place(corners(f), (w, h), (width as i32, height as i32), &placed);
        placed.push([x, y, x + w, y + h]);
        draw_filled_rect_mut(image, Rect::at(x, y).of_size(w as u32, h as u32), Rgb(rgb));
        draw_text_mut(image, Rgb(ink_on(rgb)), x + margin, y + margin / 2, text_height, font, &text);
    }
}

/// Where a label of size (w, h) goes: above its box, inside, below, or on a line farther down the box;
/// the first place that covers no other label, else the one that covers the least.
fn place(
    [left, top, right, bottom]: [i32; 4],
    (w, h): (i32, i32),
    (width, height): (i32, i32),
    placed: &[[i32; 4]],
) -> (i32, i32) {
    let column = |x: i32| x.min(width - w).max(0);
    let columns = [column(left), column(right - w)];
    let rows = [top - h, top.max(0), bottom, bottom - h];
    let rows = rows.into_iter().chain((1..=8).flat_map(|line| [top + line * h, top - (line + 1) * h]));
    let rows = rows.filter(|&y| y >= 0 && y + h <= height.max(h));
    let places = rows.flat_map(|y| columns.map(|x| (x, y)));
    let covered = |&(x, y): &(i32, i32)| -> i32 {
        let shared = |p: &[i32; 4]| {
            let (across, down) = ((x + w).min(p[2]) - x.max(p[0]), (y + h).min(p[3]) - y.max(p[1]));
            across.max(0) * down.max(0)
        };
        placed.iter().map(shared).sum()
    };
    // The first of equally good ones.
    places.min_by_key(covered).unwrap_or((columns[0], top.clamp(0, (height - h).max(0))))
}

/// A hollow rectangle whose line lies inside its edges, so that it is whole at the picture's border.
fn frame(image: &mut RgbImage, [left, top, right, bottom]: [i32; 4], thickness: i32, color: Rgb<u8>) {
    let (w, h) = (right - left, bottom - top);
    let line = thickness.min((w.min(h) + 1) / 2).max(1);
    let sides = [
        (left, top, w, line),
        (left, bottom - line, w, line),
        (left, top, line, h),
        (right - line, top, line, h),
    ];
    for (x, y, w, h) in sides {
        draw_filled_rect_mut(image, Rect::at(x, y).of_size(w as u32, h as u32), color);
    }
}

/// Black or white, whichever is easier to read (ITU-R BT.601 luma).
pub(crate) fn ink_on([r, g, b]: [u8; 3]) -> [u8; 3] {
    let luma = 0.299 * f32::from(r) + 0.587 * f32::from(g) + 0.114 * f32::from(b);
    if luma > 140.0 { [0; 3] } else { [255; 3] }
}

fn hsl(hue: f32, saturation: f32, lightness: f32) -> [u8; 3] {
    let reach = saturation * lightness.min(1.0 - lightness);
    [0.0, 8.0, 4.0].map(|n| {
        let k = (n + hue / 30.0) % 12.0;
        let value = lightness - reach * (k - 3.0).min(9.0 - k).clamp(-1.0, 1.0);
        (value * 255.0).round() as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use osprey_detector::PixelBox;

    /// In a picture of 200 x 100 pixels.
    fn draw_one(image: &mut RgbImage, bbox: PixelBox) {
        let found = Found { class_id: 3, label: "käfer".into(), score: 0.5, bbox };
        draw(image, &[found], (200, 100), &font());
    }

    #[test]
    fn the_line_lies_on_the_edges_of_the_box() {
        let mut image = RgbImage::new(200, 100);
        let bbox = PixelBox { x_min: 20.0, y_min: 40.0, x_max: 180.0, y_max: 90.0 };
        draw_one(&mut image, bbox);
        let line = Rgb(color(3));
        for (x, y) in [(20, 60), (179, 60), (100, 40), (100, 89)] {
            assert_eq!(*image.get_pixel(x, y), line, "at {x},{y}");
        }
        for (x, y) in [(19, 60), (180, 60), (100, 90), (100, 65)] {
            assert_eq!(*image.get_pixel(x, y), Rgb([0; 3]), "at {x},{y}");
        }
    }

    #[test]
    fn any_box_can_be_drawn_on_any_picture() {
        for (w, h) in [(1, 1), (1, 300), (300, 1), (33, 17)] {
            for (a, b) in [(0.0, 0.0), (-5.0, 500.0), (199.9, 200.0), (150.0, 20.0)] {
                let mut image = RgbImage::new(w, h);
                draw_one(&mut image, PixelBox { x_min: a, y_min: a / 2.0, x_max: b, y_max: b / 2.0 });
            }
        }
    }

    #[test]
    fn labels_cover_neither_each_other_nor_leave_the_picture() {
        // Six names for one object, at the top, in the middle and in a corner.
        for bbox in [[100, 0, 400, 300], [100, 200, 400, 500], [500, 380, 640, 480]] {
            let mut placed: Vec<[i32; 4]> = Vec::new();
            for label in 0..6 {
                let (w, h) = (90 + 10 * label, 20);
                let (x, y) = place(bbox, (w, h), (640, 480), &placed);
                assert!(x >= 0 && y >= 0 && x + w <= 640 && y + h <= 480, "{x},{y} for {bbox:?}");
                let apart = |p: &[i32; 4]| x >= p[2] || x + w <= p[0] || y >= p[3] || y + h <= p[1];
                assert!(placed.iter().all(apart), "label {label} of {bbox:?} at {x},{y}: {placed:?}");
                placed.push([x, y, x + w, y + h]);
            }
        }
    }

    #[test]
    fn neighbouring_classes_differ_in_colour() {
        for id in 0..90 {
            let distance: i32 =
                color(id).iter().zip(color(id + 1)).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).sum();
            assert!(distance > 100, "{id}: {distance}");
        }
    }
}
