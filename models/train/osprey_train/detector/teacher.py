"""The first teacher: a COCO-trained SSD-MobileNetV2-FPNLite 320 (TensorFlow 2 Detection Zoo, Apache-2.0).

The detector's first weights are its weights. Labels come from stronger ones (`fused.py`).
"""

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

SIZE = 320
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
