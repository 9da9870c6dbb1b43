"""Detecting, as a user of Python sees it."""

from __future__ import annotations

import gc
import json
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import osprey_vision
from conftest import CAT, ROOT
from osprey_vision import Detections, Detector, ModelError, PictureError


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


def same(a: Detections, b: Detections) -> bool:
    arrays = [(a.xyxy, b.xyxy), (a.confidence, b.confidence), (a.class_id, b.class_id)]
    return all(np.array_equal(x, y) for x, y in arrays) and a.size == b.size


def test_a_cat_is_found(detector: Detector) -> None:
    found = detector.detect(CAT)
    assert found.labels[0] == "cat"
    assert found.xyxy.dtype == np.float32 and found.xyxy.shape == (len(found), 4)
    assert found.confidence.dtype == np.float32 and found.class_id.dtype == np.int64
    assert (np.diff(found.confidence) <= 0).all()
    width, height = found.size
    assert (found.xyxy >= 0).all() and (found.xyxy <= [width, height, width, height]).all()
    (label, score, box) = next(iter(found))
    assert (label, len(box)) == ("cat", 4) and score == pytest.approx(float(found.confidence[0]))


def test_every_way_to_give_a_picture_finds_the_same(detector: Detector, cat: np.ndarray) -> None:
    from PIL import Image

    found = detector.detect(CAT)
    data = CAT.read_bytes()
    height, width, _ = cat.shape
    padded = np.zeros((height, width + 7, 3), np.uint8)
    padded[:, :width] = cat
    strided = np.zeros((height, width * 2, 3), np.uint8)
    strided[:, ::2] = cat
    ways = {
        "path": str(CAT),
        "bytes": data,
        "bytearray": bytearray(data),
        "array": cat,
        "rows apart": padded[:, :width],
        "pixels apart": strided[:, ::2],
        "rgba": np.dstack([cat, np.zeros(cat.shape[:2], np.uint8)]),
        "Pillow": Image.open(CAT).convert("RGB"),
    }
    for way, picture in ways.items():
        assert same(detector.detect(picture), found), way
    bgr = np.ascontiguousarray(cat[:, :, ::-1])
    assert same(detector.detect(bgr, channels="bgr"), found)
    assert same(detector.detect(bgr[:, :, ::-1]), found)


def test_turned_arrays_are_turned_back(detector: Detector, cat: np.ndarray) -> None:
    turned = np.ascontiguousarray(np.rot90(cat))
    found, straight = detector.detect(turned, orientation=6), detector.detect(cat)
    assert found.labels == straight.labels and found.size == straight.size
    assert np.allclose(found.xyxy, straight.xyxy, atol=2)


def test_planes_of_luma_and_chroma(detector: Detector) -> None:
    luma = np.full((240, 320), 128, np.uint8)
    chroma = np.full((120, 160, 2), 128, np.uint8)
    gray = np.full((240, 320), 130, np.uint8)
    assert len(detector.detect((luma, chroma))) == len(detector.detect(gray)) == 0
    assert len(detector.detect((luma, chroma.reshape(120, 320)), matrix="bt709")) == 0
    with pytest.raises(ValueError, match="chroma"):
        detector.detect((luma, chroma[:100]))


def test_what_is_no_picture_is_an_error(detector: Detector) -> None:
    with pytest.raises(TypeError, match="uint8"):
        detector.detect(np.zeros((4, 4, 3), np.float32))  # type: ignore[arg-type]
    for shape in [(4,), (4, 4, 2), (0, 4, 3), (1, 2, 3, 4)]:
        with pytest.raises(ValueError):
            detector.detect(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError):
        detector.detect(np.zeros((4, 4, 3), np.uint8), orientation=9)
    with pytest.raises(TypeError, match="int"):
        detector.detect(3)  # type: ignore[arg-type]
    damaged = {b"": "not_a_picture", b"no picture": "not_a_picture", CAT.read_bytes()[:900]: "damaged"}
    for data, kind in damaged.items():
        with pytest.raises(PictureError) as error:
            detector.detect(data)
        assert error.value.kind == kind
        assert str(pickle.loads(pickle.dumps(error.value))) == str(error.value)
    with pytest.raises(PictureError) as error:
        detector.detect("nowhere.jpg")
    assert error.value.kind == "unreadable"


