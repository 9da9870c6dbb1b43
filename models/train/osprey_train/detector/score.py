"""Detections from raw outputs, and COCO's figures for them by pycocotools."""

import contextlib
import io

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from .. import boxes

# The overlap that suppresses was chosen on the held-out pictures; manifest.toml hands it on.
SCORE, NMS_IOU, MOST = 0.001, 0.5, 100


def detections(code, score, anchors, least=SCORE):
    """The best detections of a picture: boxes [n, 4], classes [n], scores [n]; suppression within each class."""
    a, c = np.nonzero(score > least)
    s = score[a, c]
    order = np.argsort(-s, kind="stable")[:6000]
    a, c, s = a[order], c[order], s[order]
    used, back = np.unique(a, return_inverse=True)
    b = np.clip(boxes.decode(code[used], anchors[used]), 0, 1)[back]
    size = boxes.area(b)
    alive, keep = np.ones(len(a), bool), []
    for n in range(len(a)):
        if not alive[n]:
            continue
        keep.append(n)
        if len(keep) == MOST:
            break
        m = np.flatnonzero(alive[n + 1 :] & (c[n + 1 :] == c[n])) + n + 1
        side = np.clip(np.minimum(b[n, 2:], b[m, 2:]) - np.maximum(b[n, :2], b[m, :2]), 0, None)
        inter = side.prod(1)
        alive[m[inter / (size[n] + size[m] - inter + 1e-9) > NMS_IOU]] = False
    return b[keep], c[keep], s[keep]


def entries(found, image, category):
    """COCO's result list for one picture; `category` maps our class to the ground truth's id, or lacks it."""
    h, w = image["height"], image["width"]
    return [
        dict(
            image_id=image["id"],
            category_id=category[int(c)],
            score=float(s),
            bbox=[float(b[1] * w), float(b[0] * h), float((b[3] - b[1]) * w), float((b[2] - b[0]) * h)],
        )
        for b, c, s in zip(*found)
        if int(c) in category
    ]


def dataset(images, annotations, categories):
    gt = COCO()
    gt.dataset = dict(images=images, annotations=annotations, categories=categories)
    with contextlib.redirect_stdout(io.StringIO()):
        gt.createIndex()
    return gt


def run(gt, results):
    """The finished COCOeval of a result list."""
    with contextlib.redirect_stdout(io.StringIO()):
        e = COCOeval(gt, gt.loadRes(results), "bbox")
        e.evaluate()
        e.accumulate()
        e.summarize()
    return e


def figures(gt, results):
    """AP, AP50, AP75, AP small, medium and large."""
    return run(gt, results).stats[:6].tolist() if results else [0.0] * 6
