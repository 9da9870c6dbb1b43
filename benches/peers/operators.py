#!/usr/bin/env python3
"""Single operators in Osprey and in LiteRT, interleaved: DIV, EXP, MAXIMUM, REDUCE_MAX, BATCH_MATMUL and SLICE, in float32 and
int8 where LiteRT has them.

    pip install ai-edge-litert==2.3.0 numpy
    python benches/peers/operators.py --osprey target/release/osprey [--rounds 7] [--threads 1]

A model holds eight of the operator side by side, each with inputs of its own (LiteRT does equal work once), so that what a run
costs besides does not count. The fastest of the rounds is shown, in microseconds for one operator.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "make_models"))
from families import QUANT, Model  # noqa: E402

REPEATS = 8
F, I8 = np.float32, np.int8
Q = QUANT[I8][0]
PICTURE = (1, 28, 28, 64)


def beside(m, inputs, op, constants, output, options=None, **fields):
    """The operator on inputs of these (shape, type, quantization), followed by constants."""
    for _ in range(REPEATS):
        m.node(op, [*(m.input(*i) for i in inputs), *(m.const(c) for c in constants)], [output], options, **fields)


def models():
    """A name, and what adds the operators to a model."""
    for name, dtype, q in (("float32", F, None), ("int8", I8, Q)):
        picture, row = (PICTURE, dtype, q), ((1, 1, 1, PICTURE[3]), dtype, q)
        other = (PICTURE, dtype, q and (0.05, 11))
        for label, op, inputs, constants, output, options, fields in (
            ("DIV of pictures", "DIV", [picture, picture], [], other, "DivOptions", {}),
            ("DIV by a row", "DIV", [picture, row], [], other, "DivOptions", {}),
            ("EXP", "EXP", [picture], [], other, "ExpOptions", {}),
            ("MAXIMUM of pictures", "MAXIMUM", [picture, picture], [], picture, "MaximumMinimumOptions", {}),
            ("MAXIMUM with a row", "MAXIMUM", [picture, row], [], picture, "MaximumMinimumOptions", {}),
            ("REDUCE_MAX of the picture", "REDUCE_MAX", [picture], [[1, 2]], ((1, 64), dtype, q), "ReducerOptions", {}),
            ("REDUCE_MAX of channels", "REDUCE_MAX", [picture], [[3]], ((1, 28, 28, 1), dtype, q), "ReducerOptions", dict(keepDims=True)),
            ("BATCH_MATMUL", "BATCH_MATMUL", [((4, 64, 64), dtype, q), ((4, 64, 64), dtype, q)], [], ((4, 64, 64), dtype, q and (0.5, 0)), "BatchMatMulOptions", {}),
            ("SLICE", "SLICE", [picture], [[0, 3, 5, 8], [1, 24, 20, 48]], ((1, 24, 20, 48), dtype, q), "SliceOptions", {}),
        ):
            yield f"{label}, {name}", lambda m, a=(inputs, op, constants, output, options), f=fields: beside(m, *a, **f)


class LiteRt:
    def __init__(self, data, threads):
        self.it = Interpreter(model_content=data, num_threads=threads)
        self.it.allocate_tensors()
        rng = np.random.default_rng(1)
        for d in self.it.get_input_details():
            x = rng.uniform(0.5, 1.5, d["shape"]) if d["dtype"] == F else rng.integers(20, 128, d["shape"])
            self.it.set_tensor(d["index"], x.astype(d["dtype"]))

    def fastest(self, count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            self.it.invoke()
            times.append(time.perf_counter() - start)
        return min(times) * 1e6 / REPEATS


def osprey(program, path, count, threads):
    command = [program, "bench", "--raw", "--model", path, "--iters", str(count), "--threads", str(threads)]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return min(map(float, lines)) * 1e3 / REPEATS


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--osprey", required=True)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    print(f"| operator | Osprey µs | LiteRT µs | ratio |\n| --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name, build in models():
            for version in (1, 2, 3, 4):
                m = Model(name)
                build(m)
                data = m.bytes(version)
                try:
                    rival = LiteRt(data, options.threads)
                    rival.fastest(1)
                    break
                except (RuntimeError, ValueError) as e:
                    rival = str(e).strip().splitlines()[0]
            if isinstance(rival, str):
                print(f"| {name} | | LiteRT has none: {rival[:60]} | |")
                continue
            path = pathlib.Path(folder) / "operator.tflite"
            path.write_bytes(data)
            ours, theirs = [], []
            for _ in range(options.rounds):
                ours.append(osprey(options.osprey, path, 20, options.threads))
                theirs.append(rival.fastest(20))
            a, b = min(ours), min(theirs)
            print(f"| {name} | {a:.1f} | {b:.1f} | {a / b:.2f} |", flush=True)


if __name__ == "__main__":
    main()
