"""Pictures a second: `osprey detect` beside loops of LiteRT and Pillow, interleaved.

    python rivals.py --osprey target/release/osprey --model MODEL.tflite FOLDER... [--rounds N]

The loops do what ten lines of Python do: decode with Pillow, scale, run the model; no decoding of boxes and
no suppression, which Osprey does. `draft` asks libjpeg for the smallest of 1/1, 1/2, 1/4, 1/8 that is no
smaller than the input. Each figure is the median of the rounds; each round runs everything once, one after the
other, on all cores.
"""

import argparse
import concurrent.futures
import pathlib
import statistics
import subprocess
import sys
import time

import numpy
from ai_edge_litert.interpreter import Interpreter
from PIL import Image, ImageOps


def decoded(path, side, dtype, draft):
    with Image.open(path) as image:
        if draft:
            image.draft("RGB", (side, side))
        image = ImageOps.exif_transpose(image).convert("RGB").resize((side, side), Image.BILINEAR)
    pixels = numpy.asarray(image, numpy.uint8)[None]
    return pixels if dtype == numpy.uint8 else (pixels.astype(numpy.int16) - 128).astype(numpy.int8)


def loop(model, paths, threads, draft):
    """Seconds for all pictures: decoding on `threads` of its own, inference on this one."""
    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    side, dtype = int(given["shape"][1]), given["dtype"]
    start = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        waiting = []
        for path in paths:
            waiting.append(pool.submit(decoded, path, side, dtype, draft))
            if len(waiting) > 2 * threads:
                run(interpreter, given["index"], waiting.pop(0).result())
        for future in waiting:
            run(interpreter, given["index"], future.result())
    return time.perf_counter() - start


def run(interpreter, index, pixels):
    interpreter.set_tensor(index, pixels)
    interpreter.invoke()
    for output in interpreter.get_output_details():
        interpreter.get_tensor(output["index"])


def osprey(program, model, folder):
    start = time.perf_counter()
    command = [program, "detect", str(folder), "--quiet", "--model", str(model), "-f", "jsonl", "-o", "/dev/null"]
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def peak_memory(program, model, folder):
    """MiB. Measured by a small process: a child counts what its parent held when it began."""
    measure = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
    measure += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)"
    command = [program, "detect", str(folder), "--quiet", "--model", str(model), "-f", "jsonl", "-o", "/dev/null"]
    result = subprocess.run([sys.executable, "-S", "-c", measure, *command], check=True, capture_output=True)
    return float(result.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=pathlib.Path)
    parser.add_argument("--osprey", required=True)
    parser.add_argument("--model", required=True, type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| folder | pictures | Osprey | LiteRT + Pillow draft, 1 decoding thread | the same, 2 | without draft, 1 | Osprey, MiB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for folder in options.folders:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".jpg", ".jpeg"))
        kinds = {
            "osprey": lambda: osprey(options.osprey, options.model, folder),
            "draft 1": lambda: loop(options.model, paths, 1, True),
            "draft 2": lambda: loop(options.model, paths, 2, True),
            "plain 1": lambda: loop(options.model, paths, 1, False),
        }
        seconds = {name: [] for name in kinds}
        for _ in range(options.rounds):
            for name, measure in kinds.items():
                seconds[name].append(measure())
        rates = {name: len(paths) / statistics.median(s) for name, s in seconds.items()}
        cells = [f"{rates['osprey']:.1f}"]
        cells += [f"{rates[k]:.1f} ({rates['osprey'] / rates[k]:.2f}×)" for k in ("draft 1", "draft 2", "plain 1")]
        cells.append(f"{peak_memory(options.osprey, options.model, folder):.0f}")
        print(f"| {folder.name} | {len(paths)} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
