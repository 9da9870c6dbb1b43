//! What is known of a detector's head before the first run: which outputs, which anchors, which
//! classes, put together from the file, its description and the caller's options.

use super::head::{Head, HeadSpec, matrix};
use super::{
    Anchor, AnchorSpec, BoxDecoder, DetectorError, DetectorOptions, EfficientDetAnchors, MultiscaleAnchors,
    NmsKind, ScoreKind, SsdAnchors, SsdSpec,
};
use crate::model::{HeadKind, ImageInput, LabelError, LabelSource, Labels, LoadedModel, PostProcessing};
use crate::tensor::TensorSpec;

/// IoU threshold if neither caller nor file name one: that of TensorFlow's detection models.
const IOU_THRESHOLD: f32 = 0.6;

/// The head of a loaded model, and the labels of its classes; `notes` takes what was assumed.
/// Thresholds are the caller's to set.
///
/// # Errors
/// [`DetectorError`].
pub(crate) fn describe(
    loaded: &LoadedModel,
    input: &ImageInput,
    options: &DetectorOptions,
    notes: &mut Vec<String>,
) -> Result<(Head, Labels), DetectorError> {
    let outputs = loaded.model.outputs();
    let raw_ssd = options.ssd.is_some() || options.anchors.is_some();
    if let Some(fitted) = loaded.other_head().filter(|_| !raw_ssd) {
        notes.extend(fitted.note.clone());
        let labels = aligned(loaded.labels.clone(), fitted.classes, notes)?;
        let thresholds = vec![0.0; fitted.classes];
        return Ok((Head::other(outputs, fitted, thresholds), labels));
    }
    let (spec, labels) = ssd(loaded, input, options, notes)?;
    let thresholds = vec![0.0; spec.classes.min(u16::MAX.into())];
    Ok((Head::new(outputs, HeadSpec { thresholds, ..spec })?, labels))
}

/// The head of an SSD.
fn ssd(
    loaded: &LoadedModel,
    input: &ImageInput,
    options: &DetectorOptions,
    notes: &mut Vec<String>,
) -> Result<(HeadSpec, Labels), DetectorError> {
    match &loaded.post_process {
        Some(_) if loaded.post_processing == PostProcessing::Apply => Err(DetectorError::PostProcessed),
        Some(operator) => {
            let mut spec = HeadSpec::of_operator(operator)?;
            if let Some(anchors) = &options.anchors {
                spec.anchors.clone_from(anchors);
            }
            spec.calibration.clone_from(&loaded.calibration);
            let labels = aligned(loaded.labels.clone(), spec.classes, notes)?;
            Ok((spec, labels))
        }
        None => match loaded.named_head() {
            Some(kind) if kind != HeadKind::Ssd => {
                let reason = format!("{kind} was asked for, which is {}", kind.layout());
                Err(DetectorError::no_head(reason, loaded.model.outputs()))
            }
            _ => raw(loaded, input, options, notes),
        },
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
    options: &DetectorOptions,
    notes: &mut Vec<String>,
) -> Result<(HeadSpec, Labels), DetectorError> {
    let outputs = loaded.model.outputs();
    let manifest = loaded.entry.as_ref().and_then(|e| e.ssd.as_ref());
    let described = options.ssd.as_ref().or(manifest).or(loaded.metadata.detector.as_ref());
    let mut spec = described.cloned().unwrap_or_default();
    let (boxes, scores) = outputs_of(outputs, &spec)?;
    let [count, columns] = [boxes, scores].map(|i| matrix(&outputs[i]).unwrap_or_default());
    let (count, columns) = (count[0], columns[1]);
    if described.is_none() && loaded.graph_scores.get(scores) == Some(&Some(ScoreKind::Logits)) {
        notes.push("the graph puts out scores before any sigmoid: theirs is taken".into());
        spec.scores = ScoreKind::Logits;
    }
    let anchors = match (&options.anchors, &spec.anchors) {
        (Some(given), _) => given.clone(),
        (None, Some(described)) => described.generate(input.height, input.width)?,
        (None, None) => {
            let (anchors, family) = usual_anchors(count, input, notes)?;
            spec.box_scale = spec.box_scale.or(family.box_scale);
            spec.background = spec.background.or(family.background);
            anchors
        }
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
        decoder: spec
            .box_scale
            .map_or(Ok(BoxDecoder::default()), BoxDecoder::new)?
            .with_linear_sizes(spec.linear_sizes),
        calibration: loaded.calibration.clone(),
        thresholds: Vec::new(),
        nms: NmsKind::PerClass,
        iou_threshold: spec.nms_iou.unwrap_or(IOU_THRESHOLD),
    };
    Ok((head, aligned(Some(labels), classes, notes)?))
}

/// Indices of the outputs with boxes and with scores: as named, else by their shapes.
fn outputs_of(outputs: &[TensorSpec], spec: &SsdSpec) -> Result<(usize, usize), DetectorError> {
    let none = |reason: &str| DetectorError::no_head(reason, outputs);
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

/// A family whose anchors are tried where nobody says which they are.
struct Family {
    name: &'static str,
    anchors: AnchorSpec,
    /// Divisors of encodings and whether there is a background, where the family differs from others.
    box_scale: Option<[f32; 4]>,
    background: Option<bool>,
}

/// From this input size on EfficientDet's anchors are larger: Lite3 and Lite4, and D0 and on.
const LARGE_EFFICIENTDET: usize = 512;

fn families(input: &ImageInput) -> [Family; 3] {
    let tensorflow = |name, anchors| Family { name, anchors, box_scale: None, background: None };
    let anchor_scale = if input.height.max(input.width) < LARGE_EFFICIENTDET { 3.0 } else { 4.0 };
    [
        tensorflow("SSD-MobileNet", AnchorSpec::Ssd(SsdAnchors::default())),
        tensorflow("SSD-FPN", AnchorSpec::Multiscale(MultiscaleAnchors::default())),
        Family {
            name: "EfficientDet",
            anchors: AnchorSpec::EfficientDet(EfficientDetAnchors {
                anchor_scale,
                ..EfficientDetAnchors::default()
            }),
            box_scale: Some([1.0; 4]),
            background: Some(false),
        },
    ]
}

/// Where nobody says which anchors: those of a usual family, where the number fits.
fn usual_anchors(
    count: usize,
    input: &ImageInput,
    notes: &mut Vec<String>,
) -> Result<(Vec<Anchor>, Family), DetectorError> {
    let mut usual = Vec::new();
    for family in families(input) {
        let (name, anchors) = (family.name, family.anchors.generate(input.height, input.width)?);
        if anchors.len() == count {
            notes
                .push(format!("the file does not say its anchors: assumed the {count} usual ones of {name}"));
            return Ok((anchors, family));
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
