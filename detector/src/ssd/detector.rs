//! A detector: a model, its anchors and labels, and what the caller wants to see.

use super::head::{Head, HeadSpec, matrix};
use super::nms::Candidate;
use super::{
    Anchor, AnchorSpec, BoxDecoder, ClassFilter, DetectorError, DetectorOptions, MultiscaleAnchors, NmsKind,
    ScoreKind, SsdAnchors, SsdSpec, tflite,
};
use crate::geometry::Detection;
use crate::model::{
    Backend, Entry, ImageInput, LabelError, LabelSource, Labels, LoadedModel, Metadata, Model, ModelError,
    PostProcessing, load,
};
use crate::preprocess::{PreprocessError, Preprocessor};
use crate::tensor::{TensorSpec, TensorViewMut};
use std::fmt;
use std::path::Path;

/// IoU threshold where neither caller nor file name one: that of TensorFlow's detection models.
const IOU_THRESHOLD: f32 = 0.6;

/// A single-shot detector.
///
/// A picture goes in through [`Detector::input_mut`], in the form that [`Detector::input`]
/// describes; [`Detector::infer`] runs the model; [`Detector::detections`] decodes and suppresses.
/// The three are separate so that each can be timed, and so that a camera's buffer is free before
/// the model runs. Once warm none of them allocates, with the native backend.
///
/// Boxes are in fractions of the model's input. Where a picture was letterboxed or cropped into it,
/// the preprocessing's inverse map leads back; boxes may reach past the edges.
pub struct Detector {
    model: Box<dyn Model>,
    head: Head,
    rule: Rule,
    labels: Labels,
    input: ImageInput,
    backend: Backend,
    reason: String,
    metadata: Metadata,
    entry: Option<Entry>,
    notes: Vec<String>,
    max_detections: usize,
    candidates: Vec<Candidate>,
}

/// What the file or the manifest says about suppression.
#[derive(Debug, Clone, Copy)]
struct Rule {
    kind: NmsKind,
    iou_threshold: f32,
}

impl fmt::Debug for Detector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detector")
            .field("input", &self.input)
            .field("classes", &self.head.classes())
            .field("anchors", &self.head.anchors().len())
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

impl Detector {
    /// Loads the model file at `path`.
    ///
    /// # Errors
    /// [`DetectorError`].
    pub fn load(path: impl AsRef<Path>, options: &DetectorOptions) -> Result<Self, DetectorError> {
        let loading =
            crate::model::LoadOptions { post_processing: PostProcessing::Leave, ..options.load.clone() };
        Self::from_model(load(path, &loading)?, options)
    }

    /// Loads a model from the bytes of its file; they are not needed afterwards.
    ///
    /// # Errors
    /// [`DetectorError`].
    pub fn from_bytes(bytes: &[u8], options: &DetectorOptions) -> Result<Self, DetectorError> {
        let loading =
            crate::model::LoadOptions { post_processing: PostProcessing::Leave, ..options.load.clone() };
        Self::from_model(LoadedModel::from_bytes(bytes, &loading)?, options)
    }

