"""What a detector says of the sample photos: right boxes, false alarms, and objects it misses."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .. import boxes, coco
from ..detector import export, score

# Objects of the 80 classes in the sample photos, as (ymin, xmin, ymax, xmax) in fractions, drawn by the project.
TRUTH = {
    "astronaut.jpg": [("person", (0.02, 0.03, 1.0, 0.70))],
    "cat.png": [("cat", (0.0, 0.0, 1.0, 1.0))],
    "coffee.jpg": [
        ("cup", (0.04, 0.25, 0.78, 0.71)),
        ("spoon", (0.15, 0.52, 0.82, 0.67)),
        ("dining table", (0.0, 0.0, 1.0, 1.0)),
    ],
}
LEAST, OVERLAP, HEIGHT = 0.25, 0.5, 320
RIGHT, FALSE, MISSED = (60, 200, 90), (235, 60, 60), (250, 210, 40)


def judged(found, truth):
    """(colour, name, box) of each detection of at least `LEAST`, best first, then of the objects that none met."""
    out, met = [], set()
    for b, c, s in zip(*found):
        if s < LEAST:
            break
        hits = [k for k, (n, t) in enumerate(truth) if n == coco.NAMES[c] and k not in met and _iou(b, t) >= OVERLAP]
        met.update(hits[:1])
        out.append((RIGHT if hits else FALSE, f"{coco.NAMES[c]} {s:.2f}", b))
    return out + [(MISSED, f"missed: {n}", t) for k, (n, t) in enumerate(truth) if k not in met]


def _iou(a, b):
    return boxes.iou(np.array([a], np.float32), np.array([b], np.float32))[0, 0]


def draw(_, folder, name):
    """The photos side by side; green is right, red a false alarm, yellow missed."""
    run = export.Runner((folder / f"{name}.tflite").read_bytes())
    photos, font = [], ImageFont.load_default(13)
    for file, truth in TRUTH.items():
        image = Image.open(folder.resolve().parent / "samples" / file).convert("RGB")
        found = score.detections(*run(image), run.anchors)
        photo = image.resize((round(HEIGHT * image.width / image.height), HEIGHT), Image.LANCZOS)
        pen, taken = ImageDraw.Draw(photo), []
        for colour, text, (y0, x0, y1, x1) in judged(found, truth):
            w, h = photo.size
            pen.rectangle((x0 * w, y0 * h, x1 * w - 1, y1 * h - 1), outline=colour, width=2)
            x, y = min(max(x0 * w, 0) + 3, w - 110), min(y0 * h + 2, h - 18)
            while any(abs(x - u) < 110 and abs(y - v) < 15 for u, v in taken):
                y += 15
            taken.append((x, y))
            pen.text((x, y), text, colour, font, stroke_width=2, stroke_fill=(0, 0, 0))
        photos.append(photo)
    sheet = Image.new("RGB", (sum(p.width + 4 for p in photos) - 4, HEIGHT), "white")
    x = 0
    for p in photos:
        sheet.paste(p, (x, 0))
        x += p.width + 4
    return sheet
