use super::*;
use image::ImageFormat;

/// One photo, 203×131, as cjpeg writes it: by sampling of the colours, with restart markers, in
/// several scans, progressive.
const SAMPLES: [(&str, &[u8]); 10] = [
    ("4:4:4", include_bytes!("samples/s444.jpg")),
    ("4:2:2", include_bytes!("samples/s422.jpg")),
    ("4:4:0", include_bytes!("samples/s440.jpg")),
    ("4:2:0", include_bytes!("samples/s420.jpg")),
    ("4:1:1", include_bytes!("samples/s411.jpg")),
    ("grey", include_bytes!("samples/grey.jpg")),
    ("restart markers", include_bytes!("samples/restart.jpg")),
    ("a scan for each component", include_bytes!("samples/scans.jpg")),
    ("progressive", include_bytes!("samples/progressive.jpg")),
    ("progressive 4:4:4", include_bytes!("samples/progressive444.jpg")),
];
const SIZE: (u32, u32) = (203, 131);

/// The mean of each square of `side` pixels.
fn means(full: &RgbImage, side: u32) -> Vec<f64> {
    let (width, height) = (full.width() / side, full.height() / side);
    let mut means = Vec::new();
    for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
        for channel in 0..3 {
            let square = (0..side * side).map(|i| full.get_pixel(x * side + i % side, y * side + i / side));
            let sum: u32 = square.map(|p| u32::from(p[channel])).sum();
            means.push(f64::from(sum) / f64::from(side * side));
        }
    }
    means
}

#[test]
fn a_fraction_is_the_mean_of_the_pixels_it_stands_for() {
    for (name, file) in SAMPLES {
        // The general decoder, zune-jpeg 0.5, gives wrong pixels where each component has a scan of its own;
        // libjpeg gives those of the interleaved file.
        let reference = if name == "a scan for each component" { SAMPLES[3].1 } else { file };
        let full =
            image::load_from_memory_with_format(reference, ImageFormat::Jpeg).expect("sound").into_rgb8();
        for side in [8, 4, 2] {
            let wanted = (SIZE.0 / side, SIZE.1 / side);
            let progressive = name.starts_with("progressive");
            let Some(scaled) = decode(file, wanted) else {
                assert!(progressive && side < 8, "{name} at 1/{side}");
                continue;
            };
            assert_eq!(scaled.denominator, side);
            let size = (SIZE.0.div_ceil(side), SIZE.1.div_ceil(side));
            assert_eq!(scaled.pixels.dimensions(), size, "{name} at 1/{side}");
            let whole = (SIZE.0 / side, SIZE.1 / side);
            let ours = scaled.pixels.enumerate_pixels().filter(|(x, y, _)| *x < whole.0 && *y < whole.1);
            let ours: Vec<_> = ours.flat_map(|(_, _, p)| p.0).collect();
            let theirs = means(&full, side);
            assert_eq!(ours.len(), theirs.len());
            let error: f64 = ours.iter().zip(&theirs).map(|(a, b)| (f64::from(*a) - b).abs()).sum();
            let error = error / ours.len() as f64;
            println!("{name} at 1/{side}: {error:.2} of 255 away on average");
            // An eighth is the mean but for rounding; the coefficients that are left out hold the rest of
            // finer detail, of which this small photo is full. Colours of a progressive file with 4:2:0
            // have one sample for four pixels.
            let allowed = match (name, side) {
                ("progressive", _) => 7.0,
                (_, 8) => 1.0,
                _ => 4.0,
            };
            assert!(error < allowed, "{name} at 1/{side}: {error:.2} of 255 away on average");
        }
    }
}

#[test]
fn the_largest_fraction_with_enough_pixels_is_taken() {
    assert_eq!(denominator((4032, 3024), (300, 300)), 8);
    assert_eq!(denominator((2400, 2400), (300, 300)), 8);
    assert_eq!(denominator((2399, 3024), (300, 300)), 4);
    assert_eq!(denominator((1920, 1080), (300, 300)), 2);
    assert_eq!(denominator((599, 2000), (300, 300)), 1);
    assert_eq!(denominator((10, 10), (300, 300)), 1);
}

#[test]
fn what_is_of_another_kind_is_left_to_the_general_decoder() {
    assert!(decode(include_bytes!("samples/rgb.jpg"), (10, 10)).is_none(), "RGB without a transform");
    assert!(decode(SAMPLES[0].1, (150, 100)).is_none(), "the full size is needed");
    for length in [0, 2, 20, 300, 3000] {
        assert!(decode(&SAMPLES[0].1[..length], (10, 10)).is_none(), "cut off after {length} bytes");
    }
}

#[test]
fn damaged_files_give_a_picture_of_the_right_size_or_none() {
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut below = |n: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as usize % n
    };
    let (mut some, mut none) = (0, 0);
    for round in 0..4000 {
        let mut file = SAMPLES[round % SAMPLES.len()].1.to_vec();
        for _ in 0..=below(3) {
            // Tables and sizes stand in the first part.
            let at = below(if round % 2 == 0 { 700 } else { file.len() });
            match below(4) {
                0 => file[at] = below(256) as u8,
                1 => file[at] ^= 1 << below(8),
                2 => file.truncate(at.max(4)),
                _ => drop(file.drain(at..(at + 1 + below(8)).min(file.len()))),
            }
            file.resize(file.len().max(800), 0);
        }
        // As the caller does, which knows the size from the header.
        let pixels = Header::read(&file).map_or(0, |(h, _)| u64::from(h.width) * u64::from(h.height));
        if pixels > 4_000_000 {
            continue;
        }
        match decode(&file, (20, 10)) {
            Some(scaled) => {
                assert!(scaled.pixels.width() >= 20 && scaled.pixels.height() >= 10);
                some += 1;
            }
            None => none += 1,
        }
    }
    assert!(some > 100 && none > 100, "{some} pictures, {none} refused");
}