    /// From a model loaded with [`PostProcessing::Leave`].
    ///
    /// # Errors
    /// [`DetectorError`].
    pub fn from_model(loaded: LoadedModel, options: &DetectorOptions) -> Result<Self, DetectorError> {
        options.check()?;
        let mut notes = Vec::new();
        let no_input = || ModelError::NoSuchTensor { kind: "input", index: 0, count: 0 };
        let input_spec = loaded.model.inputs().first().ok_or_else(no_input)?;
        let entry = loaded.entry.as_ref();
        let input = ImageInput::new(input_spec, entry.map(|e| &e.input), &loaded.metadata)?;
        let outputs = loaded.model.outputs();
        let (spec, labels) = match &loaded.post_process {
            Some(_) if loaded.post_processing == PostProcessing::Apply => {
                return Err(DetectorError::PostProcessed);
            }
            Some(end) => {
                let classes = end.options.num_classes;
                let rule = tflite::rule(&end.options);
                let anchors = end.anchors.iter().copied().map(Anchor::from).collect();
                let spec = HeadSpec {
                    boxes: 0,
                    scores: 1,
                    classes,
                    kind: ScoreKind::Probabilities,
                    anchors: options.anchors.clone().unwrap_or(anchors),
                    decoder: BoxDecoder::new(end.options.scale_yxhw)?,
                    calibration: loaded.calibration.clone(),
                    thresholds: Vec::new(),
                    nms: rule.kind,
                    iou_threshold: end.options.nms_iou_threshold,
                };
                (spec, aligned(loaded.labels.clone(), classes, &mut notes)?)
            }
            None => {
                let described = options.ssd.as_ref().or(entry.and_then(|e| e.ssd.as_ref()));
                raw(&loaded, &input, outputs, described, options.anchors.as_ref(), &mut notes)?
            }
        };
        let rule = Rule { kind: spec.nms, iou_threshold: spec.iou_threshold };
        // Thresholds need the labels, and what the head finds out about its columns.
        let thresholds = vec![options.score_threshold; spec.classes.min(u16::MAX.into())];
        let head = Head::new(outputs, HeadSpec { thresholds, ..spec })?;
        let mut detector = Self {
            model: loaded.model,
            head,
            rule,
            labels,
            input,
            backend: loaded.backend,
            reason: loaded.reason,
            metadata: loaded.metadata,
            entry: loaded.entry,
            notes,
            max_detections: options.max_detections,
            candidates: Vec::new(),
        };
        detector.reconfigure(options)?;
        Ok(detector)
    }

    /// Takes thresholds, classes, suppression and limits from `options`; the model stays as it is.
    ///
    /// # Errors
    /// [`DetectorError::BadOption`], [`DetectorError::Labels`]; the detector is unchanged then.
    pub fn reconfigure(&mut self, options: &DetectorOptions) -> Result<(), DetectorError> {
        options.check()?;
        let thresholds = self.thresholds(options)?;
        let kind = match (options.nms.kind, self.rule.kind) {
            // The file's limits are lifted with the rule: `max_detections` alone counts.
            (NmsKind::FromModel, NmsKind::TfliteRegular { .. } | NmsKind::FromModel) => NmsKind::PerClass,
            (NmsKind::FromModel, own) => own,
            (asked, _) => asked,
        };
        self.head.set_thresholds(thresholds);
        self.head.set_nms(kind, options.nms.iou_threshold.unwrap_or(self.rule.iou_threshold));
        self.max_detections = options.max_detections;
        Ok(())
    }

    fn thresholds(&self, options: &DetectorOptions) -> Result<Vec<f32>, DetectorError> {
        let classes = self.head.classes();
        let find = |name: &String| match self.labels.find(name) {
            Ok(id) if id < classes => Ok(id),
            Ok(_) => Err(LabelError::Unknown { name: name.clone(), nearest: None }),
            Err(e) => Err(e),
        };
        let mut thresholds = vec![options.score_threshold; classes];
        for (name, threshold) in &options.class_thresholds {
            thresholds[find(name)?] = *threshold;
        }
        let (names, listed_are_wanted) = match &options.classes {
            ClassFilter::All => return Ok(thresholds),
            ClassFilter::Only(names) => (names, true),
            ClassFilter::Except(names) => (names, false),
        };
        let mut listed = vec![false; classes];
        for name in names {
            listed[find(name)?] = true;
        }
        let unwanted = thresholds.iter_mut().zip(listed).filter(|(_, listed)| *listed != listed_are_wanted);
        unwanted.for_each(|(threshold, _)| *threshold = f32::INFINITY);
        Ok(thresholds)
    }

    /// What the picture must look like.
    pub fn input(&self) -> &ImageInput {
        &self.input
    }

    /// A preprocessor that writes such pictures into [`Detector::input_mut`].
    ///
    /// # Errors
    /// [`PreprocessError`], where the input's numbers cannot be made.
    pub fn preprocessor(&self) -> Result<Preprocessor, PreprocessError> {
        match self.model.inputs() {
            [spec, ..] => Preprocessor::new(spec, (&self.input).into()),
            [] => Err(PreprocessError::Shape { shape: Vec::new() }),
        }
    }

