"""The training pictures: tar files beside `labels.jsonl` (its fields are described in the package's README)."""

import io
import json
import tarfile

import numpy as np
from PIL import Image

from . import boxes, coco

# One in eight of the pictures with all 80 classes boxed, one in twenty of the others.
VALIDATION_COMPLETE, VALIDATION_OTHER = 8, 20


class Pack:
    def __init__(self, folder):
        self.folder = folder
        with open(folder / "labels.jsonl") as f:
            self.records = [json.loads(line) for line in f]
        self.tars = {}
        self.at = {}
        for name in sorted({r["tar"] for r in self.records}):
            self.tars[name] = open(folder / name, "rb")
            with tarfile.open(folder / name) as t:
                for m in t.getmembers():
                    self.at[m.name.split("/")[-1]] = (name, m.offset_data, m.size)
        self.complete = np.array([len(r["classes_annotated"]) == 80 or bool(r["complete"]) for r in self.records])
        # Split by a fixed order of names, so that it does not depend on the order of the file.
        self.validation = np.zeros(len(self.records), bool)
        for group, step in ((True, VALIDATION_COMPLETE), (False, VALIDATION_OTHER)):
            own = sorted(np.flatnonzero(self.complete == group), key=lambda i: self.records[i]["file"])
            self.validation[own[::step]] = True
        self.training = np.flatnonzero(~self.validation)

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

    def merge(self, i, window, human, classes, soft, scores, support=0.5):
        """People's boxes and the teacher's as one set of boxes [n, 4] with scores [n, 80].

        Where a class is completely annotated, the teacher's scores for it stand only on a person's box of that class;
        over crowds ("ignore") they stand as they are.
        """
        scores = scores.copy()
        if len(soft):
            supported = np.zeros(scores.shape, bool)
            if len(human):
                hit = boxes.iou(soft, human) >= support
                for j, c in enumerate(classes):
                    supported[hit[:, j], c] = True
            for crowd in self.records[i].get("ignore", []):
                b, _ = boxes.into_window([crowd["box"]], window)
                inside = boxes.intersection(soft, b)[:, 0] > 0.5 * boxes.area(soft)
                supported[inside, coco.INDEX[crowd["class"]]] = True
            scores[self.annotated(i)[None] & ~supported] = 0
            keep = scores.max(1) >= 0.05
            soft, scores = soft[keep], scores[keep]
        hard = np.zeros((len(human), coco.CLASSES), np.float32)
        hard[np.arange(len(human)), classes] = 1
        return np.concatenate([soft, human]), np.concatenate([scores, hard])
