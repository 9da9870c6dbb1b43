#!/usr/bin/env python3
"""Write what LiteRT computes for every .tflite of a folder of third-party models, small enough to be committed.

    pip install ai-edge-litert==2.3.0 numpy
    python zoo.py ../../../shared/assets/zoo ../zoo.json

For each file: its SHA-256 and kind (its name up to the first dash), whether LiteRT's default kernels run it, and for each
output its type and shape with the SHA-256 of its bytes (integers), or up to 64 evenly spaced values and the largest
magnitude (floats; values are base64 of little-endian float32). Inputs are pseudo-random and the same in `tests/zoo.rs`.
"""
import base64
import hashlib
import json
import pathlib
import subprocess
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter

SAMPLES = 64


def bits(seed, count):
    """splitmix64, as in src/mutate.rs."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def value(index, detail):
    shape, dtype = detail["shape"], detail["dtype"]
    b = bits(index, int(np.prod(shape, dtype=np.int64)))
    if dtype == np.float32:
        x = (b >> np.uint64(40)).astype(np.float64) / (1 << 24) * 2 - 1
    elif dtype == np.bool_:
        x = b & np.uint64(1)
    elif dtype in (np.int32, np.int64):
        x = b % np.uint64(4)
    else:
        return b.astype(np.dtype(dtype).str.replace("i", "u")).view(dtype).reshape(shape)
    return x.astype(dtype).reshape(shape)


def output(x):
    d = dict(dtype=str(x.dtype), shape=list(x.shape))
    if x.dtype != np.float32:
        return d | dict(sha256=hashlib.sha256(x.tobytes()).hexdigest())
    flat = x.reshape(-1)
    step = max(1, -(-flat.size // SAMPLES))
    top = float(np.abs(flat[np.isfinite(flat)]).max(initial=0.0))
    return d | dict(step=step, max=top, values=base64.b64encode(flat[::step].tobytes()).decode())


def entry(path):
    data = path.read_bytes()
    e = dict(sha256=hashlib.sha256(data).hexdigest(), kind=path.name.split("-")[0])
    try:
        it = Interpreter(model_path=str(path), num_threads=1)
        it.allocate_tensors()
        for i, d in enumerate(it.get_input_details()):
            it.set_tensor(d["index"], value(i, d))
        it.invoke()
        return e | dict(outputs=[output(it.get_tensor(d["index"])) for d in it.get_output_details()])
    except (RuntimeError, ValueError) as error:
        return e | dict(refused=str(error).strip().splitlines()[0][:100])


def main():
    if len(sys.argv) == 2:  # one file, in a process of its own: a crash of LiteRT ends nothing else
        print(json.dumps(entry(pathlib.Path(sys.argv[1]))))
        return
    result = {}
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tflite")):
        child = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True)
        lines = child.stdout.strip().splitlines()
        crash = dict(kind=path.name.split("-")[0], refused=f"LiteRT ends with status {child.returncode}")
        result[path.name] = json.loads(lines[-1]) if child.returncode == 0 else crash
    pathlib.Path(sys.argv[2]).write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
