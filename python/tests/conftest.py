"""What several tests need: pictures, models, and the project's own folders."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

# Where these tests run on a copy of theirs, the sources are named.
ROOT = Path(os.environ.get("OSPREY_ROOT") or Path(__file__).resolve().parents[2])
CAT = ROOT / "samples" / "cat.png"


def assets() -> Path | None:
    """The folder of third-party models, where there is one."""
    named = os.environ.get("OSPREY_ASSETS")
    folder = Path(named) if named else ROOT.parent / "shared" / "assets"
    return folder if folder.is_dir() else None


def small_models() -> list[Path]:
    """The models of the project's tests."""
    return sorted((ROOT / "tests" / "models").glob("*.tflite"))


def other_models() -> list[Path]:
    """Models that other people made; none where the folder is absent, which is said."""
    folder = assets()
    if folder is None:
        print("skipped: no third-party models: neither $OSPREY_ASSETS nor ../shared/assets is there")
        return []
    return sorted([*(folder / "zoo").glob("*.tflite"), *(folder / "models").glob("*.tflite")])


@pytest.fixture(scope="session")
def cat() -> np.ndarray:
    """A picture as Pillow reads it: [height, width, 3]."""
    image = pytest.importorskip("PIL.Image")
    return np.asarray(image.open(CAT).convert("RGB"))
