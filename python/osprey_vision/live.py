"""Frames as they come: a pipeline that never falls behind, and identities from frame to frame."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from . import _native
from .detections import Detections
from .detector import Channels, Detector, Matrix

Frame: TypeAlias = "NDArray[np.uint8] | tuple[NDArray[np.uint8], NDArray[np.uint8]]"
"""An array `[height, width]` or `[height, width, 1, 3 or 4]`, or the planes of an NV12 frame."""


@dataclass(frozen=True)
class Shown:
    """What was found in a frame."""

    number: int
    """Which frame it was, from 0 in the order of `submit`."""
    seconds: float
    """When it was taken, on the clock of `submit`."""
    detections: Detections
    """The objects; with identities in `tracker_id` unless tracking is off."""


class Live:
    """Detects while a camera goes on.

        with Live(frames) as live:
            for shown in live:
                print(shown.number, shown.detections.labels)
        print(live.ledger)

    A thread of Rust detects and tracks. While it works the newest frame takes the place of one that waits, so that
    no result is late; with `every` each frame waits for its turn. Every frame has one fate, and `ledger` counts them.

    Args:
        frames: Frames to submit from a thread of its own: arrays, NV12 planes, or pairs of seconds and one of these.
            Without it, call `submit` and `finish`.
        detector: Its model and options; the built-in detector if left out.
        track: Gives objects identities, and their boxes rest.
        every: Looks at every frame, and has `submit` wait; for films.
        max_age: Results older than this many seconds are not shown.
        channels: The order of an array's channels; OpenCV has "bgr".
        matrix: The colours of NV12 planes, in video range.
    """

    def __init__(
        self,
        frames: Iterable[Frame | tuple[float, Frame]] | None = None,
        *,
        detector: Detector | None = None,
        track: bool = True,
        every: bool = False,
        max_age: float | None = None,
        channels: Channels = "rgb",
        matrix: Matrix = "bt601",
    ) -> None:
        used = detector or Detector()
        self._names = used.labels
        self._channels, self._matrix = channels, matrix
        self._tracks = track
        self._native = _native.Live(used._native, track, every, max_age)
        self._failure: BaseException | None = None
        self._feeder: threading.Thread | None = None
        if frames is not None:
            self._feeder = threading.Thread(target=self._feed, args=(frames,), daemon=True)
            self._feeder.start()

    def _feed(self, frames: Iterable[Frame | tuple[float, Frame]]) -> None:
        try:
            for frame in frames:
                if isinstance(frame, tuple) and not isinstance(frame[0], np.ndarray):
                    seconds, pixels = frame
                    self.submit(pixels, seconds)
                else:
                    self.submit(frame)
        except BaseException as e:  # noqa: BLE001 - raised again where the results are read
            self._failure = e
        finally:
            self.finish()

    def submit(self, frame: Frame, seconds: float | None = None) -> int | None:
        """Takes a frame; its memory may be filled anew at once.

        Args:
            frame: The frame.
            seconds: When it was taken, on any clock that rises; the time since the start if left out.

        Returns:
            Its number, or None where it was dropped at once.
        """
        if isinstance(frame, tuple):
            return self._native.submit_nv12(*frame, self._matrix == "bt709", seconds)
        return self._native.submit_array(frame, self._channels == "bgr", seconds)

    def finish(self) -> None:
        """No more frames come; the results end after the last."""
        self._native.finish()

    def __iter__(self) -> Iterator[Shown]:
        while (result := self._native.next()) is not None:
            number, seconds, size, (xyxy, confidence, class_id, ids) = result
            found = Detections(xyxy, confidence, class_id, ids if self._tracks else None, self._names, size)
            yield Shown(number, seconds, found)
        if self._failure is not None:
            raise self._failure

    @property
    def ledger(self) -> dict[str, Any]:
        """The fate of every frame so far: captured = shown + dropped + stale + failed + pending."""
        ledger: dict[str, Any] = self.snapshot()["ledger"]
        return ledger

    def snapshot(self) -> dict[str, Any]:
        """Ledger, latency by stage and pace so far."""
        snapshot: dict[str, Any] = json.loads(self._native.snapshot())
        return snapshot

    def close(self) -> None:
        """Ends at once; what waits is dropped, and counted."""
        self._native.shutdown()

    def __enter__(self) -> Live:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Tracker:
    """Gives objects identities from frame to frame, and their boxes and scores rest.

    Args:
        coast_seconds: How long an object that is not detected any more is still shown.
        memory_seconds: How long it keeps its identity after that.
        birth_hits: Detections that it needs before it is shown, unless the first is certain.
    """

    def __init__(self, *, coast_seconds: float = 0.35, memory_seconds: float = 1.5, birth_hits: int = 2) -> None:
        self._native = _native.Tracker(coast_seconds, memory_seconds, birth_hits)

    def update(self, found: Detections, seconds: float) -> Detections:
        """The objects to show, oldest first, with `tracker_id`.

        Args:
            found: What was detected in a frame; a detector with `score_threshold=0.15` lets weak detections
                continue what is seen already.
            seconds: When the frame was taken.
        """
        arrays = self._native.update(found.xyxy, found.confidence, found.class_id, found.size, seconds)
        xyxy, confidence, class_id, ids = arrays
        return Detections(xyxy, confidence, class_id, ids, found.names, found.size)

    def clear(self) -> None:
        """Forgets all objects; numbers go on."""
        self._native.clear()
