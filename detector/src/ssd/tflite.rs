//! TFLite_Detection_PostProcess, LiteRT's operator, on the raw outputs before it.

use super::DetectorError;
use super::head::{Head, HeadSpec};
use super::nms::Candidate;
use crate::model::{Model, ModelError};
use crate::tensor::{DType, TensorSpec, TensorView, TensorViewMut};
use ndarray::ArrayD;
use osprey_engine::graph::Op;
use osprey_engine::{Graph, PostProcess};

/// Most rows that the operator may report; files ask for 10 or 100.
const MAX_ROWS: usize = 1 << 16;

/// The head that the operator describes, with its own thresholds.
fn operator_head(outputs: &[TensorSpec], operator: &PostProcess) -> Result<Head, DetectorError> {
    let spec = HeadSpec::of_operator(operator)?;
    let columns = outputs.get(spec.scores).and_then(|o| o.shape.last().copied()).unwrap_or(0);
    let thresholds = vec![operator.options.nms_score_threshold; spec.classes.min(columns)];
    Head::new(outputs, HeadSpec { thresholds, ..spec })
}

/// Where an output of the file comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Output of the operator: boxes, classes, scores, count.
    Detections(usize),
    /// Output of the graph before it.
    Inner(usize),
}

/// A model whose graph ended in TFLite_Detection_PostProcess, with the outputs that LiteRT gives:
/// boxes `[1, n, 4]` (y min, x min, y max, x max), classes `[1, n]`, scores `[1, n]`, count `[1]`, in the
/// file's order; rows beyond the count are zero.
pub struct LiteRtModel {
    inner: Box<dyn Model>,
    head: Head,
    candidates: Vec<Candidate>,
    max_detections: usize,
    classes_per_detection: usize,
    sources: Vec<Source>,
    specs: Vec<TensorSpec>,
    /// The operator's outputs, in its own order.
    tensors: [ArrayD<f32>; 4],
}

impl LiteRtModel {
    /// `inner` gives the outputs of `graph` before the operator that `end` describes.
    ///
    /// # Errors
    /// [`ModelError::PostProcess`] where the operator contradicts itself or its inputs.
    pub(crate) fn new(
        inner: Box<dyn Model>,
        graph: &Graph<'_>,
        end: &PostProcess,
    ) -> Result<Self, ModelError> {
        let refuse = |what: String| ModelError::PostProcess { what };
        let options = &end.options;
        let head = operator_head(inner.outputs(), end).map_err(|e| match e {
            DetectorError::Model(e) => e,
            other => refuse(other.to_string()),
        })?;
        if !(options.nms_iou_threshold > 0.0 && options.nms_iou_threshold <= 1.0) {
            return Err(refuse(format!(
                "nms_iou_threshold is {}, but must be in 0..1",
                options.nms_iou_threshold
            )));
        }
        let classes_per_detection = match options.use_regular_nms {
            true if options.detections_per_class == 0 => {
                return Err(refuse("detections_per_class is 0".into()));
            }
            false if options.max_classes_per_detection == 0 => {
                return Err(refuse("max_classes_per_detection is 0".into()));
            }
            _ => options.max_classes_per_detection.max(1),
        };
        let rows = options.max_detections.saturating_mul(classes_per_detection);
        if rows > MAX_ROWS {
            return Err(refuse(format!("{rows} detections exceed the limit of {MAX_ROWS}")));
        }
        let operator = graph.nodes.iter().find(|n| matches!(n.op, Op::DetectionPostProcess(_)));
        let operator = operator.ok_or_else(|| refuse("the graph has no such operator".into()))?;
        let shapes: [Vec<usize>; 4] = [vec![1, rows, 4], vec![1, rows], vec![1, rows], vec![1]];
        let (mut sources, mut specs) = (Vec::new(), Vec::new());
        let mut others = 2..;
        for &id in &graph.outputs {
            let name = graph.tensors[id].name.clone();
            match operator.outputs.iter().position(|&o| o == id) {
                Some(at) if at < 4 => {
                    sources.push(Source::Detections(at));
                    specs.push(TensorSpec {
                        name,
                        shape: shapes[at].clone(),
                        dtype: DType::F32,
                        quantization: None,
                    });
                }
                Some(at) => return Err(refuse(format!("an output {at} beyond its four"))),
                None => {
                    let at = others.next().unwrap_or_default();
                    let spec = inner.outputs().get(at).ok_or_else(|| refuse(format!("no output {at}")))?;
                    sources.push(Source::Inner(at));
                    specs.push(spec.clone());
                }
            }
        }
        let tensors = shapes.map(ArrayD::zeros);
        let (max_detections, candidates) = (options.max_detections, Vec::new());
        Ok(Self { inner, head, candidates, max_detections, classes_per_detection, sources, specs, tensors })
    }

    fn write(&mut self) {
        let per = self.classes_per_detection;
        let [boxes, classes, scores, count] = &mut self.tensors;
        for tensor in [&mut *boxes, classes, scores] {
            tensor.fill(0.0);
        }
        let slices = (boxes.as_slice_mut(), classes.as_slice_mut(), scores.as_slice_mut());
        let (Some(boxes), Some(classes), Some(scores)) = slices else { return };
        let fast = self.head.is_fast();
        let (mut anchors, mut at, mut of_anchor) = (0usize, None, 0usize);
        for (i, c) in self.candidates.iter().enumerate() {
            // The fast rule gives each kept anchor a block of rows, and counts anchors.
            let row = if fast {
                if at != Some(c.anchor) {
                    (at, of_anchor) = (Some(c.anchor), 0);
                    anchors += 1;
                }
                of_anchor += 1;
                (anchors - 1) * per + of_anchor - 1
            } else {
                anchors = i + 1;
                i
            };
            let b = c.bbox;
            boxes[4 * row..][..4].copy_from_slice(&[b.y_min, b.x_min, b.y_max, b.x_max]);
            classes[row] = c.class_id as f32;
            scores[row] = c.score;
        }
        count.fill(anchors as f32);
    }
}

impl Model for LiteRtModel {
    fn inputs(&self) -> &[TensorSpec] {
        self.inner.inputs()
    }

    fn outputs(&self) -> &[TensorSpec] {
        &self.specs
    }

    fn input_mut(&mut self, index: usize) -> Result<TensorViewMut<'_>, ModelError> {
        self.inner.input_mut(index)
    }

    fn run(&mut self) -> Result<(), ModelError> {
        self.inner.run()?;
        self.head.detect(&*self.inner, self.max_detections, &mut self.candidates)?;
        self.write();
        Ok(())
    }

    fn output(&self, index: usize) -> Result<TensorView<'_>, ModelError> {
        let count = self.sources.len();
        match self.sources.get(index) {
            Some(Source::Detections(at)) => Ok(TensorView::F32(self.tensors[*at].view())),
            Some(Source::Inner(at)) => self.inner.output(*at),
            None => Err(ModelError::NoSuchTensor { kind: "output", index, count }),
        }
    }

    fn reset_state(&mut self) {
        self.inner.reset_state();
    }
}
