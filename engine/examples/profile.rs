//! Times a model operator by operator: `cargo run --release --example profile -- MODEL [THREADS [RUNS]]`.
//!
//! With `OSPREY_INPUT` naming a file of raw bytes, the first input is read from it and the outputs
//! are written beside it as `<file>.out<i>`.

use osprey_engine::{Graph, Options, Program, Session};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("which model?")?;
    let threads = args.next().map_or(Ok(1), |n| n.parse())?;
    let runs: usize = args.next().map_or(Ok(50), |n| n.parse())?;

    let file = std::fs::read(&model)?;
    let start = Instant::now();
    let graph = Graph::read(&file)?;
    let program = Program::compile(&graph, &Options { threads, ..Options::default() })?;
    let mut session = Session::new(program.into())?;
    println!("load {:.2} ms, arena {} KiB", ms(start.elapsed()), session.program().arena_bytes() >> 10);
    let input_path = std::env::var("OSPREY_INPUT").ok();
    if let Some(path) = &input_path {
        session.set_input(0, &std::fs::read(path)?)?;
    }

    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        session.run();
        times.push(start.elapsed());
    }
    times.sort();
    println!("min {:.3} ms, median {:.3} ms", ms(times[0]), ms(times[runs / 2]));
    if let Some(path) = &input_path {
        for i in 0..session.program().outputs().len() {
            std::fs::write(format!("{path}.out{i}"), session.output(i)?)?;
        }
    }

    let program = session.program().clone();
    let steps: Vec<_> = program.steps().collect();
    let mut best = vec![Duration::MAX; steps.len()];
    for _ in 0..runs {
        session.run_profiled(|step, time| best[step] = best[step].min(time));
    }
    let mut by_kind: BTreeMap<(String, &str), (Duration, u64, usize)> = BTreeMap::new();
    for (step, &time) in steps.iter().zip(&best) {
        let node = step.node.map(|n| &graph.nodes[n]);
        let op = node.map_or("border".into(), |n| n.op.label());
        let shape = node.map(|n| &graph.tensors[n.outputs[0]].shape);
        let rate = step.macs as f64 / time.as_secs_f64() / 1e9;
        println!("{:>9.1} µs {rate:>6.1} GMAC/s  {op} {shape:?} {}", time.as_secs_f64() * 1e6, step.kernel);
        let total = by_kind.entry((op, step.kernel)).or_default();
        *total = (total.0 + time, total.1 + step.macs, total.2 + 1);
    }
    for ((op, kernel), (time, macs, count)) in by_kind {
        let rate = macs as f64 / time.as_secs_f64() / 1e9;
        println!("{:>8.3} ms {rate:>6.1} GMAC/s  {count:>3} × {op} {kernel}", ms(time));
    }
    Ok(())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
