//! Why motion cannot be classified.

use super::{Channel, UnknownChannel};
use osprey_detector::{DType, ModelError};

/// Everything that can go wrong between a sensor's sample and a prediction.
///
/// After an error about a sample the stream is as if the sample had never been there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MotionError {
    /// A channel by a name that there is not.
    #[error(transparent)]
    UnknownChannel(#[from] UnknownChannel),
    /// Angles under another platform's convention.
    #[error(
        "{channel}: attitudes of Android and iOS differ in order and sign; record them in the model's convention"
    )]
    Attitude {
        /// The channel.
        channel: Channel,
    },
    /// A sample with another number of values than the model has channels.
    #[error("a sample has {actual} values where the model takes {expected}")]
    Channels {
        /// What the model takes.
        expected: usize,
        /// What the sample has.
        actual: usize,
    },
    /// NaN, infinity, or a number that no sensor measures in a sample.
    #[error("value {channel} of the sample at {time} s is {value}; the sample is left out")]
    NotFinite {
        /// Position in the sample.
        channel: usize,
        /// Time of the sample.
        time: f64,
        /// The value.
        value: f32,
    },
    /// A time that is NaN, infinite, or centuries away from zero.
    #[error(
        "the time of a sample is {time} s; the sample is left out. Are these milliseconds, microseconds or \
         nanoseconds? They are to be turned into seconds first"
    )]
    Time {
        /// The time.
        time: f64,
    },
    /// A sample older than the one before, by less than a gap.
    #[error("the sample at {time} s comes after one at {newest} s; it is left out")]
    Late {
        /// Time of the sample.
        time: f64,
        /// Time of the newest sample.
        newest: f64,
    },
    /// A setting outside its range.
    #[error("{setting} is {value}; it must be {allowed}")]
    Setting {
        /// Name of the setting.
        setting: &'static str,
        /// The value given.
        value: f64,
        /// The values it may take.
        allowed: &'static str,
    },
    /// A model whose first input is no window of these channels.
    #[error(
        "the model's input \"{name}\" has shape {shape:?}, which is no window of {channels} channel(s); \
         name as many channels as the last dimension has"
    )]
    NoWindow {
        /// Name of the input.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Channels that were named.
        channels: usize,
    },
    /// A further input that no output feeds.
    #[error("the model's input \"{name}\" is no state: no output has its shape {shape:?} and type {dtype}")]
    NoState {
        /// Name of the input.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Its type.
        dtype: DType,
    },
    /// The model did not run.
    #[error(transparent)]
    Model(#[from] ModelError),
}
