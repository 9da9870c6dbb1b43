"""Training on cached views."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from ..pack import Pack
from . import anchors, cache, model, targets, validation
from .recipes import Recipe  # noqa: F401 (part of what a run is given)


def features(f):
    """Cached features [n, side, side, depth] as a channels-last tensor."""
    return torch.from_numpy(np.asarray(f, np.float32)).permute(0, 3, 1, 2)


class Batches:
    """Batches of cached views. Each round mixes the few shards that were used least; the newest come first."""

    ROUND = 8

    def __init__(self, folder, assigner, size, seed, start, rank, ranks):
        self.folder, self.assigner, self.size, self.rank, self.ranks = folder, assigner, size, rank, ranks
        self.rng = np.random.default_rng((seed, start, rank))
        self.order, self.shards, self.uses = [], {}, {}
        self.pool = ThreadPoolExecutor(1)
        self.next = self.pool.submit(self._make)

    def _refill(self):
        there = cache.shards(self.folder, "views")
        names = sorted(reversed(there), key=lambda n: self.uses.get(n, 0))[: self.ROUND]
        self.shards = {}
        for name in names:
            try:
                self.shards[name] = cache.read(self.folder, name)
            except FileNotFoundError:  # the maker has just removed it
                continue
            self.uses[name] = self.uses.get(name, 0) + 1
        every = [(n, k) for n, (f, _) in self.shards.items() for k in range(self.rank, len(f), self.ranks)]
        self.order = [every[k] for k in self.rng.permutation(len(every))]

    def _make(self):
        f, t = [], []
        for _ in range(self.size):
            while not self.order:
                self._refill()
                if not self.order:
                    time.sleep(5)
            name, k = self.order.pop()
            x, labels = self.shards[name]
            f.append(x[k])
            _, b, s = labels[k]
            t.append(self.assigner(b.astype(np.float32), s.astype(np.float32) / 255))
        return features(np.stack(f)), *(torch.from_numpy(np.stack(v)) for v in zip(*t))

    def __call__(self):
        batch = self.next.result()
        self.next = self.pool.submit(self._make)
        return batch


class Loss:
    """Quality focal loss on scores (Li et al. 2020, generalized focal loss) and smooth L1 on box codes.

    A positive anchor's target is its soft score times the overlap of the box it predicts, to a power.
    """

    def __init__(self, a, quality):
        self.anchors = torch.from_numpy(a)
        self.quality = quality

    def corners(self, code):
        centre = code[..., :2] / 10 * self.anchors[:, 2:] + self.anchors[:, :2]
        half = torch.exp((code[..., 2:] / 5).clamp(-4, 4)) * self.anchors[:, 2:] / 2
        return torch.cat([centre - half, centre + half], -1)

    def overlap(self, a, b):
        side = (torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])).clamp(min=0)
        inter = side.prod(-1)
        area = lambda t: (t[..., 2:] - t[..., :2]).prod(-1)  # noqa: E731
        return inter / (area(a) + area(b) - inter + 1e-9)

    def __call__(self, code, logit, target, counted, want, weight):
        total = weight.sum().clamp(min=1)
        if self.quality:
            with torch.no_grad():
                q = self.overlap(self.corners(code), self.corners(want)) ** self.quality
                target = target * torch.where(weight > 0, q, torch.ones_like(q))[..., None]
        scores = F.binary_cross_entropy_with_logits(logit, target, reduction="none")
        scores = scores * (logit.detach().sigmoid() - target).square() * 4
        scores = (scores * counted).sum() / total
        places = (F.smooth_l1_loss(code, want, reduction="none").sum(-1) * weight).sum() / total
        return scores, places


def rate(recipe, views):
    """The share of the full rates after so many views."""
    up = min(1.0, (views + recipe.batch) / (60 * recipe.batch))
    left = (recipe.views - views) / max(1, recipe.anneal)
    return up * (1.0 if left >= 1 else 0.02 + 0.98 * 0.5 * (1 - np.cos(np.pi * max(0.0, left))))


def groups(net, recipe):
    """Parameter groups of the fresh maps, the other heads and the body: kernels decay, biases do not."""
    fresh = net.fresh()
    parts = (
        ("fresh", [p for p in net.head() if p in fresh], 3 * recipe.head_rate),
        ("head", [p for p in net.head() if p not in fresh], recipe.head_rate),
        ("body", net.body(), recipe.body_rate),
    )
    out = []
    for part, params, lr in parts:
        for kernels in (True, False):
            own = [p for p in params if (p.ndim > 1) == kernels]
            out.append(dict(params=own, part=part, full=lr, lr=lr, weight_decay=recipe.decay if kernels else 0.0))
    return out


def average_gradients(params, ranks):
    """The mean over the processes, in one exchange."""
    flat = torch.cat([p.grad.reshape(-1) for p in params])
    dist.all_reduce(flat)
    at = 0
    for p in params:
        p.grad.copy_(flat[at : at + p.numel()].view_as(p) / ranks)
        at += p.numel()


class Training:
    """One process of a training run. Rank 0 keeps the average, the log and the checkpoint."""

    def __init__(self, rank, ranks, assets, work, name, recipe, start):
        self.rank, self.ranks, self.work, self.name, self.recipe = rank, ranks, work, name, recipe
        self.path = work / f"{name}.pt"
        torch.set_num_threads(1)
        torch.manual_seed(recipe.seed)
        size = recipe.size
        self.net = model.from_teacher(assets, size).to(memory_format=torch.channels_last)
        self.net.freeze_front()
        self.mean = model.from_teacher(assets, size).to(memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(groups(self.net, recipe), betas=(0.9, 0.99))
        self.seen, self.before, self.seconds, self.best = 0, 0, 0.0, 0.0
        if self.path.exists():
            self.load(torch.load(self.path, weights_only=False))
        elif start:
            self.load(torch.load(start, weights_only=False))
            self.before, self.seen, self.best = self.before + self.seen, 0, 0.0
        a = self.anchors = anchors.generate(size)
        own = recipe.batch // ranks
        self.batches = Batches(work / f"cache-{size}", targets.Assigner(a), own, recipe.seed, self.seen, rank, ranks)
        self.loss = Loss(a, recipe.quality)
        if rank == 0:
            self.validation = validation.Validation(Pack(assets))
            self.held_out = validation.cached(self.mean, work / f"cache-{size}")
            self.log = open(work / f"{name}.log", "a")

    def load(self, state):
        """A full checkpoint, or a compact one (`checkpoint.compact`), which has no state of the optimizer."""
        self.mean.load_state_dict(state["average"])
        self.net.load_state_dict(state.get("net", state["average"]))
        self.seen, self.seconds, self.best = state["seen"], state["seconds"], state.get("best", 0.0)
        self.before = state.get("before", 0)
        if "optimizer" not in state:
            return
        rates = [(g["full"], g["weight_decay"]) for g in self.optimizer.param_groups]
        self.optimizer.load_state_dict(state["optimizer"])
        for g, (full, decay) in zip(self.optimizer.param_groups, rates):
            g["full"], g["weight_decay"] = full, decay

    def save(self, path):
        state = dict(
            config=self.net.config,
            net=self.net.state_dict(),
            average=self.mean.state_dict(),
            optimizer=self.optimizer.state_dict(),
            seen=self.seen,
            before=self.before,
            seconds=self.seconds,
            best=self.best,
            recipe=asdict(self.recipe),
        )
        part = path.with_suffix(".part")
        torch.save(state, part)
        part.replace(path)

    def say(self, *words):
        for out in (None, self.log):
            print(*words, file=out, flush=True)

    def check(self):
        found = self.validation.figures(self.validation.detect(self.held_out, self.anchors))
        for g, v in found.items():
            self.say(validation.line(g, v))
        if found["all"][0] > self.best:
            self.best = found["all"][0]
            self.save(self.work / f"{self.name}-best.pt")

    def step(self):
        recipe, net = self.recipe, self.net
        part, heads_only = rate(recipe, self.seen), self.seen < recipe.heads_only
        for g in self.optimizer.param_groups:
            g["lr"] = g["full"] * part
            for p in g["params"]:
                p.requires_grad_(not (heads_only and g["part"] == "body"))
        x, *wanted = self.batches()
        with torch.set_grad_enabled(not heads_only):
            taps = net.middle(x)
        scores, places = self.loss(*net.heads(*taps), *wanted)
        self.optimizer.zero_grad(set_to_none=True)
        (scores + places).backward()
        trained = [p for p in net.parameters() if p.requires_grad]
        if self.ranks > 1:
            average_gradients(trained, self.ranks)
        torch.nn.utils.clip_grad_norm_(trained, 10.0)
        self.optimizer.step()
        self.seen += recipe.batch
        if self.rank == 0:
            n = self.seen // recipe.batch
            keep = min(recipe.average, n / (9 + n))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.mean.parameters()), list(net.parameters()), 1 - keep)
        return np.array([scores.item(), places.item()])

    def run(self):
        recipe, lead = self.recipe, self.rank == 0
        if lead:
            self.say(f"{self.name}: {asdict(recipe)}")
            if not self.seen:
                self.check()
        shown, sums, clock = self.seen, np.zeros(2), time.time()
        while self.seen < recipe.views:
            sums += self.step()
            done = self.seen >= recipe.views
            if not lead:
                continue
            if self.seen - shown >= 1600 or done:
                spent, views = time.time() - clock, self.seen - shown
                mean = sums / views * recipe.batch
                self.seconds += spent
                self.say(
                    f"{self.seen} views, {self.seconds / 60:.1f} min, {views / spent:.1f}/s, scores {mean[0]:.4f}"
                    f" boxes {mean[1]:.4f} rate {rate(recipe, self.seen):.2f} shards {len(self.batches.uses)}"
                )
                shown, sums, clock = self.seen, np.zeros(2), time.time()
            if self.seen % recipe.check < recipe.batch or done:
                self.check()
                clock = time.time()
            if self.seen % recipe.save < recipe.batch or done:
                self.save(self.path)
                if recipe.keep and (self.seen // recipe.batch) % (recipe.keep // recipe.batch) == 0:
                    self.save(self.work / f"{self.name}-{self.seen}.pt")


def _process(rank, ranks, arguments):
    if ranks > 1:
        dist.init_process_group("gloo", rank=rank, world_size=ranks)
    Training(rank, ranks, *arguments).run()
    if ranks > 1:
        dist.destroy_process_group()


def run(assets, work, name, recipe, ranks, start):
    """Train until the recipe's views are done, from the checkpoint of this name if there is one, else from `start`.

    Each of the `ranks` processes computes its share of a batch on one core: on shared cores that is steadier than
    threads, which wait for one another in every operator.
    """
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29511")
    mp.spawn(_process, (ranks, (assets, work, name, recipe, start)), nprocs=ranks)
