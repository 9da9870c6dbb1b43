//! What turns a model's raw outputs into boxes: which output is which, anchors, scores, rule.

use super::nms::{Candidate, Suppression, soft_non_max_suppression, suppress};
use super::scores::{Hit, Layout, Pick, ScoreReader};
use super::{Anchor, BoxDecoder, Calibration, DetectorError, NmsKind, ScoreKind, tflite};
use crate::geometry::InputBox;
use crate::model::{Model, ModelError};
use crate::tensor::{DType, TensorSpec, TensorView};
use osprey_engine::PostProcess;

/// Everything that is fixed between two pictures.
pub(crate) struct Head {
    boxes: usize,
    scores: usize,
    box_affine: (f32, i32),
    decoder: BoxDecoder,
    anchors: Vec<Anchor>,
    reader: ScoreReader,
    kind: NmsKind,
    iou_threshold: f32,
}

/// What is known of the outputs, from whatever source.
pub(crate) struct HeadSpec {
    pub(crate) boxes: usize,
    pub(crate) scores: usize,
    pub(crate) classes: usize,
    pub(crate) kind: ScoreKind,
    pub(crate) anchors: Vec<Anchor>,
    pub(crate) decoder: BoxDecoder,
    pub(crate) calibration: Option<Calibration>,
    pub(crate) thresholds: Vec<f32>,
    pub(crate) nms: NmsKind,
    pub(crate) iou_threshold: f32,
}

impl HeadSpec {
    /// As a file's post-processing operator describes it: two outputs, boxes and then scores.
    /// Thresholds are the caller's to set.
    pub(super) fn of_operator(operator: &PostProcess) -> Result<Self, DetectorError> {
        let options = &operator.options;
        let rule = tflite::rule(options);
        Ok(Self {
            boxes: 0,
            scores: 1,
            classes: options.num_classes,
            kind: ScoreKind::Probabilities,
            anchors: operator.anchors.iter().copied().map(Anchor::from).collect(),
            decoder: BoxDecoder::new(options.scale_yxhw)?,
            calibration: None,
            thresholds: Vec::new(),
            nms: rule.kind,
            iou_threshold: options.nms_iou_threshold,
        })
    }
}

impl Head {
    /// # Errors
    /// [`DetectorError`].
    pub(crate) fn new(outputs: &[TensorSpec], spec: HeadSpec) -> Result<Self, DetectorError> {
        let (boxes, scores) = (&outputs[spec.boxes], &outputs[spec.scores]);
        let ([count, _], [_, columns]) = (rows(boxes)?, rows(scores)?);
        if spec.anchors.len() != count {
            return Err(DetectorError::AnchorCount { anchors: spec.anchors.len(), boxes: count });
        }
        let offset = match columns.checked_sub(spec.classes) {
            Some(offset @ (0 | 1)) if spec.classes > 0 => offset,
            _ => return Err(DetectorError::ScoreColumns { columns, classes: spec.classes }),
        };
        let affine = scores.affine();
        let calibration = spec.calibration.map(|c| c.aligned(spec.classes));
        let layout = Layout { columns, offset, kind: spec.kind, affine, calibration };
        Ok(Self {
            boxes: spec.boxes,
            scores: spec.scores,
            box_affine: boxes.affine(),
            decoder: spec.decoder,
            anchors: spec.anchors,
            reader: ScoreReader::new(layout, spec.thresholds, scores.dtype == DType::I8),
            kind: spec.nms,
            iou_threshold: spec.iou_threshold,
        })
    }

    pub(crate) fn classes(&self) -> usize {
        self.reader.thresholds().len()
    }

    pub(crate) fn has_background(&self) -> bool {
        self.reader.layout().offset == 1
    }

    pub(crate) fn anchors(&self) -> &[Anchor] {
        &self.anchors
    }

    pub(crate) fn kind(&self) -> NmsKind {
        self.kind
    }

    pub(crate) fn is_fast(&self) -> bool {
        matches!(self.kind, NmsKind::TfliteFast { .. })
    }

    pub(crate) fn iou_threshold(&self) -> f32 {
        self.iou_threshold
    }

    pub(crate) fn set_thresholds(&mut self, thresholds: Vec<f32>) {
        self.reader.set_thresholds(thresholds);
    }

    pub(crate) fn set_nms(&mut self, kind: NmsKind, iou_threshold: f32) {
        (self.kind, self.iou_threshold) = (kind, iou_threshold);
    }

