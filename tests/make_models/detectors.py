#!/usr/bin/env python3
"""Write what plain LiteRT scripts find with every detector of a folder of third-party models.

    pip install ai-edge-litert==2.3.0 numpy pillow
    python detectors.py ../../../shared/assets ../detectors.json

A picture is stretched to the input; 8-bit inputs take levels as they are (int8: less 128), float ones what the family's authors
feed. The outputs are read as the family's own programs read them, in a few lines of NumPy for each. For each model and picture:
rows of class, score, left, upper, right and lower edge, in fractions of the picture; null where a cell of a grid is so near to
the least score that rounding decides which cells belong together.
"""
import json
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

LEAST = 0.4
DOUBT = 0.03
UNIT = lambda a: a / 255
SIGNED = lambda a: a / 127.5 - 1
LEVELS = lambda a: a
BGR = lambda a: a[..., ::-1]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


def grid(w, h, strides, per_cell):
    rows = []
    for s, n in zip(strides, per_cell):
        y, x = np.mgrid[: -(-h // s), : -(-w // s)]
        rows.append(np.repeat(np.stack([x.ravel(), y.ravel(), np.full(x.size, s)], 1), n, 0))
    return np.concatenate(rows).astype(np.float64)


def corners(c):
    return np.concatenate([c[:, :2] - c[:, 2:] / 2, c[:, :2] + c[:, 2:] / 2], 1)


def iou(a, b):
    lo, hi = np.maximum(a[:2], b[:, :2]), np.minimum(a[2:], b[:, 2:])
    inter = np.clip(hi - lo, 0, None).prod(1)
    return inter / ((a[2:] - a[:2]).prod() + (b[:, 2:] - b[:, :2]).prod(1) - inter)


def nms(boxes, scores, limit):
    """Per class: [class, score, box] of what stays."""
    found = []
    for c in range(scores.shape[1]):
        order = [i for i in np.argsort(-scores[:, c], kind="stable") if scores[i, c] >= LEAST]
        while order:
            best = order.pop(0)
            found.append([c, float(scores[best, c]), *boxes[best].tolist()])
            order = [i for i in order if iou(boxes[best], boxes[i : i + 1])[0] <= limit]
    return found


def ssd(out, w, h):
    boxes = next(o for o in out if o.ndim == 3 and o.shape[2] == 4)[0]
    count = int(next(o for o in out if o.size == 1).item())
    a, b = (o[0] for o in out if o.ndim == 2)
    classes, scores = (a, b) if (a == np.round(a)).all() and a.max() > 1 or not (b == np.round(b)).all() else (b, a)
    rows = zip(classes[:count], scores[:count], boxes[:count])
    return [[int(c), float(s), b[1], b[0], b[3], b[2]] for c, s, b in rows if s >= LEAST]


def yolox(out, w, h):
    t = out[0][0].astype(np.float64)
    g = grid(w, h, [8, 16, 32], [1, 1, 1])
    centre, size = (t[:, :2] + g[:, :2]) * g[:, 2:], np.exp(t[:, 2:4]) * g[:, 2:]
    return nms(corners(np.concatenate([centre, size], 1)) / [w, h, w, h], t[:, 4:5] * t[:, 5:], 0.45)


def finished(out, w, h):
    rows = out[0].reshape(-1, 7)
    return [[int(r[1]), float(r[2]), *(r[3:] / [w, h, w, h])] for r in rows if r[2] >= LEAST]


def fomo(out, w, h):
    p = out[0][0]
    rows, columns, depth = p.shape
    if (abs(p[..., 1:] - LEAST) < DOUBT).any():
        return None
    found = []
    for c in range(1, depth):
        left = {(y, x) for y in range(rows) for x in range(columns) if p[y, x, c] >= LEAST}
        while left:
            group, todo = set(), [left.pop()]
            while todo:
                y, x = todo.pop()
                group.add((y, x))
                near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
                left -= near
                todo += near
            ys, xs = [y for y, _ in group], [x for _, x in group]
            box = [min(xs) / columns, min(ys) / rows, (max(xs) + 1) / columns, (max(ys) + 1) / rows]
            found.append([c - 1, float(max(p[y, x, c] for y, x in group)), *box])
    return found


def mediapipe(out, w, h):
    boxes = next(o for o in out if o.shape[2] > 2)[0].astype(np.float64)
    logits = next(o for o in out if o.shape[2] == 1)[0]
    for strides, per_cell in (([8, 16], [2, 6]), ([16, 32], [2, 6]), ([8, 16, 32], [2, 2, 6]), ([4], [1])):
        g = grid(w, h, strides, per_cell)
        if len(g) == len(boxes):
            break
    centres = (g[:, :2] + 0.5) * g[:, 2:]
    centred = np.concatenate([boxes[:, :2] + centres, boxes[:, 2:4]], 1)
    return nms(corners(centred) / [w, h, w, h], sigmoid(logits), 0.3)


def retinaface(out, w, h):
    boxes, scores = (next(o for o in out if o.shape[2] == n)[0].astype(np.float64) for n in (4, 2))
    g = grid(w, h, [8, 16, 32], [2, 2, 2])
    sides = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
    side = np.array([sides[int(s)][i % 2] for i, s in enumerate(g[:, 2])])[:, None]
    size = side / [w, h]
    centre = (g[:, :2] + 0.5) * g[:, 2:] / [w, h] + boxes[:, :2] * 0.1 * size
    return nms(corners(np.concatenate([centre, size * np.exp(boxes[:, 2:] * 0.2)], 1)), scores[:, 1:], 0.4)


def family(name):
    """How the outputs are read, what float inputs are fed, and whether blue comes first."""
    for word, found in (
        ("retinaface", (retinaface, LEVELS, True)),
        ("yolox_nano_with_post", (finished, LEVELS, True)),
        # Brought to int8 at once, with a range of -1 to 1.
        ("yolox_nano_int8", (yolox, SIGNED, True)),
        ("yolox", (yolox, LEVELS, True)),
        ("fomo", (fomo, UNIT, False)),
        ("face_detection", (mediapipe, SIGNED, False)),
        ("ssd", (ssd, SIGNED, False)),
    ):
        if word in name and not name.startswith("other"):
            return found
    return None


def detect(model, path, read, scale, blue_first):
    it = Interpreter(model_path=str(model), num_threads=1)
    it.allocate_tensors()
    d = it.get_input_details()[0]
    shape = d["shape"].tolist()
    planar = shape[1] == 3
    h, w = shape[2:] if planar else shape[1:3]
    a = np.asarray(Image.open(path).convert("RGB").resize((w, h), Image.BILINEAR))
    a = BGR(a) if blue_first else a
    if d["dtype"] == np.int8:
        x = (a.astype(np.int16) - 128).astype(np.int8)
    elif d["dtype"] == np.uint8:
        x = a
    else:
        x = scale(a.astype(np.float32)).astype(np.float32)
    it.set_tensor(d["index"], (x.transpose(2, 0, 1) if planar else x)[None])
    it.invoke()
    out = []
    for o in it.get_output_details():
        v, (step, zero) = it.get_tensor(o["index"]), o["quantization"]
        out.append((v.astype(np.float32) - zero) * step if v.dtype.kind in "iu" and step else v)
    found = read(out, w, h)
    return found and [[r[0], *(round(float(v), 5) for v in r[1:])] for r in found]


def main():
    assets = pathlib.Path(sys.argv[1])
    pictures = sorted(p for p in (assets / "images").iterdir() if p.suffix in (".jpg", ".bmp"))
    result = {}
    for model in sorted((assets / "zoo").glob("*.tflite")):
        how = family(model.name)
        if how:
            result[model.name] = {p.name: detect(model, p, *how) for p in pictures}
    pathlib.Path(sys.argv[2]).write_text(json.dumps(result, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
