//! Motion as it is streamed, against whole windows given to the model by hand.

use ndarray::{ArrayD, ArrayViewD, ArrayViewMutD};
use osprey_detector::{DType, Model, ModelError, TensorSpec, TensorView, TensorViewMut};
use osprey_senses::motion::{
    AccelerationUnit, Channel, Convention, MotionError, MotionSpec, MotionStream, Prediction, Resampling,
    SignConvention, Smoothing,
};

const LENGTH: usize = 8;
const CHANNELS: usize = 2;
const RATE: f64 = 25.0;

/// A leaky sum of its windows, by way of state that is inside the model or passes through tensors.
struct Leaky {
    inputs: Vec<TensorSpec>,
    outputs: Vec<TensorSpec>,
    window: ArrayD<f32>,
    state: ArrayD<f32>,
    new_state: ArrayD<f32>,
    probabilities: ArrayD<f32>,
}

impl Leaky {
    fn new(explicit_state: bool) -> Self {
        let spec = |name: &str, shape: &[usize]| TensorSpec {
            name: name.into(),
            shape: shape.to_vec(),
            dtype: DType::F32,
            quantization: None,
        };
        let mut inputs = vec![spec("window", &[1, LENGTH, CHANNELS])];
        let mut outputs = vec![spec("probabilities", &[1, 2])];
        if explicit_state {
            inputs.push(spec("state", &[1, 1]));
            outputs.push(spec("new state", &[1, 1]));
        }
        Self {
            inputs,
            outputs,
            window: ArrayD::zeros(vec![1, LENGTH, CHANNELS]),
            state: ArrayD::zeros(vec![1, 1]),
            new_state: ArrayD::zeros(vec![1, 1]),
            probabilities: ArrayD::zeros(vec![1, 2]),
        }
    }

    fn is_explicit(&self) -> bool {
        self.inputs.len() > 1
    }
}

impl Model for Leaky {
    fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError> {
        let array = if index == 0 { &mut self.window } else { &mut self.state };
        Ok(TensorViewMut::F32(ArrayViewMutD::from(array)))
    }

    fn run(&mut self) -> Result<(), ModelError> {
        let weighted: f32 = self.window.iter().enumerate().map(|(i, v)| v * (i as f32 * 0.7).sin()).sum();
        let state = 0.9 * self.state[[0, 0]] + weighted;
        if self.is_explicit() {
            self.new_state[[0, 0]] = state;
        } else {
            self.state[[0, 0]] = state;
        }
        let p = 1.0 / (1.0 + (-state).exp());
        (self.probabilities[[0, 0]], self.probabilities[[0, 1]]) = (p, 1.0 - p);
        Ok(())
    }

    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError> {
        let array = if index == 0 { &self.probabilities } else { &self.new_state };
        Ok(TensorView::F32(ArrayViewD::from(array)))
    }

    fn reset_state(&mut self) {
        if !self.is_explicit() {
            self.state.fill(0.0);
        }
    }
}

fn spec(hop: usize) -> MotionSpec {
    MotionSpec {
        channels: vec![Channel::AccelerationX, Channel::RotationZ],
        rate: RATE,
        convention: Convention::IOS,
        hop: Some(hop),
        resampling: Resampling::Linear,
    }
}

fn sample(i: usize) -> [f32; CHANNELS] {
    [(i as f32 * 0.37).sin(), (i as f32 * 1.1).cos() * 2.0]
}

fn stream(explicit: bool, hop: usize) -> MotionStream {
    MotionStream::new(Box::new(Leaky::new(explicit)), &spec(hop), Convention::IOS, Smoothing::OFF).unwrap()
}

fn predictions(
    stream: &mut MotionStream,
    samples: impl Iterator<Item = (f64, [f32; CHANNELS])>,
) -> Vec<Prediction> {
    let mut found = Vec::new();
    for (time, values) in samples {
        stream.push_each(time, &values, |p| found.push(p)).unwrap();
    }
    found
}

fn at(i: usize) -> f64 {
    1.7e9 + i as f64 / RATE
}

