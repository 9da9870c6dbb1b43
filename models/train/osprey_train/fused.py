"""The fused teacher: four detectors' boxes in one, stored beside the pictures in `teacher_mix4.jsonl`.

A stored score is a weighted vote, not a probability: few boxes pass 0.9. `CURVE` turns it into the share of such boxes
that people had drawn too (IoU 0.5, 2,712 pictures that none of the four was trained on), so that soft and human boxes
speak the same language.
"""

import json

import numpy as np

from . import boxes, coco

MERGE_IOU, MAX_BOXES = 0.65, 100
# (stored score, probability) at the middle of bins of 0.04, smoothed by hand where few boxes remain.
CURVE = np.array(
    [
        (0.00, 0.0),
        (0.10, 0.033),
        (0.14, 0.083),
        (0.18, 0.151),
        (0.22, 0.237),
        (0.26, 0.333),
        (0.30, 0.438),
        (0.34, 0.558),
        (0.38, 0.637),
        (0.42, 0.733),
        (0.46, 0.786),
        (0.50, 0.820),
        (0.54, 0.888),
        (0.60, 0.931),
        (0.66, 0.958),
        (0.74, 0.988),
        (1.00, 1.0),
    ]
)


def probability(score):
    return np.interp(score, CURVE[:, 0], CURVE[:, 1]).astype(np.float32)


def load(path):
    """Picture file name to (boxes [n, 4], probabilities [n, 80])."""
    with open(path) as f:
        return {r["file"]: merge(r["teacher"]) for r in map(json.loads, f)}


def merge(found):
    """Boxes that overlap are one box with the greatest probability per class."""
    found = sorted(found, key=lambda d: -d["score"])
    b = np.array([d["box"] for d in found], np.float32).reshape(-1, 4)
    classes = np.array([coco.INDEX[d["class"]] for d in found], int)
    p = probability([d["score"] for d in found])
    overlap = boxes.iou(b, b) > MERGE_IOU
    alive = np.ones(len(b), bool)
    out_b, out_s = [], []
    for i in range(len(b)):
        if not alive[i] or len(out_b) == MAX_BOXES:
            continue
        group = alive & overlap[i]
        group[i] = True
        alive &= ~group
        s = np.zeros(coco.CLASSES, np.float32)
        np.maximum.at(s, classes[group], p[group])
        out_b.append(b[i])
        out_s.append(s)
    return np.array(out_b, np.float32).reshape(-1, 4), np.array(out_s, np.float32).reshape(-1, coco.CLASSES)
