"""Scores that mean what they say: a score of 0.7 is right seven times in ten (IoU 0.5, class right).

Per class a line on logits (Platt 1999) is learnt on the held-out pictures whose 80 classes people boxed. A class of few
examples stays near the line of all: each has a normal prior around it, whose width is chosen by cross-validation over
pictures. A line on logits is exactly a change of the last convolutions' weights, so it goes into the file itself: every
reader of the model gets calibrated scores and no reader needs to know.
"""

import numpy as np
import torch

from .. import coco
from . import score

FOLDS, BINS = 5, 15
# Spread of slopes and offsets of single classes around those of all; 0 gives every class the same line.
WIDTHS = ((0.0, 0.0), (0.05, 0.15), (0.1, 0.3), (0.15, 0.5), (0.25, 0.8))
# Detections below say nothing to anybody, and are most of all.
LEAST = 0.05
PRECISION = 0.65
# Osprey's default threshold: what `threshold` finds on the held-out pictures, in tenths.
THRESHOLD = 0.3


def judged(gt, results):
    """Per detection: class, logit, whether it is right, picture; and the number of objects. Crowds count as neither."""
    e = score.run(gt, results)
    n, areas = len(e.params.imgIds), len(e.params.areaRng)
    table = np.array(e.evalImgs, dtype=object).reshape(len(e.params.catIds), areas, n)[:, 0]
    rows, objects = [], 0
    for c, pictures in enumerate(table):
        for i, v in enumerate(pictures):
            if v is None:
                continue
            objects += int((~np.asarray(v["gtIgnore"], bool)).sum())
            for s, match, ignored in zip(v["dtScores"], v["dtMatches"][0], v["dtIgnore"][0]):
                if not ignored:
                    rows.append((e.params.catIds[c] - 1, s, match > 0, i))
    c, s, hit, picture = (np.array(v) for v in zip(*rows))
    s = np.clip(s, 1e-6, 1 - 1e-6)
    return c.astype(int), np.log(s / (1 - s)), hit.astype(float), picture.astype(int), objects


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def line(x, y, centre=(1.0, 0.0), width=(1.0, 3.0)):
    """(slope, offset) of greatest posterior by Newton's method."""
    w, centre = np.array(centre, float), np.array(centre, float)
    hold = np.diag(1 / np.maximum(np.array(width, float), 1e-6) ** 2)
    design = np.stack([x, np.ones_like(x)], 1)
    for _ in range(30):
        p = sigmoid(design @ w)
        slope = design.T @ (p - y) + hold @ (w - centre)
        step = np.linalg.solve(design.T @ (design * (p * (1 - p))[:, None]) + hold, slope)
        w = w - step
        if np.abs(step).max() < 1e-6:
            break
    return w


def fit(c, x, y, width):
    """Lines [80, 2]: one for all classes, and each class's own around it."""
    every = line(x, y)
    out = np.tile(every, (coco.CLASSES, 1))
    if width[0]:
        for k in np.unique(c):
            out[k] = line(x[c == k], y[c == k], every, width)
    out[:, 0] = np.clip(out[:, 0], 0.4, 4.0)
    return out


def apply(lines, c, x):
    return sigmoid(lines[c, 0] * x + lines[c, 1])


def crossed(c, x, y, picture, width):
    """The probability of each detection by lines that its picture had no part in."""
    p = np.empty_like(x)
    for k in range(FOLDS):
        out = picture % FOLDS == k
        p[out] = apply(fit(c[~out], x[~out], y[~out], width), c[out], x[out])
    return p


def error(p, y, least=LEAST):
    """Expected calibration error of detections of at least `least`, and the bins: mean score, share right, number."""
    p, y = p[p >= least], y[p >= least]
    bins = np.minimum((p * BINS).astype(int), BINS - 1)
    rows = [(p[bins == b].mean(), y[bins == b].mean(), int((bins == b).sum())) for b in range(BINS) if (bins == b).any()]
    return sum(abs(s - r) * n for s, r, n in rows) / max(1, len(p)), rows


def at(p, y, objects, threshold):
    """(precision, recall, F1) of the detections of at least `threshold`."""
    passed = p >= threshold
    right = y[passed].sum()
    precision, recall = right / max(1, passed.sum()), right / objects
    return precision, recall, 2 * precision * recall / max(1e-9, precision + recall)


def threshold(p, y, objects):
    """The threshold of greatest F1 among those of enough precision, in hundredths."""
    choices = {t / 100: at(p, y, objects, t / 100) for t in range(10, 91)}
    good = {t: v for t, v in choices.items() if v[0] >= PRECISION} or choices
    return max(good, key=lambda t: good[t][2])


def learn(gt, results):
    """(lines [80, 2], threshold, figures): everything from held-out pictures, judged by cross-validation."""
    c, x, y, picture, objects = judged(gt, results)
    loss = {}
    for width in WIDTHS:
        p = np.clip(crossed(c, x, y, picture, width), 1e-7, 1 - 1e-7)
        loss[width] = float(-(y * np.log(p) + (1 - y) * np.log(1 - p)).mean())
    width = min(loss, key=loss.get)
    p = crossed(c, x, y, picture, width)
    best = threshold(p, y, objects)
    precision, recall, f1 = at(p, y, objects, best)
    figures = dict(
        pictures=len(np.unique(picture)),
        detections=len(y),
        width=list(width),
        error_before=round(float(error(sigmoid(x), y)[0]), 4),
        error_crossed=round(float(error(p, y)[0]), 4),
        best_threshold=best,
        precision=round(float(precision), 3),
        recall=round(float(recall), 3),
        f1=round(float(f1), 3),
    )
    return fit(c, x, y, width), best, figures


@torch.no_grad()
def fold(net, lines):
    """Put the lines into the score predictors' last convolutions."""
    a, b = (torch.tensor(v, dtype=torch.float32) for v in lines.T)
    for head in net.score:
        conv = head[1].conv
        anchors = len(conv.bias) // coco.CLASSES
        conv.weight *= a.repeat(anchors).view(-1, 1, 1, 1)
        conv.bias.copy_(conv.bias * a.repeat(anchors) + b.repeat(anchors))