#[test]
fn streamed_samples_give_the_answers_of_whole_windows() {
    for explicit in [false, true] {
        for hop in [1, 3, LENGTH] {
            let mut stream = stream(explicit, hop);
            let found = predictions(&mut stream, (0..100).map(|i| (at(i), sample(i))));
            let mut model = Leaky::new(false);
            let mut start = 0;
            for prediction in &found {
                let window: Vec<f32> = (start..start + LENGTH).flat_map(sample).collect();
                model.input_mut(0).unwrap().assign_f32(&window, None).unwrap();
                model.run().unwrap();
                let expected: Vec<f32> = model.probabilities.iter().copied().collect();
                assert_eq!(prediction.probabilities, expected, "hop {hop}, window from {start}");
                assert!((prediction.time - at(start + LENGTH - 1)).abs() < 1e-6);
                start += hop;
            }
            assert_eq!(found.len(), (100 - LENGTH) / hop + 1);
        }
    }
}

#[test]
fn a_gap_clears_the_state() {
    for explicit in [false, true] {
        let mut stream = stream(explicit, LENGTH);
        let before = predictions(&mut stream, (0..40).map(|i| (at(i), sample(i))));
        let after = predictions(&mut stream, (0..40).map(|i| (at(i) + 60.0, sample(i))));
        let same = |a: &Prediction, b: &Prediction| a.probabilities == b.probabilities;
        assert!(before.len() == 5 && before.iter().zip(&after).all(|(a, b)| same(a, b)));
        assert!(!same(&before[0], &before[1]), "the state matters");
        assert_eq!(stream.counts().restarts, 2);
    }
}

#[test]
fn an_android_phone_gives_the_answers_of_an_iphone() {
    let android = |[a, r]: [f32; CHANNELS]| [-9.80665 * a, r];
    let mut there =
        MotionStream::new(Box::new(Leaky::new(false)), &spec(4), Convention::ANDROID, Smoothing::OFF)
            .unwrap();
    let found = predictions(&mut there, (0..60).map(|i| (at(i), android(sample(i)))));
    let expected = predictions(&mut stream(false, 4), (0..60).map(|i| (at(i), sample(i))));
    assert!(!found.is_empty() && found.len() == expected.len());
    for (f, e) in found.iter().zip(&expected) {
        assert!((f.probabilities[0] - e.probabilities[0]).abs() < 1e-4);
    }
    let board =
        Convention { acceleration: AccelerationUnit::MilliG, axes: SignConvention::Ios, ..Convention::IOS };
    assert!(MotionStream::new(Box::new(Leaky::new(false)), &spec(4), board, Smoothing::OFF).is_ok());
}

#[test]
fn faults_in_the_stream_are_errors_and_leave_no_trace() {
    let mut stream = stream(false, LENGTH);
    let mut found = Vec::new();
    for i in 0..40 {
        found.extend(stream.push(at(i), &sample(i)).unwrap());
        assert!(matches!(
            stream.push(at(i) + 0.01, &[f32::NAN, 0.0]),
            Err(MotionError::NotFinite { channel: 0, .. })
        ));
        assert!(matches!(
            stream.push(at(i) + 0.01, &[0.0, f32::INFINITY]),
            Err(MotionError::NotFinite { .. })
        ));
        assert!(matches!(stream.push(f64::NAN, &sample(i)), Err(MotionError::Time { .. })));
        assert!(matches!(stream.push(at(i) - 0.01, &sample(i)), Err(MotionError::Late { .. })));
        assert!(matches!(
            stream.push(at(i) + 0.01, &[0.0]),
            Err(MotionError::Channels { expected: 2, actual: 1 })
        ));
        assert_eq!(stream.push(at(i), &[7.0, 7.0]).unwrap(), None, "a duplicate");
    }
    let clean = predictions(&mut self::stream(false, LENGTH), (0..40).map(|i| (at(i), sample(i))));
    assert_eq!(found, clean);
}

#[test]
fn models_that_take_no_such_window_are_refused() {
    let refused = |spec: &MotionSpec, model: Leaky| {
        MotionStream::new(Box::new(model), spec, Convention::IOS, Smoothing::OFF).unwrap_err().to_string()
    };
    let one_channel = MotionSpec { channels: vec![Channel::AccelerationX], ..spec(4) };
    assert!(refused(&one_channel, Leaky::new(false)).contains("[1, 8, 2]"));
    let mut odd_state = Leaky::new(true);
    odd_state.outputs.truncate(1);
    assert!(refused(&spec(4), odd_state).contains("is no state"));
    assert!(refused(&spec(LENGTH + 1), Leaky::new(false)).contains("hop"));
    assert!(refused(&MotionSpec { rate: f64::NAN, ..spec(4) }, Leaky::new(false)).contains("sampling rate"));
}
