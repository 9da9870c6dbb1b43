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


def classes(values, columns=5):
    """AP50 by class, best first, several to a row."""
    rows = [f"{n} {v:.2f}" for n, v in sorted(values.items(), key=lambda e: -e[1])]
    rows += [""] * (-len(rows) % columns)
    lines = ["| " + " | ".join(rows[k : k + columns]) + " |" for k in range(0, len(rows), columns)]
    return "\n".join(["|" + " |" * columns, "|" + " --- |" * columns, *lines])


def licences(sources):
    """The training pictures by set: how many, and the licence that their source states."""
    rows = [f"| {s} | {n:,} | {kind} | {stated} |" for s, kind, stated, n in sources]
    total = f"| **all** | **{sum(s[3] for s in sources):,}** | | |"
    return "\n".join(["| set | pictures | kind | licence as its source states it |", "| --- | --- | --- | --- |", *rows, total])


def flat(value, names, prefix=""):
    """Nested figures as one level of names; confusion matrices as tables."""
    out = {}
    for k, v in value.items():
        key = prefix + "".join(c if c.isalnum() else "_" for c in k)
        if k == "confusion":
            out |= {key: table(v, names), f"{prefix}pairs": pairs(v, names)}
        elif k == "classes_ap50":
            out[key] = classes(v)
        elif k == "pictures" and isinstance(v, list):
            out[key] = licences(v)
        elif k == "bins":
            continue
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
