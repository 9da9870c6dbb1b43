"""The anchors of SSD (Liu et al. 2016, section 2.2) with the TensorFlow detection API's choices."""

import math

import numpy as np

# The first three are those of the teacher's levels of the same strides, so that its predictors carry over.
SCALES = (0.2, 0.4, 0.8, 0.9, 0.95, 0.99)
ASPECTS = (1.0, 2.0, 0.5, 3.0, 1.0 / 3.0)


def grids(size):
    """Side of each of the six feature maps for a square input: strides 16, 32, then halved with SAME padding."""
    side = [math.ceil(size / 16)]
    while len(side) < 6:
        side.append(math.ceil(side[-1] / 2))
    return side


def shapes():
    """Per map, the (height, width) of its anchors. The first map has three (its square one at scale 0.1)."""
    scales = (*SCALES, 1.0)
    out = []
    for i in range(6):
        if i == 0:
            pairs = [(0.1, 1.0), (scales[0], 2.0), (scales[0], 0.5)]
        else:
            pairs = [(scales[i], a) for a in ASPECTS] + [(math.sqrt(scales[i] * scales[i + 1]), 1.0)]
        out.append(np.array([(s / math.sqrt(a), s * math.sqrt(a)) for s, a in pairs], np.float32))
    return out


def generate(size):
    """Anchors [n, 4] of (cy, cx, h, w), map by map, row by row, anchor by anchor: 1,917 at 300."""
    out = []
    for side, hw in zip(grids(size), shapes()):
        at = (np.arange(side, dtype=np.float32) + 0.5) / side
        cy, cx = np.meshgrid(at, at, indexing="ij")
        c = np.stack([cy, cx], -1)[:, :, None].repeat(len(hw), 2)
        out.append(np.concatenate([c, np.broadcast_to(hw, (side, side, *hw.shape))], -1).reshape(-1, 4))
    return np.concatenate(out).astype(np.float32)
