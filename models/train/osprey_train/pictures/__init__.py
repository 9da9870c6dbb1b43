"""Pictures of failures for the cards, drawn from the .tflite files that ship."""

import json
from importlib import import_module

from .. import manifest
from . import plots

DRAWN_BY = dict(detection="photos", digits="digits", motion="motion")


def run(assets, folder):
    """Write cards/NAME-failures.(svg, png, jpg) for each model in `folder`; for detectors also NAME-reliability.svg."""
    for name, entry in manifest.MODELS.items():
        if not (folder / f"{name}.tflite").exists():
            continue
        made = import_module(f".{DRAWN_BY[entry['task']]}", __package__).draw(assets, folder, name)
        path = folder / "cards" / f"{name}-failures"
        if isinstance(made, str):
            path.with_suffix(".svg").write_text(made)
        elif entry["task"] == "detection":
            made.save(path.with_suffix(".jpg"), quality=85)
            found = json.loads((folder / "cards" / f"{name}.json").read_text())["int8"]
            titles = dict(coco="COCO, 89 pictures: share right", voc5="VOC, 300 pictures: share right")
            panels = [(titles[s], found[s]["threshold"]["bins"]) for s in titles if "threshold" in found[s]]
            if panels:
                (folder / "cards" / f"{name}-reliability.svg").write_text(plots.reliability(panels))
        else:
            made.quantize(64).save(path.with_suffix(".png"), optimize=True)
