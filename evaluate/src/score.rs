//! COCO's average precision and recall, by the crate hotcoco, which gives pycocotools' figures.

use crate::{EvaluateError, Judged, Truth};
use hotcoco::{AccumulatedEval, Annotation, COCO, COCOeval, Category, Dataset, Image, IouType};
use std::collections::HashMap;

/// Figures over all pictures.
#[derive(Debug, Clone)]
pub struct Scores {
    /// Name and value of COCO's twelve figures: AP, AP50, … ; NaN where there is nothing to measure.
    pub summary: Vec<(&'static str, f64)>,
    /// Classes with at least one object, in the truth's order.
    pub classes: Vec<ClassScore>,
}

/// Figures of one class.
#[derive(Debug, Clone)]
pub struct ClassScore {
    /// Index among the truth's classes.
    pub class: usize,
    /// How many people boxed.
    pub objects: usize,
    /// How many the model found, right or wrong.
    pub found: usize,
    /// Average precision, mean over IoU thresholds 0.5 to 0.95.
    pub ap: f64,
    /// Average precision at IoU 0.5.
    pub ap50: f64,
    /// Recall with 100 detections a picture, mean over the same thresholds.
    pub recall: f64,
    /// Precision at recall 0, 0.01, … 1, IoU 0.5.
    pub curve: Vec<f64>,
}

/// What pycocotools reports where there is nothing to measure.
const NOTHING: f64 = -1.0;

/// COCO's figures over all judged pictures.
///
/// # Errors
/// [`EvaluateError::Score`].
pub fn score(truth: &Truth, judged: &[Judged]) -> Result<Scores, EvaluateError> {
    let all: Vec<usize> = (0..judged.len()).collect();
    let eval = evaluated(truth, judged, &all, 0.0)?;
    let accumulated =
        eval.accumulated().ok_or_else(|| EvaluateError::Nothing("nothing was accumulated".to_owned()))?;
    let summary = summary(&eval);
    let mut objects = vec![0; truth.classes.len()];
    let mut found = objects.clone();
    for j in judged {
        truth.pictures[j.picture].boxes.iter().filter(|b| !b.ignored).for_each(|b| objects[b.class] += 1);
        j.found.iter().for_each(|f| found[f.class] += 1);
    }
    let classes = accumulated.cat_ids.iter().enumerate().filter_map(|(k, id)| {
        let class = *id as usize - 1;
        (objects[class] > 0).then(|| class_score(accumulated, k, class, objects[class], found[class]))
    });
    Ok(Scores { summary, classes: classes.collect() })
}

/// Figures of a random sample of the pictures, drawn with replacement: the i-th sample of a
/// bootstrap over pictures.
fn resampled(
    truth: &Truth,
    judged: &[Judged],
    sample: u64,
) -> Result<Vec<(&'static str, f64)>, EvaluateError> {
    // SplitMix64.
    let mut state = (sample + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut draw = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as usize % judged.len()
    };
    let drawn: Vec<usize> = judged.iter().map(|_| draw()).collect();
    Ok(summary(&evaluated(truth, judged, &drawn, 0.0)?))
}

/// A figure's interval that 95 % of resampled sets of pictures lie in.
#[derive(Debug, Clone)]
pub struct Interval {
    /// The figure, as in [`Scores::summary`].
    pub name: &'static str,
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// Intervals of COCO's figures by a bootstrap over pictures, the same at every call.
///
/// # Errors
/// [`EvaluateError::Score`].
pub fn bootstrap(truth: &Truth, judged: &[Judged], samples: u32) -> Result<Vec<Interval>, EvaluateError> {
    let mut values: Vec<(&'static str, Vec<f64>)> = Vec::new();
    for sample in 0..samples {
        let figures = resampled(truth, judged, sample.into())?;
        values.resize_with(figures.len(), || ("", Vec::new()));
        for ((name, list), (figure, value)) in values.iter_mut().zip(figures) {
            *name = figure;
            list.extend(Some(value).filter(|v| !v.is_nan()));
        }
    }
    let interval = |(name, mut list): (&'static str, Vec<f64>)| {
        list.sort_by(f64::total_cmp);
        let at = |share: f64| list.get((share * list.len() as f64) as usize).copied();
        Some(Interval { name, low: at(0.025)?, high: at(0.975).or(list.last().copied())? })
    };
    Ok(values.into_iter().filter_map(interval).collect())
}

/// An evaluation of some pictures, which may repeat, of detections with at least this score.
fn evaluated(
    truth: &Truth,
    judged: &[Judged],
    chosen: &[usize],
    least_score: f64,
) -> Result<COCOeval, EvaluateError> {
    let (mut images, mut objects, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (position, &index) in chosen.iter().enumerate() {
        let (judged, image_id) = (&judged[index], position as u64 + 1);
        let (width, height) = judged.size;
        images.push(Image { id: image_id, width, height, ..Image::default() });
        for b in &truth.pictures[judged.picture].boxes {
            let bbox = b.place.xywh(judged.size);
            objects.push(Annotation {
                id: objects.len() as u64 + 1,
                image_id,
                category_id: b.class as u64 + 1,
                bbox: Some(bbox),
                area: Some(b.area.unwrap_or(bbox[2] * bbox[3])),
                iscrowd: b.ignored,
                ..Annotation::default()
            });
        }
        for f in judged.found.iter().filter(|f| f.score >= least_score) {
            found.push(Annotation {
                image_id,
                category_id: f.class as u64 + 1,
                bbox: Some(f.xywh),
                score: Some(f.score),
                ..Annotation::default()
            });
        }
    }
    let named = truth.classes.iter().enumerate();
    let categories = named
        .map(|(i, name)| Category { id: i as u64 + 1, name: name.clone(), ..Category::default() })
        .collect();
    let dataset = Dataset { images, annotations: objects, categories, ..Dataset::default() };
    let truth = COCO::from_dataset(dataset);
    let found = truth.load_res_anns(found)?;
    let mut eval = COCOeval::new(truth, found, IouType::Bbox);
    eval.evaluate()?;
    eval.accumulate();
    // Its lines are not printed; this sets the figures.
    let _ = eval.summarize_lines();
    Ok(eval)
}

fn summary(eval: &COCOeval) -> Vec<(&'static str, f64)> {
    let values = eval.stats().unwrap_or_default().iter().map(|&v| measured(v));
    eval.metric_keys().into_iter().zip(values).collect()
}

fn measured(value: f64) -> f64 {
    if value == NOTHING { f64::NAN } else { value }
}

fn class_score(a: &AccumulatedEval, k: usize, class: usize, objects: usize, found: usize) -> ClassScore {
    const ALL_AREAS: usize = 0;
    let most = a.shape.m - 1;
    let precision =
        |t: usize| (0..a.shape.r).map(move |r| a.precision[a.precision_idx(t, r, k, ALL_AREAS, most)]);
    let recall = (0..a.shape.t).map(|t| a.recall[a.recall_idx(t, k, ALL_AREAS, most)]);
    ClassScore {
        class,
        objects,
        found,
        ap: mean((0..a.shape.t).flat_map(precision)),
        ap50: mean(precision(0)),
        recall: mean(recall),
        curve: precision(0).map(|p| p.max(0.0)).collect(),
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.filter(|v| *v > NOTHING).fold((0.0, 0u32), |(sum, n), v| (sum + v, n + 1));
    sum / f64::from(count)
}

/// What went wrong in a picture, at a score threshold and IoU 0.5.
#[derive(Debug, Clone)]
pub struct Mistakes {
    /// Position among the judged pictures.
    pub judged: usize,
    /// Positions among the truth's boxes of the picture that nothing was matched with.
    pub missed: Vec<usize>,
    /// Positions among the found boxes with the score that match nothing.
    pub wrong: Vec<usize>,
    /// Positions among the found boxes that are right.
    pub right: Vec<usize>,
}

/// Pictures by the number of their mistakes, most first.
///
/// # Errors
/// [`EvaluateError::Score`].
pub fn mistakes(truth: &Truth, judged: &[Judged], least_score: f64) -> Result<Vec<Mistakes>, EvaluateError> {
    let all: Vec<usize> = (0..judged.len()).collect();
    let eval = evaluated(truth, judged, &all, least_score)?;
    let found = eval.image_diagnostics(0.5, 1.0)?.annotations;
    // Ids count through all pictures in order, from one.
    let (mut object_id, mut found_id) = (0, 0);
    let mut list = Vec::new();
    let statuses: HashMap<u64, bool> =
        found.dt_status.iter().map(|(id, s)| (*id, *s == hotcoco::DtStatus::Tp)).collect();
    for (index, j) in judged.iter().enumerate() {
        let mut m = Mistakes { judged: index, missed: Vec::new(), wrong: Vec::new(), right: Vec::new() };
        for (position, _) in truth.pictures[j.picture].boxes.iter().enumerate() {
            object_id += 1;
            if found.gt_status.get(&object_id) == Some(&hotcoco::GtStatus::Fn) {
                m.missed.push(position);
            }
        }
        for (position, _) in j.found.iter().enumerate().filter(|(_, f)| f.score >= least_score) {
            found_id += 1;
            match statuses.get(&found_id) {
                Some(true) => m.right.push(position),
                Some(false) => m.wrong.push(position),
                None => {}
            }
        }
        list.push(m);
    }
    list.sort_by_key(|m| std::cmp::Reverse((m.missed.len() + m.wrong.len(), m.missed.len())));
    Ok(list)
}
