//! 1920×1080 frames to 300×300 RGB, by Osprey and by fast_image_resize: told on standard input which
//! and how often (`osprey nv12 20`), answers with the milliseconds of each run. `preprocess/run`
//! interleaves it with OpenCV. Told so by its arguments it does that once: `arm/preprocess` counts it.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use osprey_detector::frame::{Frame, Plane, YuvColor};
use osprey_detector::preprocess::{Filter, PreprocessOptions, Preprocessor};
use osprey_detector::{DType, Tensor, TensorSpec};
use std::error::Error;
use std::io::{BufRead, Write};
use std::time::Instant;

/// One preparation of a frame.
type Preparation<'a> = Box<dyn FnMut() -> Result<(), Box<dyn Error>> + 'a>;

const WIDTH: u32 = 1920;
const HEIGHT: u32 = 1080;
const SIDE: u32 = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let pixels: Vec<u8> =
        (0..WIDTH * HEIGHT * 4).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let told: Vec<String> = std::env::args().skip(1).collect();
    let told = (!told.is_empty()).then(|| Ok(told.join(" ")));
    let asked = told.is_none().then(|| std::io::stdin().lock().lines());
    for line in told.into_iter().chain(asked.into_iter().flatten()) {
        let line = line?;
        let [who, format, count] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("not WHO FORMAT COUNT: {line}").into());
        };
        let mut run = match (who, format) {
            ("osprey", format) => osprey(&pixels, format)?,
            ("fast_image_resize", "bgra") => fast_bgra(&pixels)?,
            ("fast_image_resize", "nv12") => fast_nv12(&pixels)?,
            _ => return Err(format!("no contender {who} {format}").into()),
        };
        run()?;
        let mut answer = String::new();
        for _ in 0..count.parse::<usize>()? {
            let start = Instant::now();
            run()?;
            answer += &format!("{:.5} ", start.elapsed().as_secs_f64() * 1e3);
        }
        println!("{}", answer.trim_end());
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// Luma and interleaved chroma.
fn planes(pixels: &[u8]) -> (&[u8], &[u8]) {
    let (luma, rest) = pixels.split_at((WIDTH * HEIGHT) as usize);
    (luma, &rest[..(WIDTH * HEIGHT / 2) as usize])
}

fn osprey<'a>(pixels: &'a [u8], format: &str) -> Result<Preparation<'a>, Box<dyn Error>> {
    let frame = match format {
        "bgra" => Frame::bgra(pixels, WIDTH, HEIGHT)?,
        "nv12" => {
            let (luma, chroma) = planes(pixels);
            let plane = |data| Plane::new(data, WIDTH as usize);
            Frame::nv12(plane(luma), plane(chroma), WIDTH, HEIGHT, YuvColor::BT601_VIDEO)?
        }
        _ => return Err(format!("no format {format}").into()),
    };
    let shape = vec![1, SIDE as usize, SIDE as usize, 3];
    let spec = TensorSpec { name: "in".into(), shape, dtype: DType::U8, quantization: None };
    let mut input = Tensor::zeros(spec.dtype, &spec.shape).ok_or("no such tensor")?;
    let options = PreprocessOptions { filter: Filter::Bilinear, ..PreprocessOptions::default() };
    let mut preprocessor = Preprocessor::new(&spec, options)?;
    Ok(Box::new(move || Ok(preprocessor.run(&frame, &mut input.view_mut()).map(|_| ())?)))
}

/// Two taps on each axis, as Osprey's bilinear filter and OpenCV's INTER_LINEAR take.
fn bilinear() -> (Resizer, ResizeOptions) {
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Interpolation(FilterType::Bilinear));
    (Resizer::new(), options)
}

/// Resizes four channels, then takes three of them in the other order.
fn fast_bgra(pixels: &[u8]) -> Result<Preparation<'_>, Box<dyn Error>> {
    let frame = ImageRef::new(WIDTH, HEIGHT, pixels, PixelType::U8x4)?;
    let mut small = Image::new(SIDE, SIDE, PixelType::U8x4);
    let mut rgb = vec![0u8; (SIDE * SIDE * 3) as usize];
    let (mut resizer, options) = bilinear();
    let options = options.use_alpha(false);
    Ok(Box::new(move || {
        resizer.resize(&frame, &mut small, &options)?;
        for (to, from) in rgb.chunks_exact_mut(3).zip(small.buffer().chunks_exact(4)) {
            to.copy_from_slice(&[from[2], from[1], from[0]]);
        }
        std::hint::black_box(&rgb);
        Ok(())
    }))
}

/// Resizes both planes to the size of the result, then converts the few pixels that are left: the
/// quickest way there with a library that knows no colours.
fn fast_nv12(pixels: &[u8]) -> Result<Preparation<'_>, Box<dyn Error>> {
    let (luma, chroma) = planes(pixels);
    let luma = ImageRef::new(WIDTH, HEIGHT, luma, PixelType::U8)?;
    let chroma = ImageRef::new(WIDTH / 2, HEIGHT / 2, chroma, PixelType::U8x2)?;
    let mut small_luma = Image::new(SIDE, SIDE, PixelType::U8);
    let mut small_chroma = Image::new(SIDE, SIDE, PixelType::U8x2);
    let mut rgb = vec![0u8; (SIDE * SIDE * 3) as usize];
    let (mut resizer, options) = bilinear();
    let options = options.use_alpha(false);
    Ok(Box::new(move || {
        resizer.resize(&luma, &mut small_luma, &options)?;
        resizer.resize(&chroma, &mut small_chroma, &options)?;
        let pixels = small_luma.buffer().iter().zip(small_chroma.buffer().chunks_exact(2));
        for (to, (y, uv)) in rgb.chunks_exact_mut(3).zip(pixels) {
            // BT.601, video range, in 1/64ths.
            let (y, u, v) = (75 * (i32::from(*y) - 16), i32::from(uv[0]) - 128, i32::from(uv[1]) - 128);
            let byte = |value: i32| (value >> 6).clamp(0, 255) as u8;
            to.copy_from_slice(&[byte(y + 102 * v), byte(y - 25 * u - 52 * v), byte(y + 129 * u)]);
        }
        std::hint::black_box(&rgb);
        Ok(())
    }))
}
