//! Samples per second through windows and models of motion, on one core.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use osprey_detector::LoadOptions;
use osprey_detector::model::load;
use osprey_senses::motion::{
    Channel, Convention, MotionSpec, MotionStream, MotionWindow, Resampling, Smoothing, WindowSettings,
};
use std::hint::black_box;
use std::path::Path;

const SAMPLES: usize = 100_000;

fn values(i: usize) -> [f32; 6] {
    std::array::from_fn(|c| ((i * (c + 3)) as f32 * 0.01).sin())
}

fn windows(c: &mut Criterion) {
    let mut group = c.benchmark_group("motion windows");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    for resampling in [Resampling::Linear, Resampling::Mean] {
        let settings = WindowSettings { hop: 10, resampling, ..WindowSettings::new(6, 50, 50.0) };
        let mut window = MotionWindow::new(settings).expect("settings");
        let mut time = 0.0;
        group.bench_function(format!("6 channels at 97 Hz to 50 Hz, {resampling:?}"), |b| {
            b.iter(|| {
                for i in 0..SAMPLES {
                    time += 1.0 / 97.0;
                    window.push(time, &values(i), |event| _ = black_box(event)).expect("a sample");
                }
            });
        });
    }
}

fn models(c: &mut Criterion) {
    let mut group = c.benchmark_group("motion streams");
    group.throughput(Throughput::Elements(SAMPLES as u64)).sample_size(10);
    use Channel::*;
    let activity = vec![AccelerationX, AccelerationY, AccelerationZ];
    let gestures =
        vec![RotationX, RotationY, RotationZ, UserAccelerationX, UserAccelerationY, UserAccelerationZ];
    for (file, channels, rate, hop) in [
        ("run_or_walk.tflite", vec![AccelerationX], 5.0, None),
        ("activity.tflite", activity, 26.0, Some(26)),
        ("gestures.tflite", gestures, 25.0, None),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models").join(file);
        let Ok(loaded) = load(&path, &LoadOptions::default()) else {
            println!("skipped: {} does not load", path.display());
            continue;
        };
        let convention = Convention::IOS;
        let spec = MotionSpec { channels, rate, convention, hop, resampling: Resampling::Linear };
        let count = spec.channels.len();
        let mut stream =
            MotionStream::new(loaded.model, &spec, Convention::IOS, Smoothing::default()).expect("a stream");
        let mut time = 0.0;
        group.bench_function(file, |b| {
            b.iter(|| {
                for i in 0..SAMPLES {
                    time += 1.0 / rate;
                    black_box(stream.push(time, &values(i)[..count]).expect("a sample"));
                }
            });
        });
    }
}

criterion_group!(benches, windows, models);
criterion_main!(benches);