    /// Fills `candidates` with what is found in the outputs of the last run, best first.
    pub(crate) fn detect(
        &mut self,
        model: &dyn Model,
        max_detections: usize,
        candidates: &mut Vec<Candidate>,
    ) -> Result<(), ModelError> {
        let (boxes, scores) = (model.output(self.boxes)?, model.output(self.scores)?);
        let Some(boxes) = Boxes::new(&boxes, self.box_affine) else {
            let name = model.outputs()[self.boxes].name.clone();
            return Err(ModelError::InvalidValues { name, dtype: boxes.dtype() });
        };
        let pick = match self.kind {
            NmsKind::ClassAgnostic | NmsKind::TfliteFast { .. } => Pick::Best,
            _ => Pick::All,
        };
        candidates.clear();
        let (decoder, anchors) = (&self.decoder, &self.anchors);
        self.reader.each(&scores, pick, |Hit { anchor, class_id, score }| {
            if anchor < anchors.len() {
                candidates.push(Candidate { bbox: InputBox::default(), class_id, score, anchor });
            }
        });
        // A box is decoded when suppression comes to it.
        let decode = |c: &mut Candidate| {
            let b = decoder.decode(boxes.get(c.anchor), anchors[c.anchor]);
            c.bbox = b;
            [b.x_min, b.y_min, b.x_max, b.y_max].iter().all(|v| v.is_finite())
        };
        let iou_threshold = self.iou_threshold;
        let mut limits =
            Suppression { iou_threshold, across_classes: false, max_per_class: usize::MAX, max_detections };
        match self.kind {
            NmsKind::Soft(decay) => {
                candidates.retain_mut(decode);
                let thresholds = self.reader.thresholds();
                soft_non_max_suppression(candidates, decay, iou_threshold, thresholds, max_detections);
                return Ok(());
            }
            NmsKind::ClassAgnostic | NmsKind::TfliteFast { .. } => limits.across_classes = true,
            NmsKind::TfliteRegular { detections_per_class } => limits.max_per_class = detections_per_class,
            NmsKind::PerClass | NmsKind::FromModel => {}
        }
        suppress(candidates, &limits, decode);
        if let NmsKind::TfliteFast { max_classes_per_detection: classes @ 2.. } = self.kind {
            self.expand(&scores, classes.min(self.classes()), candidates);
        }
        Ok(())
    }

    /// Makes a block of every kept box: one row for each of its `classes` best classes, whether they
    /// pass their thresholds or not.
    fn expand(&mut self, scores: &TensorView<'_>, classes: usize, kept: &mut Vec<Candidate>) {
        let boxes = kept.len();
        if let Some(&filler) = kept.first() {
            kept.resize(boxes * classes, filler);
        }
        // From the end, so that no box is overwritten before its block is made.
        for i in (0..boxes).rev() {
            let of = kept[i];
            let best = self.reader.best_classes(scores, of.anchor, classes);
            for (row, &(class_id, score)) in kept[i * classes..].iter_mut().zip(best) {
                *row = Candidate { class_id, score, ..of };
            }
        }
    }

    /// Least score of each class; infinite where it is not wanted.
    pub(crate) fn thresholds(&self) -> &[f32] {
        self.reader.thresholds()
    }
}

/// Box encodings of whatever type.
enum Boxes<'a> {
    F32(&'a [f32], usize),
    U8(&'a [u8], usize, (f32, i32)),
    I8(&'a [i8], usize, (f32, i32)),
}

impl<'a> Boxes<'a> {
    fn new(view: &'a TensorView<'_>, affine: (f32, i32)) -> Option<Self> {
        let width = view.shape().last().copied().filter(|w| *w >= 4)?;
        view.as_slice::<f32>()
            .map(|s| Self::F32(s, width))
            .or_else(|| view.as_slice::<u8>().map(|s| Self::U8(s, width, affine)))
            .or_else(|| view.as_slice::<i8>().map(|s| Self::I8(s, width, affine)))
    }

    /// The encoding of an anchor: y, x, h, w.
    fn get(&self, anchor: usize) -> [f32; 4] {
        let real = |v: f32, (scale, zero_point): (f32, i32)| (v - zero_point as f32) * scale;
        match *self {
            Self::F32(s, w) => std::array::from_fn(|i| s[anchor * w + i]),
            Self::U8(s, w, q) => std::array::from_fn(|i| real(s[anchor * w + i].into(), q)),
            Self::I8(s, w, q) => std::array::from_fn(|i| real(s[anchor * w + i].into(), q)),
        }
    }
}

/// Rows and columns of an output `[1, rows, columns]`; further dimensions of one are overlooked.
pub(super) fn rows(spec: &TensorSpec) -> Result<[usize; 2], DetectorError> {
    matrix(spec).ok_or_else(|| DetectorError::NoHead {
        reason: "boxes [1, anchors, 4] and scores [1, anchors, classes] are expected",
        outputs: format!("\"{}\" {:?}", spec.name, spec.shape),
    })
}

pub(super) fn matrix(spec: &TensorSpec) -> Option<[usize; 2]> {
    let known = matches!(spec.dtype, DType::F32 | DType::U8 | DType::I8);
    let (columns, rest) = spec.shape.split_last()?;
    let rows = rest.iter().product();
    let plain = rest.iter().filter(|d| **d != 1).count() <= 1 && !rest.is_empty();
    (known && plain && *columns > 0 && rows > 0).then_some([rows, *columns])
}
