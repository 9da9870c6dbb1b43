"""Writes what Pillow's BILINEAR makes of a computed picture, for the tests of preprocessing.

    python tests/peers/pillow_resize.py detector/tests/data
"""

import pathlib
import sys

import numpy as np
from PIL import Image

# Width, height, region (left, upper, right, lower in pixels), output width and height.
CASES = [
    (97, 61, None, 30, 23),
    (40, 31, None, 75, 90),
    (160, 90, (10.5, 3.25, 140.75, 80.0), 33, 21),
    (500, 9, None, 16, 20),
]


def picture(width, height):
    """Half gradient, half noise; `picture` in preprocess/tests.rs is the same."""
    y, x, c = np.ogrid[:height, :width, :3]
    noise = (x * 73 + y * 151 + c * 199) * (x * y + 31 * c + 17) >> 3
    smooth = 255 * x // width + 40 * c
    return np.where((x // 8 + y // 8) % 2 == 0, noise, smooth).astype(np.uint64).astype(np.uint8)


def main():
    folder = pathlib.Path(sys.argv[1])
    for width, height, box, out_width, out_height in CASES:
        resized = Image.fromarray(picture(width, height)).resize(
            (out_width, out_height), Image.Resampling.BILINEAR, box=box
        )
        name = f"pillow_{width}x{height}_{out_width}x{out_height}.rgb"
        (folder / name).write_bytes(resized.tobytes())


main()
