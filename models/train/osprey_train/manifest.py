"""`manifest.toml`: what the detector crate must know of each model beside its file.

The tables and names are those that the crate reads (`detector/src/model/manifest.rs`); it refuses others.
"""

import hashlib
import json

from . import coco
from .detector import anchors
from .detector.score import NMS_IOU

# Figures were measured with photos decoded down to the size of the input.
PICTURE = dict(mean=[127.5], std=[127.5], resize="stretch", color="rgb", oversampling=1.0)
DETECTOR = dict(task="detection", licence="Apache-2.0", labels=coco.NAMES, input=PICTURE)
SMALL = dict(licence="MIT OR Apache-2.0")
# Samples in g and rad/s with the signs of Core Motion.
CORE_MOTION = dict(acceleration="g", rotation="rad/s", axes="ios")


def axes(quantity):
    return [f"{quantity}_{a}" for a in "xyz"]


MODELS = {
    "ssdlite_mobilenet_v2_300": dict(DETECTOR, default=True, threshold=0.4, description="Detector of 80 classes, 300 x 300"),
    "ssdlite_mobilenet_v2_quick_160": dict(DETECTOR, threshold=0.4, description="Quick detector of 80 classes, 160 x 160"),
    "digits": dict(
        SMALL,
        task="digits",
        description="Handwritten digits",
        labels=[str(d) for d in range(10)],
        input=dict(mean=[0.0], std=[255.0], resize="stretch"),
    ),
    # 5 Hz is the rate of the recordings: their time stamps lie 0.2 s apart.
    "run_or_walk": dict(
        SMALL,
        task="motion",
        description="Run or walk from 12 samples of acceleration along x",
        labels=["walk", "run"],
        motion=dict(channels=["acceleration_x"], rate=5.0, convention=CORE_MOTION),
    ),
    "activity": dict(
        SMALL,
        task="motion",
        description="Stationary, walking or running from three seconds of acceleration",
        labels=["stationary", "walking", "running"],
        motion=dict(channels=axes("acceleration"), rate=26.0, hop=26, resampling="mean", convention=CORE_MOTION),
    ),
    "gestures": dict(
        SMALL,
        task="motion",
        description="Chop, drive, shake or none; state passes from window to window",
        labels=["none", "drive it", "shake it", "chop it"],
        motion=dict(channels=axes("rotation") + axes("user_acceleration"), rate=25.0, convention=CORE_MOTION),
    ),
}


def head(path):
    """How a detector's raw outputs are read: which is which, and the anchors they are relative to."""
    from ai_edge_litert.interpreter import Interpreter

    outputs = Interpreter(model_path=str(path)).get_output_details()
    last = [int(d["shape"][-1]) for d in outputs]
    return dict(
        boxes_output=last.index(4),
        scores_output=last.index(coco.CLASSES),
        scores="logits",
        background=False,
        box_scale=[10.0, 10.0, 5.0, 5.0],
        nms_iou=NMS_IOU,
        anchors=dict(
            kind="ssd",
            scales=list(anchors.SCALES),
            aspect_ratios=[round(a, 6) for a in anchors.ASPECTS],
            reduce_boxes_in_lowest_layer=True,
            interpolated_scale_aspect_ratio=1.0,
        ),
    )


def scores(name, figures):
    """The figures that the manifest repeats; the card and the .json file have all."""
    if "int8" in figures:
        out = {}
        for kind in ("int8", "float"):
            for s, v in figures[kind].items():
                if isinstance(v, dict):
                    out |= {f"{s}_ap_{kind}": v["ap"], f"{s}_ap50_{kind}": v["ap50"]}
        # What the default threshold gives on the COCO pictures; scores are calibrated.
        at = figures["int8"]["coco"].get("threshold", {})
        names = dict(score="threshold", precision="precision", recall="recall", error="calibration_error")
        return out | {names[k]: at[k] for k in names if k in at}
    flat = {}
    for k, v in figures.items():
        if isinstance(v, dict) and "accuracy" in v:
            flat[f"{k}_accuracy"] = v["accuracy"]
        elif k in ("folds", "held_out", "left_out"):
            flat |= {f"{k}_{s}_accuracy": f["accuracy"] for s, f in v.items()}
    return flat


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return json.dumps(value)


def run(folder):
    """Write manifest.toml for the .tflite files (and their .json figures) in `folder`."""
    lines = ["# Written by `python -m osprey_train manifest`; a card for each model is in cards/.", ""]
    for name, entry in MODELS.items():
        path = folder / f"{name}.tflite"
        if not path.exists():
            continue
        fields = dict(name=name.replace("_", "-"), file=path.name)
        fields |= dict(sha256=hashlib.sha256(path.read_bytes()).hexdigest()) | entry
        if entry["task"] == "detection":
            fields |= dict(ssd=head(path))
        card = folder / "cards" / f"{name}.json"
        if card.exists():
            fields |= dict(scores=scores(name, json.loads(card.read_text())))
        lines += ["[[model]]", *(f"{k} = {toml(v)}" for k, v in fields.items()), ""]
    (folder / "manifest.toml").write_text("\n".join(lines))
