use super::*;
use crate::detect::{Detect, TileOptions, Tiling};
use crate::frame::{Frame, Orientation, Plane, YuvColor};
use crate::geometry::{Detection, InputBox, NormBox};
use crate::model::ModelError;
use crate::preprocess::{Align, Filter, Fit, PreprocessOptions};
use crate::ssd::{ClassFilter, DetectorError, DetectorOptions};
use crate::tensor::{DType, Tensor, TensorSpec, TensorView, TensorViewMut};
use std::time::Duration;

/// Finds bright pixels: one box about all of them.
struct Bright {
    spec: TensorSpec,
    input: Tensor,
    fit: Fit,
    least_score: f32,
    /// How long a run takes at least.
    takes: Duration,
    found: Vec<Detection<InputBox>>,
}

impl Bright {
    fn new(width: usize, height: usize, fit: Fit) -> Self {
        let spec = TensorSpec {
            name: "in".into(),
            shape: vec![1, height, width, 3],
            dtype: DType::U8,
            quantization: None,
        };
        Self {
            input: Tensor::zeros(spec.dtype, &spec.shape).unwrap(),
            spec,
            fit,
            least_score: 0.0,
            takes: Duration::ZERO,
            found: Vec::new(),
        }
    }
}

impl Detect for Bright {
    fn input_spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn preprocess(&self) -> PreprocessOptions {
        PreprocessOptions { fit: self.fit, ..Default::default() }
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        Ok(self.input.view_mut())
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        std::thread::sleep(self.takes);
        Ok(())
    }

    fn class_names(&self) -> Vec<String> {
        vec!["bright".to_owned()]
    }

