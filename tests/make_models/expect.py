#!/usr/bin/env python3
"""Write beside every model of ../models what LiteRT computes. NAME.json holds a list of runs, each with
the inputs and the outputs of LiteRT's default kernels and, where they differ, of its reference kernels:
little-endian, row-major, in base64.

    pip install ai-edge-litert==2.3.0 numpy
    python expect.py ../models

Runs of one model follow each other in one interpreter, so that states inside it carry over.
"""
import base64
import json
import pathlib
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType


def inputs(details, rng):
    for d in details:
        shape, dtype = d["shape"], d["dtype"]
        if dtype == np.float32:
            yield rng.uniform(-1.2, 1.2, shape).astype(dtype)
        elif d["quantization"][0] == 0:
            yield rng.integers(0, 4, shape).astype(dtype)
        else:
            info = np.iinfo(dtype)
            yield rng.integers(info.min, info.max + 1, shape).astype(dtype)


def outputs(path, runs, resolver):
    it = Interpreter(model_path=str(path), num_threads=1, experimental_op_resolver_type=resolver)
    it.allocate_tensors()
    for run in runs:
        for d, x in zip(it.get_input_details(), run):
            it.set_tensor(d["index"], x)
        it.invoke()
        yield [it.get_tensor(d["index"]).copy() for d in it.get_output_details()]


def encode(arrays):
    return [base64.b64encode(a.tobytes()).decode() for a in arrays]


def main():
    for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tflite")):
        rng = np.random.default_rng(len(path.name))
        it = Interpreter(model_path=str(path))
        count = 3 if path.name.startswith(("lstm", "state")) else 1
        runs = [list(inputs(it.get_input_details(), rng)) for _ in range(count)]
        default = list(outputs(path, runs, OpResolverType.AUTO))
        try:
            reference = list(outputs(path, runs, OpResolverType.BUILTIN_REF))
        except ValueError as e:  # the reference kernels lack a version of an operator
            print(f"{path.name}: {e}")
            reference = default
        result = []
        for i, d, r in zip(runs, default, reference):
            run = dict(inputs=encode(i), default=encode(d))
            if encode(r) != run["default"]:
                run["reference"] = encode(r)
            result.append(run)
        path.with_suffix(".json").write_text(json.dumps(dict(runs=result), indent=1) + "\n")


main()
