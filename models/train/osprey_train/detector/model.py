"""MobileNetV2 (Sandler et al. 2018) with separable SSD heads on six maps, in PyTorch.

There is no batch normalisation: all weights start from trained networks into which it is folded.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .. import coco
from . import anchors, teacher

# expansion, channels, repeats, stride
RESIDUALS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
# Blocks before this one are frozen and their output, at stride 8, is cached.
FRONT = 6
TOWER_DEPTH = 4


def scaled(channels, width):
    """A width multiplier's channel count: the nearest multiple of 8, never under 90 % of what was asked."""
    c = max(8, int(channels * width + 4) // 8 * 8)
    return c + 8 if c < 0.9 * channels * width else c


class Conv(nn.Module):
    """Convolution with TensorFlow's SAME padding and an optional ReLU6."""

    def __init__(self, i, o, k=1, stride=1, groups=1, act=True):
        super().__init__()
        self.conv = nn.Conv2d(i, o, k, stride, 0, groups=groups)
        self.act = act

    def forward(self, x):
        c, pad = self.conv, 0
        if c.kernel_size[0] == 3:
            if c.stride[0] == 2 and x.shape[2] % 2 == 0:
                x = F.pad(x, (0, 1, 0, 1))
            else:
                pad = 1
        x = F.conv2d(x, c.weight, c.bias, c.stride, pad, 1, c.groups)
        return F.relu6(x) if self.act else x


class Separable(nn.Sequential):
    """Depthwise 3x3, then 1x1: the activation follows the second alone."""

    def __init__(self, i, o, stride=1, act=True):
        super().__init__(Conv(i, i, 3, stride, i, act=False), Conv(i, o, act=act))


class Residual(nn.Module):
    def __init__(self, i, o, expansion, stride):
        super().__init__()
        self.skip = i == o and stride == 1
        self.expand = Conv(i, i * expansion) if expansion > 1 else nn.Identity()
        self.depthwise = Conv(i * expansion, i * expansion, 3, stride, i * expansion)
        self.project = Conv(i * expansion, o, act=False)

    def forward(self, x):
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.skip else y


class Detector(nn.Module):
    """Raw outputs: box codes [n, anchors, 4] and class logits [n, anchors, 80].

    The map of stride 16 takes the semantics of the next one by a nearest-neighbour step up (a one-step pyramid);
    each map then has a tower of separable convolutions of its own and two separable predictors.
    """

    def __init__(self, width=1.0, size=300, depth=TOWER_DEPTH, channels=128):
        super().__init__()
        self.config = dict(width=width, size=size, depth=depth, channels=channels)
        c = scaled(32, width)
        self.stem = Conv(3, c, 3, 2)
        self.blocks = nn.ModuleList()
        taps = []
        for t, o, n, s in RESIDUALS:
            o = scaled(o, width)
            for j in range(n):
                self.blocks.append(Residual(c, o, t, s if j == 0 else 1))
                c = o
            taps.append(c)
        self.last = Conv(c, 1280)
        self.lateral4 = Conv(taps[4], channels, act=False)
        self.lateral5 = Conv(1280, channels, act=False)
        self.sum4 = nn.Identity()
        self.smooth4 = Separable(channels, channels)
        self.down = nn.ModuleList([Separable(channels, channels, 2) for _ in range(4)])
        self.towers = nn.ModuleList(
            [nn.ModuleList([Separable(channels, channels) for _ in range(depth)]) for _ in range(6)]
        )
        per_cell = [len(s) for s in anchors.shapes()]
        self.box = nn.ModuleList([Separable(channels, n * 4, act=False) for n in per_cell])
        self.score = nn.ModuleList([Separable(channels, n * coco.CLASSES, act=False) for n in per_cell])

    def front(self, x):
        x = self.stem(x)
        for b in self.blocks[:FRONT]:
            x = b(x)
        return x

    def middle(self, x):
        """Output of the front to the taps of stride 16 and 32."""
        tap = None
        for i, b in enumerate(self.blocks[FRONT:], FRONT):
            x = b(x)
            if i == 12:
                tap = x
        return tap, self.last(x)

    def maps(self, tap, top):
        p5 = self.lateral5(top)
        p4 = self.lateral4(tap)
        up = F.interpolate(p5, size=p4.shape[2:], mode="nearest")
        out = [self.smooth4(self.sum4(p4 + up)), p5]
        for d in self.down:
            out.append(d(out[-1]))
        return out

    def heads(self, tap, top):
        code, logit = [], []
        for x, tower, box, score in zip(self.maps(tap, top), self.towers, self.box, self.score):
            for layer in tower:
                x = layer(x)
            code.append(box(x).permute(0, 2, 3, 1).reshape(len(x), -1, 4))
            logit.append(score(x).permute(0, 2, 3, 1).reshape(len(x), -1, coco.CLASSES))
        return torch.cat(code, 1), torch.cat(logit, 1)

    def from_front(self, x):
        return self.heads(*self.middle(x))

    def forward(self, x):
        return self.from_front(self.front(x))

    def body(self):
        """Parameters that come from the teacher's backbone and are trained."""
        return [p for b in self.blocks[FRONT:] for p in b.parameters()] + list(self.last.parameters())

    def head(self):
        """Parameters of everything after the backbone."""
        parts = (self.lateral4, self.lateral5, self.smooth4, self.down, self.towers, self.box, self.score)
        return [p for m in parts for p in m.parameters()]

    def fresh(self):
        """Parameters of the three smallest maps, whose anchors the teacher has no like of."""
        parts = (self.down[2:], self.towers[3:], self.box[3:], self.score[3:])
        return {p for m in parts for p in m.parameters()}

    def freeze_front(self):
        for m in (self.stem, *self.blocks[:FRONT]):
            m.requires_grad_(False)


def nearest_anchor(shape, stride_share):
    """The teacher's anchor (of its six per cell) whose shape overlaps `shape` most."""
    t = teacher.ANCHOR_SHAPES * stride_share * 4
    inter = torch.minimum(torch.tensor(t[:, 0]), torch.tensor(shape[0])) * torch.minimum(
        torch.tensor(t[:, 1]), torch.tensor(shape[1])
    )
    union = torch.tensor(t[:, 0] * t[:, 1]) + float(shape[0] * shape[1]) - inter
    best = int((inter / union).argmax())
    return best, t[best]


@torch.no_grad()
def from_teacher(assets, size=300):
    """A full-width detector that starts as the teacher: its backbone, pyramid, towers and predictors.

    Maps 0 to 3 take the teacher's levels of stride 16 to 128, maps 4 and 5 the last of these. Each predictor takes the
    rows of the teacher's anchor of nearest shape; box codes are rescaled from that anchor to ours.
    """
    net = Detector(1.0, size)
    w = {k: (torch.tensor(a), torch.tensor(b)) for k, (a, b) in teacher.weights(assets).items()}

    def put(conv, op, rows=None):
        k, b = w[op]
        conv.conv.weight.copy_(k if rows is None else k[rows])
        conv.conv.bias.copy_(b if rows is None else b[rows])

    convs = [net.stem]
    for b in net.blocks:
        convs += [m for m in (b.expand, b.depthwise, b.project) if isinstance(m, Conv)]
    convs.append(net.last)
    ops = [i for i in teacher.BACKBONE if i in w]
    assert len(convs) == len(ops)
    for c, op in zip(convs, ops):
        put(c, op)
    p = teacher.PYRAMID
    put(net.lateral4, p["lateral4"])
    put(net.lateral5, p["lateral5"])
    for sep, op in zip((net.smooth4, *net.down), (p["smooth4"], p["down6"], p["down7"], p["down7"], p["down7"])):
        put(sep[0], op[0])
        put(sep[1], op[1])
    for m, shapes in enumerate(anchors.shapes()):
        level = min(m, 3)
        for layer, (dw, pw) in zip(net.towers[m], teacher.TOWER):
            put(layer[0], dw)
            put(layer[1], pw[level])
        picks = [nearest_anchor(s, 16 * 2**level / teacher.SIZE) for s in shapes]
        put(net.box[m][0], teacher.BOX_PREDICTOR[0])
        put(net.box[m][1], teacher.BOX_PREDICTOR[1], [j * 4 + k for j, _ in picks for k in range(4)])
        put(net.score[m][0], teacher.CLASS_PREDICTOR[0])
        put(net.score[m][1], teacher.CLASS_PREDICTOR[1], [j * 91 + c for j, _ in picks for c in coco.CATEGORY_IDS])
        out = net.box[m][1].conv
        for a, (ours, (_, theirs)) in enumerate(zip(shapes, picks)):
            for k in range(2):
                ratio = float(theirs[k] / ours[k])
                out.weight[a * 4 + k] *= ratio
                out.bias[a * 4 + k] *= ratio
                out.bias[a * 4 + 2 + k] += 5.0 * float(torch.log(torch.tensor(ratio)))
    return net