def test_models_and_options_that_do_not_fit() -> None:
    with pytest.raises(ModelError, match="nowhere"):
        Detector("nowhere.tflite")
    with pytest.raises(ModelError):
        Detector(b"not a model")
    with pytest.raises(ModelError, match="ct"):
        Detector(classes=["ct"])
    with pytest.raises(ModelError):
        Detector(score_threshold=1.5)


def test_options_choose(detector: Detector) -> None:
    assert "cat" in detector.labels and len(detector.labels) == 80
    only = Detector(classes=["dog"]).detect(CAT)
    assert set(only.labels) <= {"dog"}
    assert "cat" not in Detector(exclude_classes=["cat"]).detect(CAT).labels
    many = Detector(score_threshold=0.02, one_object_iou=None).detect(CAT)
    assert len(many) > len(detector.detect(CAT))
    assert len(Detector(score_threshold=0.02, one_object_iou=None, max_detections=2).detect(CAT)) == 2
    assert Detector(labels=[f"kind {i}" for i in range(80)]).detect(CAT).labels[0] == "kind 15"


def test_a_file_and_its_bytes_are_one_model(detector: Detector) -> None:
    path = ROOT / "models" / "ssdlite_mobilenet_v2_300.tflite"
    from_file, from_bytes = Detector(path), Detector(path.read_bytes())
    assert from_file.sha256 == from_bytes.sha256 == detector.sha256
    assert same(from_file.detect(CAT), detector.detect(CAT))
    assert Detector("ssdlite-mobilenet-v2-quick-160").input_size == (160, 160)


def test_nothing_is_copied(detector: Detector, cat: np.ndarray) -> None:
    found = detector.detect(cat)
    for array in (found.xyxy, found.confidence, found.class_id):
        assert not array.flags.owndata, "the memory is Rust's"
    address = found.xyxy.__array_interface__["data"][0]
    assert found[:1].xyxy.__array_interface__["data"][0] == address
    supervision = pytest.importorskip("supervision")
    other = found.to_supervision()
    assert isinstance(other, supervision.Detections)
    assert other.xyxy.__array_interface__["data"][0] == address
    assert list(other.data["class_name"]) == found.labels


def test_some_of_the_objects(detector: Detector) -> None:
    found = Detector(score_threshold=0.02, one_object_iou=None).detect(CAT)
    sure = found[found.confidence > 0.3]
    assert 0 < len(sure) < len(found) and (sure.confidence > 0.3).all()
    assert len(found[1:3]) == 2 and len(found[[0]]) == 1 and len(found[found.confidence > 2]) == 0


def test_coco_has_what_the_program_writes(detector: Detector) -> None:
    line = subprocess.run(
        [sys.executable, "-m", "osprey_vision", "detect", str(CAT), "--format", "coco", "--quiet"],
        capture_output=True,
        text=True,
        check=True,
    )
    written = json.loads(line.stdout)["annotations"]
    ours = detector.detect(CAT).to_coco(1)
    for theirs, own in zip(written, ours, strict=True):
        assert theirs["category_id"] == own["category_id"] and theirs["score"] == pytest.approx(own["score"], abs=1e-4)
        assert theirs["bbox"] == pytest.approx(own["bbox"], abs=0.02)


def test_the_program_is_the_program() -> None:
    run = lambda *a: subprocess.run([sys.executable, "-m", "osprey_vision", *a], capture_output=True, text=True)  # noqa: E731
    assert run("--version").stdout.split() == ["osprey", osprey_vision.__version__]
    assert run("detect", "nowhere.jpg").returncode == 1
    some = run("detect", str(CAT), "nowhere.jpg")
    assert some.returncode == 2 and "cat" in some.stdout


