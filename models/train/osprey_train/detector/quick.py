"""Training of the quick detector: the default one slimmed, then taught by it and by the same labels.

Pictures are small enough to be held in memory and augmented as they come. Besides the detection loss the pyramid's two
maps follow those of the default detector on the same pixels.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import torch
import torch.nn.functional as F
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from .. import boxes
from ..pack import Pack
from . import anchors, cache, checkpoint, graph, slim, targets, train
from .views import WHOLE, Views


class Wide:
    """The default detector's pyramid maps, run by LiteRT (several times faster than PyTorch on one core)."""

    def __init__(self, data):
        self.net = Interpreter(model_content=data, num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]["index"]
        # Stride 16 first: it has more cells.
        self.outputs = [d["index"] for d in sorted(self.net.get_output_details(), key=lambda d: -d["shape"][1])]

    def __call__(self, x):
        found = []
        for picture in x:
            self.net.set_tensor(self.input, picture[None])
            self.net.invoke()
            found.append([self.net.get_tensor(i)[0] for i in self.outputs])
        return [tensor(np.stack(f)) for f in zip(*found)]


class Pictures:
    """Windows, mirrored and recoloured, of pictures drawn as `Views` draws them, with labels carried over.

    Each batch is pictures, the wide network's two maps of them, and what the anchors should say.
    """

    def __init__(self, pack, labels, wide, size, batch, seed):
        self.wide = wide
        self.views = Views(pack, None, labels, size, seed)
        self.size, self.batch = size, batch
        self.assign = targets.Assigner(anchors.generate(size))
        self.held = {}
        self.pool = ThreadPoolExecutor(1)
        self.next = self.pool.submit(self._make)

    def picture(self, i):
        if i not in self.held:
            im = self.views.pack.image(i)
            im.thumbnail((320, 320))
            self.held[i] = np.asarray(im)
        return Image.fromarray(self.held[i])

    def one(self):
        v = self.views
        i = v.pick()
        b, s = v.labels[i]
        window = WHOLE if v.rng.random() < 0.4 else v.window(b, s, low=0.25)
        b, seen = boxes.into_window(b, window)
        im, b, s = v.flip(v.cut(self.picture(i), window), b[seen], s[seen])
        x = np.asarray(im.resize((self.size, self.size), Image.BILINEAR), np.float32) / 127.5 - 1
        return x * v.rng.uniform(0.75, 1.25) + v.rng.normal(0, 0.12, 3), b, s

    def _make(self):
        found = [self.one() for _ in range(self.batch)]
        x = np.clip(np.stack([f[0] for f in found]), -1, 1).astype(np.float32)
        wanted = zip(*(self.assign(b, s) for _, b, s in found))
        return tensor(x), *self.wide(x), *(torch.from_numpy(np.stack(w)) for w in wanted)

    def __call__(self):
        batch = self.next.result()
        self.next = self.pool.submit(self._make)
        return batch


def tensor(x):
    return torch.from_numpy(x).permute(0, 3, 1, 2)


def follow(ours, theirs):
    """Squared difference of two maps in units of the second one's own spread."""
    return F.mse_loss(ours, theirs) / theirs.var()


def pyramid(net, x):
    """The inputs of the heads: taps, then the two maps that the teacher's are compared with."""
    tap, top = net.middle(net.front(x))
    return tap, top, net.lateral4(tap), net.lateral5(top)


def run(assets, pack_folder, work, name, wide_checkpoint, recipe):
    torch.set_num_threads(1)
    torch.manual_seed(recipe.seed)
    pack = Pack(pack_folder)
    wide, _ = checkpoint.load(wide_checkpoint)
    path = work / f"{name}.pt"
    state = torch.load(path, weights_only=False) if path.exists() else None
    start = work / f"{name}-start.pt"
    if not start.exists():
        pictures = slim.calibration(pack, recipe.size, 128)
        net = slim.slim(wide.to(memory_format=torch.channels_last), recipe.width, recipe.size, pictures)
        torch.save(dict(config=net.config, average=net.state_dict(), seen=0, seconds=0.0), start)
    net, mean = (checkpoint.load(start)[0].to(memory_format=torch.channels_last) for _ in range(2))
    kernels, rest = ([p for p in net.parameters() if (p.ndim > 1) == k] for k in (True, False))
    optimizer = torch.optim.AdamW(
        [dict(params=kernels, weight_decay=recipe.decay), dict(params=rest, weight_decay=0.0)], recipe.rate, (0.9, 0.99)
    )
    seen, seconds = 0, 0.0
    if state:
        net.load_state_dict(state["net"])
        mean.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        seen, seconds = state["seen"], state["seconds"]
    validation = train.Validation(pack, work / "cache", recipe.size)
    held = np.stack([checkpoint.picture(pack.image(i), recipe.size) for i in validation.pictures])
    follows = Wide(graph.convert(wide, graph.pyramid, size=recipe.size))
    labels = cache.whole_labels(work / "cache")
    batches = Pictures(pack, labels, follows, recipe.size, recipe.batch, (recipe.seed, seen))
    loss = train.Loss(anchors.generate(recipe.size), 0.5)
    log = open(work / f"{name}.log", "a")

    def say(text):
        for out in (None, log):
            print(text, file=out, flush=True)

    def check():
        found = validation(lambda part: mean(tensor(held[part].astype(np.float32) / 127.5 - 1)))
        for g, v in found.items():
            say(f"  {g}: AP {v[0]:.4f} AP50 {v[1]:.4f} AP75 {v[2]:.4f} s/m/l {v[3]:.3f} {v[4]:.3f} {v[5]:.3f}")

    def save():
        entries = dict(config=net.config, net=net.state_dict(), average=mean.state_dict(), seen=seen, seconds=seconds)
        part = path.with_suffix(".part")
        torch.save(entries | dict(optimizer=optimizer.state_dict(), recipe=asdict(recipe)), part)
        part.replace(path)

    say(f"{name}: {asdict(recipe)}")
    shown, sums, clock = seen, np.zeros(3), time.time()
    while seen < recipe.views:
        rate = train.rate(recipe, seen)
        for g in optimizer.param_groups:
            g["lr"] = recipe.rate * rate
        x, wide4, wide5, *wanted = batches()
        tap, top, ours4, ours5 = pyramid(net, x)
        scores, places = loss(*net.heads(tap, top), *wanted)
        near = follow(ours4, wide4) + follow(ours5, wide5)
        optimizer.zero_grad(set_to_none=True)
        (scores + places + recipe.follow * near).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 10.0)
        optimizer.step()
        seen += recipe.batch
        n = seen // recipe.batch
        with torch.no_grad():
            keep = 1 - min(recipe.average, n / (9 + n))
            torch._foreach_lerp_(list(mean.parameters()), list(net.parameters()), keep)
        sums += scores.item(), places.item(), near.item()
        done = seen >= recipe.views
        if seen - shown >= 800 or done:
            spent, m = time.time() - clock, sums * recipe.batch / (seen - shown)
            seconds += spent
            say(
                f"{seen} views, {seconds / 60:.1f} min, {(seen - shown) / spent:.1f}/s, scores {m[0]:.4f}"
                f" boxes {m[1]:.4f} maps {m[2]:.4f} rate {rate:.2f}"
            )
            shown, sums, clock = seen, np.zeros(3), time.time()
        if seen % recipe.save < recipe.batch or done:
            save()
        if seen % recipe.check < recipe.batch or done:
            check()
            clock = time.time()
