//! Learning from 45 pictures' features, and answering.

use criterion::{Criterion, criterion_group, criterion_main};
use osprey_learn::{Control, Examples, KnnSettings, NearestNeighbors, Trainer, TrainingSettings};
use std::hint::black_box;

/// As long as the pooled features of a MobileNetV2.
const DIM: usize = 2880;

fn examples() -> Examples {
    let mut set = Examples::with_classes(DIM, ["rock", "paper", "scissors"]).expect("names");
    for i in 0..45usize {
        let row: Vec<f32> = (0..DIM)
            .map(|k| ((i * 31 + k * 17) % 97) as f32 / 97.0 + (i % 3 == k % 3) as u8 as f32)
            .collect();
        set.push(i % 3, &row).expect("an example");
    }
    set
}

fn learning(c: &mut Criterion) {
    let set = examples();
    let settings = TrainingSettings { epochs: 10, ..TrainingSettings::default() };
    let train = || {
        let mut trainer = Trainer::new(settings.clone(), &set).expect("settings");
        trainer.train(&mut &set, None, None, &Control::new(), &mut |_| {}).expect("a training");
        trainer
    };
    c.bench_function("45 examples, 2880 features, 10 epochs from whitening to the end", |b| b.iter(train));
    let head = train().head().clone();
    c.bench_function("answer of the linear head", |b| b.iter(|| black_box(head.classify(set.features(7)))));
    let mut knn = NearestNeighbors::new(set.clone(), KnnSettings::default()).expect("settings");
    c.bench_function("answer of the nearest neighbours", |b| {
        b.iter(|| black_box(knn.classify(set.features(7))))
    });
}

criterion_group!(benches, learning);
criterion_main!(benches);