    /// The model's input, for the preprocessor to write into: `[1, height, width, channels]`.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        self.model.input_mut(0)
    }

    /// Runs the model on what the input holds.
    ///
    /// # Errors
    /// [`ModelError::Backend`]; the native backend has none.
    pub fn infer(&mut self) -> Result<(), ModelError> {
        self.model.run()
    }

    /// Decodes and suppresses the outputs of the last [`Detector::infer`] into `detections`, which
    /// is cleared first; best first.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn detections(&mut self, detections: &mut Vec<Detection>) -> Result<(), ModelError> {
        self.head.detect(&*self.model, self.max_detections, &mut self.candidates)?;
        if self.head.is_fast() {
            // A kept box may bring classes along that do not pass.
            let thresholds = self.head.thresholds();
            self.candidates.retain(|c| c.score >= thresholds[c.class_id]);
            self.candidates.sort_unstable_by(Candidate::order);
            self.candidates.truncate(self.max_detections);
        }
        detections.clear();
        let found = self.candidates.iter();
        detections.extend(found.map(|c| Detection { bbox: c.bbox, class_id: c.class_id, score: c.score }));
        Ok(())
    }

    /// [`Detector::infer`] and [`Detector::detections`].
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn run(&mut self, detections: &mut Vec<Detection>) -> Result<(), ModelError> {
        self.infer()?;
        self.detections(detections)
    }

    /// Names of the classes, the background not among them.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// Names of all classes, by id.
    pub fn class_names(&self) -> Vec<String> {
        (0..self.classes()).map(|class| self.labels.name(class).into_owned()).collect()
    }

    /// How many classes the model tells apart, the background not counted.
    pub fn classes(&self) -> usize {
        self.head.classes()
    }

    /// Whether the scores have a column for the background, which is left out.
    pub fn has_background(&self) -> bool {
        self.head.has_background()
    }

    /// The anchors, in the order of the model's boxes.
    pub fn anchors(&self) -> &[Anchor] {
        self.head.anchors()
    }

    /// The rule of suppression in force, with its IoU threshold.
    pub fn nms(&self) -> (NmsKind, f32) {
        (self.head.kind(), self.head.iou_threshold())
    }

    /// What runs the model, and why.
    pub fn backend(&self) -> (Backend, &str) {
        (self.backend, &self.reason)
    }

    /// What the file says about itself.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What the manifest says about the model.
    pub fn entry(&self) -> Option<&Entry> {
        self.entry.as_ref()
    }

    /// What was assumed because neither file, manifest nor options say it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The model, for profiling and for its raw outputs.
    pub fn model(&self) -> &dyn Model {
        &*self.model
    }
}

/// Labels that were asked for must fit; those that came along are left out where they do not.
fn aligned(labels: Option<Labels>, classes: usize, notes: &mut Vec<String>) -> Result<Labels, LabelError> {
    let labels = labels.unwrap_or_default();
    let asked_for = matches!(labels.source(), LabelSource::Given | LabelSource::File(_));
    match labels.aligned(classes) {
        Ok(labels) => Ok(labels),
        Err(e) if asked_for => Err(e),
        Err(e) => {
            notes.push(format!("classes go by number: {e}"));
            Ok(Labels::default())
        }
    }
}

/// The head of a model whose outputs are raw.
fn raw(
    loaded: &LoadedModel,
    input: &ImageInput,
    outputs: &[TensorSpec],
    described: Option<&SsdSpec>,
    given_anchors: Option<&Vec<Anchor>>,
    notes: &mut Vec<String>,
) -> Result<(HeadSpec, Labels), DetectorError> {
    let spec = described.cloned().unwrap_or_default();
    let (boxes, scores) = outputs_of(outputs, &spec)?;
    let [count, columns] = [boxes, scores].map(|i| matrix(&outputs[i]).unwrap_or_default());
    let (count, columns) = (count[0], columns[1]);
    let anchors = match (given_anchors, &spec.anchors) {
        (Some(given), _) => given.clone(),
        (None, Some(described)) => described.generate(input.height, input.width)?,
        (None, None) => usual_anchors(count, input, notes)?,
    };
    let labels = loaded.labels.clone().unwrap_or_default();
    let background = spec.background.unwrap_or_else(|| background(&labels, columns, spec.scores, notes));
    let classes = columns - usize::from(background && columns > 1);
    let head = HeadSpec {
        boxes,
        scores,
        classes,
        kind: spec.scores,
        anchors,
        decoder: spec.box_scale.map_or(Ok(BoxDecoder::default()), BoxDecoder::new)?,
        calibration: loaded.calibration.clone(),
        thresholds: Vec::new(),
        nms: NmsKind::PerClass,
        iou_threshold: spec.nms_iou.unwrap_or(IOU_THRESHOLD),
    };
    Ok((head, aligned(Some(labels), classes, notes)?))
}

