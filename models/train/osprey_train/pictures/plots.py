"""Plots as SVG: windows of motion, and what scores are worth."""

from html import escape

import numpy as np

WIDE, HIGH, GAP, TOP, COLUMNS = 320, 120, 24, 40, 2
COLOURS = ("#c0392b", "#27ae60", "#2471a3", "#e67e22", "#8e44ad", "#16a085")


def windows(items, channels):
    """A panel for each (title, samples [n, c]) of `items`; every panel has its own scale, written beside its title."""
    rows = -(-len(items) // COLUMNS)
    legend = 18 * -(-len(channels) // 3)
    width, height = COLUMNS * (WIDE + GAP) + GAP, rows * (HIGH + TOP) + GAP + legend
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for k, (title, samples) in enumerate(items):
        x0, y0 = GAP + k % COLUMNS * (WIDE + GAP), TOP + k // COLUMNS * (HIGH + TOP)
        low, high = float(samples.min()), float(samples.max())
        at = x0 + np.linspace(0, WIDE, len(samples))
        up = y0 + HIGH * (high - samples) / max(high - low, 1e-6)
        out.append(f'<text x="{x0}" y="{y0 - 8}">{escape(title)}; {low:.1f} to {high:.1f}</text>')
        out.append(f'<rect x="{x0}" y="{y0}" width="{WIDE}" height="{HIGH}" fill="none" stroke="#bbb"/>')
        for c, colour in zip(up.T, COLOURS):
            points = " ".join(f"{x:.0f},{y:.1f}" for x, y in zip(at, c))
            out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    for k, (name, colour) in enumerate(zip(channels, COLOURS)):
        x, y = GAP + 200 * (k % 3), height - legend + 18 * (k // 3)
        out.append(f'<text x="{x}" y="{y}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>", ""])


def reliability(panels, side=220):
    """For each (title, bins of (mean score, share right, number)): a disc for each bin, its area by the number.

    On the diagonal a score is the probability of being right.
    """
    width, height = len(panels) * (side + 2 * GAP) + GAP, side + TOP + 2 * GAP
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for k, (title, bins) in enumerate(panels):
        x0, y0 = 2 * GAP + k * (side + 2 * GAP), TOP
        out.append(f'<text x="{x0}" y="{y0 - 12}">{escape(title)}</text>')
        out.append(f'<rect x="{x0}" y="{y0}" width="{side}" height="{side}" fill="none" stroke="#bbb"/>')
        out.append(f'<line x1="{x0}" y1="{y0 + side}" x2="{x0 + side}" y2="{y0}" stroke="#bbb"/>')
        most = max(n for _, _, n in bins)
        for s, right, n in bins:
            r = 2 + 8 * (n / most) ** 0.5
            x, y = x0 + side * s, y0 + side * (1 - right)
            out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}" fill="{COLOURS[2]}" fill-opacity="0.7"/>')
        for v in (0, 0.5, 1):
            out.append(f'<text x="{x0 + side * v - 6:.0f}" y="{y0 + side + 16}" fill="#555">{v:g}</text>')
            out.append(f'<text x="{x0 - 22}" y="{y0 + side * (1 - v) + 4:.0f}" fill="#555">{v:g}</text>')
        out.append(f'<text x="{x0 + side / 2 - 18:.0f}" y="{y0 + side + 32}" fill="#555">score</text>')
    return "\n".join([*out, "</svg>", ""])
