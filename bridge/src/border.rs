//! What Swift sees: types, functions, plain structs. Read by this crate's build script, which has
//! swift-bridge write the Swift and the C for it.
//!
//! It and the files that it names import each other: swift-bridge wants plain structs in the module of the
//! functions that take them, and reads one file.

#![allow(
    missing_docs,
    unreachable_pub,
    unsafe_code,
    clippy::all,
    clippy::undocumented_unsafe_blocks,
    reason = "swift-bridge writes no documentation, makes everything public, and passes pointers"
)]

use crate::benchmark::{Benchmark, benchmark, instruction_set, library_version};
use crate::digits::{DigitReader, digit_reader};
use crate::error::Failure;
use crate::motion::{Motion, motion};
use crate::options::{SessionOptions, session_options};
use crate::pace::{Governor, governor};
use crate::results::Findings;
use crate::session::{Session, session_listen, session_poll};
use crate::source::{ModelSource, built_in_models, model_file, model_for_task, model_named};
use crate::teach::{Evaluation, Teacher, TrainingControl, teacher, training_control};

#[swift_bridge::bridge]
pub mod ffi {
    // (Comments in here have two slashes, and no argument is called `class`: swift-bridge would write
    // Swift that does not compile.)
    //
    // A picture as it lies in memory. `base` and `chroma` are addresses of `length` and
    // `chroma_length` readable bytes.
    // format: 0 BGRA, 1 RGBA, 2 RGB, 3 gray, 4 NV12 (420f, 420v; chroma is the second plane).
    // color, for NV12: 0 BT.601 full range, 1 BT.601 video, 2 BT.709 full, 3 BT.709 video.
    // orientation: what turns the picture upright, as in EXIF, 1 to 8. mirrored: then flip it.
    // The region is in fractions of the upright picture, after mirroring.
    #[swift_bridge(swift_repr = "struct")]
    struct PixelBuffer {
        base: usize,
        length: usize,
        bytes_per_row: usize,
        chroma: usize,
        chroma_length: usize,
        chroma_bytes_per_row: usize,
        width: u32,
        height: u32,
        format: u8,
        color: u8,
        orientation: u8,
        mirrored: bool,
        time_ns: i64,
        has_region: bool,
        x_min: f32,
        y_min: f32,
        x_max: f32,
        y_max: f32,
    }

    // Times are in nanoseconds, 0 where the frame did not go through the stage. Width and height
    // are those of the upright picture.
    #[swift_bridge(swift_repr = "struct")]
    struct FindingsFacts {
        sequence: u64,
        time_ns: i64,
        width: u32,
        height: u32,
        detections: usize,
        tracks: usize,
        submit_ns: u64,
        preprocess_ns: u64,
        wait_ns: u64,
        inference_ns: u64,
        post_ns: u64,
        track_ns: u64,
        age_ns: u64,
    }

    // captured = shown + replaced + late + paused + paced + model_changed + shutdown + stale
    //          + failed + pending
    #[swift_bridge(swift_repr = "struct")]
    struct LedgerFigures {
        captured: u64,
        shown: u64,
        replaced: u64,
        late: u64,
        paused: u64,
        paced: u64,
        model_changed: u64,
        shutdown: u64,
        stale: u64,
        failed: u64,
        pending: u64,
    }

    #[swift_bridge(swift_repr = "struct")]
    struct StageFigures {
        count: u64,
        p50_ns: u64,
        p95_ns: u64,
        p99_ns: u64,
    }

    // thermal: 0 nominal, 1 fair, 2 serious, 3 critical. battery_level: 0 to 1, else unknown.
    // at: seconds on any clock.
    #[swift_bridge(swift_repr = "struct")]
    struct PaceReading {
        at: f64,
        thermal: u8,
        battery_level: f32,
        charging: bool,
        saving: bool,
        latency_ms: f64,
    }

    // Shares of time that inference may take, and is expected to.
    #[swift_bridge(swift_repr = "struct")]
    struct PaceDecision {
        level: u32,
        interval: u32,
        allowed: f64,
        expected: f64,
    }

    #[swift_bridge(swift_repr = "struct")]
    struct MotionCounts {
        taken: u64,
        left_out: u64,
        restarts: u64,
    }

    // validation: share of each class's pictures that is held out, 0 to below 1.
    // patience: epochs without a better one after which training ends, 0 for never.
    // resume: epochs are added to those of the last training of the same classes.
    #[swift_bridge(swift_repr = "struct")]
    struct TrainingPlan {
        epochs: u32,
        batch_size: u32,
        learning_rate: f32,
        validation: f32,
        patience: u32,
        resume: bool,
    }

