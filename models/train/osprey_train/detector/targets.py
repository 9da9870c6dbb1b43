"""What each anchor should say: soft scores, where they count, and a box."""

import numpy as np

from .. import boxes, coco

POSITIVE, NEGATIVE = 0.5, 0.4
# A likely box that no anchor overlaps enough still takes its best anchor, if that one overlaps this much.
FORCED, FORCED_SCORE = 0.08, 0.2


class Assigner:
    def __init__(self, anchors):
        self.anchors = anchors
        self.corners = boxes.corners(anchors)

    def __call__(self, b, s):
        """(scores [a, 80], counted [a, 80], codes [a, 4], box weights [a]) for boxes [n, 4] with scores [n, 80].

        Boxes between the two overlaps leave an anchor's likely classes uncounted.
        """
        n = len(self.anchors)
        target = np.zeros((n, coco.CLASSES), np.float32)
        counted = np.ones((n, coco.CLASSES), bool)
        code, weight = np.zeros((n, 4), np.float32), np.zeros(n, np.float32)
        keep = (b[:, 2:] - b[:, :2] > 0.004).all(1)
        b, s = b[keep], s[keep]
        if not len(b):
            return target, counted, code, weight
        overlap = boxes.iou(self.corners, b)
        best, top = overlap.argmax(0), s.max(1)
        reach = overlap[best, np.arange(len(b))]
        forced = np.flatnonzero((top >= FORCED_SCORE) & (reach >= FORCED) & (reach < POSITIVE))
        overlap[best[forced], forced] = POSITIVE
        positive = overlap >= POSITIVE
        near = (overlap >= NEGATIVE) & ~positive
        for j in np.flatnonzero(near.any(0)):
            counted[np.ix_(np.flatnonzero(near[:, j]), np.flatnonzero(s[j] > 0.1))] = False
        for j in np.flatnonzero(positive.any(0)):
            rows = np.flatnonzero(positive[:, j])
            target[rows] = np.maximum(target[rows], s[j])
        counted |= target >= 0.1
        choice = np.where(positive, overlap * (0.2 + top[None]), 0).argmax(1)
        rows = np.flatnonzero(positive.any(1) & (top[choice] >= 0.1))
        code[rows] = boxes.encode(b[choice[rows]], self.anchors[rows])
        weight[rows] = top[choice[rows]]
        return target, counted, code, weight
