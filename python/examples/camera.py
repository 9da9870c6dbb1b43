"""A camera with OpenCV (`pip install opencv-python-headless`): labels with the numbers of tracked objects.

    python camera.py [CAMERA OR FILM]
"""

import sys
from collections.abc import Iterator
from typing import Any

from osprey_vision import Live


def frames(capture: Any) -> Iterator[Any]:
    """What `cv2.VideoCapture` reads, until it ends."""
    while True:
        more, frame = capture.read()
        if not more:
            return
        yield frame


def watch(capture: Any) -> list[str]:
    """Prints what is seen; returns the labels of all objects."""
    seen: dict[int, str] = {}
    with Live(frames(capture), channels="bgr") as live:
        for shown in live:
            found = shown.detections
            assert found.tracker_id is not None
            seen.update(zip(found.tracker_id.tolist(), found.labels))
            print(f"{shown.seconds:8.2f} s", *(f"{label} {i}" for i, label in zip(found.tracker_id, found.labels)))
        print(live.ledger)
    return list(seen.values())


if __name__ == "__main__":
    import cv2

    source = sys.argv[1] if len(sys.argv) > 1 else "0"
    watch(cv2.VideoCapture(int(source) if source.isdigit() else source))
