//! Motion, digits, learning, pace and benchmark through the border.

use osprey_bridge::{
    FailureKind, PaceReading, PixelBuffer, Teacher, TrainingPlan, benchmark, digit_reader, governor,
    model_for_task, motion, session_options, teacher, training_control,
};

mod swift;

const PLAN: TrainingPlan = TrainingPlan {
    epochs: 6,
    batch_size: 8,
    learning_rate: 1e-3,
    validation: 0.25,
    patience: 0,
    resume: false,
};

fn plan(change: impl FnOnce(&mut TrainingPlan)) -> TrainingPlan {
    let mut plan = TrainingPlan { ..PLAN };
    change(&mut plan);
    plan
}

/// A picture with stripes across or along, a little different each time.
fn stripes(along: bool, number: usize, pixels: &mut Vec<u8>) -> PixelBuffer {
    let (width, height) = (80usize, 60usize);
    let level = |i: usize| {
        let at = if along { i % width } else { i / width };
        if ((at + number) / 6).is_multiple_of(2) { 230 - number as u8 } else { 20 + 3 * number as u8 }
    };
    *pixels = (0..width * height).map(level).collect();
    PixelBuffer {
        base: pixels.as_ptr().expose_provenance(),
        length: pixels.len(),
        bytes_per_row: width,
        chroma: 0,
        chroma_length: 0,
        chroma_bytes_per_row: 0,
        width: width as u32,
        height: height as u32,
        format: 3,
        color: 0,
        orientation: 1,
        mirrored: false,
        time_ns: 0,
        has_region: false,
        x_min: 0.0,
        y_min: 0.0,
        x_max: 0.0,
        y_max: 0.0,
    }
}

fn taught(folder: &std::path::Path) -> Teacher {
    let teacher = teacher(&model_for_task(0).unwrap(), folder.to_str().unwrap().to_owned()).unwrap();
    assert_eq!(teacher.add_class("across".to_owned()).unwrap(), 0);
    assert_eq!(teacher.add_class("along".to_owned()).unwrap(), 1);
    let mut pixels = Vec::new();
    for number in 0..4 {
        for class in 0..2 {
            teacher.add_picture(class, stripes(class == 1, number, &mut pixels)).unwrap();
        }
    }
    teacher
}

#[test]
fn classes_are_learned_kept_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let source = model_for_task(0).unwrap();
    let path = folder.path().join("own");
    let teacher_at = |path: &std::path::Path| teacher(&source, path.to_str().unwrap().to_owned());
    let teacher = taught(&path);
    assert_eq!((teacher.pictures(0), teacher.pictures(1), teacher.pictures(2)), (4, 4, 0));
    let mut pixels = Vec::new();
    let mut ask = |trained: bool, along: bool| {
        let mut p = [f32::NAN; 2];
        let to = p.as_mut_ptr().expose_provenance();
        let class = teacher.classify(trained, stripes(along, 5, &mut pixels), to, 2);
        (class, p)
    };
    assert_eq!(ask(false, true).0.unwrap(), 1, "nearest neighbours answer at once");
    assert_eq!(ask(true, true).0.unwrap_err().kind(), FailureKind::Learning as u32);

    let (listener, heard) = swift::training_listener();
    assert_eq!(teacher.train(plan(|_| {}), &training_control(), listener).unwrap(), 0);
    assert_eq!((heard.epochs(), heard.is_freed()), (6, true));
    assert!(heard.batches() >= 6 && teacher.is_trained());
    for along in [false, true] {
        let (class, p) = ask(true, along);
        assert_eq!(class.unwrap(), isize::from(along));
        assert!(p[usize::from(along)] > 0.5 && (p[0] + p[1] - 1.0).abs() < 1e-4, "{p:?}");
    }
    let evaluation = teacher.evaluate(2, 0, &training_control()).unwrap();
    assert_eq!(evaluation.pictures(), 8);
    assert!(evaluation.accuracy() > 0.7, "{}", evaluation.accuracy());
    let answers: u64 = (-1..2).map(|answer| evaluation.count(0, answer)).sum();
    assert_eq!(answers, 4);

    let exported = folder.path().join("own.tflite");
    teacher.export(exported.to_str().unwrap().to_owned()).unwrap();
    let model = osprey_bridge::model_file(exported.to_str().unwrap().to_owned()).unwrap();
    assert_eq!(model.labels(), "across\nalong");

    // A second teacher in the folder waits for the first to go.
    assert_eq!(teacher_at(&path).err().unwrap().kind(), FailureKind::Storage as u32);
    drop(teacher);
    let again = teacher_at(&path).unwrap();
    assert_eq!(again.classes(), "across\nalong");
    assert!(again.is_trained() && again.pictures(1) == 4);
    again.remove_class(0).unwrap();
    assert!(!again.is_trained());
    again.reset().unwrap();
    assert_eq!((again.classes(), again.pictures(0)), (String::new(), 0));
}

