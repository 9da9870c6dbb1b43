//! What turns a model's raw outputs into boxes: where scores and boxes come from, and the rule by which
//! overlapping ones are thinned out.

use super::gathered::Gathered;
use super::nms::{Candidate, Suppression, soft_non_max_suppression, suppress};
use super::scores::{Hit, Layout, Pick, ScoreReader};
use super::{Anchor, BoxDecoder, Calibration, DetectorError, NmsKind, ScoreKind};
use crate::geometry::InputBox;
use crate::heads::{Fitted, Overlaps};
use crate::model::{HeadKind, Model, ModelError};
use crate::tensor::{DType, TensorSpec, TensorView};
use osprey_engine::PostProcess;

/// Everything that is fixed between two pictures.
pub(crate) struct Head {
    source: Source,
    reader: ScoreReader,
    kind: NmsKind,
    iou_threshold: f32,
}

/// Where scores and boxes come from.
enum Source {
    /// Two outputs of an SSD, as they are.
    Ssd(Ssd),
    /// A head of another family.
    Other(Gathered),
}

/// Which outputs an SSD's are, and its anchors.
struct Ssd {
    boxes: usize,
    scores: usize,
    box_affine: (f32, i32),
    decoder: BoxDecoder,
    anchors: Vec<Anchor>,
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
        Ok(Self {
            boxes: 0,
            scores: 1,
            classes: options.num_classes,
            kind: ScoreKind::Probabilities,
            anchors: operator.anchors.iter().copied().map(Anchor::from).collect(),
            decoder: BoxDecoder::new(options.scale_yxhw)?,
            calibration: None,
            thresholds: Vec::new(),
            nms: NmsKind::from(options),
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
        let ssd = Ssd {
            boxes: spec.boxes,
            scores: spec.scores,
            box_affine: boxes.affine(),
            decoder: spec.decoder,
            anchors: spec.anchors,
        };
        Ok(Self {
            source: Source::Ssd(ssd),
            reader: ScoreReader::new(layout, spec.thresholds, scores.dtype == DType::I8),
            kind: spec.nms,
            iou_threshold: spec.iou_threshold,
        })
    }

    /// From a head of another family, with a threshold for each of its classes.
    pub(crate) fn other(outputs: &[TensorSpec], fitted: Fitted, thresholds: Vec<f32>) -> Self {
        let columns = fitted.classes;
        let layout = Layout {
            columns,
            offset: 0,
            kind: ScoreKind::Probabilities,
            affine: (1.0, 0),
            calibration: None,
        };
        let iou_threshold = match fitted.overlaps {
            Overlaps::Suppress(iou) => iou,
            Overlaps::Settled | Overlaps::Fuse => 1.0,
        };
        Self {
            source: Source::Other(Gathered::new(outputs, fitted)),
            reader: ScoreReader::new(layout, thresholds, false),
            kind: NmsKind::PerClass,
            iou_threshold,
        }
    }

    /// Which family it is of.
    pub(crate) fn family(&self) -> HeadKind {
        match &self.source {
            Source::Ssd(_) => HeadKind::Ssd,
            Source::Other(gathered) => gathered.kind(),
        }
    }

    pub(crate) fn classes(&self) -> usize {
        self.reader.thresholds().len()
    }

    pub(crate) fn has_background(&self) -> bool {
        self.reader.layout().offset == 1
    }

    pub(crate) fn anchors(&self) -> &[Anchor] {
        match &self.source {
            Source::Ssd(ssd) => &ssd.anchors,
            Source::Other(_) => &[],
        }
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
        let Self { source, reader, kind, iou_threshold } = self;
        let choice = Choice { kind: *kind, iou_threshold: *iou_threshold, max_detections };
        match source {
            Source::Ssd(ssd) => {
                let (boxes, scores) = (model.output(ssd.boxes)?, model.output(ssd.scores)?);
                let Some(boxes) = Boxes::new(&boxes, ssd.box_affine) else {
                    let name = model.outputs()[ssd.boxes].name.clone();
                    return Err(ModelError::InvalidValues { name, dtype: boxes.dtype() });
                };
                choice.collect(reader, &scores, ssd.anchors.len(), candidates);
                let decode = |row: usize| ssd.decoder.decode(boxes.get(row), ssd.anchors[row]);
                choice.thin_out(reader, candidates, decode);
                if let NmsKind::TfliteFast { max_classes_per_detection: classes @ 2.. } = self.kind {
                    self.expand(&scores, classes.min(self.classes()), candidates);
                }
            }
            Source::Other(gathered) => {
                gathered.read(model)?;
                choice.collect(reader, &gathered.scores(), gathered.rows(), candidates);
                if gathered.fuses() {
                    gathered.fuse(candidates, max_detections);
                } else {
                    choice.thin_out(reader, candidates, |row| gathered.bbox(row));
                }
            }
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

/// How candidates are picked and thinned out.
struct Choice {
    kind: NmsKind,
    iou_threshold: f32,
    max_detections: usize,
}

impl Choice {
    /// The scores that pass, as candidates without boxes.
    fn collect(
        &self,
        reader: &mut ScoreReader,
        scores: &TensorView<'_>,
        rows: usize,
        candidates: &mut Vec<Candidate>,
    ) {
        let pick = match self.kind {
            NmsKind::ClassAgnostic | NmsKind::TfliteFast { .. } => Pick::Best,
            _ => Pick::All,
        };
        candidates.clear();
        reader.each(scores, pick, |Hit { anchor, class_id, score }| {
            if anchor < rows {
                candidates.push(Candidate { bbox: InputBox::default(), class_id, score, anchor });
            }
        });
    }

    /// Decodes a box when suppression comes to it; what is no box is dropped.
    fn thin_out(
        &self,
        reader: &ScoreReader,
        candidates: &mut Vec<Candidate>,
        bbox: impl Fn(usize) -> InputBox,
    ) {
        let decode = |c: &mut Candidate| {
            c.bbox = bbox(c.anchor);
            c.bbox.edges().iter().all(|v| v.is_finite())
        };
        let (iou_threshold, max_detections) = (self.iou_threshold, self.max_detections);
        let mut limits =
            Suppression { iou_threshold, across_classes: false, max_per_class: usize::MAX, max_detections };
        match self.kind {
            NmsKind::Soft(decay) => {
                candidates.retain_mut(decode);
                let thresholds = reader.thresholds();
                soft_non_max_suppression(candidates, decay, iou_threshold, thresholds, max_detections);
                return;
            }
            NmsKind::ClassAgnostic | NmsKind::TfliteFast { .. } => limits.across_classes = true,
            NmsKind::TfliteRegular { detections_per_class } => limits.max_per_class = detections_per_class,
            NmsKind::PerClass | NmsKind::FromModel => {}
        }
        suppress(candidates, &limits, decode);
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
    matrix(spec).ok_or_else(|| {
        DetectorError::no_head(
            "boxes [1, anchors, 4] and scores [1, anchors, classes] are expected",
            std::slice::from_ref(spec),
        )
    })
}

pub(super) fn matrix(spec: &TensorSpec) -> Option<[usize; 2]> {
    let known = matches!(spec.dtype, DType::F32 | DType::U8 | DType::I8);
    let (columns, rest) = spec.shape.split_last()?;
    let rows = rest.iter().product();
    let plain = rest.iter().filter(|d| **d != 1).count() <= 1 && !rest.is_empty();
    (known && plain && *columns > 0 && rows > 0).then_some([rows, *columns])
}
