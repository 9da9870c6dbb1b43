"""The notebooks do what they say, cell by cell."""

from __future__ import annotations

import ast
import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from conftest import CAT, ROOT

COFFEE = ROOT / "samples" / "coffee.jpg"


def execute(name: str) -> dict[str, Any]:
    """What is defined once every cell ran; `_` is the value of the last cell."""
    notebook = json.loads((ROOT / "python" / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))
    defined: dict[str, Any] = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [], "notebooks are kept without outputs"
            module = ast.parse("".join(cell["source"]))
            shown = module.body.pop() if isinstance(module.body[-1], ast.Expr) else None
            exec(compile(module, name, "exec"), defined)
            if isinstance(shown, ast.Expr):
                defined["_"] = eval(compile(ast.Expression(shown.value), name, "eval"), defined)
    return defined


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def photos(elsewhere: Path) -> Path:
    folder = elsewhere / "photos"
    folder.mkdir()
    for source in (CAT, COFFEE):
        shutil.copy(source, folder)
    (folder / "damaged.jpg").write_bytes(b"damaged")
    return folder


def test_a_folder_is_drawn_and_counted(photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("pyarrow")
    image = pytest.importorskip("PIL.Image")
    defined = execute("folder")
    assert defined["counts"]["cat"] == 1 and "damaged.jpg" in capsys.readouterr().out
    drawn, whole = defined["drawn"](Path("photos", "cat.png")), image.open(CAT).convert("RGB")
    assert drawn.size == whole.size and drawn.tobytes() != whole.tobytes()
    assert {"picture", "object.label", "object.x1"} <= set(defined["_"][0])


def test_a_camera_is_watched(cat: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    class Capture:
        left = 8

        def __init__(self, number: int) -> None:
            assert number == 0

        def read(self) -> tuple[bool, np.ndarray]:
            self.left -= 1
            return self.left >= 0, np.ascontiguousarray(cat[:, :, ::-1])

    cv2 = ModuleType("cv2")
    cv2.VideoCapture = Capture  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv2", cv2)
    defined = execute("camera")
    assert "cat" in defined["seen"].values() and defined["_"]["captured"] == 8


def test_classes_are_taught(elsewhere: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for file in (CAT, COFFEE):
        folder = elsewhere / "classes" / file.stem
        folder.mkdir(parents=True)
        whole = image.open(file).convert("RGB")
        for number in range(3):
            whole.crop((number * 9, 0, whole.width, whole.height)).save(folder / f"{number}.png")
    defined = execute("teach")
    assert defined["teach"].classes == ["cat", "coffee"] and defined["right"] == 2
    assert next(iter(defined["_"])) == "cat"


def test_ray_looks_at_files(photos: Path) -> None:
    ray = pytest.importorskip("ray")
    try:
        defined = execute("ray")
    finally:
        ray.shutdown()
    assert defined["rows"].num_rows == 3 and "cat" in {label for _, label in defined["_"]}
