//! Which head a model has.

use super::{Fitted, blazeface, dfl, fomo, retinaface, rows, yolo};
use crate::model::{ColorOrder, HeadKind, InputConvention, Normalization};
use crate::tensor::{DType, TensorSpec};

/// What is known of a model whose head is sought.
pub(crate) struct Sought<'a> {
    pub(crate) outputs: &'a [TensorSpec],
    /// Pixels of the input.
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Number of labels; 0 where there are none.
    pub(crate) labels: usize,
    /// The caller has named the head: doubts are settled.
    pub(crate) forced: bool,
}

impl Sought<'_> {
    /// The first output that is a table `[1, rows, columns]`.
    pub(super) fn first_table(&self) -> Option<usize> {
        self.outputs.iter().position(|o| o.shape.len() == 3 && o.shape[0] == 1)
    }
}

type Fit = fn(&Sought<'_>) -> Option<Fitted>;

/// The heads, from those that only one layout can be to those that many are like.
const FAMILIES: [(HeadKind, Fit); 10] = [
    (HeadKind::Retinaface, retinaface::fit),
    (HeadKind::Blazeface, blazeface::fit),
    (HeadKind::Fomo, fomo::fit),
    (HeadKind::Detections, rows::detections),
    (HeadKind::Yolov4, yolo::v4),
    (HeadKind::Yolov5, yolo::v5),
    (HeadKind::Dfl, dfl::fit),
    (HeadKind::Yolov8, yolo::v8),
    (HeadKind::Yolox, yolo::x),
    (HeadKind::EndToEnd, rows::end_to_end),
];

/// The head that fits, or the one asked for where it fits; `None` where none does. SSDs are not
/// looked for here.
pub(crate) fn choose(sought: &Sought<'_>, asked: Option<HeadKind>) -> Option<Fitted> {
    let numbers = |o: &TensorSpec| {
        matches!(o.dtype, DType::F32 | DType::U8 | DType::I8 | DType::I16 | DType::I32 | DType::I64)
    };
    if !sought.outputs.iter().all(numbers) {
        return None;
    }
    let wanted = FAMILIES.iter().filter(|(kind, _)| asked.is_none_or(|asked| asked == *kind));
    wanted.into_iter().find_map(|(_, fit)| fit(sought)).filter(|f| f.rows > 0 && f.classes > 0)
}

/// What a family's authors feed their models.
pub(crate) fn convention(fitted: &Fitted, sought: &Sought<'_>) -> Option<InputConvention> {
    let rgb = |normalization| (normalization, ColorOrder::Rgb);
    let bgr = |n: Normalization| {
        let turned = |v: [f32; 3]| [v[2], v[1], v[0]];
        (Normalization { mean: turned(n.mean), std: turned(n.std) }, ColorOrder::Bgr)
    };
    let (normalization, color) = match fitted.kind {
        HeadKind::Yolov8 | HeadKind::Yolov5 | HeadKind::Yolov4 | HeadKind::Fomo => rgb(Normalization::UNIT),
        HeadKind::EndToEnd if sought.outputs.iter().all(|o| o.shape.last() == Some(&6)) => {
            rgb(Normalization::UNIT)
        }
        HeadKind::Yolox | HeadKind::EndToEnd => bgr(Normalization::NONE),
        HeadKind::Dfl if fitted.outputs.len() == 1 => bgr(Normalization::IMAGENET),
        HeadKind::Dfl => rgb(Normalization::IMAGENET),
        HeadKind::Blazeface if is_palm(sought) => rgb(Normalization::UNIT),
        HeadKind::Blazeface => rgb(Normalization::default()),
        HeadKind::Retinaface => {
            (Normalization { mean: [104.0, 117.0, 123.0], std: [1.0; 3] }, ColorOrder::Bgr)
        }
        HeadKind::Ssd | HeadKind::Detections => return None,
    };
    Some(InputConvention { family: fitted.kind, normalization, color })
}

/// Palms have seven key points, faces six.
fn is_palm(sought: &Sought<'_>) -> bool {
    sought.outputs.iter().any(|o| o.shape.last() == Some(&18))
}
