//! The detector, split in two: what can be done for each picture on its own thread, and inference.

use super::decode::Picture;
use super::record::{Found, Times};
use crate::args::{ChooseArgs, ModelArgs, NmsArg};
use crate::model::{self, Source};
use anyhow::{Context, Result};
use osprey_detector::frame::{Frame, FrameError, Orientation};
use osprey_detector::model::{ColorOrder, ImageInput, Labels, LoadedModel, ResizeMode};
use osprey_detector::preprocess::{
    Align, ChannelOrder, Fit, Normalization, Placement, PreprocessOptions, Preprocessor,
};
use osprey_detector::ssd::{ClassFilter, Detector, DetectorOptions, NmsKind, SoftDecay};
use osprey_detector::{Detection, Tensor, TensorSpec};
use std::time::{Duration, Instant};

/// Bars of letterboxed pictures: the grey that such models are trained with.
const BARS: [u8; 3] = [114; 3];

/// What is less likely is not shown where nothing else is asked for: on COCO pictures that the built-in
/// detector never saw, 0.7 of the boxes from here on are right, and 0.4 of those from 0.3 on.
const SHOWN_FROM: f32 = 0.4;

/// Runs the model on prepared pictures.
pub(crate) struct Finder {
    detector: Detector,
    preparer: Preparer,
    labels: Vec<String>,
    settings: Vec<(String, String)>,
    detections: Vec<Detection>,
}

/// Brings pictures into the shape of the model's input.
#[derive(Clone)]
pub(crate) struct Preparer {
    preprocessor: Preprocessor,
    empty: Tensor,
}

/// A picture in the shape of the model's input.
pub(crate) struct Prepared {
    pub(crate) input: Tensor,
    placement: Placement,
    /// Width and height of the upright picture.
    pub(crate) size: (u32, u32),
    pub(crate) time: Duration,
}

impl Finder {
    pub(crate) fn load(model_args: &ModelArgs, choose: &ChooseArgs) -> Result<Self> {
        let source = model::resolve(model_args.model.as_deref())?;
        let options = options(model_args, choose)?;
        let detector = source.detector(&options)?;
        for note in detector.notes() {
            eprintln!("osprey: {source}: {note}");
        }
        let spec = detector.model().inputs().first().context("the model has no input")?;
        let preparer = Preparer::new(spec, detector.input());
        let preparer = preparer.with_context(|| format!("cannot detect with {source}"))?;
        let labels = detector.class_names();
        let settings = settings(&source, &detector, &options);
        Ok(Self { detector, preparer, labels, settings, detections: Vec::new() })
    }

    /// Names of all classes, by id.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Pixels that the model takes, across and down.
    pub(crate) fn input_size(&self) -> (u32, u32) {
        let input = self.detector.input();
        (input.width as u32, input.height as u32)
    }

    /// What the results were made with, to be shown beside them.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        self.settings.clone()
    }

    /// A preparer for another thread.
    pub(crate) fn preparer(&self) -> Preparer {
        self.preparer.clone()
    }

    /// What is in a picture, best first, clipped to its edges.
    pub(crate) fn find(&mut self, picture: &Prepared, times: &mut Times) -> Result<Vec<Found>> {
        let start = Instant::now();
        self.detector.input_mut()?.assign(&picture.input.view())?;
        self.detector.infer()?;
        times.inference = start.elapsed();
        let start = Instant::now();
        self.detector.detections(&mut self.detections)?;
        let (width, height) = picture.size;
        let found = self.detections.iter().filter_map(|d| {
            let bbox = picture.placement.to_frame(d.bbox).clipped();
            // What lies on a letterbox bar alone is nothing.
            (bbox.area() > 0.0).then(|| Found {
                class_id: d.class_id,
                label: self.labels[d.class_id].clone(),
                score: d.score,
                bbox: bbox.to_pixels(width, height),
            })
        });
        let found = found.collect();
        times.postprocess = start.elapsed();
        Ok(found)
    }
}

