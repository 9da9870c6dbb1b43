//! The heads by name.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A layout of a detector's outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HeadKind {
    /// Box encodings `[1, anchors, 4]` beside class scores `[1, anchors, classes]`: TensorFlow's SSDs
    /// and EfficientDet-Lite.
    Ssd,
    /// Boxes, classes, scores and their number, already suppressed, in any order.
    Detections,
    /// `[1, 4 + classes, boxes]` or its transpose: YOLOv8 to 12.
    Yolov8,
    /// `[1, boxes, 5 + classes]` at three boxes a cell: YOLOv5 and 7.
    Yolov5,
    /// Boxes `[1, boxes, 4]` (centre and size) beside scores, at three boxes a cell: YOLOv4.
    Yolov4,
    /// `[1, boxes, 5 + classes]` at one box a cell: YOLOX.
    Yolox,
    /// `[1, boxes, 6]`: corners, score, class; or `[boxes, 7]`: picture, class, score, corners.
    EndToEnd,
    /// Distributions of the four distances: NanoDet and PicoDet.
    Dfl,
    /// A grid of class probabilities: Edge Impulse's FOMO.
    Fomo,
    /// Boxes with key points `[1, anchors, 12, 16 or 18]` beside `[1, anchors, 1]`: MediaPipe's bodies, faces and palms.
    Blazeface,
    /// Boxes, two scores and ten coordinates of landmarks for each anchor.
    Retinaface,
}

impl HeadKind {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Ssd,
        Self::Detections,
        Self::Yolov8,
        Self::Yolov5,
        Self::Yolov4,
        Self::Yolox,
        Self::EndToEnd,
        Self::Dfl,
        Self::Fomo,
        Self::Blazeface,
        Self::Retinaface,
    ];

    /// As in manifests and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ssd => "ssd",
            Self::Detections => "detections",
            Self::Yolov8 => "yolov8",
            Self::Yolov5 => "yolov5",
            Self::Yolov4 => "yolov4",
            Self::Yolox => "yolox",
            Self::EndToEnd => "end-to-end",
            Self::Dfl => "dfl",
            Self::Fomo => "fomo",
            Self::Blazeface => "blazeface",
            Self::Retinaface => "retinaface",
        }
    }

    /// The head of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What its outputs look like, for people.
    pub fn layout(self) -> &'static str {
        match self {
            Self::Ssd => "[1, anchors, 4] beside [1, anchors, classes]",
            Self::Detections => "[1, n, 4], twice [1, n], and [1]",
            Self::Yolov8 => "[1, 4 + classes, boxes] or [1, boxes, 4 + classes], a box for each cell",
            Self::Yolov5 => "[1, boxes, 5 + classes], three boxes for each cell",
            Self::Yolov4 => "[1, boxes, 4] beside [1, boxes, classes], three boxes for each cell",
            Self::Yolox => "[1, boxes, 5 + classes], a box for each cell",
            Self::EndToEnd => "[1, n, 6] or [n, 7]",
            Self::Dfl => "[1, cells, classes + 32], or both parts for each of four strides",
            Self::Fomo => "[1, height ÷ 8, width ÷ 8, 1 + classes]",
            Self::Blazeface => "[1, anchors, 12, 16 or 18] beside [1, anchors, 1]",
            Self::Retinaface => "[1, anchors, 4], [1, anchors, 2] and [1, anchors, 10]",
        }
    }
}

impl fmt::Display for HeadKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