/// Indices of the outputs with boxes and with scores: as named, else by their shapes.
fn outputs_of(outputs: &[TensorSpec], spec: &SsdSpec) -> Result<(usize, usize), DetectorError> {
    let listed =
        || outputs.iter().map(|o| format!("\"{}\" {:?}", o.name, o.shape)).collect::<Vec<_>>().join(", ");
    let none = |reason| DetectorError::NoHead { reason, outputs: listed() };
    let shapes: Vec<_> = outputs.iter().map(matrix).collect();
    let named = |index: Option<usize>| match index {
        Some(i) if shapes.get(i).copied().flatten().is_none() => {
            Err(none("a named output is no table of numbers"))
        }
        other => Ok(other),
    };
    let (boxes, scores) = (named(spec.boxes_output)?, named(spec.scores_output)?);
    // A class count of four leaves two readings; names settle it where they are telling.
    let telling = |i: usize, word: &str| outputs[i].name.to_lowercase().contains(word);
    let pairs = (0..outputs.len()).flat_map(|b| (0..outputs.len()).map(move |s| (b, s)));
    let fits = |&(b, s): &(usize, usize)| {
        let (Some([rows, width]), Some([score_rows, _])) = (shapes[b], shapes[s]) else { return false };
        b != s
            && rows == score_rows
            && width == 4
            && boxes.is_none_or(|i| i == b)
            && scores.is_none_or(|i| i == s)
    };
    let candidates: Vec<_> = pairs.filter(fits).collect();
    match *candidates.as_slice() {
        [pair] => Ok(pair),
        [] => Err(none("no output is [1, anchors, 4] beside one of [1, anchors, classes]")),
        _ => {
            let mut clear = candidates.iter().filter(|(b, s)| telling(*b, "box") && !telling(*s, "box"));
            match (clear.next(), clear.next()) {
                (Some(pair), None) => Ok(*pair),
                _ => Err(none("more than one pair of outputs could be boxes and scores")),
            }
        }
    }
}

/// Where nobody says which anchors: those of TensorFlow's two families, where the number fits.
fn usual_anchors(
    count: usize,
    input: &ImageInput,
    notes: &mut Vec<String>,
) -> Result<Vec<Anchor>, DetectorError> {
    let families = [
        ("SSD-MobileNet", AnchorSpec::Ssd(SsdAnchors::default())),
        ("SSD-FPN", AnchorSpec::Multiscale(MultiscaleAnchors::default())),
    ];
    let mut usual = Vec::new();
    for (name, family) in families {
        let anchors = family.generate(input.height, input.width)?;
        if anchors.len() == count {
            notes.push(format!("the file does not say its anchors: assumed TensorFlow's {count} of {name}"));
            return Ok(anchors);
        }
        usual.push(format!("{} ({name})", anchors.len()));
    }
    Err(DetectorError::NoAnchors { boxes: count, usual: usual.join(" or ") })
}

/// Whether column 0 is the background, as far as the labels tell.
fn background(labels: &Labels, columns: usize, kind: ScoreKind, notes: &mut Vec<String>) -> bool {
    if labels.len() + 1 == columns {
        return !labels.is_empty() || kind == ScoreKind::SoftmaxLogits;
    }
    if labels.len() == columns {
        // As many labels as columns: the background has one of each, or none.
        return labels.clone().aligned(columns - 1).is_ok();
    }
    if columns > 1 {
        notes.push(format!(
            "neither labels nor a description say whether column 0 of the {columns} scores is the background: assumed so"
        ));
    }
    columns > 1
}
