"""Runs a classifier that `osprey train` exported in LiteRT and in Osprey, on the same bytes.

    pip install ai-edge-litert numpy
    osprey train PICTURES --output classifier
    python tests/peers/exported_classifier.py classifier/model.tflite --osprey target/release/osprey
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--osprey", required=True)
    parser.add_argument("--inputs", type=int, default=20)
    args = parser.parse_args()
    interpreter = Interpreter(model_path=str(args.model))
    interpreter.allocate_tensors()
    port = interpreter.get_input_details()[0]
    random, worst, same = np.random.default_rng(1), 0.0, 0
    for _ in range(args.inputs):
        # Noise of every contrast, so that the answers differ.
        low, high = sorted(random.integers(0, 256, 2))
        x = random.integers(low, high + 1, port["shape"]).astype(port["dtype"])
        interpreter.set_tensor(port["index"], x)
        interpreter.invoke()
        theirs = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        with tempfile.TemporaryDirectory() as folder:
            np.save(f"{folder}/x.npy", x)
            command = [args.osprey, "run", str(args.model), "--input", f"{folder}/x.npy", "--output", folder]
            subprocess.run(command, check=True, capture_output=True)
            ours = np.load(f"{folder}/out0.npy")
        worst = max(worst, float(np.abs(theirs - ours).max()))
        same += int(theirs.argmax() == ours.argmax())
    print(f"same class on {same} of {args.inputs} inputs, probabilities within {worst:.1e}")


main()
