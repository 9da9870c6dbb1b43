"""`manifest.toml`: what a program must know of each model beside its file."""

import hashlib
import json

from . import coco
from .detector import anchors

TEACHER = "start and teacher: SSD-MobileNetV2-FPNLite 320, TensorFlow 2 Detection Zoo, Apache-2.0"
DETECTOR = dict(
    task="detect",
    labels=coco.NAMES,
    color_order="rgb",
    input_mean=127.5,
    input_std=127.5,
    resize="stretch",
    score_kind="logit",
    background_class=False,
    box_code="center_size_yxhw",
    box_variances=[10.0, 10.0, 5.0, 5.0],
    licence="Apache-2.0",
    credit=TEACHER,
)
MODELS = {
    "ssdlite_mobilenet_v2_300": dict(DETECTOR, default=True, description="Default detector, 80 COCO classes"),
    "ssdlite_mobilenet_v2_quick_224": dict(DETECTOR, description="Quick detector, 80 COCO classes"),
    "digits": dict(
        task="classify",
        description="Handwritten digits",
        labels=[str(d) for d in range(10)],
        color_order="gray",
        input_mean=0.0,
        input_std=255.0,
        resize="stretch",
        score_kind="probability",
        licence="MIT OR Apache-2.0",
        credit="MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    ),
    "run_or_walk": dict(
        task="motion",
        description="Run or walk from 12 samples of acceleration x in g",
        labels=["walk", "run"],
        channels=["acceleration_x_g"],
        score_kind="probability",
        licence="MIT OR Apache-2.0",
        credit="Run or Walk data, V. Malyi",
    ),
    "activity": dict(
        task="motion",
        description="Stationary, walking or running from two seconds of acceleration, with or without gravity",
        labels=["stationary", "walking", "running"],
        channels=["acceleration_x_g", "acceleration_y_g", "acceleration_z_g"],
        sample_rate_hz=26.0,
        score_kind="probability",
        licence="MIT OR Apache-2.0",
        credit="STMicroelectronics human activities (BSD-3-Clause); paorisun/runorwalk; WASP-AS1-AD",
    ),
    "gestures": dict(
        task="motion",
        description="Chop, drive, shake or none; LSTM state passes from window to window, reset it per session",
        labels=["none", "drive it", "shake it", "chop it"],
        channels=[f"{k}_{a}" for k in ("rotation_rad_s", "user_acceleration_g") for a in "xyz"],
        sample_rate_hz=50.0,
        stateful=True,
        score_kind="probability",
        licence="MIT OR Apache-2.0",
        credit="Machine Learning by Tutorials materials (Kodeco), Apache-2.0",
    ),
}


def tensors(path):
    """Shapes, types and quantization of inputs and outputs, read from the file."""
    from ai_edge_litert.interpreter import Interpreter

    net = Interpreter(model_path=str(path))
    image, outputs = net.get_input_details()[0], net.get_output_details()
    found = dict(input_shape=[int(n) for n in image["shape"]], input_type=image["dtype"].__name__)
    last = [int(d["shape"][-1]) for d in outputs]
    if len(outputs) == 2:
        found |= dict(boxes_output=last.index(4), scores_output=last.index(coco.CLASSES))
        size = found["input_shape"][1]
        found |= dict(
            anchors="ssd",
            anchor_count=len(anchors.generate(size)),
            anchor_maps=anchors.grids(size),
            anchor_scales=list(anchors.SCALES),
            anchor_aspect_ratios=[round(a, 6) for a in anchors.ASPECTS],
            anchor_interpolated_aspect_ratio=1.0,
            anchor_reduce_lowest=True,
        )
    return found


def scores(name, figures):
    """The figures that the manifest repeats; the card and the .json file have all."""
    if "int8" in figures:
        out = {}
        for kind in ("int8", "float"):
            for s, v in figures[kind].items():
                if isinstance(v, dict):
                    out |= {f"{s}_ap_{kind}": v["ap"], f"{s}_ap50_{kind}": v["ap50"]}
        return out
    flat = {}
    for k, v in figures.items():
        if isinstance(v, dict) and "accuracy" in v:
            flat[f"{k}_accuracy"] = v["accuracy"]
        elif k in ("held_out", "left_out"):
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
    lines = [
        "# Written by `python -m osprey_train manifest`. Box codes are (y, x, h, w); anchors as README.md says.",
        "",
    ]
    for name, entry in MODELS.items():
        path = folder / f"{name}.tflite"
        if not path.exists():
            continue
        data = path.read_bytes()
        fields = dict(name=name.replace("_", "-"), file=path.name, sha256=hashlib.sha256(data).hexdigest())
        fields |= dict(bytes=len(data), default=False) | entry | tensors(path)
        card = folder / "cards" / f"{name}.json"
        fields |= dict(
            card=f"cards/{name}.md", scores=scores(name, json.loads(card.read_text())) if card.exists() else {}
        )
        lines += ["[[model]]", *(f"{k} = {toml(v)}" for k, v in fields.items()), ""]
    (folder / "manifest.toml").write_text("\n".join(lines))
