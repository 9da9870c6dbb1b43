"""Drawn digits, as the model expects them and otherwise, with its answers."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from ..small import common

SIDE, ZOOM, LEFT, ROW = 28, 2, 150, 76
PAPER, INK, WRONG, RIGHT = 0, 255, (255, 120, 120), (150, 220, 150)


def glyph(text, height=20):
    """White on black, `height` pixels high, its centre of mass in the middle, in Pillow's own font (CC0)."""
    font = ImageFont.load_default(4 * height)
    x0, y0, x1, y1 = font.getbbox(text)
    big = Image.new("L", (x1 - x0, y1 - y0), PAPER)
    ImageDraw.Draw(big).text((-x0, -y0), text, INK, font)
    w = max(1, round(height * big.width / big.height))
    small = np.asarray(big.resize((w, height), Image.LANCZOS))
    out = np.zeros((SIDE, SIDE), np.uint8)
    at = [(SIDE - 1) / 2 - np.average(np.arange(n), weights=small.sum(1 - k) + 1e-6) for k, n in enumerate(small.shape)]
    y, x = (int(np.clip(round(a), 0, SIDE - n)) for a, n in zip(at, small.shape))
    out[y : y + height, x : x + w] = small
    return Image.fromarray(out)


def moved(image, x, y):
    return image.transform(image.size, Image.AFFINE, (1, 0, -x, 0, 1, -y))


CHANGES = {
    "as expected": glyph,
    "turned by 35°": lambda t: glyph(t).rotate(35, Image.BILINEAR),
    "turned by -35°": lambda t: glyph(t).rotate(-35, Image.BILINEAR),
    "7 pixels to the right": lambda t: moved(glyph(t), 7, 0),
    "half as large": lambda t: glyph(t, 10),
    "dark on light": lambda t: ImageOps.invert(glyph(t)),
    "upside down": lambda t: glyph(t).rotate(180),
}


def draw(_, folder, name):
    """A sheet with a row for each change."""
    model = common.Model((folder / f"{name}.tflite").read_bytes())
    sheet = Image.new("RGB", (LEFT + 10 * (SIDE * ZOOM + 6), ROW * len(CHANGES)), (40, 40, 40))
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for r, (label, make) in enumerate(CHANGES.items()):
        right = 0
        for d in range(10):
            image = make(str(d))
            p = model(np.asarray(image, np.float32)[..., None] / 255.0)
            guess = int(p.argmax())
            right += guess == d
            x, y = LEFT + d * (SIDE * ZOOM + 6), r * ROW
            sheet.paste(image.resize((SIDE * ZOOM, SIDE * ZOOM), Image.NEAREST), (x, y + 2))
            pen.text((x + 8, y + SIDE * ZOOM + 3), f"{guess} {p[guess]:.2f}", RIGHT if guess == d else WRONG, font)
        pen.text((6, r * ROW + 18), f"{label}\n{right} of 10 right", (230, 230, 230), font)
    return sheet