#[test]
fn a_cancelled_training_keeps_what_was_whole() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = taught(folder.path());
    let control = training_control();
    control.cancel();
    let (listener, heard) = swift::training_listener();
    assert_eq!(teacher.train(plan(|_| {}), &control, listener).unwrap(), 1);
    assert_eq!(heard.epochs(), 0);
    assert!(!teacher.is_trained());

    for resume in [false, true] {
        let (listener, heard) = swift::training_listener();
        teacher.train(plan(|p| p.resume = resume), &training_control(), listener).unwrap();
        assert_eq!(heard.epochs(), 6, "six more, resumed or not");
    }
    let (listener, _) = swift::training_listener();
    let bad = teacher.train(plan(|p| p.learning_rate = f32::NAN), &training_control(), listener);
    assert_eq!(bad.unwrap_err().kind(), FailureKind::Options as u32);
    assert!(teacher.is_trained(), "what was trained before still answers");
}

#[test]
fn motion_comes_in_windows() {
    let motion = motion(&model_for_task(3).unwrap(), false, 0.0).unwrap();
    assert_eq!((motion.channels().as_str(), motion.labels().as_str()), ("acceleration_x", "walk\nrun"));
    let mut windows = 0;
    for i in 0..60 {
        let sample = [if i % 3 == 0 { 1.5f32 } else { -0.9 }];
        let time = f64::from(i) / motion.rate();
        windows += u32::from(motion.push(time, sample.as_ptr().expose_provenance(), 1).unwrap());
    }
    assert!(windows >= 4, "{windows}");
    let mut p = [f32::NAN; 2];
    assert_eq!(motion.copy_probabilities(false, p.as_mut_ptr().expose_provenance(), 2), 2);
    assert!((p[0] + p[1] - 1.0).abs() < 0.02, "{p:?}");
    assert!((0..2).contains(&motion.class_id()) && motion.time() > 1.0);
    let nan = [f32::NAN];
    let refused = motion.push(99.0, nan.as_ptr().expose_provenance(), 1).unwrap_err();
    assert_eq!(refused.kind(), FailureKind::Motion as u32);
    assert_eq!(motion.push(99.0, 0, 1).unwrap_err().kind(), FailureKind::Pointer as u32);
    let counts = motion.counts();
    assert_eq!((counts.taken, counts.left_out), (60, 1));
}

#[test]
fn a_one_is_read_and_a_blank_is_told() {
    let reader = digit_reader(&model_for_task(2).unwrap()).unwrap();
    let xy: Vec<[f32; 2]> = (0..20).map(|i| [50.0, 5.0 * i as f32]).collect();
    let (lengths, mut p) = ([20u32], [0f32; 10]);
    let at = |n: &[u32]| n.as_ptr().expose_provenance();
    let to = p.as_mut_ptr().expose_provenance();
    let points = xy.as_ptr().expose_provenance();
    assert_eq!(reader.read_strokes(points, 20, at(&lengths), 1, to).unwrap(), 1);
    assert!(p[1] > 0.5, "{p:?}");
    let kind = |r: Result<u8, osprey_bridge::Failure>| r.unwrap_err().kind();
    assert_eq!(kind(reader.read_strokes(0, 0, 0, 0, to)), FailureKind::Blank as u32);
    assert_eq!(kind(reader.read_strokes(points, 19, at(&lengths), 1, to)), FailureKind::Digits as u32);
    assert_eq!(kind(reader.read_strokes(0, 20, at(&lengths), 1, to)), FailureKind::Pointer as u32);
    let paper = [128u8; 100];
    assert_eq!(
        kind(reader.read_gray(paper.as_ptr().expose_provenance(), 10, 10, to)),
        FailureKind::Blank as u32
    );
}

#[test]
fn heat_slows_the_pace() {
    let governor = governor(30.0);
    let decide = |at: f64, thermal| {
        let reading = PaceReading {
            at,
            thermal,
            battery_level: -1.0,
            charging: false,
            saving: false,
            latency_ms: 20.0,
        };
        governor.decide(reading).interval
    };
    assert_eq!(decide(0.0, 0), 1);
    assert!(decide(1.0, 3) > 3, "critical heat does not wait");
}

#[test]
fn a_benchmark_measures() {
    let bench = benchmark(&model_for_task(0).unwrap(), &session_options(), 640, 480).unwrap();
    let figures = bench.run(3).unwrap();
    assert!(figures.inference_p50_ms > 0.0 && figures.total_p50_ms >= figures.inference_p50_ms);
    assert!(figures.seconds * 1e3 >= 3.0 * figures.total_min_ms);
    assert_eq!(bench.run(0).err().unwrap().kind(), FailureKind::Options as u32);
    assert!(benchmark(&model_for_task(0).unwrap(), &session_options(), u32::MAX, 9).is_err());
}
