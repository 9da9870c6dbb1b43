"""The examples do what they say."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import CAT, ROOT

EXAMPLES = ROOT / "python" / "examples"


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for source in (CAT, ROOT / "samples" / "coffee.jpg"):
        shutil.copy(source, folder)
    (folder / "damaged.jpg").write_bytes(b"damaged")
    return folder


def test_a_folder_is_counted(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert example("folder").count(photos)["cat"] == 1
    assert "damaged.jpg" in capsys.readouterr().err


def test_a_camera_is_watched(cat: np.ndarray) -> None:
    class Capture:
        left = 8

        def read(self) -> tuple[bool, np.ndarray]:
            self.left -= 1
            return self.left >= 0, np.ascontiguousarray(cat[:, :, ::-1])

    assert "cat" in example("camera").watch(Capture())


def test_classes_are_taught(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name, file in (("cat", "cat.png"), ("coffee", "coffee.jpg")):
        (tmp_path / name).mkdir()
        whole = image.open(ROOT / "samples" / file).convert("RGB")
        for number in range(3):
            whole.crop((number * 9, 0, whole.width, whole.height)).save(tmp_path / name / f"{number}.png")
    taught = example("teach").learn(tmp_path)
    assert next(iter(taught.classify(CAT))) == "cat"


def test_daft_looks_at_files(photos: Path) -> None:
    pytest.importorskip("daft")
    rows = example("daft_folder").detect(f"{photos}/*").to_pylist()
    assert sorted(r["row"]["status"] for r in rows) == ["not_a_picture", "ok", "ok"]
    assert "cat" in {b["label"] for r in rows for b in r["row"]["boxes"]}


def test_dask_looks_at_files(photos: Path) -> None:
    pytest.importorskip("distributed")
    table = example("dask_folder").detect(photos, at_a_time=2)
    assert table.num_rows == 3 and sorted(table["status"].to_pylist()) == ["not_a_picture", "ok", "ok"]
