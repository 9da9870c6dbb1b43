"""What was found in a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import supervision


@dataclass(eq=False)
class Detections:
    """Objects in a picture, best first, one row each in every array.

    The arrays own what the detector allocated; nothing is copied on the way to NumPy.
    """

    xyxy: NDArray[np.float32]
    """Boxes `[n, 4]`: left, upper, right and lower edge in pixels of the upright picture."""
    confidence: NDArray[np.float32]
    """Scores `[n]`, 0 to 1."""
    class_id: NDArray[np.int64]
    """Numbers of the classes `[n]`; `names` has their names."""
    tracker_id: NDArray[np.int64] | None = None
    """Identities `[n]` where a tracker gave them."""
    names: Sequence[str] = field(default=(), repr=False)
    """Names of all classes that the model knows, by number."""
    size: tuple[int, int] = (0, 0)
    """Width and height of the upright picture."""

    @property
    def labels(self) -> list[str]:
        """The name of each object's class."""
        return [self.names[c] for c in self.class_id.tolist()]

    def __len__(self) -> int:
        return len(self.class_id)

    def __iter__(self) -> Iterator[tuple[str, float, tuple[float, float, float, float]]]:
        """Label, score and box of each object."""
        for label, score, (x1, y1, x2, y2) in zip(self.labels, self.confidence.tolist(), self.xyxy.tolist()):
            yield label, score, (x1, y1, x2, y2)

    def __getitem__(self, index: slice | NDArray[np.bool_] | NDArray[np.integer[Any]] | Sequence[int]) -> Detections:
        """Some of the objects: a slice, a mask or numbers of rows, as NumPy takes them."""
        ids = None if self.tracker_id is None else np.atleast_1d(self.tracker_id[index])
        return Detections(
            self.xyxy[index].reshape(-1, 4),
            np.atleast_1d(self.confidence[index]),
            np.atleast_1d(self.class_id[index]),
            ids,
            self.names,
            self.size,
        )

    def to_supervision(self) -> supervision.Detections:
        """The same as `supervision.Detections`, in the same memory; needs the package `supervision`."""
        import supervision

        return supervision.Detections(
            xyxy=self.xyxy,
            confidence=self.confidence,
            class_id=self.class_id,
            tracker_id=self.tracker_id,
            data={"class_name": np.array(self.labels, dtype=str)},
        )

    def to_coco(self, image_id: int | str) -> list[dict[str, Any]]:
        """A COCO result for each object: `image_id`, `category_id` (from 1, as `osprey detect --format coco`
        numbers classes), `bbox` (left, top, width, height) and `score`."""
        rows = zip(self.class_id.tolist(), self.xyxy.tolist(), self.confidence.tolist())
        return [
            {
                "image_id": image_id,
                "category_id": class_id + 1,
                "bbox": [round(v, 2) for v in (x1, y1, x2 - x1, y2 - y1)],
                "score": round(score, 4),
            }
            for class_id, (x1, y1, x2, y2), score in rows
        ]

    def __arrow_c_array__(self, requested_schema: object | None = None) -> tuple[object, object]:
        """The objects as an Arrow array of structs (x1, y1, x2, y2, score, class_id, label), for every library
        that knows Arrow's PyCapsules."""
        from ._boxes import boxes

        array = boxes(self.xyxy, self.confidence, self.class_id, self.labels)
        capsules: tuple[object, object] = array.__arrow_c_array__(requested_schema)
        return capsules
