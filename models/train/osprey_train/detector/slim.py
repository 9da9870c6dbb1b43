"""A narrower detector out of a trained one, with no training: the start of the quick model.

Projections have no activation, so the stream between inverted residuals may be turned into its principal directions and
cut to the first of them. Of each expanded middle the channels that carry most stay, and the projection after them is
fitted anew by least squares, block after block, to what the wide network's stream was (as He et al. 2017, channel
pruning). Pyramid, towers and predictors carry over whole.
"""

import numpy as np
import torch
import torch.nn as nn

from . import model


def _flat(x):
    """[n, c, h, w] to [n * h * w, c]."""
    return x.permute(0, 2, 3, 1).reshape(-1, x.shape[1])


def _principal(streams, keep):
    """Orthonormal columns [c, keep] that hold most of the streams' second moment."""
    moment = sum(_flat(s).double().T @ _flat(s).double() / len(_flat(s)) for s in streams)
    return torch.linalg.eigh(moment)[1].flip(1)[:, :keep].float()


def _fit(a, target, ridge=1e-3):
    """Weights and bias of the affine map from a [m, i] to target [m, o]."""
    a, target = a.double(), target.double()
    ma, mt = a.mean(0), target.mean(0)
    c = (a - ma).T @ (a - ma) / len(a)
    c += ridge * c.diagonal().mean() * torch.eye(len(c), dtype=c.dtype)
    w = torch.linalg.solve(c, (a - ma).T @ (target - mt) / len(a)).T
    return w.float(), (mt - w @ ma).float()


def _choose(hidden, project, keep):
    """Channels [keep] whose activation times outgoing weight is greatest."""
    power = _flat(hidden).pow(2).mean(0) * project.conv.weight[:, :, 0, 0].pow(2).sum(0)
    return power.topk(keep)[1].sort()[0]


def _take(to, conv, rows, columns=None):
    w = conv.conv.weight[rows]
    to.conv.weight.copy_(w if columns is None else torch.einsum("oi,ik->ok", w[:, :, 0, 0], columns)[:, :, None, None])
    to.conv.bias.copy_(conv.conv.bias[rows])


@torch.no_grad()
def slim(wide, width, size, images):
    """`wide` at another width and size, fitted on `images` [n, 3, size, size] in -1..1."""
    c = wide.config
    net = model.Detector(width, size, c["depth"], c["channels"]).to(memory_format=torch.channels_last)
    # Streams of the wide network, then directions per stage (blocks between two changes of width).
    stem = wide.stem(images)
    x, outs = stem, []
    for b in wide.blocks:
        x = b(x)
        outs.append(x)
    stages, start = [], 0
    for _, _, n, _ in model.RESIDUALS:
        stages.append(range(start, start + n))
        start += n
    turn = [None] * len(wide.blocks)
    for stage in stages:
        kept = net.blocks[stage[0]].project.conv.out_channels
        u = _principal([outs[i] for i in stage], kept)
        for i in stage:
            turn[i] = u
    rows = _choose(wide.blocks[0].depthwise(stem), wide.blocks[0].project, net.stem.conv.out_channels)
    _take(net.stem, wide.stem, rows)
    thin = net.stem(images)
    for i, (w, t) in enumerate(zip(wide.blocks, net.blocks)):
        before = stem if i == 0 else outs[i - 1]
        if isinstance(w.expand, nn.Identity):
            _take(t.depthwise, w.depthwise, rows)
            hidden = t.depthwise(thin)
        else:
            rows = _choose(w.depthwise(w.expand(before)), w.project, t.depthwise.conv.out_channels)
            _take(t.expand, w.expand, rows, turn[i - 1])
            _take(t.depthwise, w.depthwise, rows)
            hidden = t.depthwise(t.expand(thin))
        target = _flat(outs[i]) @ turn[i]
        if t.skip:
            target = target - _flat(thin)
        pick = torch.randperm(len(target), generator=torch.Generator().manual_seed(i))[:40_000]
        k, b = _fit(_flat(hidden)[pick], target[pick])
        t.project.conv.weight.copy_(k[:, :, None, None])
        t.project.conv.bias.copy_(b)
        thin = t(thin)
        error = (
            (_flat(thin) - _flat(outs[i]) @ turn[i]).pow(2).mean()
            / _flat(outs[i]).pow(2).sum(1).mean()
            * len(turn[i].T)
        )
        print(f"block {i}: {tuple(turn[i].shape)}, relative error {float(error):.3f}", flush=True)
    everything = torch.arange(1280)
    _take(net.last, wide.last, everything, turn[-1])
    _take(net.lateral4, wide.lateral4, torch.arange(c["channels"]), turn[12])
    for name in ("lateral5", "smooth4", "down", "towers", "box", "score"):
        getattr(net, name).load_state_dict(getattr(wide, name).state_dict())
    return net


def calibration(pack, size, count, seed=1):
    ids = np.random.default_rng(seed).permutation(pack.training)[:count]
    x = np.stack([np.asarray(pack.image(i).resize((size, size), 2), np.float32) for i in ids]) / 127.5 - 1
    return torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
