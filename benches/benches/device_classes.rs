//! Frames per second by device class: from camera buffer to tracked boxes.
//!
//! Criterion compares with the run before, or with `--baseline NAME`; a class that got more than a
//! tenth slower is reported as regressed. Figures go to `target/device_classes.json`, where a
//! phone's can be added, and from there to a table and `target/device_classes.svg`.

use criterion::{Criterion, Throughput};
use osprey_detector::frame::{Frame, Plane, YuvColor};
use osprey_detector::pipeline::{Pipeline, PipelineOptions};
use osprey_detector::{Detector, DetectorError, DetectorOptions, LoadOptions};
use osprey_engine::Isa;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A class this much slower than before has regressed.
const NOISE: f64 = 0.10;

#[derive(Debug, Deserialize)]
struct Classes {
    class: Vec<Class>,
}

#[derive(Debug, Clone, Deserialize)]
struct Class {
    name: String,
    isa: String,
    threads: usize,
    format: String,
    size: (u32, u32),
    model: String,
}

/// What was measured of a class, on one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Measured {
    device: String,
    class: String,
    frames_per_second: f64,
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("device_classes.toml")).expect("the classes");
    let classes: Classes = toml::from_str(&text).expect("the classes are well-formed");
    let mut criterion = Criterion::default()
        .sample_size(20)
        .noise_threshold(NOISE)
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let times = std::cell::RefCell::new(BTreeMap::new());
    for class in &classes.class {
        match pipeline(class, root) {
            Ok(start) => measure(&mut criterion, class, start, &times),
            Err(why) => println!("{}: passed over: {why}", class.name),
        }
    }
    criterion.final_summary();
    report(root, &times.into_inner());
}

type Start = Box<dyn Fn() -> Result<Detector, DetectorError> + Send + Sync>;

fn pipeline(class: &Class, root: &Path) -> Result<Start, String> {
    let isa: Isa = class.isa.parse().map_err(|e| format!("{e}"))?;
    if !isa.is_available() {
        return Err(format!("this CPU has no {isa}"));
    }
    let model = root.join("../models").join(&class.model);
    if !model.exists() {
        return Err(format!("no model {}", class.model));
    }
    let load = LoadOptions { threads: class.threads, isa: Some(isa), ..LoadOptions::default() };
    let options = DetectorOptions { load, ..DetectorOptions::default() };
    Ok(Box::new(move || Detector::load(&model, &options)))
}

fn measure(
    criterion: &mut Criterion,
    class: &Class,
    start: Start,
    times: &std::cell::RefCell<BTreeMap<String, Vec<f64>>>,
) {
    let (w, h) = class.size;
    // A gradient with texture: what is in the picture hardly changes the time.
    let buffer: Vec<u8> =
        (0..w * h * 4).map(|i| (i.wrapping_mul(2_654_435_761) >> 26) as u8 + (i / w % 128) as u8).collect();
    let frame = frame(class, &buffer);
    let (pipeline, results) = match Pipeline::start(start, &PipelineOptions::default()) {
        Ok(started) => started,
        Err(e) => return println!("{}: passed over: {e}", class.name),
    };
    let mut group = criterion.benchmark_group("device_classes");
    group.throughput(Throughput::Elements(1));
    group.bench_function(&class.name, |b| {
        b.iter_custom(|count| {
            let begin = std::time::Instant::now();
            for _ in 0..count {
                pipeline.submit(&frame).expect("the frame fits");
                results.recv().expect("the worker runs").expect("the model runs");
            }
            let took = begin.elapsed();
            times.borrow_mut().entry(class.name.clone()).or_default().push(took.as_secs_f64() / count as f64);
            took
        });
    });
    group.finish();
}

fn frame<'a>(class: &Class, buffer: &'a [u8]) -> Frame<'a> {
    let (w, h) = class.size;
    let frame = match class.format.as_str() {
        "bgra" => Frame::bgra(buffer, w, h),
        "rgb" => Frame::rgb(&buffer[..(w * h * 3) as usize], w, h),
        "nv12" => {
            let (luma, chroma) = buffer.split_at((w * h) as usize);
            let stride = w as usize;
            Frame::nv12(Plane::new(luma, stride), Plane::new(chroma, stride), w, h, YuvColor::BT709_VIDEO)
        }
        other => panic!("{}: no camera gives {other}", class.name),
    };
    frame.expect("the buffer holds a frame")
}

/// Adds this machine's medians to the figures of all devices, and draws them.
fn report(root: &Path, times: &BTreeMap<String, Vec<f64>>) {
    let folder: PathBuf = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("../target"), PathBuf::from);
    let file = folder.join("device_classes.json");
    let mut all: Vec<Measured> =
        std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    let device = device();
    for (class, times) in times {
        let mut times = times.clone();
        times.sort_by(f64::total_cmp);
        all.retain(|m| (&m.device, &m.class) != (&device, class));
        let frames_per_second = (10.0 / times[times.len() / 2]).round() / 10.0;
        all.push(Measured { device: device.clone(), class: class.clone(), frames_per_second });
    }
    all.sort_by(|a, b| (&a.device, &a.class).cmp(&(&b.device, &b.class)));
    println!("\n| device | class | frames/s |\n| --- | --- | ---: |");
    for m in &all {
        println!("| {} | {} | {:.1} |", m.device, m.class, m.frames_per_second);
    }
    let written = serde_json::to_vec_pretty(&all).map_err(std::io::Error::other).and_then(|json| {
        std::fs::write(&file, json)?;
        std::fs::write(folder.join("device_classes.svg"), plot(&all))
    });
    if let Err(e) = written {
        eprintln!("the figures could not be written to {}: {e}", folder.display());
    }
}

/// The CPU's name.
fn device() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(": ").map(|(_, n)| n.to_owned()));
    name.unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn plot(all: &[Measured]) -> String {
    let most = all.iter().map(|m| m.frames_per_second).fold(1.0, f64::max);
    let height = 24 * all.len() + 20;
    let mut svg = format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 900 {height}' font-family='sans-serif' font-size='12'>\n"
    );
    for (i, m) in all.iter().enumerate() {
        let (y, width) = (10 + 24 * i, 380.0 * m.frames_per_second / most);
        let escaped = format!("{} · {}", m.device, m.class).replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(svg, "<text x='440' y='{}' text-anchor='end'>{escaped}</text>", y + 14);
        let _ = writeln!(svg, "<rect x='446' y='{y}' width='{width:.1}' height='18' fill='#1a6fb0'/>");
        let _ =
            writeln!(svg, "<text x='{:.0}' y='{}'>{:.1}</text>", 452.0 + width, y + 14, m.frames_per_second);
    }
    svg.push_str("</svg>\n");
    svg
}
