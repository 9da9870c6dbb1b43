"""How good a detector is, by what people say is in the pictures."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from . import _native
from .detections import Detections
from .detector import Detector

_LEAST_SCORE = 0.001


@dataclass(frozen=True)
class Scores:
    """COCO's figures, as pycocotools computes them."""

    summary: dict[str, float]
    """AP, AP50, AP75, … by name."""
    classes: dict[str, dict[str, float]]
    """`objects`, `ap`, `ap50` and `recall` of each class with at least one object."""


def evaluate(
    truth: str | os.PathLike[str],
    images: str | os.PathLike[str],
    detector: Detector | None = None,
    *,
    detections: str | os.PathLike[str] | None = None,
    names: Sequence[str] = (),
    workers: int | None = None,
) -> Scores:
    """Looks at the pictures that a truth names, and compares.

    Args:
        truth: A COCO file, or a folder of YOLO or Pascal VOC files.
        images: The folder of the pictures.
        detector: What is measured; the built-in detector with a score threshold of 0.001 if left out, since the
            figures need doubtful detections as well.
        detections: A COCO file of detections, to measure these in place of a detector.
        names: Names of the classes where a folder of YOLO files does not say them.
        workers: As for `Detector.detect_many`.

    Raises:
        ValueError: A truth that cannot be read, or no picture in common.
    """
    given = list(names)
    if detections is not None:
        return _scores(truth, images, Path(detections), given)
    measured = detector or Detector(score_threshold=_LEAST_SCORE)
    paths = [Path(p) for p in _native.pictures(truth, images, given)]
    found = measured.detect_many(paths, workers=workers, errors="yield")
    dataset: dict[str, list[dict[str, object]]] = {"images": [], "annotations": [], "categories": []}
    dataset["categories"] = [{"id": i + 1, "name": name} for i, name in enumerate(measured.labels)]
    for number, (path, outcome) in enumerate(zip(paths, found)):
        if isinstance(outcome, Detections):
            width, height = outcome.size
            dataset["images"].append({"id": number, "file_name": path.name, "width": width, "height": height})
            dataset["annotations"] += outcome.to_coco(number)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "found.json"
        file.write_text(json.dumps(dataset))
        return _scores(truth, images, file, given)


def _scores(
    truth: str | os.PathLike[str], images: str | os.PathLike[str], found: Path, names: list[str]
) -> Scores:
    summary, classes = _native.score(truth, images, found, names)
    by_class = {n: {"objects": float(o), "ap": a, "ap50": b, "recall": r} for n, o, a, b, r in classes}
    return Scores(dict(summary), by_class)
