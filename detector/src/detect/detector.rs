//! A detector: a model, its anchors and labels, and what the caller wants to see.

use super::{Detect, FramePreparer};
use crate::frame::Frame;
use crate::geometry::{Detection, InputBox};
use crate::model::{
    Backend, Entry, HeadKind, ImageInput, LabelError, Labels, LoadedModel, Metadata, Model, ModelError,
    PostProcessing, load,
};
use crate::preprocess::{Filter, PreprocessOptions};
use crate::ssd::{
    Anchor, Candidate, ClassFilter, DetectorError, DetectorOptions, Head, NmsKind, SCORE_THRESHOLD, describe,
    keep_one_class,
};
use crate::tensor::{TensorSpec, TensorViewMut};
use std::fmt;
use std::path::Path;

/// Finds objects in frames.
///
/// ```no_run
/// use osprey_detector::{Detector, DetectorOptions, frame::Frame};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut detector = Detector::load("ssdlite_300_int8.tflite", &DetectorOptions::default())?;
/// let pixels = vec![128; 640 * 480 * 3];
/// for d in detector.detect(&Frame::rgb(&pixels, 640, 480)?)? {
///     println!("class {} {:.2} {:?}", d.class_id, d.score, d.bbox.to_pixels(640, 480));
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Detector::detect`] does all of it on one thread. Its halves, a [`FramePreparer`] and
/// [`Detect::infer_prepared`] with [`Detect::finish`], may run on different ones. Once warm none of
/// them allocates, with the native backend.
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
    score_threshold: f32,
    one_object_iou: Option<f32>,
    filter: Filter,
    candidates: Vec<Candidate>,
    /// What the last run found, in the model's input.
    raw: Vec<Detection<InputBox>>,
    /// Made with the first frame that [`Detector::detect`] is given.
    preparer: Option<FramePreparer>,
    /// What [`Detector::detect`] lends.
    found: Vec<Detection>,
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
        let (_, input) = loaded.image_input()?;
        notes.extend(input.note());
        let (head, labels) = describe(&loaded, &input, options, &mut notes)?;
        let rule = Rule { kind: head.kind(), iou_threshold: head.iou_threshold() };
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
            score_threshold: 0.0,
            one_object_iou: None,
            filter: options.filter,
            candidates: Vec::new(),
            raw: Vec::new(),
            preparer: None,
            found: Vec::new(),
        };
        detector.reconfigure(options)?;
        Ok(detector)
    }

    /// Takes thresholds, classes, suppression, limits and filter from `options`; the model stays as it
    /// is.
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
        self.score_threshold = self.least_score(options);
        // Soft suppression keeps what overlaps, by its very idea.
        self.one_object_iou = options.one_object_iou.filter(|_| !matches!(kind, NmsKind::Soft(_)));
        if self.filter != options.filter {
            (self.filter, self.preparer) = (options.filter, None);
        }
        Ok(())
    }

    fn least_score(&self, options: &DetectorOptions) -> f32 {
        let of_manifest = || self.entry.as_ref().and_then(|e| e.threshold);
        options.score_threshold.or_else(of_manifest).unwrap_or(SCORE_THRESHOLD)
    }

    fn thresholds(&self, options: &DetectorOptions) -> Result<Vec<f32>, DetectorError> {
        let classes = self.head.classes();
        let find = |name: &String| match self.labels.find(name) {
            Ok(id) if id < classes => Ok(id),
            Ok(_) => Err(LabelError::Unknown { name: name.clone(), nearest: None }),
            Err(e) => Err(e),
        };
        let mut thresholds = vec![self.least_score(options); classes];
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

    /// What is in a frame, best first, in fractions of its upright image and clipped to it.
    ///
    /// # Errors
    /// [`DetectorError::Preprocess`], [`DetectorError::Model`].
    pub fn detect(&mut self, frame: &Frame<'_>) -> Result<&[Detection], DetectorError> {
        let mut preparer = match self.preparer.take() {
            Some(preparer) => preparer,
            None => self.preparer()?,
        };
        let placement = preparer.write(frame, &mut self.model.input_mut(0)?);
        self.preparer = Some(preparer);
        let placement = placement?;
        self.infer()?;
        let mut found = std::mem::take(&mut self.found);
        let finished = self.finish(&placement, &mut found);
        self.found = found;
        finished?;
        Ok(&self.found)
    }

    /// Whether any class scored `score` or more in the last run, whatever the thresholds are.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn reaches(&mut self, score: f32) -> Result<bool, ModelError> {
        let own = self.head.thresholds().to_vec();
        self.head.set_thresholds(vec![score; own.len()]);
        let looked = self.head.detect(&*self.model, 1, &mut self.candidates);
        self.head.set_thresholds(own);
        looked?;
        Ok(!self.candidates.is_empty())
    }

    /// What the model's image input is like.
    pub fn input(&self) -> &ImageInput {
        &self.input
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

    /// Which family of heads the model's outputs are.
    pub fn head(&self) -> HeadKind {
        self.head.family()
    }

    /// The anchors, in the order of the model's boxes; none where the head is no SSD's.
    pub fn anchors(&self) -> &[Anchor] {
        self.head.anchors()
    }

    /// The rule of suppression in force, with its IoU threshold.
    pub fn nms(&self) -> (NmsKind, f32) {
        (self.head.kind(), self.head.iou_threshold())
    }

    /// Least score that is reported, but for classes with one of their own.
    pub fn score_threshold(&self) -> f32 {
        self.score_threshold
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

impl Detect for Detector {
    fn input_spec(&self) -> &TensorSpec {
        // `from_model` has refused models without inputs.
        &self.model.inputs()[0]
    }

    fn preprocess(&self) -> PreprocessOptions {
        PreprocessOptions { filter: self.filter, ..PreprocessOptions::from(&self.input) }
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        self.model.input_mut(0)
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        self.model.run()
    }

    fn class_names(&self) -> Vec<String> {
        Self::class_names(self)
    }

    fn reconfigure(&mut self, options: &DetectorOptions) -> Result<(), DetectorError> {
        Self::reconfigure(self, options)
    }

    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError> {
        self.head.detect(&*self.model, self.max_detections, &mut self.candidates)?;
        if self.head.is_fast() {
            // A kept box may bring classes along that do not pass.
            let thresholds = self.head.thresholds();
            self.candidates.retain(|c| c.score >= thresholds[c.class_id]);
            self.candidates.sort_unstable_by(Candidate::order);
            self.candidates.truncate(self.max_detections);
        }
        if let Some(iou) = self.one_object_iou {
            keep_one_class(&mut self.candidates, iou);
        }
        self.raw.clear();
        let found = self.candidates.iter();
        self.raw.extend(found.map(|c| Detection { bbox: c.bbox, class_id: c.class_id, score: c.score }));
        Ok(&self.raw)
    }
}
