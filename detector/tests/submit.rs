//! Submitting a frame to a warm pipeline asks the system for no memory. Alone in its program, since
//! the allocator counts for all threads.

use cap::Cap;
use osprey_detector::frame::Frame;
use osprey_detector::pipeline::{Pipeline, PipelineOptions};
use osprey_detector::preprocess::PreprocessOptions;
use osprey_detector::{DType, Detect, Detection, InputBox, ModelError, Tensor, TensorSpec, TensorViewMut};
use std::alloc::System;
use std::sync::mpsc::{Receiver, Sender, channel};

#[global_allocator]
static MEMORY: Cap<System> = Cap::new(System, usize::MAX);

/// A model whose runs begin and end when the test says so.
struct Gated {
    spec: TensorSpec,
    input: Tensor,
    began: Sender<()>,
    may_end: Receiver<()>,
}

impl Detect for Gated {
    fn input_spec(&self) -> &TensorSpec {
        &self.spec
    }

    fn preprocess(&self) -> PreprocessOptions {
        PreprocessOptions::default()
    }

    fn input_mut(&mut self) -> Result<TensorViewMut<'_>, ModelError> {
        Ok(self.input.view_mut())
    }

    fn infer(&mut self) -> Result<(), ModelError> {
        self.began.send(()).unwrap();
        self.may_end.recv().unwrap();
        Ok(())
    }

    fn detections(&mut self) -> Result<&[Detection<InputBox>], ModelError> {
        Ok(&[])
    }
}

#[test]
fn submitting_to_a_warm_pipeline_allocates_nothing() {
    let (began, begun) = channel();
    let (end, may_end) = channel();
    let spec =
        TensorSpec { name: "in".into(), shape: vec![1, 96, 64, 3], dtype: DType::U8, quantization: None };
    let input = Tensor::zeros(spec.dtype, &spec.shape).unwrap();
    let mut gated = Some(Gated { spec, input, began, may_end });
    let options = PipelineOptions { keep_images: true, ..PipelineOptions::default() };
    let (pipeline, results) = Pipeline::start(move || Ok(gated.take().unwrap()), &options).unwrap();
    let pixels = vec![90; 320 * 240 * 4];
    let frame = Frame::bgra(&pixels, 320, 240).unwrap();
    pipeline.submit(&frame).unwrap();
    begun.recv().unwrap();
    // One is run, one waits, one is filled to take its place: so many inputs are there at most.
    for _ in 0..3 {
        pipeline.submit(&frame).unwrap();
    }
    // The worker stands still in its run: all memory that is asked for is asked for here.
    let before = MEMORY.total_allocated();
    for _ in 0..10 {
        pipeline.submit(&frame).unwrap();
    }
    assert_eq!(MEMORY.total_allocated() - before, 0, "bytes in ten frames");
    drop(end);
    drop((pipeline, results));
}
