"""Held-out pictures: what every choice of a training run is made by."""

import numpy as np
import torch

from .. import boxes, coco
from . import cache, score

# Where a class is not annotated, the teacher's boxes of at least this probability stand for people's.
STAND_IN = 0.5
# Least score of a detection: those of a network in training are not calibrated, and its low ones are mere noise.
LEAST = 0.01


def truth(pack, i, first):
    """COCO annotations of picture i, from the identifier `first` on; image_id is left to the caller."""
    r = pack.records[i]
    human, classes, annotated, crowds = pack.truth(i)
    found = [(b, c, 0) for b, c in zip(human, classes)] + [(b, c, 1) for b, c in crowds]
    soft, scores = pack.teacher[r["file"]]
    for c in np.flatnonzero(~annotated):
        known = [b for b, k, _ in found if k == c]
        for j in np.flatnonzero(scores[:, c] >= STAND_IN) if len(soft) else ():
            if not known or boxes.iou(soft[j : j + 1], np.array(known)).max() < 0.5:
                known.append(soft[j])
                found.append((soft[j], c, 0))
    out = []
    for b, c, crowd in found:
        y, x, y1, x1 = (float(v) for v in np.asarray(b) * np.tile([r["height"], r["width"]], 2))
        box, area = [x, y, x1 - x, y1 - y], (x1 - x) * (y1 - y)
        out.append(dict(id=first + len(out), category_id=int(c) + 1, bbox=box, area=area, iscrowd=crowd))
    return out


class Validation:
    """The held-out pictures and their truth.

    Groups: `all`, `coco` (all 80 classes boxed by people) and `voc5` (the pack's pictures of Pascal VOC).
    Areas are rescaled to COCO's own picture size, so that "small" means what it means there.
    """

    def __init__(self, pack):
        self.pack, self.pictures, self.images, notes = pack, np.flatnonzero(pack.validation), [], []
        self.groups = {"all": [], "coco": [], "voc5": []}
        for i in self.pictures:
            r = pack.records[i]
            image = dict(id=len(self.images) + 1, width=r["width"], height=r["height"])
            self.images.append(image)
            self.groups["all"].append(image["id"])
            if pack.complete[i]:
                self.groups["coco"].append(image["id"])
            if r["source"] == "voc5_train":
                self.groups["voc5"].append(image["id"])
            zoom = (640 / max(r["width"], r["height"])) ** 2
            for note in truth(pack, i, len(notes) + 1):
                notes.append(note | dict(image_id=image["id"], area=note["area"] * zoom))
        categories = [dict(id=c + 1, name=n) for c, n in enumerate(coco.NAMES)]
        self.gt = {}
        for g, ids in self.groups.items():
            own = set(ids)
            self.gt[g] = score.dataset(
                [i for i in self.images if i["id"] in own], [a for a in notes if a["image_id"] in own], categories
            )

    def detect(self, run, anchors, group="all"):
        """COCO's result list. `run` gives box codes and scores in 0..1 for a range of the held-out pictures' numbers."""
        results, own = [], set(self.groups[group])
        category = {c: c + 1 for c in range(coco.CLASSES)}
        numbers = [k for k, image in enumerate(self.images) if image["id"] in own]
        for at in range(0, len(numbers), 16):
            part = numbers[at : at + 16]
            for k, code, p in zip(part, *run(part)):
                results += score.entries(score.detections(code, p, anchors, LEAST), self.images[k], category)
        return results

    def figures(self, results, groups=None):
        """AP, AP50, AP75, small, medium and large by group."""
        out = {}
        for g in groups or self.groups:
            own = set(self.groups[g])
            out[g] = score.figures(self.gt[g], [r for r in results if r["image_id"] in own])
        return out


def cached(net, folder):
    """`run` of `Validation.detect` for a network, by the cached outputs of its front."""
    f = np.concatenate([np.asarray(cache.read(folder, name)[0]) for name in cache.shards(folder, "validation")])

    @torch.no_grad()
    def run(part):
        x = torch.from_numpy(f[part].astype(np.float32)).permute(0, 3, 1, 2)
        code, logit = net.from_front(x)
        return code.numpy(), logit.sigmoid().numpy()

    return run


def filed(runner, validation):
    """`run` of `Validation.detect` for a .tflite file (`export.Runner`)."""

    def run(part):
        return zip(*(runner(validation.pack.image(validation.pictures[k])) for k in part))

    return run


def line(group, v):
    return f"  {group}: AP {v[0]:.4f} AP50 {v[1]:.4f} AP75 {v[2]:.4f} s/m/l {v[3]:.3f} {v[4]:.3f} {v[5]:.3f}"
