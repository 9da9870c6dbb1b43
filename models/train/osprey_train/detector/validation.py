"""Held-out pictures: what every choice of a training run is made by."""

import numpy as np
import torch

from .. import boxes, coco
from . import anchors, cache, score

# Where a class is not annotated, the teacher's boxes of at least this probability stand for people's.
STAND_IN = 0.5


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
    """The held-out pictures' cached features and truth.

    Groups: `all`, `coco` (all 80 classes boxed by people) and `voc5` (the pack's pictures of Pascal VOC).
    Areas are rescaled to COCO's own picture size, so that "small" means what it means there.
    """

    def __init__(self, pack, folder, size):
        self.features, self.pictures, images, notes = [], [], [], []
        groups = {"all": [], "coco": [], "voc5": []}
        for name in cache.shards(folder, "validation"):
            f, labels = cache.read(folder, name)
            self.features.append(np.asarray(f))
            for i, _, _ in labels:
                r = pack.records[i]
                image = dict(id=len(images) + 1, width=r["width"], height=r["height"])
                images.append(image)
                self.pictures.append(i)
                groups["all"].append(image["id"])
                if pack.complete[i]:
                    groups["coco"].append(image["id"])
                if r["source"] == "voc5_train":
                    groups["voc5"].append(image["id"])
                zoom = (640 / max(r["width"], r["height"])) ** 2
                for note in truth(pack, i, len(notes) + 1):
                    notes.append(note | dict(image_id=image["id"], area=note["area"] * zoom))
        self.features = np.concatenate(self.features)
        self.images, self.groups = images, groups
        categories = [dict(id=c + 1, name=n) for c, n in enumerate(coco.NAMES)]
        self.gt = {}
        for g, ids in groups.items():
            own = set(ids)
            self.gt[g] = score.dataset(
                [i for i in images if i["id"] in own], [a for a in notes if a["image_id"] in own], categories
            )
        self.anchors = anchors.generate(size)

    @torch.no_grad()
    def detect(self, outputs):
        """The result list. `outputs` gives the raw outputs for a range of the held-out pictures."""
        results = []
        category = {c: c + 1 for c in range(coco.CLASSES)}
        for k in range(0, len(self.images), 16):
            code, logit = outputs(slice(k, k + 16))
            for image, c, p in zip(self.images[k : k + 16], code.numpy(), logit.sigmoid().numpy()):
                results += score.entries(score.detections(c, p, self.anchors), image, category)
        return results

    def __call__(self, outputs):
        """AP, AP50, AP75, small, medium and large by group."""
        results, out = self.detect(outputs), {}
        for g, ids in self.groups.items():
            own = set(ids)
            out[g] = score.figures(self.gt[g], [r for r in results if r["image_id"] in own])
        return out
