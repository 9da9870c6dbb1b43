"""Box geometry. Boxes are float arrays [n, 4] of (ymin, xmin, ymax, xmax) in fractions of the picture."""

import numpy as np

# Variances of the SSD box code (Liu et al. 2016, section 2.2, as the TensorFlow detection API scales them).
VARIANCES = (10.0, 10.0, 5.0, 5.0)


def area(b):
    return np.clip(b[:, 2] - b[:, 0], 0, None) * np.clip(b[:, 3] - b[:, 1], 0, None)


def intersection(a, b):
    lo = np.maximum(a[:, None, :2], b[None, :, :2])
    hi = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return np.clip(hi - lo, 0, None).prod(-1)


def iou(a, b):
    """Intersection over union of every pair, [len(a), len(b)]."""
    inter = intersection(a, b)
    return inter / (area(a)[:, None] + area(b)[None] - inter + 1e-9)


def corners(anchors):
    """(cy, cx, h, w) to corners."""
    half = anchors[:, 2:] / 2
    return np.concatenate([anchors[:, :2] - half, anchors[:, :2] + half], 1)


def decode(code, anchors):
    """Box codes [n, 4] on anchors [n, 4] (cy, cx, h, w) to corners."""
    centre = code[:, :2] / 10.0 * anchors[:, 2:] + anchors[:, :2]
    half = np.exp(np.clip(code[:, 2:] / 5.0, -4, 4)) * anchors[:, 2:] / 2
    return np.concatenate([centre - half, centre + half], 1)


def encode(b, anchors):
    """Corners to box codes: the inverse of `decode`."""
    size = np.maximum(b[:, 2:] - b[:, :2], 1e-3)
    centre = (b[:, :2] + b[:, 2:]) / 2
    return np.concatenate(
        [(centre - anchors[:, :2]) / anchors[:, 2:] * 10.0, np.log(size / anchors[:, 2:]) * 5.0], 1
    ).astype(np.float32)


def mirror(b):
    b = np.array(b, np.float32).reshape(-1, 4)
    b[:, [1, 3]] = 1 - b[:, [3, 1]]
    return b


def into_window(b, window, visible=0.35):
    """Boxes in the coordinates of `window`, clipped, and a mask of those of which enough is left."""
    b = np.asarray(b, np.float32).reshape(-1, 4)
    y, x, y1, x1 = window
    n = (b - [y, x, y, x]) / [y1 - y, x1 - x, y1 - y, x1 - x]
    c = np.clip(n, 0, 1).astype(np.float32)
    return c, area(c) >= np.maximum(visible * area(n), 1e-6)


def out_of_window(b, window):
    """The inverse of `into_window` for boxes that lie in it."""
    y, x, y1, x1 = window
    return (np.asarray(b, np.float32).reshape(-1, 4) * [y1 - y, x1 - x, y1 - y, x1 - x] + [y, x, y, x]).astype(
        np.float32
    )
