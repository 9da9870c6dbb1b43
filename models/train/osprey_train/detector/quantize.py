"""Int8 by chosen ranges: what each tensor may hold, learnt on training pictures.

The converter's own calibration takes the least and the greatest value seen. After more training a few outliers stretch
these ranges and cost every other value its precision, so here each range is the one of least squared error, and the two
outputs get what their readers need: logits that no threshold can tell apart and boxes of hopeless anchors are clipped.
Shifting biases besides (Nagel et al. 2019) brought logits a third closer to the float network's and no more AP on the
held-out pictures, so it is not done. Names of tensors are the names of the modules that write them (`torch.nn.Module.named_modules`).
"""

import numpy as np
import torch

from .model import Conv, Residual

INPUT = (-1.0, 1.0)
# Values kept of a tensor and a picture to choose its range by.
SAMPLE = 4096
# Scores below this logit (0.0005) can be told apart by nobody.
LEAST_LOGIT = -7.6
# Boxes count where some class passes this logit (a score of 0.05).
LIKELY = -2.94
# Shares of the full range that are tried at each end.
SHARES = np.concatenate([np.linspace(0.3, 0.9, 13), np.linspace(0.92, 1.0, 9)])


def observed(net):
    """The modules whose outputs are quantized, by name, in the order of the forward pass."""
    out = {}
    for name, m in net.named_modules():
        if isinstance(m, Conv) or (isinstance(m, Residual) and m.skip) or name == "sum4":
            out[name] = m
    return out


def steps(low, high, bits=8):
    """Scale and zero point that TFLite gives a range; zero is always exact."""
    low, high = min(low, 0.0), max(high, 0.0)
    scale = max(high - low, 1e-6) / (2**bits - 1)
    return scale, round(-low / scale)


def rounded(x, low, high):
    scale, zero = steps(low, high)
    return ((x / scale).round().clamp(-zero, 255 - zero)) * scale


def best(values):
    """The range of least squared error for a sample."""
    v = torch.from_numpy(values)
    low, high = min(float(v.min()), 0.0), max(float(v.max()), 0.0)
    errors = {}
    for a in SHARES if low < 0 else (1.0,):
        for b in SHARES:
            if low < 0 and abs(a - b) > 0.35:
                continue
            errors[low * a, high * b] = float((rounded(v, low * a, high * b) - v).square().mean())
    return tuple(float(v) for v in min(errors, key=errors.get))


def outputs(net):
    """(names of the box predictors' last convolutions, names of the score predictors')."""
    return ([f"{head}.{k}.1" for k in range(len(net.box))] for head in ("box", "score"))


@torch.no_grad()
def ranges(net, pictures, seed=1):
    """Name to (least, greatest) for every quantized tensor of `net`, by pictures [1, 3, size, size] in -1..1."""
    rng = np.random.default_rng(seed)
    samples = {name: [] for name in observed(net)}

    def keep(name):
        def hook(_, __, y):
            flat = y.detach().permute(0, 2, 3, 1).reshape(-1).numpy()
            samples[name].append(flat[rng.integers(0, len(flat), SAMPLE)])
            # Extremes are always among the sample, else clipping would look cheaper than it is.
            samples[name].append(np.array([flat.min(), flat.max()]))

        return hook

    hooks = [m.register_forward_hook(keep(name)) for name, m in observed(net).items()]
    likely, top = [], LEAST_LOGIT
    for x in pictures:
        code, logit = net(x)
        likely.append(code[logit.amax(-1) > LIKELY].reshape(-1).numpy())
        top = max(top, float(logit.max()))
    for h in hooks:
        h.remove()
    out = {name: best(np.concatenate(s)) for name, s in samples.items()}
    boxes, scores = outputs(net)
    likely = np.concatenate(likely)
    # A concatenation and what it joins share one range.
    out |= dict.fromkeys(boxes, tuple(float(v) for v in np.percentile(likely, (0.05, 99.95))))
    out |= dict.fromkeys(scores, (LEAST_LOGIT, top))
    return out


def attach(net, found):
    """Give each module the range of what it writes, for `graph` to put into the file."""
    net.ranges = found
    for name, m in observed(net).items():
        m.range = found[name]
