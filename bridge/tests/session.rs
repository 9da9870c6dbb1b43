//! Sessions as Swift drives them, with listeners of Rust in place of Swift's.

use osprey_bridge::{
    Failure, FailureKind, Findings, FindingsFacts, ModelSource, PixelBuffer, Session, model_file,
    model_for_task, model_named, session_options, session_poll,
};
use std::time::{Duration, Instant};

mod swift;

/// A BGRA picture of one colour, and the buffer that describes it.
fn picture(width: u32, height: u32, pixels: &mut Vec<u8>, time_ms: i64) -> PixelBuffer {
    pixels.clear();
    pixels.resize((width * height * 4) as usize, 90);
    PixelBuffer {
        base: pixels.as_ptr().expose_provenance(),
        length: pixels.len(),
        bytes_per_row: width as usize * 4,
        chroma: 0,
        chroma_length: 0,
        chroma_bytes_per_row: 0,
        width,
        height,
        format: 0,
        color: 0,
        orientation: 1,
        mirrored: false,
        time_ns: time_ms * 1_000_000,
        has_region: false,
        x_min: 0.0,
        y_min: 0.0,
        x_max: 0.0,
        y_max: 0.0,
    }
}

fn detector() -> ModelSource {
    model_for_task(0).unwrap()
}

fn wait(session: &Session) -> Findings {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(findings) = session.next(100) {
            return findings;
        }
        assert!(Instant::now() < deadline, "no findings in 20 s");
    }
}

#[test]
fn a_photo_gives_what_the_detector_gives() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../samples");
    let photo = std::fs::read_dir(path).unwrap().flatten().map(|e| e.path());
    let photo = photo.filter(|p| p.extension().is_some_and(|e| e == "jpg")).min().unwrap();
    let rgb = image::open(&photo).unwrap().into_rgb8();
    let (width, height) = rgb.dimensions();
    let options = session_options();
    options.set_antialiased(true);
    let session = session_poll(&detector(), &options).unwrap();
    let mut unused = Vec::new();
    let buffer = PixelBuffer {
        base: rgb.as_ptr().expose_provenance(),
        length: rgb.len(),
        bytes_per_row: width as usize * 3,
        width,
        height,
        format: 2,
        ..picture(8, 8, &mut unused, 40)
    };
    assert_eq!(session.submit(buffer).unwrap(), 0);
    let findings = wait(&session);
    let FindingsFacts { detections, tracks, time_ns, .. } = findings.facts();
    assert!(detections > 0 && time_ns == 40_000_000, "{detections} in {}", photo.display());

    let model = osprey_models::default_for(osprey_detector::model::Task::Detection).unwrap().unwrap();
    let options = osprey_detector::DetectorOptions::default();
    let options = osprey_detector::DetectorOptions { load: model.options(&options.load), ..options };
    let mut plain = osprey_detector::Detector::from_bytes(model.bytes, &options).unwrap();
    let frame = osprey_detector::frame::Frame::rgb(&rgb, width, height).unwrap();
    let expected = plain.detect(&frame).unwrap();
    assert_eq!(detections, expected.len());

    let (mut floats, mut integers) = (vec![f32::NAN; detections * 7], vec![u64::MAX; detections * 2]);
    let (to_floats, to_integers) =
        (floats.as_mut_ptr().expose_provenance(), integers.as_mut_ptr().expose_provenance());
    assert_eq!(findings.copy_objects(false, to_floats, to_integers, detections), detections);
    for ((f, i), d) in floats.chunks(7).zip(integers.chunks(2)).zip(expected) {
        let bbox = d.bbox;
        assert_eq!(f[..5], [bbox.x_min, bbox.y_min, bbox.x_max, bbox.y_max, d.score]);
        assert_eq!(i, [0, d.class_id as u64]);
    }
    assert_eq!(findings.copy_objects(true, 0, 0, 100), tracks, "null writes nothing");
}

#[test]
fn bad_buffers_have_kinds() {
    let session = session_poll(&detector(), &session_options()).unwrap();
    let mut pixels = Vec::new();
    let mut refused = |kind: FailureKind, change: fn(&mut PixelBuffer)| {
        let mut buffer = picture(64, 48, &mut pixels, 0);
        change(&mut buffer);
        let failure = session.submit(buffer).unwrap_err();
        assert_eq!(failure.kind(), kind as u32, "{}", failure.message());
    };
    refused(FailureKind::Pointer, |b| b.base = 0);
    refused(FailureKind::Pointer, |b| b.length = usize::MAX);
    refused(FailureKind::Frame, |b| b.length -= 1);
    refused(FailureKind::Frame, |b| b.bytes_per_row = 63 * 4);
    refused(FailureKind::Frame, |b| b.bytes_per_row = usize::MAX);
    refused(FailureKind::Frame, |b| b.width = 0);
    refused(FailureKind::Frame, |b| b.height = 1 << 20);
    refused(FailureKind::Frame, |b| b.orientation = 9);
    refused(FailureKind::Frame, |b| b.format = 77);
    refused(FailureKind::Pointer, |b| {
        b.format = 4;
        b.chroma_length = 8;
    });
    refused(FailureKind::Frame, |b| {
        b.has_region = true;
        b.x_max = f32::NAN;
    });
    assert_eq!(session.ledger().captured, 0, "what is no frame is not counted");
}

