"""Objects in a picture by the numbers of a model's tensors, as scripts for the TFLite interpreter do it.

    python classic_ssd.py MODEL.tflite PICTURE

The model ends in TFLite's post-processing of detections. For LiteRT, import from `ai_edge_litert.interpreter`.
"""

import sys

import numpy as np
from PIL import Image

from osprey_vision.interpreter import Interpreter


def detect(model: str, picture: str, threshold: float = 0.5) -> list[tuple[float, ...]]:
    """Class, score and box (upper, left, lower, right edge as fractions) of each object."""
    interpreter = Interpreter(model_path=model, num_threads=2)
    interpreter.allocate_tensors()
    wanted = interpreter.get_input_details()[0]
    _, height, width, _ = wanted["shape"]
    pixels = np.asarray(Image.open(picture).convert("RGB").resize((int(width), int(height))))
    if wanted["dtype"] == np.float32:
        pixels = (pixels.astype(np.float32) - 127.5) / 127.5
    interpreter.set_tensor(wanted["index"], pixels[np.newaxis].astype(wanted["dtype"]))
    interpreter.invoke()
    outputs = [interpreter.get_tensor(o["index"])[0] for o in interpreter.get_output_details()]
    # The four outputs have no fixed order; their shapes tell boxes, and their values scores from classes.
    boxes = next(o for o in outputs if o.ndim == 2)
    flat = [o for o in outputs if o.ndim == 1]
    scores = next(o for o in flat if o.size and (np.diff(o) <= 0).all() and o.max() <= 1)
    classes = next(o for o in flat if o is not scores)
    kept = [i for i, score in enumerate(scores) if score >= threshold]
    return [(float(classes[i]), float(scores[i]), *map(float, boxes[i])) for i in kept]


if __name__ == "__main__":
    for found in detect(sys.argv[1], sys.argv[2]):
        print(found)
