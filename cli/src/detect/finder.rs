//! The detector, split in two: what can be done for each picture on its own thread, and inference.

use super::decode::Picture;
use super::record::{Found, Times};
use super::tile_args::TileArgs;
use crate::args::{ChooseArgs, ModelArgs, NmsArg};
use crate::input::InputArgs;
use crate::model::{self, Source};
use anyhow::{Context, Result};
use osprey_detector::detect::{TileOptions, Tiler};
use osprey_detector::model::{Entry, LabelError, Labels};
use osprey_detector::ssd::{ClassFilter, DetectorOptions, NmsKind, ONE_OBJECT_IOU, SoftDecay};
use osprey_detector::{Detect, Detection, Detector, FramePreparer, NormBox, PreparedFrame};
use std::thread;
use std::time::Instant;

/// So many pictures in a row without a score of [`UNLIKELY`] are worth a remark.
const SILENT: u32 = 10;
/// A model that sees anything at all scores more than this somewhere.
const UNLIKELY: f32 = 0.1;

/// Runs the model on prepared pictures.
pub(crate) struct Finder {
    detector: Detector,
    preparer: FramePreparer,
    tiles: Option<TileOptions>,
    tiler: Tiler,
    labels: Vec<String>,
    source: Source,
    options: DetectorOptions,
    detections: Vec<Detection>,
    /// Pictures in a row in which nothing was likely at all; it stays once there were [`SILENT`].
    silent: u32,
}

impl Finder {
    pub(crate) fn load(
        model_args: &ModelArgs,
        choose: &ChooseArgs,
        pictures: &InputArgs,
        tiles: &TileArgs,
    ) -> Result<Self> {
        let source = model::resolve(model_args.model.as_deref())?;
        let options = options(model_args, choose, pictures, tiles)?;
        let detector = source.detector(&options)?;
        notes(&source, &detector);
        let preparer = detector.preparer().with_context(|| format!("cannot detect with {source}"))?;
        let labels = detector.class_names();
        let tiles = tile_options(tiles, &detector, &options);
        let tiler = Tiler::new(tiles.unwrap_or_default());
        let (detections, silent) = (Vec::new(), 0);
        Ok(Self { detector, preparer, tiles, tiler, labels, source, options, detections, silent })
    }

    /// What tells results of this model and these options from others: how many threads computed them does
    /// not matter, what a manifest says does.
    pub(crate) fn made_with(&self) -> Result<Vec<u8>> {
        let mut options = self.options.clone();
        options.load.threads = 1;
        let mut bytes = self.source.bytes()?.into_owned();
        bytes.extend(format!("{options:?} {:?} {:?}", self.tiles, self.detector.entry()).bytes());
        Ok(bytes)
    }

    /// The class of this name, or number.
    pub(crate) fn class(&self, name: &str) -> Result<usize, LabelError> {
        self.detector.labels().find(name)
    }

    /// Names of all classes, by id.
    pub(crate) fn labels(&self) -> &[String] {
        &self.labels
    }

    /// Whether scores are probabilities of being right: so it was measured, for pictures that are looked at whole.
    pub(crate) fn is_calibrated(&self) -> bool {
        let measured = |entry: &Entry| entry.scores.contains_key("calibration_error");
        self.tiles.is_none() && self.detector.entry().is_some_and(measured)
    }

    /// What may be wrong where picture after picture showed nothing.
    pub(crate) fn hint(&self) -> Option<String> {
        (self.silent >= SILENT).then(|| {
            format!(
                "In {SILENT} pictures in a row nothing scored above {UNLIKELY}. If there was something to see, the model \
                 may want other pictures than it gets ({}): try --mean and --std, --color bgr or --letterbox.",
                self.detector.input().rule()
            )
        })
    }