def test_many_keep_their_order(detector: Detector, cat: np.ndarray) -> None:
    quick = Detector("ssdlite-mobilenet-v2-quick-160")
    pictures = [str(CAT), cat, CAT.read_bytes(), cat[:200], (cat[:, :, 0], cat[::2, ::2, :2].reshape(-1, cat.shape[1] + cat.shape[1] % 2))] * 6
    pictures = [p for p in pictures if not isinstance(p, tuple) or (cat.shape[0] % 2 == cat.shape[1] % 2 == 0)]
    one_by_one = [quick.detect(p) for p in pictures]
    for workers in (1, 3):
        together = list(quick.detect_many(pictures, workers=workers))
        assert len(together) == len(pictures)
        assert all(same(a, b) for a, b in zip(one_by_one, together))


def test_arrays_may_be_filled_anew_while_many_are_looked_at(cat: np.ndarray) -> None:
    quick = Detector("ssdlite-mobilenet-v2-quick-160")
    frame = np.empty_like(cat)

    def film() -> object:
        for number in range(12):
            frame[:] = cat if number % 2 else 0
            yield frame

    counts = [len(found) for found in quick.detect_many(film(), workers=2)]  # type: ignore[arg-type]
    assert counts == [0, len(quick.detect(cat))] * 6


def test_damaged_pictures_among_many(detector: Detector) -> None:
    quick = Detector("ssdlite-mobilenet-v2-quick-160")
    pictures = [CAT.read_bytes(), b"damaged", "nowhere.jpg", CAT.read_bytes()]
    outcomes = list(quick.detect_many(pictures, errors="yield"))
    assert [type(o) for o in outcomes] == [Detections, PictureError, PictureError, Detections]
    seen = quick.detect_many(pictures)
    assert len(next(seen)) > 0
    with pytest.raises(PictureError):
        next(seen)
    early = quick.detect_many([CAT.read_bytes()] * 50)
    next(early)
    early.close()  # type: ignore[attr-defined]


def test_pickles(detector: Detector, tmp_path: Path) -> None:
    for made in (detector, Detector(classes=["cat"], threads=2)):
        copy = pickle.loads(pickle.dumps(made))
        assert copy.options == made.options and same(copy.detect(CAT), made.detect(CAT))
    assert len(pickle.dumps(detector)) < 1000, "weights do not travel"
    path = tmp_path / "model.tflite"
    path.write_bytes((ROOT / "models" / "ssdlite_mobilenet_v2_300.tflite").read_bytes())
    pickled = pickle.dumps(Detector(path))
    path.write_bytes((ROOT / "models" / "ssdlite_mobilenet_v2_quick_160.tflite").read_bytes())
    with pytest.raises(ModelError, match="SHA-256"):
        pickle.loads(pickled)
    found = detector.detect(CAT)
    assert same(pickle.loads(pickle.dumps(found)), found)


def test_python_goes_on_while_rust_detects(cat: np.ndarray) -> None:
    detector = Detector()
    counted, stop = 0, threading.Event()

    def count() -> None:
        nonlocal counted
        while not stop.is_set():
            counted += 1

    large = np.tile(cat, (6, 6, 1))
    thread = threading.Thread(target=count)
    thread.start()
    detector.detect(large)
    before = counted
    detector.detect(large)
    during = counted - before
    stop.set()
    thread.join()
    # A thread that waits for the lock of a call in C counts nothing at all.
    assert during > 100


def test_memory_stays_flat(cat: np.ndarray) -> None:
    resource = pytest.importorskip("resource")
    quick = Detector("ssdlite-mobilenet-v2-quick-160")
    small = np.ascontiguousarray(cat[::4, ::4])

    def look(times: int) -> None:
        for _ in range(times):
            quick.detect(small)

    look(50)
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    look(300)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2048, "kilobytes"
