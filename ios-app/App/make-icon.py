#!/usr/bin/env python3
"""Draws the app's icon: an osprey from above, diving into the corners of a finder. Needs Pillow."""

from pathlib import Path

from PIL import Image, ImageDraw

SIZE = 1024
# Drawn larger and reduced, so that edges are smooth.
SCALE = 4
SKY_TOP, SKY_BOTTOM = (9, 64, 92), (20, 128, 150)
BIRD, CROWN, FINDER = (248, 246, 240), (62, 46, 38), (255, 196, 61)


def mirrored(points):
    """The right half of an outline, and its mirror image: a closed polygon."""
    return points + [(100 - x, y) for x, y in reversed(points)]


def scaled(points):
    return [(x * SIZE * SCALE / 100, y * SIZE * SCALE / 100) for x, y in points]


def main():
    side = SIZE * SCALE
    icon = Image.new("RGB", (side, side))
    draw = ImageDraw.Draw(icon)
    for y in range(side):
        share = y / side
        draw.line([(0, y), (side, y)], fill=tuple(round(a + (b - a) * share) for a, b in zip(SKY_TOP, SKY_BOTTOM)))
    for x, y in [(0, 0), (1, 0), (0, 1), (1, 1)]:
        corner = [(14, 30), (14, 14), (30, 14)]
        points = [(100 - px if x else px, 100 - py if y else py) for px, py in corner]
        draw.line(scaled(points), fill=FINDER, width=3 * side // 100, joint="curve")
        for px, py in (points[0], points[2]):
            r = 1.5
            draw.ellipse(scaled([(px - r, py - r), (px + r, py + r)]), fill=FINDER)
    wings = [(50, 30), (55, 37), (66, 30), (78, 34), (88, 48), (80, 45), (83, 53), (74, 48), (75, 55), (66, 51),
             (57, 55), (55, 64), (60, 76), (50, 73)]
    draw.polygon(scaled(mirrored(wings)), fill=BIRD)
    draw.polygon(scaled(mirrored([(78, 34), (88, 48), (80, 45), (72, 38)])[:4]), fill=CROWN)
    draw.polygon(scaled([(100 - x, y) for x, y in [(78, 34), (88, 48), (80, 45), (72, 38)]]), fill=CROWN)
    draw.ellipse(scaled([(45.5, 24), (54.5, 36)]), fill=BIRD)
    draw.polygon(scaled([(48, 25), (52, 25), (50, 20)]), fill=CROWN)
    for x in (46.6, 53.4):
        draw.line(scaled([(x, 27), (x, 35)]), fill=CROWN, width=side // 90)
    icon = icon.resize((SIZE, SIZE), Image.LANCZOS)
    icon.save(Path(__file__).parent / "Osprey/Assets.xcassets/AppIcon.appiconset/AppIcon.png", optimize=True)


if __name__ == "__main__":
    main()
