"""Frames as they come, digits, motion, classes of one's own, and figures."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conftest import CAT, ROOT
from osprey_vision import Detector, Digits, Live, Motion, Teach, Tracker, evaluate

QUICK = "ssdlite-mobilenet-v2-quick-160"


def film(cat: np.ndarray, frames: int) -> Iterator[tuple[float, np.ndarray]]:
    """A cat that moves, in memory that is used again."""
    memory = np.zeros((cat.shape[0], cat.shape[1] + 100, 3), np.uint8)
    for number in range(frames):
        memory[:] = 0
        memory[:, number * 2 : number * 2 + cat.shape[1]] = cat
        yield number / 30, memory


def test_every_frame_has_one_fate(cat: np.ndarray) -> None:
    with Live(film(cat, 30), detector=Detector(QUICK), every=True) as live:
        shown = list(live)
    assert [s.number for s in shown] == list(range(30))
    assert [s.seconds for s in shown] == pytest.approx([n / 30 for n in range(30)])
    ledger = live.ledger
    assert ledger["captured"] == ledger["shown"] == 30 and ledger["pending"] == 0
    ids = {int(i) for s in shown[5:] for i, label in zip(s.detections.tracker_id, s.detections.labels) if label == "cat"}
    assert len(ids) == 1, "a cat keeps its number"


def test_the_newest_frame_wins(cat: np.ndarray) -> None:
    live = Live(detector=Detector(QUICK), track=False)
    for _, frame in film(cat, 40):
        live.submit(frame)
    live.finish()
    shown = [s.number for s in live]
    ledger = live.ledger
    dropped = sum(ledger["dropped"].values()) if isinstance(ledger["dropped"], dict) else sum(ledger["dropped"])
    assert shown == sorted(shown) and len(shown) == ledger["shown"] and shown[-1] == 39
    assert ledger["captured"] == 40 == ledger["shown"] + dropped + ledger["stale"] + ledger["failed"]
    assert live.snapshot()["fps"] >= 0


def test_what_goes_wrong_in_the_camera_is_raised(cat: np.ndarray) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield cat
        raise OSError("unplugged")

    with pytest.raises(OSError, match="unplugged"), Live(broken(), detector=Detector(QUICK), every=True) as live:
        list(live)


def test_a_tracker_by_itself(cat: np.ndarray) -> None:
    detector, tracker = Detector(score_threshold=0.15), Tracker()
    numbers = []
    for seconds, frame in film(cat, 6):
        seen = tracker.update(detector.detect(frame), seconds)
        numbers += [int(i) for i, label in zip(seen.tracker_id, seen.labels) if label == "cat"]
    assert len(numbers) >= 5 and len(set(numbers)) == 1
    tracker.clear()


def test_a_drawn_one_is_a_one() -> None:
    levels = np.full((120, 90), 255, np.uint8)
    levels[20:100, 42:50] = 0
    answer = Digits().classify(levels)
    assert answer.digit == 1 and sum(answer.probabilities) == pytest.approx(1, abs=0.1)
    with pytest.raises(ValueError):
        Digits().classify(np.zeros((50, 50), np.uint8))


def test_a_phone_that_lies_still_does_not_run() -> None:
    motion = Motion("activity", units="android")
    assert len(motion.channels) == 3 and motion.rate > 0
    answers = []
    for sample in range(int(motion.rate * 12)):
        wobble = 0.01 * math.sin(sample)
        answers += motion.push(sample / motion.rate, [wobble, wobble, 9.81])
    assert answers and answers[-1].label == motion.labels[0] == "stationary"
    with pytest.raises(ValueError):
        Motion(enter=2.0)


def test_classes_of_ones_own(cat: np.ndarray) -> None:
    image = pytest.importorskip("PIL.Image")
    coffee = np.asarray(image.open(ROOT / "samples" / "coffee.jpg").convert("RGB"))
    teach = Teach(k=3)
    for shift in range(0, 40, 10):
        teach.add("cat", cat[:, shift:])
        teach.add("coffee", coffee[:, shift:])
    assert teach.classes == ["cat", "coffee"]
    for learned in (teach, pickle.loads(pickle.dumps(teach))):
        answer = learned.classify(cat[5:])
        assert next(iter(answer)) == "cat" and answer["cat"] > 0.5
    teach.remove("cat")
    assert teach.classes == ["coffee"]
    with pytest.raises(KeyError):
        teach.remove("cat")


def test_a_truth_that_is_what_was_found_scores_well(tmp_path: Path) -> None:
    detector = Detector()
    images = [ROOT / "samples" / name for name in ("cat.png", "astronaut.jpg", "coffee.jpg")]
    truth = {"images": [], "annotations": [], "categories": [{"id": i + 1, "name": n} for i, n in enumerate(detector.labels)]}
    for number, (path, found) in enumerate(zip(images, detector.detect_many(images))):
        width, height = found.size
        truth["images"].append({"id": number, "file_name": path.name, "width": width, "height": height})
        for box in found.to_coco(number):
            _, _, w, h = box["bbox"]
            truth["annotations"].append({**box, "id": len(truth["annotations"]) + 1, "area": w * h, "iscrowd": 0})
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    scores = evaluate(tmp_path / "truth.json", ROOT / "samples", detector)
    assert scores.summary["AP"] == pytest.approx(1) and scores.classes["cat"]["objects"] == 1
    assert evaluate(tmp_path / "truth.json", CAT.parent).summary["AP50"] > 0.9
    with pytest.raises(ValueError):
        evaluate(tmp_path / "nowhere.json", CAT.parent)
