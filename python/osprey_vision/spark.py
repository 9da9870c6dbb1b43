"""Pictures by the million with Spark.

    files = spark.read.format("binaryFile").load("photos")
    detect(files).write.parquet("found")

Spark commits files whole and runs a lost task again; a run that goes on after a crash reads what is there and leaves
those paths out (`skip`). Needs `pyspark` 4 or newer with a Java machine (`pip install osprey-vision[spark]`).
"""

from __future__ import annotations

import functools
import pickle
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from . import arrow
from .detector import Detector

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

SCHEMA = (
    "path string, image_id string, width int, height int, status string, error string, "
    "boxes array<struct<x1: float, y1: float, x2: float, y2: float, score: float, class_id: int, label: string>>, "
    "ms float"
)
"""`osprey_vision.arrow.SCHEMA` in Spark's words."""


def detect(files: DataFrame, *, model: str | bytes | None = None, skip: DataFrame | None = None, **options: Any) -> DataFrame:
    """A row of `SCHEMA` for each picture.

    Args:
        files: What Spark's `binaryFile` reads: the columns `path` and `content`.
        model: As for `Detector`.
        skip: A table whose column `path` names pictures that are done.
        options: Further arguments of `Detector`.
    """
    if skip is not None:
        files = files.join(skip.select("path"), "path", "left_anti")
    # What travels is the recipe, with the digest of the model's file.
    recipe = pickle.dumps(Detector(model, **options))

    def look(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        detector = _made(recipe)
        for batch in batches:
            renamed = pa.RecordBatch.from_arrays([batch["path"], batch["content"]], ["path", "bytes"])
            yield arrow.detect(renamed, detector)

    return files.select("path", "content").mapInArrow(look, SCHEMA)


@functools.lru_cache(maxsize=4)
def _made(recipe: bytes) -> Detector:
    """The detector of a recipe; Spark's Python processes do many tasks, and load it once."""
    detector: Detector = pickle.loads(recipe)
    return detector