#[test]
fn options_change_while_it_runs() {
    let session = session_poll(&detector(), &session_options()).unwrap();
    let options = session_options();
    options.set_score_threshold(1.5);
    assert_eq!(session.tune(&options).unwrap_err().kind(), FailureKind::Options as u32);
    options.set_score_threshold(0.0);
    options.allow_class("perzon".to_owned());
    let failure = session.tune(&options).unwrap_err();
    assert!(failure.message().contains("person"), "{}", failure.message());

    let options = session_options();
    options.set_score_threshold(0.0);
    options.allow_class("person".to_owned());
    options.set_max_detections(5);
    session.tune(&options).unwrap();
    let mut pixels = Vec::new();
    session.submit(picture(64, 48, &mut pixels, 0)).unwrap();
    assert_eq!(wait(&session).facts().detections, 5, "every box passes a threshold of 0");
    assert!(session.labels().starts_with("person\nbicycle\n"));
}

#[test]
fn a_model_that_cannot_replace_leaves_the_old_one() {
    let session = session_poll(&detector(), &session_options()).unwrap();
    let digits = model_for_task(2).unwrap();
    assert_eq!(
        session.replace_model(&digits, &session_options()).unwrap_err().kind(),
        FailureKind::Model as u32
    );
    let mut pixels = Vec::new();
    session.submit(picture(64, 48, &mut pixels, 0)).unwrap();
    assert!(wait(&session).failure().is_none());
    session.replace_model(&detector(), &session_options()).unwrap();
    session.submit(picture(64, 48, &mut pixels, 33)).unwrap();
    assert_eq!(wait(&session).facts().sequence, 1);
    assert_eq!(session.ledger().shown, 2);
    assert!(session.shutdown());
    assert_eq!(session.submit(picture(64, 48, &mut pixels, 66)).unwrap(), -1 - 5, "dropped for shutdown");
}

#[test]
fn models_that_are_not_there_say_so() {
    let kind = |f: Result<ModelSource, Failure>| f.unwrap_err().kind();
    assert_eq!(kind(model_named("no such".to_owned())), FailureKind::Model as u32);
    assert_eq!(kind(model_file("/no/such.tflite".to_owned())), FailureKind::Storage as u32);
    assert_eq!(kind(model_for_task(9)), FailureKind::Options as u32);
    let source = detector();
    assert_eq!((source.input_width(), source.input_height()), (300, 300));
    assert!(source.file_bytes() > 4_000_000);
}

#[test]
fn listeners_hear_every_frame_and_are_let_go() {
    let (listener, heard) = swift::listener();
    let session = osprey_bridge::session_listen(&detector(), &session_options(), listener).unwrap();
    let mut pixels = Vec::new();
    for i in 0..20 {
        session.submit(picture(64, 48, &mut pixels, 33 * i)).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    let deadline = Instant::now() + Duration::from_secs(20);
    while session.ledger().pending > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(heard.results() as u64, session.ledger().shown);
    assert!(heard.results() > 0 && !heard.is_freed());
    drop(session);
    assert!(heard.is_freed());
}

#[test]
fn what_was_recorded_is_found_again() {
    use osprey_detector::recording::{Kept, Recording, tensor_of};
    use osprey_detector::{Detect, PreparedFrame};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.recording");
    let options = session_options();
    options.set_score_threshold(0.002);
    let session = session_poll(&detector(), &options).unwrap();
    session.start_recording(path.to_str().unwrap().to_owned()).unwrap();
    let mut pixels = Vec::new();
    for i in 0..3 {
        session.submit(picture(64, 48, &mut pixels, 33 * i)).unwrap();
        assert!(wait(&session).facts().detections > 0);
    }
    assert!(!path.exists(), "not before it is whole");
    session.stop_recording().unwrap();
    let nowhere = session.start_recording("/no/such/folder/a.recording".to_owned());
    assert_eq!(nowhere.unwrap_err().kind(), FailureKind::Storage as u32);

    let model = osprey_models::default_for(osprey_detector::model::Task::Detection).unwrap().unwrap();
    let options = osprey_detector::DetectorOptions { score_threshold: Some(0.002), ..Default::default() };
    let options = osprey_detector::DetectorOptions { load: model.options(&options.load), ..options };
    let mut plain = osprey_detector::Detector::from_bytes(model.bytes, &options).unwrap();
    let spec = plain.model().inputs()[0].clone();
    let mut recording = Recording::new(std::fs::File::open(&path).unwrap()).unwrap();
    let (mut frames, mut found) = (0, Vec::new());
    while let Some((facts, bytes)) = recording.next(spec.elements()).unwrap() {
        let input = tensor_of(bytes, &spec).unwrap();
        let prepared = PreparedFrame::new(input, facts.placement(), facts.picture);
        plain.infer_prepared(&prepared).unwrap();
        plain.finish(prepared.placement(), &mut found).unwrap();
        assert_eq!(found.iter().map(Kept::from).collect::<Vec<_>>(), facts.detections);
        frames += 1;
    }
    assert_eq!(frames, 3);
}
