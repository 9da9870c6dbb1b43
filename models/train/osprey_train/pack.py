"""The training pictures: folders of tar files beside `labels.jsonl` (its fields are described in the README)."""

import io
import json
import tarfile
from collections import Counter

import numpy as np
from PIL import Image

from . import boxes, coco, fused

FOLDERS = ("pack", "photos")
# Sets that are left out: product photos collected from the web, some with an agency's mark.
LEFT_OUT = {"toaster"}
# One in eight of the pictures with all 80 classes boxed, one in twenty of the others.
VALIDATION_COMPLETE, VALIDATION_OTHER = 8, 20
# What a person's box says where the fused teacher sees nothing: most such objects are too small or hidden to be learnt.
HUMAN_ALONE = 0.6


class Pack:
    """Every picture of the folders under `assets`, with people's boxes and the fused teacher's."""

    def __init__(self, assets):
        self.records, self.tars, self.at, self.teacher = [], {}, {}, {}
        for folder in (assets / name for name in FOLDERS):
            with open(folder / "labels.jsonl") as f:
                own = [r for r in map(json.loads, f) if r["source"] not in LEFT_OUT]
            self.records += own
            self.teacher |= fused.load(folder / "teacher_mix4.jsonl")
            for name in sorted({r["tar"] for r in own}):
                self.tars[name] = open(folder / name, "rb")
                with tarfile.open(folder / name) as t:
                    for m in t.getmembers():
                        self.at[m.name.split("/")[-1]] = (name, m.offset_data, m.size)
        self.complete = np.array([len(r["classes_annotated"]) == 80 or bool(r["complete"]) for r in self.records])
        # Split by a fixed order of names, so that it does not depend on the order of the files.
        self.validation = np.zeros(len(self.records), bool)
        for group, step in ((True, VALIDATION_COMPLETE), (False, VALIDATION_OTHER)):
            own = sorted(np.flatnonzero(self.complete == group), key=lambda i: self.records[i]["file"])
            self.validation[own[::step]] = True
        self.training = np.flatnonzero(~self.validation)

    def sources(self):
        """Licence kind and, by set, the number of pictures: [[set, kind, licence as stated, number], …]."""
        count = Counter((r["source"], r["license_kind"], r["license"]) for r in self.records)
        return [[*k, n] for k, n in sorted(count.items(), key=lambda e: -e[1])]

    def image(self, i):
        tar, offset, size = self.at[self.records[i]["file"].split("/")[-1]]
        f = self.tars[tar]
        f.seek(offset)
        return Image.open(io.BytesIO(f.read(size))).convert("RGB")

    def human(self, i):
        """Boxes drawn by people [n, 4] and their classes [n]."""
        b = self.records[i]["boxes"]
        return (
            np.array([x["box"] for x in b], np.float32).reshape(-1, 4),
            np.array([coco.INDEX[x["class"]] for x in b], int),
        )

    def annotated(self, i):
        """Mask [80] of the classes of which every object is boxed."""
        m = np.zeros(coco.CLASSES, bool)
        if self.complete[i]:
            m[:] = True
        for n in self.records[i]["classes_annotated"]:
            m[coco.INDEX[n]] = True
        return m

    def truth(self, i):
        """(boxes [n, 4], classes [n], mask [80] of the classes that are annotated, crowds as (box, class))."""
        crowds = [(c["box"], coco.INDEX[c["class"]]) for c in self.records[i].get("ignore", [])]
        return *self.human(i), self.annotated(i), crowds

    def labels(self, i, support=0.5):
        """People's boxes and the teacher's as one set of boxes [n, 4] with scores [n, 80].

        Where a class is completely annotated, the teacher's scores for it stand only on a person's box of that class;
        over crowds ("ignore") they stand as they are. A person's box says 1 where the teacher is sure of it as well,
        and less, down to `HUMAN_ALONE`, where it is not.
        """
        human, classes = self.human(i)
        soft, scores = self.teacher[self.records[i]["file"]]
        scores = scores.copy()
        hard = np.zeros((len(human), coco.CLASSES), np.float32)
        rows = np.arange(len(human))
        hard[rows, classes] = HUMAN_ALONE
        if len(soft):
            supported = np.zeros(scores.shape, bool)
            if len(human):
                hit = boxes.iou(soft, human) >= support
                for j, c in enumerate(classes):
                    supported[hit[:, j], c] = True
                    hard[j, c] += (1 - HUMAN_ALONE) * scores[hit[:, j], c].max(initial=0)
            for box, c in ((x["box"], x["class"]) for x in self.records[i].get("ignore", [])):
                inside = boxes.intersection(soft, np.array([box], np.float32))[:, 0] > 0.5 * boxes.area(soft)
                supported[inside, coco.INDEX[c]] = True
            scores[self.annotated(i)[None] & ~supported] = 0
            keep = scores.max(1) >= 0.05
            soft, scores = soft[keep], scores[keep]
        return np.concatenate([soft, human]), np.concatenate([scores, hard])
