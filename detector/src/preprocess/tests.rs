mod properties;

use super::*;
use crate::frame::{Orientation, PackedFormat, Plane, YuvColor};
use crate::geometry::{InputBox, NormBox};
use crate::tensor::{Quantization, Tensor, TensorView};

/// The picture of tests/peers/pillow_resize.py.
fn picture(width: usize, height: usize) -> Vec<u8> {
    let mut rgb = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for c in 0..3 {
                let noise = ((x * 73 + y * 151 + c * 199) * (x * y + 31 * c + 17)) >> 3;
                let smooth = 255 * x / width + 40 * c;
                rgb.push(if (x / 8 + y / 8) % 2 == 0 { noise } else { smooth } as u8);
            }
        }
    }
    rgb
}

fn per_tensor(scale: f32, zero_point: i32) -> Quantization {
    Quantization { scales: vec![scale], zero_points: vec![zero_point], axis: 0 }
}

fn spec(width: usize, height: usize, dtype: DType) -> TensorSpec {
    let quantization = match dtype {
        DType::U8 => Some(per_tensor(1.0 / 128.0, 128)),
        DType::I8 => Some(per_tensor(1.0 / 128.0, 0)),
        _ => None,
    };
    TensorSpec { name: "input".into(), shape: vec![1, height, width, 3], dtype, quantization }
}

fn options(filter: Filter, fit: Fit) -> PreprocessOptions {
    PreprocessOptions { fit, filter, ..Default::default() }
}

fn levels(frame: &Frame<'_>, width: usize, height: usize, options: PreprocessOptions) -> Vec<u8> {
    let spec = spec(width, height, DType::U8);
    let mut input = Tensor::zeros(spec.dtype, &spec.shape).unwrap();
    Preprocessor::new(&spec, options).unwrap().run(frame, &mut input.view_mut()).unwrap();
    match input.view() {
        TensorView::U8(a) => a.iter().copied().collect(),
        _ => unreachable!("the spec says uint8"),
    }
}

fn largest_difference(a: &[u8], b: &[u8]) -> u8 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}

#[test]
fn antialiased_is_pillows_bilinear_to_a_level() {
    for (width, height, region, out_w, out_h) in [
        (97, 61, None, 30, 23),
        (40, 31, None, 75, 90),
        (160, 90, Some([10.5, 3.25, 140.75, 80.0]), 33, 21),
        (500, 9, None, 16, 20),
    ] {
        let file =
            format!("{}/tests/data/pillow_{width}x{height}_{out_w}x{out_h}.rgb", env!("CARGO_MANIFEST_DIR"));
        let expected = std::fs::read(file).unwrap();
        let rgb = picture(width, height);
        let mut frame = Frame::rgb(&rgb, width as u32, height as u32).unwrap();
        if let Some([x_min, y_min, x_max, y_max]) = region {
            let (w, h) = (width as f32, height as f32);
            let roi = NormBox { x_min: x_min / w, y_min: y_min / h, x_max: x_max / w, y_max: y_max / h };
            frame = frame.with_roi(roi).unwrap();
        }
        let got = levels(&frame, out_w, out_h, options(Filter::Antialiased, Fit::Stretch));
        assert!(largest_difference(&got, &expected) <= 1, "{width}x{height}");
        let equal = got.iter().zip(&expected).filter(|(a, b)| a == b).count();
        assert!(equal * 10 >= got.len() * 8, "only {equal} of {} equal at {width}x{height}", got.len());
    }
}

