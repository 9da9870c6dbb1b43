"""A folder of pictures: how many of each kind of object there are.

    python folder.py PHOTOS
"""

import sys
from collections import Counter
from pathlib import Path

from osprey_vision import Detector, PictureError


def count(folder: Path) -> Counter[str]:
    """How often each label is found."""
    found: Counter[str] = Counter()
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"})
    for path, outcome in zip(paths, Detector().detect_many(paths, errors="yield")):
        if isinstance(outcome, PictureError):
            print(f"{path}: {outcome}", file=sys.stderr)
        else:
            found.update(outcome.labels)
    return found


if __name__ == "__main__":
    for label, times in count(Path(sys.argv[1])).most_common():
        print(label, times)