    /// What the results were made with, to be shown beside them.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let (_, iou) = self.detector.nms();
        let input = self.detector.input();
        vec![
            ("model".into(), self.source.name()),
            ("input".into(), format!("{}×{}", input.width, input.height)),
            ("backend".into(), self.detector.backend().0.to_string()),
            ("score ≥".into(), self.detector.score_threshold().to_string()),
            ("NMS IoU".into(), iou.to_string()),
        ]
    }

    /// What prepares pictures on another thread.
    pub(crate) fn preparer(&self) -> PartsPreparer {
        PartsPreparer {
            preparer: self.preparer.clone(),
            tiles: self.tiles,
            least_size: self.detector.input().least_size(),
        }
    }

    /// What is in a picture, best first, clipped to its edges.
    pub(crate) fn find(&mut self, picture: &Prepared, times: &mut Times) -> Result<Vec<Found>> {
        let Prepared { whole, parts } = picture;
        let start = Instant::now();
        self.detector.infer_prepared(whole)?;
        times.inference = start.elapsed();
        if parts.is_empty() {
            self.detector.finish(whole.placement(), &mut self.detections)?;
        } else {
            self.tiler.begin();
            self.tiler.add(&mut self.detector, whole)?;
            for part in parts {
                let start = Instant::now();
                self.detector.infer_prepared(part)?;
                times.inference += start.elapsed();
                self.tiler.add(&mut self.detector, part)?;
            }
            self.tiler.merge(&mut self.detections);
        }
        if self.silent < SILENT {
            let silent = self.detections.is_empty() && !self.detector.reaches(UNLIKELY)?;
            self.silent = if silent { self.silent + 1 } else { 0 };
        }
        let (width, height) = whole.size();
        let found = self.detections.iter().map(|d| Found {
            class_id: d.class_id,
            label: self.labels[d.class_id].clone(),
            score: d.score,
            bbox: d.bbox.to_pixels(width, height),
        });
        let found = found.collect();
        times.postprocess = start.elapsed().saturating_sub(times.inference);
        Ok(found)
    }
}

/// Prints what was assumed of a model.
pub(crate) fn notes(source: &Source, detector: &Detector) {
    for note in detector.notes() {
        eprintln!("osprey: {source}: {note}");
    }
}

/// A picture in the form of the model's input, and its parts where small objects are looked for.
pub(crate) struct Prepared {
    whole: PreparedFrame,
    parts: Vec<PreparedFrame>,
}

/// Prepares pictures of any size.
pub(crate) struct PartsPreparer {
    preparer: FramePreparer,
    tiles: Option<TileOptions>,
    /// Pixels of a part that the model is to see, at least.
    least_size: (u32, u32),
}

impl PartsPreparer {
    /// The parts of an upright picture of `size` that are looked at as well.
    pub(crate) fn regions(&self, size: (u32, u32)) -> Vec<NormBox> {
        self.tiles.map_or_else(Vec::new, |tiles| tiles.regions(size, self.preparer.input_size()))
    }

    /// So many pixels of the whole upright picture, across and down, are to be decoded.
    pub(crate) fn wanted(&self, regions: &[NormBox]) -> (u32, u32) {
        let (width, height) = self.least_size;
        let part = regions.first().unwrap_or(&NormBox::WHOLE);
        let of = |side: u32, share: f32| (side as f32 / share).ceil() as u32;
        (of(width, part.x_max - part.x_min), of(height, part.y_max - part.y_min))
    }

    pub(crate) fn prepare(&mut self, picture: &Picture, regions: &[NormBox]) -> Result<Prepared> {
        let mut parts = Vec::new();
        self.preparer.prepare_parts(&picture.frame()?, regions, &mut parts)?;
        Ok(Prepared { whole: prepare(&mut self.preparer, picture)?, parts })
    }
}

/// A decoded picture in the form of the model's input.
pub(crate) fn prepare(preparer: &mut FramePreparer, picture: &Picture) -> Result<PreparedFrame> {
    let mut prepared = PreparedFrame::default();
    preparer.prepare(&picture.frame()?, &mut prepared)?;
    Ok(prepared)
}

/// How the boxes of parts come together: as the detector's own do.
pub(crate) fn tile_options(
    args: &TileArgs,
    detector: &Detector,
    options: &DetectorOptions,
) -> Option<TileOptions> {
    let (_, iou) = detector.nms();
    Some(TileOptions {
        tiling: args.tiles?,
        overlap: args.overlap,
        iou,
        one_object_iou: options.one_object_iou,
        score_threshold: detector.score_threshold(),
        max_detections: options.max_detections,
    })
}

pub(crate) fn options(
    model_args: &ModelArgs,
    choose: &ChooseArgs,
    pictures: &InputArgs,
    tiles: &TileArgs,
) -> Result<DetectorOptions> {
    let defaults = DetectorOptions::default();
    // With parts, the model is what takes the time.
    let cores = || thread::available_parallelism().map_or(1, |n| n.get().min(256) as u16);
    let threads = model_args.threads.unwrap_or_else(|| tiles.tiles.map_or(1, |_| cores()));
    let mut load = model::options(model_args.backend, threads);
    load.input = pictures.entry()?;
    load.head = choose.head;
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
        score_threshold: choose.score_threshold,
        one_object_iou: Some(choose.one_object_iou.unwrap_or(ONE_OBJECT_IOU)),
        class_thresholds: choose.class_threshold.clone(),
        classes,
        nms,
        max_detections: choose.max_detections.map_or(defaults.max_detections, |n| n as usize),
        ..defaults
    })
}
