"""Cards: the texts in `cards/` with the figures of `cards/NAME.json` put in."""

import json
from pathlib import Path
from string import Template

from . import manifest


def table(matrix, names):
    head = ["", *names]
    rows = [head, ["---"] * len(head)] + [[f"**{n}**", *map(str, r)] for n, r in zip(names, matrix)]
    return "\n".join("| " + " | ".join(r) + " |" for r in rows)


def pairs(matrix, names, most=3):
    wrong = sorted(((v, i, j) for i, r in enumerate(matrix) for j, v in enumerate(r) if i != j), reverse=True)[:most]
    return ", ".join(f"{names[i]} read as {names[j]} ({v})" for v, i, j in wrong)


def flat(value, names, prefix=""):
    """Nested figures as one level of names; confusion matrices as tables."""
    out = {}
    for k, v in value.items():
        key = prefix + "".join(c if c.isalnum() else "_" for c in k)
        if k == "confusion":
            out |= {key: table(v, names), f"{prefix}pairs": pairs(v, names)}
        elif k == "accuracy":
            out[key] = f"{100 * v:.2f} %"
        elif k == "accuracy_interval":
            out[key] = f"{100 * v[0]:.1f}–{100 * v[1]:.1f} %"
        elif isinstance(v, dict):
            out |= flat(v, names, key + "_")
        elif isinstance(v, list):
            out[key] = "–".join(f"{x:.3f}" for x in v)
        else:
            out[key] = f"{v:.4g}" if isinstance(v, float) else str(v)
    return out


class Figures(dict):
    """What has not been measured says so."""

    def __missing__(self, key):
        return "not measured"


def run(folder):
    """Write cards/NAME.md for every cards/NAME.json in `folder` that has a text."""
    for name, entry in manifest.MODELS.items():
        text = Path(__file__).parent / "cards" / f"{name}.md"
        figures = folder / "cards" / f"{name}.json"
        if text.exists() and figures.exists():
            values = Figures(flat(json.loads(figures.read_text()), entry["labels"]))
            (folder / "cards" / f"{name}.md").write_text(Template(text.read_text()).substitute(values))