    fn reconfigure(&mut self, options: &DetectorOptions) -> Result<(), DetectorError> {
        self.least_score = options.score_threshold.unwrap_or_default();
        Ok(())
    }

    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError> {
        self.found.clear();
        let TensorView::U8(levels) = self.input.view() else { panic!("the spec says uint8") };
        let (height, width) = (self.spec.shape[1], self.spec.shape[2]);
        let bright = |x: usize, y: usize| levels[[0, y, x, 1]] > 127;
        let spots: Vec<_> = (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .filter(|(x, y)| bright(*x, *y))
            .collect();
        if let (Some(left), Some(right), Some(top), Some(bottom)) = (
            spots.iter().map(|s| s.0).min(),
            spots.iter().map(|s| s.0 + 1).max(),
            spots.iter().map(|s| s.1).min(),
            spots.iter().map(|s| s.1 + 1).max(),
        ) {
            let (w, h) = (width as f32, height as f32);
            let bbox = InputBox {
                x_min: left as f32 / w,
                y_min: top as f32 / h,
                x_max: right as f32 / w,
                y_max: bottom as f32 / h,
            };
            self.found.push(Detection { bbox, class_id: 0, score: 0.9 });
        }
        self.found.retain(|d| d.score >= self.least_score);
        Ok(&self.found)
    }
}

fn options() -> PipelineOptions {
    PipelineOptions { filter: Filter::Area, ..Default::default() }
}

/// Gray, with a bright rectangle, in memory order.
fn picture(width: usize, height: usize, bright: NormBox) -> Vec<u8> {
    let pixels = bright.to_pixels(width as u32, height as u32);
    let (left, right) = (pixels.x_min.round() as usize, pixels.x_max.round() as usize);
    let (top, bottom) = (pixels.y_min.round() as usize, pixels.y_max.round() as usize);
    let inside = |x, y| (left..right).contains(&x) && (top..bottom).contains(&y);
    (0..width * height).map(|i| if inside(i % width, i / width) { 255 } else { 0 }).collect()
}

#[test]
fn tiles_count_in_the_latency() {
    let takes = Duration::from_millis(3);
    let detector = move || Ok(Bright { takes, ..Bright::new(96, 64, Fit::Stretch) });
    let tiles = Some(TileOptions { tiling: Tiling::Along(2), ..Default::default() });
    let (pipeline, results) = Pipeline::start(detector, &PipelineOptions { tiles, ..options() }).unwrap();
    assert_eq!(pipeline.recent_inference_ms(), 0.0);
    pipeline.submit(&Frame::gray(&[200; 320 * 240], 320, 240).unwrap()).unwrap();
    results.recv().unwrap().unwrap();
    // The whole frame and four parts.
    assert!(pipeline.recent_inference_ms() >= 15.0, "{}", pipeline.recent_inference_ms());
}

#[test]
fn boxes_come_back_from_any_frame() {
    let upright = NormBox { x_min: 0.25, y_min: 0.5, x_max: 0.5, y_max: 0.625 };
    let letterbox = Fit::Letterbox { fill: [0; 3], align: Align::Center };
    for fit in [Fit::Stretch, letterbox] {
        let (pipeline, results) = Pipeline::start(move || Ok(Bright::new(96, 64, fit)), &options()).unwrap();
        let mut time = 0.0;
        // Size, format, orientation and region change from frame to frame.
        for (width, height) in [(160, 96), (96, 160), (640, 480)] {
            for orientation in Orientation::ALL {
                let luma = picture(width, height, orientation.to_stored(upright));
                let chroma = vec![128; width.div_ceil(2) * 2 * height.div_ceil(2)];
                let bgra: Vec<u8> = luma.iter().flat_map(|l| [*l, *l, *l, 0]).collect();
                let (w, h) = (width as u32, height as u32);
                let nv12 = Frame::nv12(
                    Plane::new(&luma, width),
                    Plane::new(&chroma, width),
                    w,
                    h,
                    YuvColor::BT601_FULL,
                );
                for frame in [Frame::gray(&luma, w, h), Frame::bgra(&bgra, w, h), nv12] {
                    time += 10.0;
                    let mut frame =
                        frame.unwrap().with_orientation(orientation).at(Timestamp::from_seconds(time));
                    if width == 640 {
                        frame = frame
                            .with_roi(NormBox { x_min: 0.125, y_min: 0.25, x_max: 0.75, y_max: 0.875 })
                            .unwrap();
                    }
                    pipeline.submit(&frame).unwrap();
                    let shown = results.recv().unwrap().unwrap();
                    let found = shown.output.detections[0].bbox;
                    assert!(
                        found.iou(&upright) > 0.85,
                        "{found:?} {orientation:?} {width}x{height} {}",
                        frame.format_name()
                    );
                    assert_eq!(shown.output.picture, frame.upright_size());
                    assert_eq!(shown.output.tracks.len(), 1);
                }
            }
        }
    }
}

#[test]
fn between_detections_boxes_move_on() {
    let (pipeline, results) =
        Pipeline::start(|| Ok(Bright::new(200, 100, Fit::Stretch)), &options()).unwrap();
    pipeline.set_interval(4);
    let bright = |frame: usize| {
        let x = 0.1 + frame as f32 * 0.005;
        NormBox { x_min: x, y_min: 0.3, x_max: x + 0.2, y_max: 0.7 }
    };
    let mut tracks = Vec::new();
    let mut worst: f32 = 0.0;
    for frame in 0..80 {
        let at = Timestamp::from_seconds(frame as f64 / 60.0);
        let pixels = picture(400, 200, bright(frame));
        let submitted = pipeline.submit(&Frame::gray(&pixels, 400, 200).unwrap().at(at)).unwrap();
        if let Submitted::Queued(_) = submitted {
            results.recv().unwrap().unwrap();
        }
        pipeline.tracks_at(at, &mut tracks);
        if frame > 20 {
            assert_eq!((tracks.len(), tracks[0].id), (1, 1));
            worst = worst.max((tracks[0].bbox.x_min - bright(frame).x_min).abs());
        }
    }
    assert!(worst < 0.01, "{worst}");
    let ledger = pipeline.ledger();
    assert_eq!((ledger.shown, ledger.dropped.of(DropReason::Paced)), (20, 60));
    assert!(ledger.balances());
}

#[test]
fn another_model_with_another_input_takes_over() {
    let (pipeline, results) = Pipeline::start(|| Ok(Bright::new(64, 64, Fit::Stretch)), &options()).unwrap();
    let upright = NormBox { x_min: 0.25, y_min: 0.5, x_max: 0.5, y_max: 0.75 };
    let pixels = picture(128, 64, upright);
    let mut time = 0.0;
    let mut show = |pipeline: &Pipeline<Bright>| {
        time += 0.1;
        let frame = Frame::gray(&pixels, 128, 64).unwrap().at(Timestamp::from_seconds(time));
        pipeline.submit(&frame).unwrap();
        results.recv().unwrap().unwrap().output
    };
    assert_eq!(show(&pipeline).tracks[0].id, 1);
    let missing = || Err(DetectorError::Load("no such file".to_owned()));
    assert!(pipeline.replace_model(missing).is_err());
    assert_eq!(show(&pipeline).tracks[0].id, 1);
    pipeline.replace_model(|| Ok(Bright::new(33, 77, Fit::Stretch))).unwrap();
    let after = show(&pipeline);
    assert_eq!(after.tracks[0].id, 1, "identities go on");
    assert!(after.detections[0].bbox.iou(&upright) > 0.7);
    assert!(
        pipeline
            .replace_model(|| Ok(Bright {
                spec: TensorSpec { shape: vec![1, 5], ..Bright::new(8, 8, Fit::Stretch).spec },
                ..Bright::new(8, 8, Fit::Stretch)
            }))
            .is_err()
    );
    let (ledger, ended) = pipeline.shutdown();
    assert!(ended && ledger.balances() && ledger.shown == 3);
}

#[test]
fn frames_without_times_get_their_own() {
    let (pipeline, results) = Pipeline::start(|| Ok(Bright::new(32, 32, Fit::Stretch)), &options()).unwrap();
    let pixels = [0; 64];
    for _ in 0..5 {
        pipeline.submit(&Frame::gray(&pixels, 8, 8).unwrap()).unwrap();
        assert!(results.recv().unwrap().unwrap().output.detections.is_empty());
    }
    assert_eq!(pipeline.ledger().shown, 5);
}

#[test]
fn options_change_from_the_next_frame_on_until_another_model_comes() {
    let (pipeline, results) = Pipeline::start(|| Ok(Bright::new(64, 64, Fit::Stretch)), &options()).unwrap();
    assert_eq!(pipeline.labels().iter().collect::<Vec<_>>(), ["bright"]);
    assert_eq!(pipeline.input_spec().shape, [1, 64, 64, 3]);
    let pixels = [255; 64];
    let found = || {
        pipeline.submit(&Frame::gray(&pixels, 8, 8).unwrap()).unwrap();
        results.recv().unwrap().unwrap().output.detections.len()
    };
    assert_eq!(found(), 1);
    let strict = DetectorOptions { score_threshold: Some(0.95), ..Default::default() };
    pipeline.reconfigure(&strict).unwrap();
    assert_eq!(found(), 0);
    let unknown = ClassFilter::Only(vec!["dark".to_owned()]);
    let refused = DetectorOptions { classes: unknown, score_threshold: Some(0.1), ..Default::default() };
    assert!(matches!(pipeline.reconfigure(&refused), Err(DetectorError::Labels(_))));
    assert_eq!(found(), 0, "nothing changes with an error");
    assert!(pipeline.recent_inference_ms() > 0.0);
    pipeline.replace_model(|| Ok(Bright::new(32, 32, Fit::Stretch))).unwrap();
    assert_eq!((found(), pipeline.input_spec().shape[1]), (1, 32), "another model has its own options");
}