#[test]
fn orientations_equal_turning_the_pixels_first() {
    let (width, height) = (13, 7);
    let rgb = picture(width, height);
    for orientation in Orientation::ALL {
        let frame = Frame::rgb(&rgb, width as u32, height as u32).unwrap().with_orientation(orientation);
        let (upright_w, upright_h) = frame.upright_size();
        let mut turned = Vec::new();
        for y in 0..upright_h as usize {
            for x in 0..upright_w as usize {
                let (mut sx, mut sy) = if orientation.swaps_axes() { (y, x) } else { (x, y) };
                // EXIF 2, 3, 7, 8 have the first stored column at the right or bottom ...
                if matches!(orientation.exif(), 2 | 3 | 7 | 8) {
                    sx = width - 1 - sx;
                }
                // ... and 3, 4, 6, 7 the first stored row at the bottom or right.
                if matches!(orientation.exif(), 3 | 4 | 6 | 7) {
                    sy = height - 1 - sy;
                }
                turned.extend_from_slice(&rgb[(sy * width + sx) * 3..][..3]);
            }
        }
        let upright = Frame::rgb(&turned, upright_w, upright_h).unwrap();
        for filter in [Filter::Antialiased, Filter::Bilinear, Filter::Area] {
            let options = options(filter, Fit::Stretch);
            let (got, expected) = (levels(&frame, 5, 9, options), levels(&upright, 5, 9, options));
            // Turned by a quarter, the two passes round in the other order.
            assert!(largest_difference(&got, &expected) <= 1, "{orientation:?} {filter:?}");
        }
        let exact =
            levels(&frame, upright_w as usize, upright_h as usize, options(Filter::Bilinear, Fit::Stretch));
        assert_eq!(exact, turned, "{orientation:?}");
    }
}

#[test]
fn channel_order_and_padding_of_packed_formats() {
    let (width, height) = (9, 4);
    let rgb = picture(width, height);
    let expected = levels(&Frame::rgb(&rgb, 9, 4).unwrap(), 6, 5, PreprocessOptions::default());
    let padded = |format: PackedFormat, order: &[usize]| {
        let stride = width * format.bytes_per_pixel() + 11;
        let mut data = vec![0xAA; stride * height];
        for (i, pixel) in rgb.chunks(3).enumerate() {
            let at = i / width * stride + i % width * format.bytes_per_pixel();
            for (slot, channel) in order.iter().enumerate() {
                data[at + slot] = pixel[*channel];
            }
        }
        (data, stride)
    };
    for (format, order) in [
        (PackedFormat::Rgb, &[0, 1, 2]),
        (PackedFormat::Bgr, &[2, 1, 0]),
        (PackedFormat::Rgba, &[0, 1, 2]),
        (PackedFormat::Bgra, &[2, 1, 0]),
    ] {
        let (data, stride) = padded(format, order);
        let frame = Frame::packed(format, Plane::new(&data, stride), 9, 4).unwrap();
        assert_eq!(levels(&frame, 6, 5, PreprocessOptions::default()), expected, "{format:?}");
    }
    let bgr = PreprocessOptions { channels: ChannelOrder::Bgr, ..Default::default() };
    let swapped = levels(&Frame::rgb(&rgb, 9, 4).unwrap(), 6, 5, bgr);
    assert!(
        swapped.chunks(3).zip(expected.chunks(3)).all(|(a, b)| a[0] == b[2] && a[1] == b[1] && a[2] == b[0])
    );
}

#[test]
fn yuv_layouts_agree() {
    // Chroma that does not change within two pixels is the same in all layouts.
    let (width, height) = (12usize, 6usize);
    let luma: Vec<u8> = (0..width * height).map(|i| (i * 37 % 219 + 16) as u8).collect();
    let cb: Vec<u8> = (0..width * height / 4).map(|i| (i * 53 % 224 + 16) as u8).collect();
    let cr: Vec<u8> = (0..width * height / 4).map(|i| (i * 91 % 224 + 16) as u8).collect();
    let interleave = |a: &[u8], b: &[u8]| a.iter().zip(b).flat_map(|(a, b)| [*a, *b]).collect::<Vec<_>>();
    let (nv12, nv21) = (interleave(&cb, &cr), interleave(&cr, &cb));
    for color in [YuvColor::BT601_FULL, YuvColor::BT709_VIDEO] {
        let (y, half) = (Plane::new(&luma, width), width / 2);
        let (w, h) = (width as u32, height as u32);
        let frame = Frame::nv12(y, Plane::new(&nv12, width), w, h, color).unwrap();
        let expected = levels(&frame, 5, 4, PreprocessOptions::default());
        let frame = Frame::nv21(y, Plane::new(&nv21, width), w, h, color).unwrap();
        assert_eq!(levels(&frame, 5, 4, PreprocessOptions::default()), expected);
        let planes = [y, Plane::new(&cb, half), Plane::new(&cr, half)];
        let frame = Frame::i420(planes, w, h, color).unwrap();
        assert_eq!(levels(&frame, 5, 4, PreprocessOptions::default()), expected);
    }
}

