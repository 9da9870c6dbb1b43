//! From a sensor's samples to classes, one sample at a time.

use super::convention::factor;
use super::{
    Convention, MotionError, MotionSpec, MotionWindow, SampleCounts, Smoother, Smoothing, WindowEvent,
    WindowSettings,
};
use osprey_detector::model::{Model, ModelError};
use osprey_detector::tensor::{TensorSpec, TensorViewMut};

/// What a model says of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Time of the window's last sample, in seconds on the samples' clock.
    pub time: f64,
    /// Probability of each class in this window.
    pub probabilities: Vec<f32>,
    /// The same, smoothed over the windows so far.
    pub smoothed: Vec<f32>,
    /// The steady answer; `None` while no class is likely enough.
    pub class: Option<usize>,
}

impl Prediction {
    /// The class that is likeliest in this window alone.
    pub fn likeliest(&self) -> usize {
        let p = &self.probabilities;
        (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b]).then(b.cmp(&a))).unwrap_or(0)
    }
}

/// Classifies motion as it is measured.
///
/// States of recurrent layers, inside the model or as pairs of further inputs and outputs of one
/// shape, pass from window to window, and are cleared where the stream starts anew.
pub struct MotionStream {
    model: Box<dyn Model>,
    window: MotionWindow,
    /// From the samples' convention to the model's, per channel.
    factors: Vec<f32>,
    converted: Vec<f32>,
    /// Further inputs with the outputs that feed them.
    states: Vec<(usize, usize)>,
    smoother: Smoother,
}

impl std::fmt::Debug for MotionStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MotionStream")
            .field("window", &self.window)
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

impl MotionStream {
    /// A stream of samples measured in `convention`, for a model whose first input is a window
    /// ([1, length, channels], with a further dimension of one anywhere, or [1, length × channels]) and
    /// whose first output holds the probabilities.
    ///
    /// # Errors
    /// [`MotionError::NoWindow`], [`MotionError::NoState`], [`MotionError::Setting`],
    /// [`MotionError::Attitude`], [`MotionError::Model`].
    pub fn new(
        mut model: Box<dyn Model>,
        spec: &MotionSpec,
        convention: Convention,
        smoothing: Smoothing,
    ) -> Result<Self, MotionError> {
        let channels = spec.channels.len();
        let input = first(model.inputs(), "input")?;
        first(model.outputs(), "output")?;
        let length = window_length(&input.shape, channels).ok_or_else(|| MotionError::NoWindow {
            name: input.name.clone(),
            shape: input.shape.clone(),
            channels,
        })?;
        let states = states(model.inputs(), model.outputs())?;
        let window = MotionWindow::new(WindowSettings {
            hop: spec.hop.unwrap_or(length),
            resampling: spec.resampling,
            ..WindowSettings::new(channels, length, spec.rate)
        })?;
        let factor = |&channel| Ok(factor(&convention, &spec.convention, channel)? as f32);
        let factors = spec.channels.iter().map(factor).collect::<Result<Vec<f32>, MotionError>>()?;
        model.reset_state();
        Ok(Self {
            converted: vec![0.0; channels],
            smoother: Smoother::new(smoothing)?,
            model,
            window,
            factors,
            states,
        })
    }

    /// Length and pace of the windows.
    pub fn window(&self) -> &WindowSettings {
        self.window.settings()
    }

    /// What became of all samples so far.
    pub fn counts(&self) -> SampleCounts {
        self.window.counts()
    }

    /// Starts anew with the next sample.
    pub fn reset(&mut self) {
        self.window.reset();
    }

    /// Takes a sample, measured at `time` (seconds on any clock), and gives the prediction of the
    /// window it completes, if it completes one; of the last one, if it completes several.
    ///
    /// # Errors
    /// Those of [`MotionWindow::push`], and [`MotionError::Model`].
    pub fn push(&mut self, time: f64, values: &[f32]) -> Result<Option<Prediction>, MotionError> {
        let mut last = None;
        self.push_each(time, values, |p| last = Some(p))?;
        Ok(last)
    }

