use osprey_detector::model::{Backend, InputEntry, Labels, LoadedModel, Metadata, PostProcessing};
use osprey_detector::{
    DType, Model, ModelError, Quantization, Tensor, TensorSpec, TensorView, TensorViewMut,
};

/// A model whose outputs never change.
pub(crate) struct Fixed {
    pub(crate) inputs: Vec<TensorSpec>,
    pub(crate) outputs: Vec<TensorSpec>,
    pub(crate) input: Tensor,
    pub(crate) values: Vec<Tensor>,
}

impl Model for Fixed {
    fn inputs(&self) -> &[TensorSpec] {
        &self.inputs
    }

    fn outputs(&self) -> &[TensorSpec] {
        &self.outputs
    }

    fn input_mut(&mut self, _: usize) -> Result<TensorViewMut<'_>, ModelError> {
        Ok(self.input.view_mut())
    }

    fn run(&mut self) -> Result<(), ModelError> {
        Ok(())
    }

    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError> {
        Ok(self.values[index].view())
    }
}

impl Fixed {
    /// Takes uint8 pictures of 20 × 30 pixels and gives these boxes (float) and scores (uint8, in
    /// steps of 1/256) for each anchor.
    pub(crate) fn new(boxes: &[[f32; 4]], scores: &[&[u8]]) -> Self {
        let spec = |name: &str, shape: Vec<usize>, dtype, scale: Option<f32>| TensorSpec {
            name: name.into(),
            shape,
            dtype,
            quantization: scale.map(|s| Quantization { scales: vec![s], zero_points: vec![0], axis: 0 }),
        };
        let (rows, columns) = (boxes.len(), scores[0].len());
        let input = spec("picture", vec![1, 20, 30, 3], DType::U8, None);
        let flat = boxes.as_flattened().to_vec();
        let boxes = ndarray::ArrayD::from_shape_vec(vec![1, rows, 4], flat).unwrap();
        let table = ndarray::ArrayD::from_shape_vec(vec![1, rows, columns], scores.concat()).unwrap();
        Self {
            input: Tensor::zeros(input.dtype, &input.shape).unwrap(),
            inputs: vec![input],
            outputs: vec![
                spec("boxes", vec![1, rows, 4], DType::F32, None),
                spec("scores", vec![1, rows, columns], DType::U8, Some(1.0 / 256.0)),
            ],
            values: vec![boxes.into(), table.into()],
        }
    }

    pub(crate) fn loaded(self, labels: Option<Labels>) -> LoadedModel {
        LoadedModel {
            model: Box::new(self),
            backend: Backend::Native,
            reason: "a test's".into(),
            post_process: None,
            post_processing: PostProcessing::Leave,
            labels,
            calibration: None,
            metadata: Metadata::default(),
            entry: None,
            given_input: InputEntry::default(),
            graph_input: None,
            graph_scores: Vec::new(),
            convention: None,
            given_head: None,
            program: None,
        }
    }
}