#[test]
fn yuyv_has_its_chroma_in_place() {
    // One red and one blue pair, BT.601 video range.
    let data = [81, 90, 81, 240, 41, 240, 41, 110];
    let frame = Frame::yuyv(Plane::new(&data, 8), 4, 1, YuvColor::BT601_VIDEO).unwrap();
    let got = levels(&frame, 4, 1, options(Filter::Bilinear, Fit::Stretch));
    assert!(largest_difference(&got[..3], &[255, 0, 0]) <= 2, "{got:?}");
    assert!(largest_difference(&got[9..], &[0, 0, 255]) <= 2, "{got:?}");
}

#[test]
fn letterbox_bars_have_their_colour() {
    let rgb = vec![200; 20 * 10 * 3];
    let frame = Frame::rgb(&rgb, 20, 10).unwrap();
    for (align, bars_above) in [(Align::Center, 2), (Align::TopLeft, 0)] {
        let fit = Fit::Letterbox { fill: [1, 2, 3], align };
        let got = levels(&frame, 8, 8, options(Filter::Antialiased, fit));
        for (i, pixel) in got.chunks(3).enumerate() {
            let inside = (bars_above..bars_above + 4).contains(&(i / 8));
            assert_eq!(pixel, if inside { [200; 3] } else { [1, 2, 3] }, "{align:?} row {}", i / 8);
        }
    }
}

#[test]
fn element_types_hold_the_same_picture() {
    let rgb = picture(10, 8);
    let frame = Frame::rgb(&rgb, 10, 8).unwrap();
    let plain = levels(&frame, 7, 6, PreprocessOptions::default());
    let run = |spec: &TensorSpec, options| {
        let mut input = Tensor::zeros(spec.dtype, &spec.shape).unwrap();
        Preprocessor::new(spec, options).unwrap().run(&frame, &mut input.view_mut()).unwrap();
        input
    };
    let Tensor::I8(signed) = run(&spec(7, 6, DType::I8), PreprocessOptions::default()) else { panic!() };
    assert!(signed.iter().zip(&plain).all(|(s, p)| i32::from(*s) == i32::from(*p) - 128));
    let Tensor::F32(real) = run(&spec(7, 6, DType::F32), PreprocessOptions::default()) else { panic!() };
    assert!(real.iter().zip(&plain).all(|(r, p)| (r - (f32::from(*p) - 127.5) / 127.5).abs() < 1e-6));

    // A coarser scale cannot be levels as they are: 0 to 1 in steps of 1/64, zero at 3.
    let quantization = Some(per_tensor(1.0 / 64.0, 3));
    let coarse = TensorSpec { quantization, ..spec(7, 6, DType::U8) };
    let options = PreprocessOptions { normalization: Some(Normalization::UNIT), ..Default::default() };
    let Tensor::U8(steps) = run(&coarse, options) else { panic!() };
    assert!(
        steps
            .iter()
            .zip(&plain)
            .all(|(s, p)| i32::from(*s) == (f32::from(*p) / 255.0 * 64.0).round_ties_even() as i32 + 3)
    );
}

