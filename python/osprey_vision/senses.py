"""What else is sensed: handwritten digits, motion, and classes of one's own from a few pictures."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from . import _native
from .detector import Channels, Picture, _from_pillow


@dataclass(frozen=True)
class Digit:
    """What a model says of an image of a digit."""

    digit: int
    """The likeliest, 0 to 9."""
    probabilities: tuple[float, ...]
    """The probability of each."""


class Digits:
    """Reads single handwritten digits.

    Args:
        model: A `.tflite` file with a 28 × 28 input and ten outputs; the built-in model if left out.
    """

    def __init__(self, model: str | os.PathLike[str] | None = None) -> None:
        self._native = _native.Digits(None if model is None else os.fspath(model))

    def classify(self, levels: NDArray[np.uint8]) -> Digit:
        """Which digit a gray image `[height, width]` shows, dark on light or light on dark, anywhere in it.

        Raises:
            ValueError: Nothing is drawn on it.
        """
        digit, probabilities = self._native.classify(levels)
        return Digit(digit, tuple(probabilities))


@dataclass(frozen=True)
class Movement:
    """What a model says of a window of samples."""

    seconds: float
    """The time of the window's last sample."""
    label: str | None
    """The steady answer; None while no class is likely enough."""
    probabilities: dict[str, float]
    """The probability of each class in this window."""
    smoothed: dict[str, float]
    """The same over the windows so far."""


class Motion:
    """Classifies motion, sample by sample.

    Args:
        model: A `.tflite` file with a manifest beside it, or a built-in model's name ("run-or-walk", "activity",
            "gestures"); the built-in default if left out.
        units: Units and axes of the samples: "ios" (g, gravity negative) or "android" (m/s², gravity positive).
        smooth: Seconds over which probabilities are smoothed.
        enter: A class becomes the answer from this smoothed probability on.
        leave: The answer is given up below this one.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | None = None,
        *,
        units: Literal["ios", "android"] = "ios",
        smooth: float = 0.5,
        enter: float = 0.6,
        leave: float = 0.4,
    ) -> None:
        name = None if model is None else os.fspath(model)
        self._native = _native.Motion(name, units == "android", smooth, enter, leave)
        self._labels = self._native.labels

    @property
    def labels(self) -> list[str]:
        """Names of the classes."""
        return self._native.labels

    @property
    def channels(self) -> list[str]:
        """What a sample holds, in order."""
        return self._native.channels

    @property
    def rate(self) -> float:
        """Samples a second that the model expects; samples at another pace are resampled."""
        return self._native.rate

    def push(self, seconds: float, values: Sequence[float]) -> list[Movement]:
        """Takes a sample; gives an answer for each window that it completes, mostly none.

        Args:
            seconds: When it was measured, on any clock that rises.
            values: A number for each of `channels`.
        """
        answers = self._native.push(seconds, list(values))
        return [
            Movement(at, None if c is None else self._labels[c], self._named(raw), self._named(smoothed))
            for at, raw, smoothed, c in answers
        ]

    def _named(self, values: Sequence[float]) -> dict[str, float]:
        return dict(zip(self._labels, values))

    def reset(self) -> None:
        """Starts anew with the next sample."""
        self._native.reset()


class Teach:
    """Tells classes of one's own apart, from a few pictures of each: nearest neighbours by the built-in detector's
    features. Nothing but the pictures' features is kept; a pickle holds them.

    Args:
        k: How many neighbours are asked.
        reject_beyond: Distance from which on a picture belongs to no class.
    """

    def __init__(self, *, k: int = 5, reject_beyond: float | None = None) -> None:
        self._settings = (k, reject_beyond)
        self._examples: list[tuple[str, list[float]]] = []
        self._native = _native.Teach(k, reject_beyond)

    @property
    def classes(self) -> list[str]:
        """The classes that were taught."""
        return self._native.classes

    def features(self, picture: Picture, channels: Channels = "rgb") -> list[float]:
        """Numbers that tell pictures apart.

        Args:
            picture: An array or a Pillow image; files are read by Pillow.
            channels: The order of an array's channels.
        """
        if isinstance(picture, (str, os.PathLike)):
            from PIL import Image

            picture = Image.open(picture)
        if isinstance(picture, np.ndarray):
            return self._native.features(picture, channels == "bgr", 1)
        array, orientation = _from_pillow(picture)
        return self._native.features(array, False, orientation)

    def add(self, label: str, picture: Picture) -> None:
        """One more example of a class."""
        features = self.features(picture)
        self._native.add(label, features)
        self._examples.append((label, features))

    def remove(self, label: str) -> None:
        """Forgets a class and its examples."""
        self._native.remove(label)
        self._examples = [e for e in self._examples if e[0] != label]

    def classify(self, picture: Picture) -> dict[str, float]:
        """The probability of each class, likeliest first."""
        probabilities = self._native.classify(self.features(picture))
        return dict(sorted(zip(self.classes, probabilities), key=lambda pair: -pair[1]))

    def __getstate__(self) -> dict[str, object]:
        return {"settings": self._settings, "examples": self._examples}

    def __setstate__(self, state: dict[str, object]) -> None:
        self._settings = state["settings"]  # type: ignore[assignment]
        self._examples = state["examples"]  # type: ignore[assignment]
        self._native = _native.Teach(*self._settings)
        for label, features in self._examples:
            self._native.add(label, features)