    /// As [`Self::push`], and gives every prediction to `on_prediction`.
    ///
    /// # Errors
    /// Those of [`Self::push`].
    pub fn push_each(
        &mut self,
        time: f64,
        values: &[f32],
        mut on_prediction: impl FnMut(Prediction),
    ) -> Result<(), MotionError> {
        let Self { model, window, factors, converted, states, smoother } = self;
        let values = match values.len() == factors.len() {
            true => {
                let scaled = values.iter().zip(factors.iter()).map(|(v, f)| v * f);
                converted.iter_mut().zip(scaled).for_each(|(c, v)| *c = v);
                converted.as_slice()
            }
            // The window says what is wrong with it.
            false => values,
        };
        let mut failure = None;
        window.push(time, values, |event| {
            if failure.is_some() {
                return;
            }
            match event {
                WindowEvent::Restart => {
                    smoother.reset();
                    model.reset_state();
                    failure = states.iter().try_for_each(|&(input, _)| clear(model.as_mut(), input)).err();
                }
                WindowEvent::Window { time, values } => match classify(model.as_mut(), values, states) {
                    Ok(probabilities) => {
                        let class = smoother.push(time, &probabilities);
                        let smoothed = smoother.probabilities().to_vec();
                        on_prediction(Prediction { time, probabilities, smoothed, class });
                    }
                    Err(e) => failure = Some(e),
                },
            }
        })?;
        failure.map_or(Ok(()), |e| Err(e.into()))
    }
}

fn first<'a>(specs: &'a [TensorSpec], kind: &'static str) -> Result<&'a TensorSpec, ModelError> {
    specs.first().ok_or(ModelError::NoSuchTensor { kind, index: 0, count: 0 })
}

/// The number of samples in a window of `channels`, by the model's input shape.
fn window_length(shape: &[usize], channels: usize) -> Option<usize> {
    let length = match *shape {
        // Sample after sample, as Edge Impulse and the microcontrollers' models take them.
        [1, values] if channels > 0 && values % channels == 0 => values / channels,
        [1, length, last] | [1, length, 1, last] | [1, 1, length, last] | [1, length, last, 1]
            if last == channels =>
        {
            length
        }
        _ => 0,
    };
    (length > 0).then_some(length)
}

/// Pairs every further input with the next further output of its shape and type.
fn states(inputs: &[TensorSpec], outputs: &[TensorSpec]) -> Result<Vec<(usize, usize)>, MotionError> {
    let mut free: Vec<usize> = (1..outputs.len()).collect();
    let pair = |(i, input): (usize, &TensorSpec)| {
        let fits = |&o: &usize| outputs[o].shape == input.shape && outputs[o].dtype == input.dtype;
        let at = free.iter().position(fits).ok_or_else(|| MotionError::NoState {
            name: input.name.clone(),
            shape: input.shape.clone(),
            dtype: input.dtype,
        })?;
        Ok((i, free.remove(at)))
    };
    inputs.iter().enumerate().skip(1).map(pair).collect()
}

/// Sets a state to the number that stands for zero.
fn clear(model: &mut dyn Model, input: usize) -> Result<(), ModelError> {
    let (_, zero_point) = model.inputs()[input].affine();
    match model.input_mut(input)? {
        TensorViewMut::F32(mut a) => a.fill(0.0),
        TensorViewMut::I8(mut a) => a.fill(zero_point as i8),
        TensorViewMut::U8(mut a) => a.fill(zero_point as u8),
        TensorViewMut::I16(mut a) => a.fill(zero_point as i16),
        TensorViewMut::I32(mut a) => a.fill(0),
        TensorViewMut::I64(mut a) => a.fill(0),
        TensorViewMut::Bool(mut a) => a.fill(false),
        // No state has an element type of a later version.
        other => {
            return Err(ModelError::UnsupportedTensor {
                kind: "input",
                name: String::new(),
                dtype: other.dtype(),
            });
        }
    }
    Ok(())
}

fn classify(
    model: &mut dyn Model,
    values: &[f32],
    states: &[(usize, usize)],
) -> Result<Vec<f32>, ModelError> {
    let quantization = model.inputs()[0].quantization.clone();
    model.input_mut(0)?.assign_f32(values, quantization.as_ref())?;
    model.run()?;
    for &(input, output) in states {
        let state = model.output(output)?.to_tensor();
        model.set_input(input, &state.view())?;
    }
    let quantization = model.outputs()[0].quantization.clone();
    Ok(model.output(0)?.to_f32(quantization.as_ref()).into_raw_vec_and_offset().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_off_any_shape_that_holds_them() {
        for shape in [&[1, 128, 3][..], &[1, 128, 3, 1], &[1, 128, 1, 3], &[1, 1, 128, 3], &[1, 384]] {
            assert_eq!(window_length(shape, 3), Some(128), "{shape:?}");
        }
        assert_eq!(window_length(&[1, 12], 1), Some(12));
        for (shape, channels) in
            [(&[1, 128, 6][..], 3), (&[1, 385], 3), (&[128, 3], 3), (&[1, 0], 3), (&[1, 9], 0)]
        {
            assert_eq!(window_length(shape, channels), None, "{shape:?}");
        }
    }
}
