"""Trained networks and the pictures they take."""

import math

import numpy as np
import torch
from PIL import Image

from . import model


def load(path):
    """The averaged weights of a checkpoint as a network, and the checkpoint's other entries."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    net = model.Detector(**state["config"])
    net.load_state_dict({k: v.float() for k, v in state["average"].items()})
    return net.eval(), state


def picture(image, size):
    return np.asarray(image.convert("RGB").resize((size, size), Image.BILINEAR), np.uint8)


def compact(path, to):
    """The averaged weights alone, in half precision: small enough to keep beside the code."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    entries = {k: state[k] for k in ("config", "seen", "before", "seconds", "best") if k in state}
    torch.save(entries | dict(average={k: v.half().contiguous() for k, v in state["average"].items()}), to)


def average(paths, to):
    """The mean of several checkpoints' averaged weights, as a compact one with the entries of the last."""
    states = [torch.load(p, map_location="cpu", weights_only=False) for p in paths]
    mean = {k: sum(s["average"][k].float() for s in states) / len(states) for k in states[0]["average"]}
    entries = {k: states[-1][k] for k in ("config", "seen", "before", "seconds", "best") if k in states[-1]}
    torch.save(entries | dict(average={k: v.half().contiguous() for k, v in mean.items()}), to)


def resize(path, size, to):
    """The same weights for pictures of another side, as a compact checkpoint.

    Anchors are fractions of the picture, the weights know pixels: box codes are rescaled to what they meant there.
    """
    state = torch.load(path, map_location="cpu", weights_only=False)
    net, _ = load(path)
    ratio = net.config["size"] / size
    with torch.no_grad():
        for box in net.box:
            out = box[1].conv
            for k in range(2):
                out.weight[k::4] *= ratio
                out.bias[k::4] *= ratio
                out.bias[2 + k :: 4] += 5.0 * math.log(ratio)
    entries = {k: state[k] for k in ("seen", "before", "seconds", "best") if k in state} | dict(
        config=net.config | dict(size=size)
    )
    torch.save(entries | dict(average={k: v.half().contiguous() for k, v in net.state_dict().items()}), to)


def size(net):
    """Parameters and multiply-adds of one picture, both in millions."""
    macs, hooks = [], []
    for m in net.modules():
        if isinstance(m, model.Conv):
            hooks.append(m.register_forward_hook(lambda m, _, y: macs.append(m.conv.weight.numel() * y[0, 0].numel())))
    with torch.no_grad():
        net(torch.zeros(1, 3, net.config["size"], net.config["size"]))
    for h in hooks:
        h.remove()
    return dict(parameters=round(sum(p.numel() for p in net.parameters()) / 1e6, 2), macs=round(sum(macs) / 1e6))
