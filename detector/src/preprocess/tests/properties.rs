//! What holds for every frame: random sizes, formats, orientations and regions.

use super::*;
use proptest::prelude::*;

/// Where a bright rectangle of the upright picture shows up in the input, by its centre of mass.
fn center_of_brightness(rgb: &[u8], width: usize) -> (f32, f32) {
    let (mut x, mut y, mut sum) = (0.0, 0.0, 0.0);
    for (i, pixel) in rgb.chunks(3).enumerate() {
        let weight = f32::from(pixel[0]);
        x += weight * ((i % width) as f32 + 0.5);
        y += weight * ((i / width) as f32 + 0.5);
        sum += weight;
    }
    (x / sum, y / sum)
}

fn arbitrary_fit() -> impl Strategy<Value = Fit> {
    prop_oneof![
        Just(Fit::Stretch),
        Just(Fit::Letterbox { fill: [0; 3], align: Align::Center }),
        Just(Fit::Letterbox { fill: [0; 3], align: Align::TopLeft }),
    ]
}

fn levels_by(
    kernel: Option<fast::Kernel>,
    frame: &Frame<'_>,
    filter: Filter,
    (width, height): (usize, usize),
) -> Vec<u8> {
    let spec = spec(width, height, DType::U8);
    let mut input = Tensor::zeros(spec.dtype, &spec.shape).unwrap();
    let mut preprocessor = Preprocessor::new(&spec, options(filter, Fit::Stretch)).unwrap();
    preprocessor.kernel = kernel;
    preprocessor.run(frame, &mut input.view_mut()).unwrap();
    match input {
        Tensor::U8(a) => a.into_iter().collect(),
        _ => unreachable!("the spec says uint8"),
    }
}

