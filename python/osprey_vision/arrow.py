"""Arrow in, Arrow out: what distributed engines run.

`detect` is a pure function of the bytes of pictures, the model, the options and the version of this package: any
machine gives the same rows, the column `ms` aside. Needs `pyarrow` (`pip install osprey-vision[arrow]`).
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from . import _boxes
from ._boxes import BOX
from ._native import __version__
from .detections import Detections
from .detector import Detector
from .errors import PictureError

__all__ = ["BOX", "SCHEMA", "boxes", "detect", "detect_batches", "fingerprint"]

SCHEMA = pa.schema(
    [
        pa.field("path", pa.string(), False),
        pa.field("image_id", pa.string(), False),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("status", pa.string(), False),
        pa.field("error", pa.string()),
        pa.field("boxes", pa.list_(pa.field("item", BOX, False)), False),
        pa.field("ms", pa.float32(), False),
    ]
)
"""A row for each picture. `image_id` is the first 16 hexadecimal digits of the SHA-256 of its bytes; `status` is
"ok", or the kind of a `PictureError` with its text in `error`, no size and no boxes; `ms` is how long it took."""


def detect(batch: pa.RecordBatch | pa.Table, detector: Detector | None = None) -> pa.RecordBatch:
    """Looks at the pictures of a batch.

    Args:
        batch: Columns `path` (string) and `bytes` (binary): where each picture lies, and its file.
        detector: The detector; the built-in one, loaded once for each process, if left out.

    Returns:
        A batch of `SCHEMA`, a row for each row of `batch`, in its order. A picture that cannot be looked at is a
        row with its status, never an error.

    Raises:
        KeyError: A column is missing.
    """
    model = detector or _built_in()
    paths, files = batch["path"], batch["bytes"]
    rows: list[tuple[str, str, str | None, float]] = []
    found: list[Detections | None] = []
    for file in files:
        start = time.perf_counter()
        data = b"" if file.as_py() is None else file.as_py()
        digest = hashlib.sha256(data).hexdigest()[:16]
        try:
            found.append(model.detect(data))
            status, error = "ok", None
        except PictureError as e:
            found.append(None)
            status, error = e.kind, str(e)
        rows.append((digest, status, error, (time.perf_counter() - start) * 1e3))
    return _batch([p.as_py() or "" for p in paths], rows, found)


def detect_batches(batches: Iterable[pa.RecordBatch], detector: Detector | None = None) -> Iterator[pa.RecordBatch]:
    """`detect` for each batch of an iterator, as Spark's `mapInArrow` wants it."""
    for batch in batches:
        yield detect(batch, detector)


def boxes(found: Detections) -> pa.StructArray:
    """The objects of one picture as an array of `BOX`; numbers stay in the memory that they have."""
    return _boxes.boxes(found.xyxy, found.confidence, found.class_id, found.labels)


def fingerprint(detector: Detector) -> dict[str, Any]:
    """Everything that changes what `detect` gives for the same bytes, and a digest of it."""
    facts = {
        "osprey_vision": __version__,
        "model": detector.name,
        "model_sha256": detector.sha256,
        # The number of threads changes nothing but the time.
        "options": {k: v for k, v in detector.options.items() if k != "threads"},
        "schema": [f"{f.name}: {f.type}" for f in SCHEMA],
    }
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return {**facts, "fingerprint": hashlib.sha256(text.encode()).hexdigest()}


def _batch(
    paths: list[str], rows: list[tuple[str, str, str | None, float]], found: list[Detections | None]
) -> pa.RecordBatch:
    seen = [f for f in found if f is not None]
    offsets = np.cumsum([0, *(0 if f is None else len(f) for f in found)], dtype=np.int32)
    every = Detections(
        np.concatenate([f.xyxy for f in seen]) if seen else np.empty((0, 4), np.float32),
        np.concatenate([f.confidence for f in seen]) if seen else np.empty(0, np.float32),
        np.concatenate([f.class_id for f in seen]) if seen else np.empty(0, np.int64),
        names=seen[0].names if seen else (),
    )
    kind = SCHEMA.field("boxes").type
    columns = [
        pa.array(paths, pa.string()),
        pa.array([r[0] for r in rows], pa.string()),
        pa.array([None if f is None else f.size[0] for f in found], pa.int32()),
        pa.array([None if f is None else f.size[1] for f in found], pa.int32()),
        pa.array([r[1] for r in rows], pa.string()),
        pa.array([r[2] for r in rows], pa.string()),
        pa.ListArray.from_arrays(pa.array(offsets), boxes(every), type=kind),
        pa.array([r[3] for r in rows], pa.float32()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


_default: Detector | None = None


def _built_in() -> Detector:
    global _default
    if _default is None:
        _default = Detector()
    return _default
