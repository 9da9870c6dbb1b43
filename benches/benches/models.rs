//! Whole models: inference alone, by threads.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use osprey_engine::{Graph, Isa, Options, Program, Session};

fn models(c: &mut Criterion) {
    let models = osprey_benches::models();
    if models.is_empty() {
        println!("no models: put .tflite files into models/, or set OSPREY_ASSETS");
    }
    let isa = Isa::from_env().expect("OSPREY_ISA names an instruction set");
    for path in models {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let Ok(file) = std::fs::read(&path) else { continue };
        let Ok(graph) = Graph::read(&file) else { continue };
        let mut group = c.benchmark_group(&name);
        for threads in [1, 2] {
            let options = Options { threads, isa: Some(isa), ..Options::default() };
            let program = match Program::compile(&graph, &options) {
                Ok(program) => program,
                Err(e) => {
                    println!("{name}: {e}");
                    break;
                }
            };
            group.throughput(Throughput::Elements(program.macs()));
            let Ok(mut session) = Session::new(program.into()) else { continue };
            let id = format!("{isa} {threads} thread{}", if threads > 1 { "s" } else { "" });
            group.bench_function(BenchmarkId::from_parameter(id), |b| b.iter(|| session.run()));
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = models
}
criterion_main!(benches);