proptest! {
    /// Every instruction set gives the scalar code's bytes.
    #[test]
    fn kernels_equal_the_oracle(
        (width, height) in (2u32..130, 2u32..90),
        (input_w, input_h) in (1usize..80, 1usize..60),
        exif in 1u32..=8,
        padding in 0usize..9,
        seed: u64,
        format in 0..6,
        extreme: bool,
        filter in prop_oneof![3 => Just(Filter::Bilinear), 1 => Just(Filter::Antialiased), 1 => Just(Filter::Area)],
        roi in prop::option::of((0.0f32..0.5, 0.0f32..0.5, 0.5f32..1.0, 0.5f32..1.0)),
    ) {
        let Some(kernel) = fast::Kernel::up_to(Isa::best()) else {
            println!("this CPU has no kernel beyond the scalar code");
            return Ok(());
        };
        let mut state = seed;
        let mut bytes = |len: usize| (0..len).map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let byte = (state >> 56) as u8;
            if extreme { if byte < 128 { 0 } else { 255 } } else { byte }
        }).collect::<Vec<_>>();
        let (w, h) = (width as usize, height as usize);
        // No byte beyond the last row: reads behind it would be seen by a sanitizer, and fail the checks.
        let exact = |stride: usize, row: usize, rows: usize| stride * (rows - 1) + row;
        let chroma_row = w.div_ceil(2) * 2;
        let (y, c) = (bytes(exact(w + padding, w, h)), bytes(exact(chroma_row + padding, chroma_row, h.div_ceil(2))));
        let color = [YuvColor::BT601_FULL, YuvColor::BT709_VIDEO][padding % 2];
        let step = if format < 2 { 3 } else { 4 };
        let pixels = bytes(exact(w * step + padding, w * step, h));
        let plane = Plane::new(&pixels, w * step + padding);
        let (luma, chroma) = (Plane::new(&y, w + padding), Plane::new(&c, chroma_row + padding));
        let frame = match format {
            0 => Frame::packed(PackedFormat::Rgb, plane, width, height),
            1 => Frame::packed(PackedFormat::Bgr, plane, width, height),
            2 => Frame::packed(PackedFormat::Rgba, plane, width, height),
            3 => Frame::packed(PackedFormat::Bgra, plane, width, height),
            4 => Frame::nv12(luma, chroma, width, height, color),
            _ => Frame::nv21(luma, chroma, width, height, color),
        };
        let mut frame = frame.unwrap().with_orientation(Orientation::from_exif(exif).unwrap());
        if let Some((x_min, y_min, x_max, y_max)) = roi {
            frame = frame.with_roi(NormBox { x_min, y_min, x_max, y_max }).unwrap_or(frame);
        }
        let run = |kernel| levels_by(kernel, &frame, filter, (input_w, input_h));
        let (got, expected) = (run(Some(kernel)), run(None));
        prop_assert_eq!(got, expected, "{} {}", kernel.name(), frame.format_name());
    }

    #[test]
    fn boxes_come_back(
        (width, height) in (8u32..400, 8u32..400),
        (input_w, input_h) in (16usize..200, 16usize..200),
        exif in 1u32..=8,
        mirrored: bool,
        fit in arbitrary_fit(),
        roi in prop::option::of((0.0f32..0.6, 0.0f32..0.6, 0.3f32..0.4, 0.3f32..0.4)),
        inner in (0.0f32..0.5, 0.0f32..0.5, 0.1f32..0.5, 0.1f32..0.5),
    ) {
        let pixels = vec![0; (width * height) as usize];
        let mut frame = Frame::gray(&pixels, width, height).unwrap()
            .with_orientation(Orientation::from_exif(exif).unwrap());
        if mirrored {
            frame = frame.mirrored();
        }
        if let Some((x, y, w, h)) = roi {
            frame = frame.with_roi(NormBox { x_min: x, y_min: y, x_max: x + w, y_max: y + h }).unwrap();
        }
        let spec = spec(input_w, input_h, DType::U8);
        let mut input = Tensor::zeros(spec.dtype, &spec.shape).unwrap();
        let mut preprocessor = Preprocessor::new(&spec, options(Filter::Bilinear, fit)).unwrap();
        let placement = preprocessor.run(&frame, &mut input.view_mut()).unwrap();
        let (x, y, w, h) = inner;
        let original = NormBox { x_min: x, y_min: y, x_max: x + w, y_max: y + h };
        let back = placement.to_frame(placement.to_input(original));
        for (a, b) in [(back.x_min, original.x_min), (back.y_min, original.y_min), (back.x_max, original.x_max), (back.y_max, original.y_max)] {
            prop_assert!((a - b).abs() < 1e-4, "{back:?} {original:?}");
        }
        let seen = placement.to_frame(placement.target());
        prop_assert!((seen.x_min - frame.roi().x_min).abs() < 1e-5 && (seen.y_max - frame.roi().y_max).abs() < 1e-5);
    }

    /// The mapping must agree with where the pixels really went.
    #[test]
    fn pixels_go_where_the_placement_says(
        (width, height) in (40usize..120, 40usize..120),
        (x, y) in (0usize..30, 0usize..30),
        exif in 1u32..=8,
        mirrored: bool,
        fit in arbitrary_fit(),
    ) {
        // A bright spot of 9 × 5 pixels in memory.
        let mut pixels = vec![0; width * height];
        for row in y..y + 5 {
            pixels[row * width + x..][..9].fill(255);
        }
        let mut frame = Frame::gray(&pixels, width as u32, height as u32).unwrap()
            .with_orientation(Orientation::from_exif(exif).unwrap());
        if mirrored {
            frame = frame.mirrored();
        }
        let spec = spec(64, 48, DType::U8);
        let mut input = Tensor::zeros(spec.dtype, &spec.shape).unwrap();
        let mut preprocessor = Preprocessor::new(&spec, options(Filter::Antialiased, fit)).unwrap();
        let placement = preprocessor.run(&frame, &mut input.view_mut()).unwrap();
        let TensorView::U8(levels) = input.view() else { panic!() };
        let (seen_x, seen_y) = center_of_brightness(levels.as_slice().unwrap(), 64);
        let seen = InputBox { x_min: seen_x / 64.0, x_max: seen_x / 64.0, y_min: seen_y / 48.0, y_max: seen_y / 48.0 };
        let upright = placement.to_frame(seen);
        // The same point, by way of the orientation's own mapping.
        let stored = frame.orientation().to_stored(upright);
        let (got_x, got_y) = (stored.x_min * width as f32, stored.y_min * height as f32);
        // At the picture's edge the triangle is cut off, which pulls the centre inwards.
        prop_assert!((got_x - (x as f32 + 4.5)).abs() < 1.0 && (got_y - (y as f32 + 2.5)).abs() < 1.0,
            "{got_x} {got_y} for {} {}", x as f32 + 4.5, y as f32 + 2.5);
    }

    #[test]
    fn no_frame_panics(
        (width, height) in (1u32..40, 1u32..40),
        (input_w, input_h) in (1usize..50, 1usize..50),
        exif in 1u32..=8,
        filter in prop_oneof![Just(Filter::Antialiased), Just(Filter::Bilinear), Just(Filter::Area)],
        fit in arbitrary_fit(),
        format in 0..4,
    ) {
        let data = vec![255; 8000];
        let (color, half) = (YuvColor::BT709_FULL, width.div_ceil(2) as usize);
        let (y, c) = (Plane::new(&data, width as usize), Plane::new(&data, half * 2));
        let frame = match format {
            0 => Frame::bgra(&data, width, height),
            1 => Frame::nv12(y, c, width, height, color),
            2 => Frame::i420([y, Plane::new(&data, half), Plane::new(&data, half)], width, height, color),
            _ => Frame::yuyv(Plane::new(&data, half * 4), half as u32 * 2, height, color),
        }.unwrap().with_orientation(Orientation::from_exif(exif).unwrap());
        let got = levels(&frame, input_w, input_h, options(filter, fit));
        // Constant in, constant out; letterbox bars are black.
        let inside = got.chunks(3).filter(|p| *p != [0; 3]).collect::<Vec<_>>();
        prop_assert!(!inside.is_empty() && inside.iter().all(|p| *p == inside[0]));
    }
}