#[test]
fn plain_levels_go_into_8_bit_inputs_of_any_scale() {
    let pixels: Vec<u8> = (0..7 * 6 * 3).map(|i| (i * 37 % 251) as u8).collect();
    let frame = Frame::rgb(&pixels, 7, 6).unwrap();
    for (dtype, zero_point) in [(DType::U8, 0), (DType::I8, -128)] {
        for scale in [1.0 / 255.0, 1.0 / 127.5, 0.0186, 1.0] {
            let spec = TensorSpec { quantization: Some(per_tensor(scale, zero_point)), ..spec(7, 6, dtype) };
            let mut input = Tensor::zeros(dtype, &spec.shape).unwrap();
            let mut preprocessor = Preprocessor::new(&spec, PreprocessOptions::default()).unwrap();
            preprocessor.run(&frame, &mut input.view_mut()).unwrap();
            let levels: Vec<u8> = match &input {
                Tensor::U8(a) => a.iter().copied().collect(),
                Tensor::I8(a) => a.iter().map(|v| (i32::from(*v) + 128) as u8).collect(),
                other => panic!("{other:?}"),
            };
            assert_eq!(levels, pixels, "{dtype}, scale {scale}");
        }
    }
}

#[test]
fn channels_go_one_after_the_other_where_they_come_first() {
    let pixels: Vec<u8> = (0..5 * 4 * 3).map(|i| (i * 4) as u8).collect();
    for (channels, exif) in [(ChannelOrder::Rgb, 1), (ChannelOrder::Bgr, 6)] {
        let orientation = crate::frame::Orientation::from_exif(exif).unwrap();
        let frame = Frame::rgb(&pixels, 5, 4).unwrap().with_orientation(orientation);
        let (w, h) = frame.upright_size();
        let (w, h) = (w as usize, h as usize);
        let options = PreprocessOptions { channels, ..options(Filter::Bilinear, Fit::Stretch) };
        let run = |shape: Vec<usize>| {
            let spec = TensorSpec { shape, ..spec(w, h, DType::U8) };
            let mut input = Tensor::zeros(DType::U8, &spec.shape).unwrap();
            Preprocessor::new(&spec, options).unwrap().run(&frame, &mut input.view_mut()).unwrap();
            let Tensor::U8(a) = input else { panic!() };
            a.into_iter().collect::<Vec<u8>>()
        };
        let (pixelwise, planar) = (run(vec![1, h, w, 3]), run(vec![1, 3, h, w]));
        for (i, level) in pixelwise.iter().enumerate() {
            assert_eq!(planar[i % 3 * w * h + i / 3], *level, "{channels:?}, {exif}");
        }
    }
}

#[test]
fn gray_inputs_take_luma() {
    let rgb = [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255];
    let gray = TensorSpec { shape: vec![1, 1, 4, 1], ..spec(4, 1, DType::U8) };
    let mut input = Tensor::zeros(DType::U8, &gray.shape).unwrap();
    let options = options(Filter::Bilinear, Fit::Stretch);
    Preprocessor::new(&gray, options)
        .unwrap()
        .run(&Frame::rgb(&rgb, 4, 1).unwrap(), &mut input.view_mut())
        .unwrap();
    let Tensor::U8(luma) = input else { panic!() };
    assert_eq!(luma.iter().copied().collect::<Vec<_>>(), [76, 150, 29, 255]);
}

#[test]
fn wrong_tensors_are_refused() {
    let odd = TensorSpec { shape: vec![1, 8, 8, 4], ..spec(8, 8, DType::U8) };
    assert!(matches!(
        Preprocessor::new(&odd, PreprocessOptions::default()),
        Err(PreprocessError::Shape { .. })
    ));
    let mut preprocessor = Preprocessor::new(&spec(8, 6, DType::U8), PreprocessOptions::default()).unwrap();
    let frame = Frame::gray(&[0], 1, 1).unwrap();
    for (dtype, shape) in [(DType::U8, [1, 8, 6, 3]), (DType::I8, [1, 6, 8, 3])] {
        let mut other = Tensor::zeros(dtype, &shape).unwrap();
        let refused = preprocessor.run(&frame, &mut other.view_mut());
        assert!(matches!(refused, Err(PreprocessError::Mismatch(_))));
    }
}
