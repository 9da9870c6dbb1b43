"""The detector."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from . import _native
from .detections import Detections
from .errors import ModelError, PictureError

if TYPE_CHECKING:
    from PIL import Image

Picture: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | NDArray[np.uint8]"
    " | tuple[NDArray[np.uint8], NDArray[np.uint8]] | Image.Image"
)
"""What a detector looks at: the path of a picture file, the bytes of one, an array `[height, width]` or
`[height, width, 1, 3 or 4]` of uint8, the planes of an NV12 frame, or a Pillow image."""

Channels: TypeAlias = Literal["rgb", "bgr"]
Matrix: TypeAlias = Literal["bt601", "bt709"]

_ORIENTATION = 0x0112


class Detector:
    """Finds objects in pictures.

    Files are read exactly as `osprey detect` reads them (no larger than the model needs, turned upright by their
    EXIF data), so that both find the same boxes to the last bit.

    A detector may be used from several threads: calls take turns, and Python goes on meanwhile. It can be
    pickled; what is sent is the model's path or name with the SHA-256 of its file, which must be the same there.

    Args:
        model: Path of a `.tflite` file, name of a built-in model, or the bytes of a file. The built-in detector
            of 80 classes if left out.
        threads: Threads that share the work of one inference.
        score_threshold: Detections below are left out, 0 to 1; None for the model's own threshold, else 0.4.
        class_thresholds: Other thresholds for single classes, by name or number.
        classes: Only these classes, by name or number.
        exclude_classes: Every class but these.
        nms_iou: Boxes of one class that overlap more are one object. The model's own rule if left out.
        max_detections: The most detections of one picture.
        one_object_iou: Boxes of different classes that overlap more are one object, and the likelier class
            stays; None keeps all.
        labels: Names of the classes in place of the model's.
        max_megapixels: Files of larger pictures are refused before memory is asked for.

    Raises:
        ModelError: The model cannot be read or run, or an option does not fit it.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | bytes | None = None,
        *,
        threads: int = 1,
        score_threshold: float | None = None,
        class_thresholds: Mapping[str, float] | None = None,
        classes: Sequence[str] | None = None,
        exclude_classes: Sequence[str] = (),
        nms_iou: float | None = None,
        max_detections: int = 100,
        one_object_iou: float | None = _native.ONE_OBJECT_IOU,
        labels: Sequence[str] | None = None,
        max_megapixels: int | None = None,
    ) -> None:
        if classes is not None and exclude_classes:
            raise ValueError("either classes or exclude_classes, not both")
        self._options: dict[str, Any] = {
            "threads": threads,
            "score_threshold": score_threshold,
            "class_thresholds": list((class_thresholds or {}).items()),
            "classes": None if classes is None else list(classes),
            "exclude_classes": list(exclude_classes),
            "nms_iou": nms_iou,
            "max_detections": max_detections,
            "labels": None if labels is None else list(labels),
            "one_object_iou": one_object_iou,
            "max_megapixels": max_megapixels,
        }
        self._model = model if model is None or isinstance(model, bytes) else os.fspath(model)
        self._load()

    def _load(self) -> None:
        path, file = (None, self._model) if isinstance(self._model, bytes) else (self._model, None)
        self._native = _native.Detector(path, file, self._options)
        self._labels = tuple(self._native.labels)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of all classes, by number."""
        return self._labels

    @property
    def name(self) -> str:
        """The model's name, or its file's."""
        return self._native.name

    @property
    def sha256(self) -> str:
        """SHA-256 of the model's file, in hexadecimal."""
        return self._native.sha256

    @property
    def input_size(self) -> tuple[int, int]:
        """Width and height of what the model sees."""
        return self._native.input_size

    @property
    def options(self) -> dict[str, Any]:
        """What the detector was made with, the model aside."""
        return dict(self._options)

    @property
    def notes(self) -> list[str]:
        """What was assumed because neither file nor options say it."""
        return self._native.notes

    def __repr__(self) -> str:
        width, height = self.input_size
        return f"<Detector {self.name}, {len(self.labels)} classes, {width}×{height}>"

    def detect(
        self, picture: Picture, *, channels: Channels = "rgb", orientation: int = 1, matrix: Matrix = "bt601"
    ) -> Detections:
        """What is in a picture, best first.

        Args:
            picture: See `Picture`. Arrays are read where they lie if the channels of a pixel lie side by side
                (also in reverse, as in `frame[:, :, ::-1]`), whatever the distance of their rows.
            channels: The order of an array's channels; OpenCV has "bgr".
            orientation: How an array is to be turned upright, in EXIF's numbers.
            matrix: The colours of NV12 planes, in video range.

        Raises:
            PictureError: The file cannot be read or decoded.
            ValueError, TypeError: An array that is no picture.
        """
        if isinstance(picture, np.ndarray):
            return self._wrap(self._native.detect_array(picture, channels == "bgr", orientation))
        if isinstance(picture, (str, os.PathLike)):
            return self._wrap(self._native.detect_file(picture))
        if isinstance(picture, (bytes, bytearray, memoryview)):
            return self._wrap(self._native.detect_encoded(bytes(picture)))
        if isinstance(picture, tuple):
            luma, chroma = picture
            return self._wrap(self._native.detect_nv12(luma, chroma, matrix == "bt709"))
        array, turned = _from_pillow(picture)
        return self._wrap(self._native.detect_array(array, False, turned))

    @overload
    def detect_many(
        self,
        pictures: Iterable[Picture],
        *,
        workers: int | None = None,
        errors: Literal["raise"] = "raise",
        channels: Channels = "rgb",
        matrix: Matrix = "bt601",
    ) -> Iterator[Detections]: ...

    @overload
    def detect_many(
        self,
        pictures: Iterable[Picture],
        *,
        workers: int | None = None,
        errors: Literal["yield"],
        channels: Channels = "rgb",
        matrix: Matrix = "bt601",
    ) -> Iterator[Detections | PictureError]: ...

    def detect_many(
        self,
        pictures: Iterable[Picture],
        *,
        workers: int | None = None,
        errors: Literal["raise", "yield"] = "raise",
        channels: Channels = "rgb",
        matrix: Matrix = "bt601",
    ) -> Iterator[Detections | PictureError]:
        """What is in each of many pictures, in their order, without waiting for one before the next is begun.

        Files are decoded and looked at in threads of Rust; Python's other threads go on meanwhile. No more than
        twice as many pictures as there are workers are taken from `pictures` ahead of the results.

        Args:
            pictures: Any iterable of what `detect` takes. Arrays are copied, and may be filled anew at once.
            workers: Threads, each with a model of its own; as many as the CPU has cores if left out.
            errors: "raise" ends with the first picture that cannot be read; "yield" gives its `PictureError` in
                place of detections and goes on.
            channels: As in `detect`, for arrays.
            matrix: As in `detect`, for NV12 planes.
        """
        count = workers or _cores()
        batch = _native.Batch(self._native, count)
        waiting = 0

        def take() -> Detections | PictureError:
            nonlocal waiting
            waiting -= 1
            try:
                return self._wrap(batch.next())
            except PictureError as error:
                if errors == "raise":
                    raise
                return error

        try:
            for picture in pictures:
                if waiting >= 2 * count:
                    yield take()
                self._submit(batch, picture, channels, matrix)
                waiting += 1
            while waiting:
                yield take()
        finally:
            batch.close()

    def _submit(self, batch: _native.Batch, picture: Picture, channels: Channels, matrix: Matrix) -> None:
        if isinstance(picture, (str, os.PathLike)):
            batch.submit_file(picture)
        elif isinstance(picture, (bytes, bytearray, memoryview)):
            batch.submit_encoded(bytes(picture))
        elif isinstance(picture, np.ndarray):
            batch.submit_array(picture, channels == "bgr", 1)
        elif isinstance(picture, tuple):
            batch.submit_nv12(*picture, matrix == "bt709")
        else:
            array, turned = _from_pillow(picture)
            batch.submit_array(array, False, turned)

    def _wrap(self, found: _native.Found) -> Detections:
        width, height, xyxy, confidence, class_id = found
        return Detections(xyxy, confidence, class_id, None, self._labels, (width, height))

    def __getstate__(self) -> dict[str, Any]:
        model = self._model
        if isinstance(model, str) and os.path.exists(model):
            model = os.path.abspath(model)
        return {"model": model, "options": self._options, "sha256": self.sha256}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._model, self._options = state["model"], state["options"]
        self._load()
        if self.sha256 != state["sha256"]:
            raise ModelError(f"{self.name} is another model here: its SHA-256 is {self.sha256}, not {state['sha256']}")


def _from_pillow(picture: Any) -> tuple[NDArray[np.uint8], int]:
    """Pixels of a Pillow image, and how its EXIF data say they are turned."""
    try:
        convert, getexif = picture.convert, picture.getexif
    except AttributeError:
        kind = type(picture).__name__
        raise TypeError(f"a picture is a path, bytes, an array, NV12 planes or a Pillow image, not {kind}") from None
    orientation = getexif().get(_ORIENTATION, 1)
    direct = picture.mode in ("RGB", "L", "RGBA")
    array: NDArray[np.uint8] = np.asarray(picture if direct else convert("RGB"), dtype=np.uint8)
    return array, orientation if orientation in range(1, 9) else 1


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
