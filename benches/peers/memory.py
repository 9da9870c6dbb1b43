"""Peak memory of `osprey bench` beside a Python process with LiteRT, on the same .tflite files.

Imports nothing beyond the standard library, since a child's peak counts what its parent held at the fork.
"""

import argparse
import pathlib
import subprocess
import sys

LITERT = """
import sys, numpy
from ai_edge_litert.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
for tensor in interpreter.get_input_details():
    interpreter.set_tensor(tensor["index"], numpy.zeros(tensor["shape"], tensor["dtype"]))
for _ in range(5):
    interpreter.invoke()
"""
CHILD = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if code == 0 else -1)
"""


def peak(command):
    """MiB that `command` held at most; None where it fails."""
    result = subprocess.run([sys.executable, "-S", "-c", CHILD, *command], capture_output=True, text=True)
    kib = int(result.stdout or -1)
    return None if kib < 0 else kib / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path)
    parser.add_argument("--osprey", required=True)
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("."))
    # Those of peers.py, which gets the same arguments.
    for other in ("--threads", "--rounds", "--runs"):
        parser.add_argument(other, nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    lines = ["Peak resident MiB of a process that loads the model and runs it.", ""]
    lines += ["| model | osprey bench | Python with LiteRT |", "| --- | ---: | ---: |"]
    for model in options.models:
        figures = [
            peak([options.osprey, "bench", "--iters", "5", "--model", str(model)]),
            peak([sys.executable, "-c", LITERT, str(model)]),
        ]
        cells = ["–" if figure is None else f"{figure:.1f}" for figure in figures]
        lines.append(f"| {model.stem} | " + " | ".join(cells) + " |")
    options.output.mkdir(parents=True, exist_ok=True)
    partial = options.output / "memory.md.part"
    partial.write_text("\n".join(lines) + "\n")
    partial.replace(options.output / "memory.md")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
