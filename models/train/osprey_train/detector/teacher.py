"""The teacher: a COCO-trained SSD-MobileNetV2-FPNLite 320 (TensorFlow 2 Detection Zoo, Apache-2.0).

It labels pictures with soft boxes and gives the student its first weights.
"""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from PIL import Image

from .. import boxes, coco

SIZE = 320
MERGE_IOU, MIN_SCORE, MAX_BOXES = 0.65, 0.05, 100
# Operators of the backbone in order: stem, inverted residuals, last 1x1. 21 and 48 are projections of the pyramid.
BACKBONE = [i for i in range(64) if i not in (21, 48)]
PYRAMID = dict(lateral4=48, lateral5=64, smooth4=(69, 70), down6=(77, 78), down7=(79, 80))
# Per tower layer: the depthwise that all levels share, then the pointwise of the levels of stride 16, 32, 64, 128.
TOWER = [(81, (84, 86, 88, 90)), (91, (94, 96, 98, 100)), (101, (104, 106, 108, 110)), (111, (114, 116, 118, 120))]
BOX_PREDICTOR, CLASS_PREDICTOR = (121, 122), (137, 138)
# (height, width) of an anchor over its stride times four, in the order of the teacher's six per cell.
ANCHOR_SHAPES = np.array([(1, 1), (2**0.5, 2**0.5), (0.5**0.5, 2**0.5), (1, 2), (2**0.5, 0.5**0.5), (2, 1)], np.float32)


def files(assets):
    base = assets / "models" / "ssd_mobilenet_v2_fpnlite_320_coco_dynrange"
    return f"{base}_nopp.tflite", f"{base}_anchors.npy"


class Teacher:
    """Soft labels: boxes and, for each, a score for every class."""

    def __init__(self, assets):
        model, anchors = files(assets)
        self.net = Interpreter(model_path=model, num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]["index"]
        self.outputs = [d["index"] for d in self.net.get_output_details()]
        self.anchors = np.load(anchors)

    def raw(self, image):
        """Box codes [12804, 4] and class scores [12804, 80] of a PIL picture."""
        x = np.asarray(image.resize((SIZE, SIZE), Image.BILINEAR), np.float32)[None] / 127.5 - 1
        self.net.set_tensor(self.input, x)
        self.net.invoke()
        code, score = sorted((self.net.get_tensor(i)[0] for i in self.outputs), key=lambda t: t.shape[1])
        return code, score[:, coco.CATEGORY_IDS]

    def label(self, image):
        """Boxes [n, 4] and scores [n, 80]: detections that overlap are one box with the greatest score per class."""
        code, score = self.raw(image)
        best = score.max(1)
        keep = np.flatnonzero(best > MIN_SCORE)
        keep = keep[np.argsort(-best[keep], kind="stable")[:400]]
        b = np.clip(boxes.decode(code[keep], self.anchors[keep]), 0, 1)
        score = score[keep]
        overlap = boxes.iou(b, b) > MERGE_IOU
        alive = np.ones(len(b), bool)
        out_b, out_s = [], []
        for i in range(len(b)):
            if alive[i] and len(out_b) < MAX_BOXES:
                group = alive & overlap[i]
                group[i] = True
                alive &= ~group
                out_b.append(b[i])
                out_s.append(score[group].max(0))
        return np.array(out_b, np.float32).reshape(-1, 4), np.array(out_s, np.float32).reshape(-1, coco.CLASSES)


def weights(assets):
    """The teacher's convolutions by operator number: (kernel as OIHW, bias), dequantized."""
    it = Interpreter(
        model_path=files(assets)[0],
        num_threads=1,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    it.allocate_tensors()
    details = {t["index"]: t for t in it.get_tensor_details()}
    out = {}
    for op in it._get_ops_details():
        if op["op_name"] not in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            continue
        _, wi, bi = (int(i) for i in op["inputs"])
        w = it.get_tensor(wi).astype(np.float32)
        q = details[wi]["quantization_parameters"]
        if len(q["scales"]):
            shape = [1] * 4
            if len(q["scales"]) > 1:
                shape[q["quantized_dimension"]] = -1
            w = (w - q["zero_points"].reshape(shape)) * q["scales"].reshape(shape)
        order = (0, 3, 1, 2) if op["op_name"] == "CONV_2D" else (3, 0, 1, 2)
        out[op["index"]] = (np.ascontiguousarray(w.transpose(order)), it.get_tensor(bi).astype(np.float32))
    return out
