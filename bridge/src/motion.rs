//! Motion classes from sensor samples.

#![allow(unsafe_code, reason = "Swift hands over memory as addresses")]

use crate::border::ffi::MotionCounts;
use crate::error::{Failure, FailureKind};
use crate::guard::{copy_out, guarded, lock, shielded, slice};
use crate::source::ModelSource;
use osprey_detector::model::LoadOptions;
use osprey_senses::motion::{Convention, MotionStream, Prediction, Resampling, Smoothing};
use std::sync::Mutex;

/// A stream of samples and its last prediction. Any thread may use it; samples come in order.
#[derive(Debug)]
pub struct Motion {
    stream: Mutex<(MotionStream, Option<Prediction>)>,
    channels: Vec<&'static str>,
    labels: Vec<String>,
    rate: f64,
    averages: bool,
}

/// The rate of a phone's motion sensors that models of averages were trained on.
const AVERAGED_SENSOR_RATE: f64 = 100.0;

/// A stream for a model of motion; samples in Core Motion's units (g, rad/s), or where `android` is
/// set in those of Android.
///
/// # Errors
/// [`FailureKind::Model`], [`FailureKind::Options`].
pub fn motion(source: &ModelSource, android: bool, smoothing_seconds: f64) -> Result<Motion, Failure> {
    guarded(|| {
        let spec = source.entry().and_then(|entry| entry.motion.clone());
        let spec = spec.ok_or_else(|| {
            let what =
                "the model has no description of its channels; a `motion` table in the manifest has it";
            Failure::new(FailureKind::Model, what)
        })?;
        let loaded = source.load(&LoadOptions::default())?;
        let convention = if android { Convention::ANDROID } else { Convention::IOS };
        let smoothing = match smoothing_seconds {
            0.0 => Smoothing::OFF,
            seconds => Smoothing { time_constant: seconds, ..Smoothing::default() },
        };
        let classes = loaded.model.outputs().first().map_or(0, |o| o.elements());
        let labels = loaded.labels.unwrap_or_default();
        let labels = (0..classes).map(|class| labels.name(class).into_owned()).collect();
        let stream = MotionStream::new(loaded.model, &spec, convention, smoothing)?;
        let channels = spec.channels.iter().map(|c| c.name()).collect();
        let averages = spec.resampling == Resampling::Mean;
        Ok(Motion { stream: Mutex::new((stream, None)), channels, labels, rate: spec.rate, averages })
    })
}

impl Motion {
    /// Names of the values of a sample in their order, one a line: `acceleration_x`, …
    pub fn channels(&self) -> String {
        self.channels.join("\n")
    }

    /// Names of the classes, one a line.
    pub fn labels(&self) -> String {
        self.labels.join("\n")
    }

    /// Samples per second that the model was trained at; others are brought to it.
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Samples per second to ask a sensor for. A model that was trained on averages of a faster sensor must
    /// be given one to average, or what is faster than half its rate comes through as what it is not.
    pub fn sensor_rate(&self) -> f64 {
        if self.averages { self.rate.max(AVERAGED_SENSOR_RATE) } else { self.rate }
    }

    /// Takes a sample of `count` floats at address `values`, measured at `time` seconds. Whether
    /// it completed a window, whose prediction the getters then give.
    ///
    /// # Errors
    /// [`FailureKind::Pointer`], [`FailureKind::Motion`]; the stream is then as if the sample had
    /// never been there.
    pub fn push(&self, time: f64, values: usize, count: usize) -> Result<bool, Failure> {
        guarded(|| {
            // SAFETY: Swift lends the values for this call.
            let values = unsafe { slice::<f32>(values, count) }?;
            let (stream, last) = &mut *lock(&self.stream);
            let prediction = stream.push(time, values)?;
            let complete = prediction.is_some();
            *last = prediction.or(last.take());
            Ok(complete)
        })
    }

    /// Time of the last window's last sample, in seconds; NaN before the first.
    pub fn time(&self) -> f64 {
        self.with_last(f64::NAN, |p| p.time)
    }

    /// The steady answer; −1 while no class is likely enough.
    pub fn class_id(&self) -> i64 {
        self.with_last(-1, |p| p.class.map_or(-1, |class| class as i64))
    }

    /// Writes the probability of each class to `capacity` floats at `address`, of the last window
    /// alone or smoothed; gives the number of classes, 0 before the first window.
    pub fn copy_probabilities(&self, smoothed: bool, address: usize, capacity: usize) -> usize {
        self.with_last(0, |p| {
            let from = if smoothed { &p.smoothed } else { &p.probabilities };
            // SAFETY: Swift lends room for `capacity` floats for this call.
            unsafe { copy_out(from, address, capacity) }
        })
    }

    /// What became of all samples so far.
    pub fn counts(&self) -> MotionCounts {
        let none = MotionCounts { taken: 0, left_out: 0, restarts: 0 };
        shielded(none, || {
            let counts = lock(&self.stream).0.counts();
            MotionCounts {
                taken: counts.taken,
                left_out: counts.duplicates
                    + counts.late
                    + counts.not_finite
                    + counts.bad_time
                    + counts.wrong_length,
                restarts: counts.restarts,
            }
        })
    }

    /// Starts anew with the next sample.
    pub fn reset(&self) {
        shielded((), || {
            let (stream, last) = &mut *lock(&self.stream);
            stream.reset();
            *last = None;
        });
    }

    fn with_last<T>(&self, fallback: T, get: impl FnOnce(&Prediction) -> T) -> T {
        let last = shielded(None, || lock(&self.stream).1.clone());
        match last {
            Some(prediction) => shielded(fallback, || get(&prediction)),
            None => fallback,
        }
    }
}