impl Preparer {
    /// For the first input of any model that takes pictures.
    pub(crate) fn for_model(loaded: &LoadedModel) -> Result<Self> {
        let spec = loaded.model.inputs().first().context("the model has no input")?;
        let entry = loaded.entry.as_ref().map(|e| &e.input);
        Self::new(spec, &ImageInput::new(spec, entry, &loaded.metadata)?)
    }

    fn new(spec: &TensorSpec, picture: &ImageInput) -> Result<Self> {
        let preprocessor = Preprocessor::new(spec, preprocess_options(picture))?;
        let empty = Tensor::zeros(spec.dtype, &spec.shape).context("the model's input takes no picture")?;
        Ok(Self { preprocessor, empty })
    }

    /// # Errors
    /// Where the picture's sides are beyond what frames can have.
    pub(crate) fn prepare(&mut self, picture: &Picture) -> Result<Prepared, FrameError> {
        let start = Instant::now();
        let (width, height) = picture.pixels.dimensions();
        let orientation = Orientation::from_exif(picture.orientation.to_exif().into())?;
        let frame = Frame::rgb(&picture.pixels, width, height)?.with_orientation(orientation);
        let mut input = self.empty.clone();
        let placement =
            self.preprocessor.run(&frame, &mut input.view_mut()).expect("the tensor is made for it");
        Ok(Prepared { input, placement, size: frame.upright_size(), time: start.elapsed() })
    }
}

pub(crate) fn options(model_args: &ModelArgs, choose: &ChooseArgs) -> Result<DetectorOptions> {
    let defaults = DetectorOptions::default();
    let mut load = model::options(model_args.backend, model_args.threads);
    load.labels = choose.labels.as_ref().map(Labels::read).transpose()?;
    let mut nms = defaults.nms;
    nms.iou_threshold = choose.nms_iou;
    nms.kind = match choose.nms {
        None => NmsKind::FromModel,
        Some(NmsArg::PerClass) => NmsKind::PerClass,
        Some(NmsArg::Agnostic) => NmsKind::ClassAgnostic,
        Some(NmsArg::Soft) => NmsKind::Soft(SoftDecay::Linear),
    };
    let classes = match (choose.classes.as_slice(), choose.exclude_classes.as_slice()) {
        ([], []) => ClassFilter::All,
        ([], except) => ClassFilter::Except(except.to_vec()),
        (only, _) => ClassFilter::Only(only.to_vec()),
    };
    Ok(DetectorOptions {
        load,
        score_threshold: choose.score_threshold.unwrap_or(SHOWN_FROM),
        class_thresholds: choose.class_threshold.clone(),
        classes,
        nms,
        max_detections: choose.max_detections.map_or(defaults.max_detections, |n| n as usize),
        ..defaults
    })
}

fn preprocess_options(input: &ImageInput) -> PreprocessOptions {
    PreprocessOptions {
        fit: match input.resize {
            ResizeMode::Stretch => Fit::Stretch,
            ResizeMode::Letterbox => Fit::Letterbox { fill: BARS, align: Align::Center },
        },
        channels: match input.color {
            ColorOrder::Bgr => ChannelOrder::Bgr,
            ColorOrder::Rgb | ColorOrder::Gray => ChannelOrder::Rgb,
        },
        normalization: Normalization { mean: input.normalization.mean, std: input.normalization.std },
        ..PreprocessOptions::default()
    }
}

fn settings(source: &Source, detector: &Detector, options: &DetectorOptions) -> Vec<(String, String)> {
    let (_, iou) = detector.nms();
    let input = detector.input();
    vec![
        ("model".into(), source.name()),
        ("input".into(), format!("{}×{}", input.width, input.height)),
        ("backend".into(), detector.backend().0.to_string()),
        ("score ≥".into(), options.score_threshold.to_string()),
        ("NMS IoU".into(), iou.to_string()),
    ]
}
