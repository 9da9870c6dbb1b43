"""Finds objects in pictures and camera frames, on the CPU.

>>> from osprey_vision import Detector
>>> for label, score, box in Detector().detect("dog.jpg"):  # doctest: +SKIP
...     print(label, score, box)

`Detector` looks at files, at the bytes of files, at NumPy arrays, Pillow images and NV12 planes, one by one or
many at a time; `Live` at frames as they come. `osprey_vision.interpreter` has the interpreter of TFLite's Python packages on Osprey's engine,
`osprey_vision.arrow` a function from Arrow to Arrow for distributed engines.
"""

from ._native import __version__
from .detections import Detections
from .detector import Detector, Picture
from .errors import ModelError, OspreyError, PictureError
from .evaluation import Scores, evaluate
from .live import Live, Shown, Tracker
from .senses import Digit, Digits, Motion, Movement, Teach

__all__ = [
    "Detections",
    "Detector",
    "Digit",
    "Digits",
    "Live",
    "ModelError",
    "Motion",
    "Movement",
    "OspreyError",
    "Picture",
    "PictureError",
    "Scores",
    "Shown",
    "Teach",
    "Tracker",
    "__version__",
    "evaluate",
]
