use super::*;
use crate::frame::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

mod detect;

const MS: Duration = Duration::from_millis(1);

/// What a test tells its task to do with a number.
#[derive(Debug, Clone, Copy, Default)]
enum Act {
    #[default]
    Return,
    Fail,
    Panic,
    Sleep(Duration),
}

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{0}")]
struct Refused(&'static str);

/// Gives back what was submitted, times a factor.
struct Echo {
    factor: u64,
}

impl Task for Echo {
    type Input = (u64, Act);
    type Output = u64;
    type Error = Refused;

    fn run(&mut self, input: &mut (u64, Act), timings: &mut Timings) -> Result<u64, Refused> {
        timings.time(Stage::Inference, || match input.1 {
            Act::Return => Ok(input.0 * self.factor),
            Act::Fail => Err(Refused("asked to")),
            Act::Panic => panic!("asked to"),
            Act::Sleep(time) => {
                sleep(time);
                Ok(input.0 * self.factor)
            }
        })
    }
}

type EchoResults = Results<u64, Refused>;

fn start(delivery: Delivery) -> (Worker<Echo>, EchoResults) {
    let options = WorkerOptions { delivery, ..Default::default() };
    Worker::start(|| Ok(Echo { factor: 1 }), &options).unwrap()
}

fn submit(worker: &Worker<Echo>, number: u64, act: Act) -> Submitted {
    let at = Timestamp::from_nanos(number as i64 * 1_000_000);
    let filled = worker.submit(at, |input, _| {
        *input = (number, act);
        Ok::<_, Refused>(())
    });
    filled.unwrap()
}

fn value(results: &EchoResults) -> u64 {
    results.recv_timeout(5000 * MS).unwrap().expect("a result in time").unwrap().output
}

#[test]
fn complete_delivery_shows_everything_in_order() {
    let (worker, results) = start(Delivery::Every { capacity: 3 });
    let reader = std::thread::spawn(move || {
        let shown: Vec<_> = results.iter().map(|r| r.unwrap().output).collect();
        (shown, results.ledger())
    });
    for number in 0..500 {
        assert_eq!(submit(&worker, number, Act::Return), Submitted::Queued(number));
    }
    worker.finish();
    let (shown, ledger) = reader.join().unwrap();
    assert_eq!(shown, (0..500).collect::<Vec<_>>());
    assert_eq!((ledger.captured, ledger.shown, ledger.pending), (500, 500, 0));
}

#[test]
fn live_delivery_never_waits_and_shows_the_newest() {
    let (worker, results) = start(Delivery::Newest);
    submit(&worker, 0, Act::Sleep(1000 * MS));
    sleep(20 * MS);
    let start = Instant::now();
    for number in 1..=200 {
        submit(&worker, number, Act::Return);
    }
    // Submitting takes microseconds; on a busy machine the thread may lose its core for a while.
    assert!(start.elapsed() < 800 * MS, "submitting waited for inference");
    let first = value(&results);
    // On a busy machine the last result may have replaced the first before it was taken.
    assert!(first == 200 || (first, value(&results)) == (0, 200));
    let ledger = worker.ledger();
    assert_eq!((ledger.shown + ledger.stale, ledger.dropped.of(DropReason::Replaced)), (2, 199));
    assert!(ledger.balances());
}

#[test]
fn a_source_four_times_too_fast_gets_fresh_results() {
    let (worker, results) = start(Delivery::Newest);
    let inference = 40 * MS;
    let reader = std::thread::spawn(move || {
        let ages: Vec<_> = results.iter().map(|r| r.unwrap().timings.get(Stage::Age).unwrap()).collect();
        (ages, results.snapshot())
    });
    for number in 0..100 {
        submit(&worker, number, Act::Sleep(inference));
        sleep(10 * MS);
    }
    worker.finish();
    let (mut ages, snapshot) = reader.join().unwrap();
    ages.sort_unstable();
    // At most the rest of the run before, and the run itself; a busy test machine gets some leave.
    assert!(ages[ages.len() / 2] < 2 * inference, "{:?}", ages[ages.len() / 2]);
    assert!(snapshot.ledger.balances() && snapshot.ledger.pending == 0, "{:?}", snapshot.ledger);
    assert!(snapshot.latency.of(Stage::Inference).p50 >= inference);
    assert_eq!(snapshot.latency.of(Stage::Age).count, snapshot.ledger.shown);
}

#[test]
fn a_consumer_that_stops_reading_holds_nothing_up() {
    let (worker, results) = start(Delivery::Newest);
    for number in 0..50 {
        submit(&worker, number, Act::Return);
        sleep(MS);
    }
    sleep(50 * MS);
    let ledger = worker.ledger();
    assert!(ledger.balances() && ledger.stale > 0 && ledger.shown == 0, "{ledger:?}");
    // The newest is there for whoever comes back.
    assert_eq!(value(&results), 49);

    // One that is gone for good does not block complete delivery either.
    let (worker, results) = start(Delivery::Every { capacity: 2 });
    drop(results);
    for number in 0..20 {
        submit(&worker, number, Act::Return);
    }
    let ledger = worker.ledger();
    assert!(ledger.balances() && ledger.stale >= 10, "{ledger:?}");
}

#[test]
fn old_results_are_not_shown() {
    let options = WorkerOptions { max_age: Some(30 * MS), ..Default::default() };
    let (worker, results) = Worker::start(|| Ok(Echo { factor: 1 }), &options).unwrap();
    submit(&worker, 1, Act::Sleep(60 * MS));
    assert!(results.recv_timeout(200 * MS).unwrap().is_none());
    submit(&worker, 2, Act::Return);
    assert_eq!(value(&results), 2);
    assert_eq!((worker.ledger().stale, worker.ledger().shown), (1, 1));
}

#[test]
fn late_frames_are_dropped_and_clocks_may_be_set_back() {
    let (worker, results) = start(Delivery::Newest);
    for number in [5_000, 4_900, 5_000] {
        submit(&worker, number, Act::Return);
    }
    assert_eq!(value(&results), 5_000);
    assert_eq!(worker.ledger().dropped.of(DropReason::Late), 2);
    // Back by hours: the camera was started anew.
    assert!(matches!(submit(&worker, 10, Act::Return), Submitted::Queued(_)));
    assert_eq!(value(&results), 10);
    assert_eq!(submit(&worker, 9, Act::Return), Submitted::Dropped(DropReason::Late));
}

#[test]
fn pausing_drops_live_frames_and_keeps_queued_ones() {
    let (worker, results) = start(Delivery::Newest);
    worker.pause();
    assert_eq!(submit(&worker, 0, Act::Return), Submitted::Dropped(DropReason::Paused));
    assert_eq!(worker.state(), WorkerState::Paused);
    worker.resume();
    assert!(matches!(submit(&worker, 1, Act::Return), Submitted::Queued(_)));
    assert_eq!(value(&results), 1);

    let (worker, results) = start(Delivery::Every { capacity: 8 });
    worker.pause();
    for number in 0..5 {
        submit(&worker, number, Act::Return);
    }
    assert!(results.recv_timeout(50 * MS).unwrap().is_none());
    worker.resume();
    assert_eq!((0..5).map(|_| value(&results)).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
}

#[test]
fn a_new_task_takes_over_and_a_bad_one_does_not() {
    let (worker, results) = start(Delivery::Newest);
    submit(&worker, 1, Act::Return);
    assert_eq!(value(&results), 1);
    assert_eq!(worker.replace(|| Err(Refused("no such file")), |_| ()), Err(Refused("no such file")));
    submit(&worker, 2, Act::Return);
    assert_eq!(value(&results), 2);

    // A frame that waits was prepared for the old task.
    submit(&worker, 3, Act::Sleep(60 * MS));
    sleep(20 * MS);
    submit(&worker, 4, Act::Return);
    worker.replace(|| Ok(Echo { factor: 10 }), |_| ()).unwrap();
    assert_eq!(value(&results), 3);
    submit(&worker, 5, Act::Return);
    assert_eq!(value(&results), 50);
    let ledger = worker.ledger();
    assert!(ledger.balances() && ledger.pending == 0, "{ledger:?}");
    assert_eq!(ledger.dropped.total(), 1);
}

#[test]
fn failures_and_panics_are_told_and_survived() {
    let (worker, results) = start(Delivery::Every { capacity: 8 });
    for (number, act) in [(0, Act::Return), (1, Act::Fail), (2, Act::Panic), (3, Act::Return)] {
        submit(&worker, number, act);
    }
    assert_eq!(value(&results), 0);
    assert!(matches!(results.recv().unwrap(), Err(WorkError::Task { sequence: 1, .. })));
    match results.recv().unwrap() {
        Err(WorkError::Panicked { sequence: 2, message, .. }) => assert_eq!(message, "asked to"),
        other => panic!("{other:?}"),
    }
    assert_eq!(value(&results), 3);
    assert_eq!((worker.ledger().failed, worker.ledger().shown), (2, 2));

    // Preparing may fail too, and panic.
    let at = Timestamp::from_nanos(1 << 40);
    assert!(worker.submit(at, |_, _| Err(Refused("bad frame"))).is_err());
    let at = Timestamp::from_nanos(1 << 41);
    let panicking =
        std::panic::AssertUnwindSafe(|| worker.submit(at, |_, _| -> Result<(), Refused> { panic!() }));
    assert!(std::panic::catch_unwind(panicking).is_err());
    assert_eq!(worker.ledger().failed, 4);
    assert!(worker.ledger().balances());
}

#[test]
fn a_task_that_cannot_be_made_anew_is_tried_again() {
    let broken = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&broken);
    let factory = move || match seen.load(Ordering::SeqCst) {
        true => Err(Refused("file removed")),
        false => Ok(Echo { factor: 1 }),
    };
    let options = WorkerOptions { delivery: Delivery::Every { capacity: 4 }, ..Default::default() };
    let (worker, results) = Worker::start(factory, &options).unwrap();
    broken.store(true, Ordering::SeqCst);
    submit(&worker, 0, Act::Panic);
    assert!(matches!(results.recv().unwrap(), Err(WorkError::Panicked { .. })));
    submit(&worker, 1, Act::Return);
    assert!(matches!(results.recv().unwrap(), Err(WorkError::Restart { .. })));
    assert_eq!(worker.state(), WorkerState::Faulted);
    broken.store(false, Ordering::SeqCst);
    submit(&worker, 2, Act::Return);
    assert_eq!(value(&results), 2);
    assert_eq!(worker.state(), WorkerState::Running);
}

#[test]
fn shutdown_is_quick_even_in_the_middle_of_a_run() {
    for act in [Act::Return, Act::Sleep(20 * MS), Act::Sleep(1500 * MS)] {
        for delivery in [Delivery::Newest, Delivery::Every { capacity: 4 }] {
            let (worker, results) = start(delivery);
            for number in 0..3 {
                submit(&worker, number, act);
            }
            sleep(5 * MS);
            let start = Instant::now();
            let (ledger, _) = worker.shutdown();
            // 100 ms and what a busy test machine adds; far from the run of the last case.
            assert!(start.elapsed() < 1000 * MS, "{:?} for {act:?}", start.elapsed());
            assert!(ledger.balances() && ledger.pending == 0 && ledger.captured == 3, "{ledger:?}");
            assert_eq!(results.recv(), Err(Ended));
            assert_eq!(results.ledger(), ledger, "nothing is booked after shutdown");
        }
    }
}

#[test]
fn a_submitter_that_waits_for_room_is_freed_by_shutdown() {
    let (worker, _results) = start(Delivery::Every { capacity: 1 });
    let worker = Arc::new(worker);
    let submitter = {
        let worker = Arc::clone(&worker);
        std::thread::spawn(move || (0..20).map(|n| submit(&worker, n, Act::Return)).collect::<Vec<_>>())
    };
    // Nobody reads: all is full soon.
    sleep(50 * MS);
    assert!(!submitter.is_finished());
    worker.shutdown();
    let submitted = submitter.join().unwrap();
    assert_eq!(submitted[19], Submitted::Dropped(DropReason::Shutdown));
    assert!(worker.ledger().balances() && worker.ledger().pending == 0);
}

#[test]
fn callbacks_get_results_and_may_panic() {
    let sum = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&sum);
    let options = WorkerOptions { delivery: Delivery::Every { capacity: 2 }, ..Default::default() };
    let worker = Worker::start_with_callback(
        || Ok(Echo { factor: 1 }),
        &options,
        move |outcome| {
            seen.fetch_add(outcome.unwrap().output, Ordering::SeqCst);
        },
    )
    .unwrap();
    for (number, act) in [(1, Act::Return), (2, Act::Fail), (3, Act::Return)] {
        submit(&worker, number, act);
    }
    let deadline = Instant::now() + 5000 * MS;
    while worker.ledger().pending > 0 && Instant::now() < deadline {
        sleep(MS);
    }
    assert_eq!((sum.load(Ordering::SeqCst), worker.ledger().shown, worker.ledger().failed), (4, 2, 1));
}

