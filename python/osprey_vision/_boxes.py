"""Boxes as an Arrow array, for single pictures and for tables of them. Needs `pyarrow`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

BOX = pa.struct(
    [
        pa.field("x1", pa.float32(), False),
        pa.field("y1", pa.float32(), False),
        pa.field("x2", pa.float32(), False),
        pa.field("y2", pa.float32(), False),
        pa.field("score", pa.float32(), False),
        pa.field("class_id", pa.int32(), False),
        pa.field("label", pa.string(), False),
    ]
)
"""A box in pixels of the upright picture, and what it holds."""


def boxes(
    xyxy: NDArray[np.float32], scores: NDArray[np.float32], class_ids: NDArray[np.integer[Any]], labels: Sequence[str]
) -> pa.StructArray:
    """Objects as an array of `BOX`; numbers stay in the memory that they have."""
    edges = [pa.array(np.ascontiguousarray(xyxy[:, i])) for i in range(4)]
    columns = [*edges, pa.array(scores), pa.array(class_ids.astype(np.int32)), pa.array(labels, pa.string())]
    return pa.StructArray.from_arrays(columns, fields=list(BOX))
