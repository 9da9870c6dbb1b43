//! Digits that were drawn, and motion that a phone measured: JSON in, JSON out, a few times a second.

use crate::error::Failure;
use crate::options::Options;
use osprey_detector::model::LoadedModel;
use osprey_senses::digits::{DigitClassifier, DigitImage};
use osprey_senses::motion::MotionStream;
use serde_json::json;

pub(crate) struct Reader(DigitClassifier);

impl Reader {
    pub(crate) fn new(model: &[u8], options: &str) -> Result<Self, Failure> {
        let loaded = LoadedModel::from_bytes(model, &Options::parse(options)?.load()?)?;
        Ok(Self(DigitClassifier::new(loaded.model)?))
    }

    /// Reads strokes, each a list of [x, y], x to the right and y down.
    pub(crate) fn read(&mut self, strokes: &str) -> Result<String, Failure> {
        let strokes: Vec<Vec<(f32, f32)>> = serde_json::from_str(strokes)?;
        let digit = self.0.classify(&DigitImage::from_strokes(&strokes)?)?;
        Ok(json!({ "digit": digit.digit, "probabilities": digit.probabilities }).to_string())
    }
}

pub(crate) struct Mover {
    stream: MotionStream,
    labels: Vec<String>,
    channels: Vec<&'static str>,
    rate: f64,
}

impl Mover {
    pub(crate) fn new(model: &[u8], options: &str) -> Result<Self, Failure> {
        let mut options = Options::parse(options)?;
        let (convention, smoothing) = options.motion();
        let options = options.load()?;
        let spec =
            options.entry.as_ref().and_then(|entry| entry.motion.clone()).ok_or(Failure::NoChannels)?;
        let loaded = LoadedModel::from_bytes(model, &options)?;
        let classes = loaded.model.outputs().first().map_or(0, |output| output.elements());
        let labels = loaded.labels.unwrap_or_default();
        Ok(Self {
            labels: (0..classes).map(|class| labels.name(class).into_owned()).collect(),
            channels: spec.channels.iter().map(|channel| channel.name()).collect(),
            rate: spec.rate,
            stream: MotionStream::new(loaded.model, &spec, convention, smoothing)?,
        })
    }

    pub(crate) fn describe(&self) -> String {
        json!({ "labels": self.labels, "channels": self.channels, "rate": self.rate }).to_string()
    }

    /// Takes a sample, measured at `seconds`: what the window that it completes shows, or null.
    pub(crate) fn push(&mut self, seconds: f64, values: &str) -> Result<String, Failure> {
        let values: Vec<f32> = serde_json::from_str(values)?;
        let answer = self.stream.push(seconds, &values)?.map(|p| {
            json!({ "seconds": p.time, "class": p.class, "probabilities": p.probabilities, "smoothed": p.smoothed })
        });
        Ok(answer.unwrap_or_default().to_string())
    }
}