    #[swift_bridge(swift_repr = "struct")]
    struct BatchFigures {
        epoch: u32,
        batch: u32,
        batches: u32,
        loss: f64,
    }

    #[swift_bridge(swift_repr = "struct")]
    struct EpochFigures {
        epoch: u32,
        learning_rate: f32,
        training_loss: f64,
        training_accuracy: f64,
        has_validation: bool,
        validation_loss: f64,
        validation_accuracy: f64,
        best: bool,
    }

    #[swift_bridge(swift_repr = "struct")]
    struct BenchmarkFigures {
        frames: u32,
        seconds: f64,
        preprocess_p50_ms: f64,
        inference_p50_ms: f64,
        inference_p95_ms: f64,
        inference_p99_ms: f64,
        post_p50_ms: f64,
        total_p50_ms: f64,
        total_p95_ms: f64,
        total_min_ms: f64,
    }

    extern "Rust" {
        #[swift_bridge(Sendable)]
        type Failure;
        fn kind(self: &Failure) -> u32;
        fn message(self: &Failure) -> String;

        #[swift_bridge(Sendable)]
        type ModelSource;
        fn model_named(name: String) -> Result<ModelSource, Failure>;
        fn model_for_task(task: u8) -> Result<ModelSource, Failure>;
        fn model_file(path: String) -> Result<ModelSource, Failure>;
        fn built_in_models() -> String;
        fn name(self: &ModelSource) -> String;
        fn description(self: &ModelSource) -> String;
        fn labels(self: &ModelSource) -> String;
        fn file_bytes(self: &ModelSource) -> u64;
        fn arena_bytes(self: &ModelSource) -> u64;
        fn input_width(self: &ModelSource) -> u32;
        fn input_height(self: &ModelSource) -> u32;

        #[swift_bridge(Sendable)]
        type SessionOptions;
        fn session_options() -> SessionOptions;
        fn set_score_threshold(self: &SessionOptions, threshold: f32);
        fn set_class_threshold(self: &SessionOptions, name: String, threshold: f32);
        fn allow_class(self: &SessionOptions, name: String);
        fn deny_class(self: &SessionOptions, name: String);
        fn set_max_detections(self: &SessionOptions, count: u32);
        fn set_suppression(self: &SessionOptions, kind: u8, iou_threshold: f32) -> Result<(), Failure>;
        fn set_threads(self: &SessionOptions, threads: u32);
        fn set_tracking(self: &SessionOptions, on: bool);
        fn set_max_age_ms(self: &SessionOptions, ms: u32);
        fn set_antialiased(self: &SessionOptions, on: bool);
        fn set_warm_up(self: &SessionOptions, on: bool);

        #[swift_bridge(Sendable)]
        type Findings;
        fn facts(self: &Findings) -> FindingsFacts;
        fn failure(self: &Findings) -> Option<Failure>;
        fn copy_objects(
            self: &Findings,
            tracks: bool,
            floats: usize,
            integers: usize,
            capacity: usize,
        ) -> usize;

        #[swift_bridge(Sendable)]
        type Session;
        fn session_listen(
            source: &ModelSource,
            options: &SessionOptions,
            listener: ResultListener,
        ) -> Result<Session, Failure>;
        fn session_poll(source: &ModelSource, options: &SessionOptions) -> Result<Session, Failure>;
        fn submit(self: &Session, buffer: PixelBuffer) -> Result<isize, Failure>;
        fn next(self: &Session, timeout_ms: u32) -> Option<Findings>;
        fn tracks_at(self: &Session, time_ns: i64) -> Findings;
        fn tune(self: &Session, options: &SessionOptions) -> Result<(), Failure>;
        fn replace_model(
            self: &Session,
            source: &ModelSource,
            options: &SessionOptions,
        ) -> Result<(), Failure>;
        fn start_recording(self: &Session, path: String) -> Result<(), Failure>;
        fn stop_recording(self: &Session) -> Result<(), Failure>;
        fn labels(self: &Session) -> String;
        fn set_interval(self: &Session, interval: u32);
        fn pause(self: &Session);
        fn resume(self: &Session);
        fn state(self: &Session) -> u8;
        fn ledger(self: &Session) -> LedgerFigures;
        fn stage(self: &Session, stage: u8) -> StageFigures;
        fn fps(self: &Session) -> f64;
        fn recent_inference_ms(self: &Session) -> f64;
        fn summary(self: &Session) -> String;
        fn shutdown(self: &Session) -> bool;

        #[swift_bridge(Sendable)]
        type Governor;
        fn governor(camera_fps: f64) -> Governor;
        fn decide(self: &Governor, reading: PaceReading) -> PaceDecision;

        #[swift_bridge(Sendable)]
        type Motion;
        fn motion(source: &ModelSource, android: bool, smoothing_seconds: f64) -> Result<Motion, Failure>;
        fn channels(self: &Motion) -> String;
        fn labels(self: &Motion) -> String;
        fn rate(self: &Motion) -> f64;
        fn sensor_rate(self: &Motion) -> f64;
        fn push(self: &Motion, time: f64, values: usize, count: usize) -> Result<bool, Failure>;
        fn time(self: &Motion) -> f64;
        fn class_id(self: &Motion) -> i64;
        fn copy_probabilities(self: &Motion, smoothed: bool, address: usize, capacity: usize) -> usize;
        fn counts(self: &Motion) -> MotionCounts;
        fn reset(self: &Motion);

        #[swift_bridge(Sendable)]
        type DigitReader;
        fn digit_reader(source: &ModelSource) -> Result<DigitReader, Failure>;
        fn read_strokes(
            self: &DigitReader,
            xy: usize,
            points: usize,
            lengths: usize,
            strokes: usize,
            probabilities: usize,
        ) -> Result<u8, Failure>;
        fn read_gray(
            self: &DigitReader,
            address: usize,
            width: u32,
            height: u32,
            probabilities: usize,
        ) -> Result<u8, Failure>;

        #[swift_bridge(Sendable)]
        type TrainingControl;
        fn training_control() -> TrainingControl;
        fn cancel(self: &TrainingControl);
        fn pause(self: &TrainingControl);
        fn resume(self: &TrainingControl);
        fn set_learning_rate(self: &TrainingControl, rate: f32);

        #[swift_bridge(Sendable)]
        type Teacher;
        fn teacher(source: &ModelSource, folder: String) -> Result<Teacher, Failure>;
        fn classes(self: &Teacher) -> String;
        fn pictures(self: &Teacher, class_id: u32) -> u32;
        fn is_trained(self: &Teacher) -> bool;
        fn add_class(self: &Teacher, name: String) -> Result<u32, Failure>;
        fn remove_class(self: &Teacher, class_id: u32) -> Result<(), Failure>;
        fn add_picture(self: &Teacher, class_id: u32, buffer: PixelBuffer) -> Result<(), Failure>;
        fn classify(
            self: &Teacher,
            trained: bool,
            buffer: PixelBuffer,
            probabilities: usize,
            capacity: usize,
        ) -> Result<isize, Failure>;
        fn save(self: &Teacher) -> Result<(), Failure>;
        fn reset(self: &Teacher) -> Result<(), Failure>;
        fn export(self: &Teacher, path: String) -> Result<(), Failure>;
        fn train(
            self: &Teacher,
            plan: TrainingPlan,
            control: &TrainingControl,
            listener: TrainingListener,
        ) -> Result<u8, Failure>;
        fn evaluate(
            self: &Teacher,
            folds: u32,
            epochs: u32,
            control: &TrainingControl,
        ) -> Result<Evaluation, Failure>;

        #[swift_bridge(Sendable)]
        type Evaluation;
        fn accuracy(self: &Evaluation) -> f64;
        fn pictures(self: &Evaluation) -> u32;
        fn count(self: &Evaluation, truth: u32, answer: i64) -> u64;

        #[swift_bridge(Sendable)]
        type Benchmark;
        fn benchmark(
            source: &ModelSource,
            options: &SessionOptions,
            width: u32,
            height: u32,
        ) -> Result<Benchmark, Failure>;
        fn run(self: &Benchmark, frames: u32) -> Result<BenchmarkFigures, Failure>;
        fn instruction_set() -> String;
        fn library_version() -> String;
    }

    extern "Swift" {
        #[swift_bridge(Sendable)]
        type ResultListener;
        fn on_result(self: &ResultListener, findings: Findings);

        #[swift_bridge(Sendable)]
        type TrainingListener;
        fn on_batch(self: &TrainingListener, figures: BatchFigures);
        fn on_epoch(self: &TrainingListener, figures: EpochFigures);
    }
}
