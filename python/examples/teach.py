"""Classes of one's own: a folder with a folder of pictures for each class, then whose picture is this?

    python teach.py PETS WHO.jpg
"""

import sys
from pathlib import Path

from osprey_vision import Teach


def learn(folder: Path) -> Teach:
    """What the pictures teach."""
    teach = Teach()
    for picture in sorted(folder.glob("*/*.*")):
        teach.add(picture.parent.name, picture)
    return teach


if __name__ == "__main__":
    for label, probability in learn(Path(sys.argv[1])).classify(sys.argv[2]).items():
        print(f"{label} {probability:.2f}")