#[cfg(target_os = "linux")]
fn threads_of_this_process() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[test]
#[cfg(target_os = "linux")]
fn a_thousand_starts_and_stops_leave_no_thread() {
    let before = threads_of_this_process();
    for number in 0..1000 {
        let (worker, results) = start(Delivery::Newest);
        submit(&worker, number, Act::Return);
        if number % 3 == 0 {
            assert_eq!(value(&results), number);
        }
        let (ledger, _) = worker.shutdown();
        assert!(ledger.balances() && ledger.pending == 0);
    }
    // Other tests of this process have threads of their own; where the machine is busy the last
    // ones take a moment.
    let deadline = Instant::now() + 5000 * MS;
    while threads_of_this_process() > before + 50 && Instant::now() < deadline {
        sleep(MS);
    }
    assert!(threads_of_this_process() <= before + 50);
}

#[test]
fn everything_at_once_balances_at_any_moment() {
    let (worker, results) = start(Delivery::Newest);
    let (worker, clock) = (Arc::new(worker), Arc::new(Mutex::new(0)));
    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let done = Arc::clone(&done);
        std::thread::spawn(move || {
            let mut count = 0;
            while !done.load(Ordering::SeqCst) {
                // Now and then it stops reading.
                if count % 50 == 49 {
                    sleep(3 * MS);
                }
                if let Ok(Some(outcome)) = results.recv_timeout(5 * MS) {
                    count += u64::from(outcome.is_ok());
                }
            }
            (count, results)
        })
    };
    let submitters: Vec<_> = (0..3u64)
        .map(|seed| {
            let (worker, clock) = (Arc::clone(&worker), Arc::clone(&clock));
            std::thread::spawn(move || {
                let mut dice = seed;
                for _ in 0..2000 {
                    dice =
                        dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    let act = match dice >> 58 {
                        0 => Act::Panic,
                        1..4 => Act::Fail,
                        4 => Act::Sleep(MS),
                        _ => Act::Return,
                    };
                    let number = {
                        let mut clock = clock.lock().unwrap();
                        *clock += 1;
                        *clock
                    };
                    submit(&worker, number, act);
                    if dice >> 40 & 0x3F == 0 {
                        sleep(MS);
                    }
                }
            })
        })
        .collect();
    for round in 0..100 {
        match round % 4 {
            0 => worker.pause(),
            1 => worker.resume(),
            2 => worker.replace(move || Ok(Echo { factor: round }), |_| ()).unwrap(),
            _ => assert!(worker.snapshot().ledger.balances()),
        }
        assert!(worker.ledger().balances());
        sleep(MS);
    }
    worker.resume();
    for submitter in submitters {
        submitter.join().unwrap();
    }
    worker.shutdown();
    done.store(true, Ordering::SeqCst);
    let (count, results) = reader.join().unwrap();
    let ledger = results.ledger();
    assert!(ledger.balances() && ledger.pending == 0, "{ledger:?}");
    assert_eq!((ledger.captured, ledger.shown), (6000, count));
    assert!(ledger.shown > 0 && ledger.failed > 0, "{ledger:?}");
}

#[test]
fn the_summary_is_one_json_line() {
    let (worker, results) = start(Delivery::Newest);
    submit(&worker, 1, Act::Return);
    value(&results);
    submit(&worker, 1, Act::Return);
    let json = serde_json::to_value(worker.snapshot()).unwrap();
    assert_eq!(json["ledger"]["captured"], 2);
    assert_eq!(json["ledger"]["dropped"]["late"], 1);
    assert!(json["latency_ms"]["age"]["p99"].as_f64().unwrap() > 0.0);
    assert!(json["fps"].is_number());
}
