//! Kernels by instruction set and shape: the layers of MobileNetV2 at 300×300 that take longest.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use osprey_benches::{Conv, available_isas};

const SHAPES: &[Conv] = &[
    conv("first 3x3 s2", 300, 3, 32, 3, 2),
    conv("expand 16-96", 150, 16, 96, 1, 1),
    conv("project 96-24", 75, 96, 24, 1, 1),
    conv("expand 24-144", 75, 24, 144, 1, 1),
    conv("project 384-64", 19, 384, 64, 1, 1),
    conv("expand 160-960", 10, 160, 960, 1, 1),
    conv("head 1280-546", 10, 1280, 546, 1, 1),
    depthwise("depthwise 3x3 s1", 75, 144, 3, 1),
    depthwise("depthwise 3x3 s2", 150, 96, 3, 2),
    depthwise("depthwise 5x5 s1", 38, 96, 5, 1),
];

const fn conv(
    name: &'static str,
    size: usize,
    inputs: usize,
    outputs: usize,
    kernel: usize,
    stride: usize,
) -> Conv {
    Conv { name, size, inputs, outputs, kernel, stride, depthwise: false }
}

const fn depthwise(name: &'static str, size: usize, inputs: usize, kernel: usize, stride: usize) -> Conv {
    Conv { name, size, inputs, outputs: inputs, kernel, stride, depthwise: true }
}

fn kernels(c: &mut Criterion) {
    for shape in SHAPES {
        let mut group = c.benchmark_group(shape.name);
        for isa in available_isas() {
            let mut session = shape.session(isa, 1).expect("a plain convolution runs");
            let program = session.program().clone();
            let kernel = program
                .steps()
                .find(|s| s.macs > 0)
                .map_or_else(|| "none".to_owned(), |s| s.kernel.to_owned());
            // Criterion's elements are multiply-accumulates here.
            group.throughput(Throughput::Elements(program.macs()));
            group.bench_function(BenchmarkId::from_parameter(kernel), |b| b.iter(|| session.run()));
        }
        group.finish();
    }
}

criterion_group!(benches, kernels);
criterion_main!(benches);
