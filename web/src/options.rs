//! Options as JSON, in JavaScript's spelling.

use crate::error::Failure;
use osprey_detector::model::{Convention, Entry, Manifest};
use osprey_detector::preprocess::Filter;
use osprey_detector::ssd::ONE_OBJECT_IOU;
use osprey_detector::track::TrackerOptions;
use osprey_detector::{ClassFilter, DetectorOptions, LoadOptions};
use osprey_engine::{Isa, Limits};
use osprey_senses::motion::Smoothing;
use serde::Deserialize;

/// Most memory that a model may ask for, in bytes: pages share two to four gigabytes with all else.
const MAX_MEMORY: u64 = 512 << 20;

/// More threads than these make a small network no faster.
const MAX_THREADS: usize = 8;

/// What a caller may say about a detector; what is left out has the library's default.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub(crate) struct Options {
    /// Least score that is reported, 0..1.
    score_threshold: Option<f32>,
    /// Classes to report, by name or number.
    classes: Option<Vec<String>>,
    /// IoU above which the box of lower score goes.
    iou_threshold: Option<f32>,
    /// IoU above which boxes of different classes are one object, and the likelier class stays; 1 keeps all.
    one_object_iou: Option<f32>,
    /// Most detections of one picture.
    max_detections: Option<usize>,
    /// How pictures are resampled.
    filter: Option<FilterName>,
    /// Strongest instruction set to use.
    isa: Option<String>,
    /// Threads of a run, where the module has any.
    threads: Option<usize>,
    /// What a manifest says of the model.
    entry: Option<Entry>,
    /// Units and axes of samples of motion.
    convention: Option<Convention>,
    /// Seconds over which answers about motion are steadied; 0 for each as it is.
    smoothing: Option<f64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FilterName {
    Bilinear,
    Antialiased,
    Area,
}

impl Options {
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        Ok(serde_json::from_str(if text.is_empty() { "{}" } else { text })?)
    }

    /// How a model is loaded.
    pub(crate) fn load(&mut self) -> Result<LoadOptions, Failure> {
        let isa = self.isa.take().map(|name| name.parse::<Isa>().map_err(|_| Failure::Isa { name }));
        Ok(LoadOptions {
            threads: self.threads.map_or(1, |threads| threads.clamp(1, MAX_THREADS)),
            isa: isa.transpose()?,
            limits: Limits { memory: MAX_MEMORY, ..Limits::default() },
            entry: self.entry.take(),
            ..LoadOptions::default()
        })
    }

    /// How motion is measured and its answers are steadied.
    pub(crate) fn motion(&self) -> (Convention, Smoothing) {
        let smoothing = match self.smoothing {
            Some(0.0) => Smoothing::OFF,
            Some(seconds) => Smoothing { time_constant: seconds, ..Smoothing::default() },
            None => Smoothing::default(),
        };
        (self.convention.unwrap_or(Convention::ANDROID), smoothing)
    }

    /// The library's.
    pub(crate) fn detector(mut self) -> Result<DetectorOptions, Failure> {
        let usual = DetectorOptions::default();
        let mut nms = usual.nms;
        nms.iou_threshold = self.iou_threshold;
        Ok(DetectorOptions {
            load: self.load()?,
            score_threshold: self.score_threshold,
            one_object_iou: Some(self.one_object_iou.unwrap_or(ONE_OBJECT_IOU)).filter(|&iou| iou < 1.0),
            classes: self.classes.map_or(ClassFilter::All, ClassFilter::Only),
            nms,
            filter: match self.filter {
                Some(FilterName::Bilinear) => Filter::Bilinear,
                Some(FilterName::Antialiased) => Filter::Antialiased,
                Some(FilterName::Area) => Filter::Area,
                None => usual.filter,
            },
            max_detections: self.max_detections.unwrap_or(usual.max_detections),
            ..usual
        })
    }
}

/// How objects are followed: one that is reported at all may be shown from the second time on.
pub(crate) fn tracker(score_threshold: f32) -> TrackerOptions {
    let usual = TrackerOptions::default();
    TrackerOptions {
        high_score: usual.high_score.min(score_threshold.max(usual.low_score)),
        low_score: usual.low_score.min(score_threshold),
        ..usual
    }
}

/// The models that a manifest lists, as JSON.
pub(crate) fn manifest(text: &str) -> Result<String, Failure> {
    Ok(serde_json::to_string(&Manifest::parse(text)?.models)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_javascript_and_others_are_refused() {
        let options = Options::parse(r#"{"scoreThreshold":0.4,"classes":["dog"],"maxDetections":7}"#);
        let options = options.unwrap().detector().unwrap();
        assert_eq!((options.score_threshold, options.max_detections), (Some(0.4), 7));
        assert_eq!(options.classes, ClassFilter::Only(vec!["dog".into()]));
        assert!(Options::parse(r#"{"score_threshold":0.4}"#).is_err());
        assert!(Options::parse("[").is_err());
        let misspelt = Options::parse(r#"{"isa":"simd129"}"#).unwrap().detector();
        assert!(matches!(misspelt, Err(Failure::Isa { name }) if name == "simd129"));
        assert!(Options::parse("").is_ok());
    }

    #[test]
    fn a_manifest_becomes_entries_that_options_take() {
        let models = manifest(include_str!("../../models/manifest.toml")).unwrap();
        let models: Vec<serde_json::Value> = serde_json::from_str(&models).unwrap();
        let entry = models.iter().find(|m| m["default"] == true && m["task"] == "detection").unwrap();
        let text = serde_json::json!({ "entry": entry }).to_string();
        let options = Options::parse(&text).unwrap().detector().unwrap();
        assert_eq!(options.load.entry.unwrap().name, entry["name"]);
    }
}
