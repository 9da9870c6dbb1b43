"""What Python costs: calls of the package beside the same calls inside Rust, in turn, on this machine.

    python python/benches/overhead.py [--runs 300] [--folder PHOTOS]

With a folder, also `detect_many` beside the program, and LiteRT with Pillow where they are installed.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from osprey_vision import Detector
from osprey_vision.interpreter import Interpreter

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "ssdlite_mobilenet_v2_300.tflite"
ROUND = 10


def microseconds(call: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(ROUND):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e6)
    return times


def beside(name: str, python: Callable[[], object], rust: Callable[[int], list[float]], runs: int) -> None:
    """Median of both, and of the differences of rounds."""
    outside: list[float] = []
    inside: list[float] = []
    for _ in range(max(1, runs // ROUND)):
        outside += microseconds(python)
        inside += [s * 1e6 for s in rust(ROUND)]
    median, least = statistics.median, min
    print(
        f"{name}: {median(outside):.1f} µs from Python, {median(inside):.1f} µs in Rust, "
        f"overhead {median(outside) - median(inside):.1f} µs (of the fastest {least(outside) - least(inside):.1f} µs)"
    )


def folder(photos: Path, workers: int) -> None:
    paths = sorted(p for p in photos.iterdir() if p.suffix.lower() in {".jpg", ".jpeg", ".png"})
    detector = Detector()
    list(detector.detect_many(paths[:4], workers=workers))

    def many() -> None:
        for _ in detector.detect_many(paths, workers=workers, errors="yield"):
            pass

    def program() -> None:
        command = [sys.executable, "-m", "osprey_vision", "detect", *map(str, paths), "--format", "jsonl", "--quiet"]
        subprocess.run([*command, "--decode-threads", str(workers)], stdout=subprocess.DEVNULL, check=False)

    ways: dict[str, Callable[[], None]] = {"detect_many": many, "osprey detect": program}
    litert = _litert(paths)
    if litert is not None:
        ways["LiteRT + Pillow, one thread each"] = litert
    best: dict[str, float] = {}
    for _ in range(3):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            best[name] = min(best.get(name, 1e9), time.perf_counter() - start)
    for name, seconds in best.items():
        print(f"{name}: {len(paths) / seconds:.0f} pictures a second (fastest of 3 interleaved, {workers} workers)")


def _litert(paths: list[Path]) -> Callable[[], None] | None:
    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRt
        from PIL import Image
    except ImportError:
        return None
    model = LiteRt(str(MODEL))
    model.allocate_tensors()
    wanted = model.get_input_details()[0]
    size = (int(wanted["shape"][2]), int(wanted["shape"][1]))

    def run() -> None:
        for path in paths:
            try:
                image = Image.open(path)
                image.draft("RGB", size)
                pixels = np.asarray(image.convert("RGB").resize(size))
            except OSError:
                continue
            model.set_tensor(wanted["index"], pixels[np.newaxis].astype(wanted["dtype"]))
            model.invoke()
            for output in model.get_output_details():
                model.get_tensor(output["index"])

    return run


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=300)
    arguments.add_argument("--folder", type=Path)
    arguments.add_argument("--workers", type=int, default=2)
    asked = arguments.parse_args()
    detector = Detector()
    frame = np.random.default_rng(1).integers(0, 255, (480, 640, 3)).astype(np.uint8)
    native = detector._native
    beside("detect, 640×480", lambda: detector.detect(frame), lambda n: native.time_array(frame, False, n), asked.runs)
    model = Interpreter(MODEL)
    model.allocate_tensors()
    beside("invoke", model.invoke, model._native.time_invoke, asked.runs)
    # Where the model takes no time the overhead stands out.
    tiny = Interpreter(ROOT / "tests" / "models" / "logic_float.tflite")
    tiny.allocate_tensors()
    beside("invoke of a tiny model", tiny.invoke, tiny._native.time_invoke, 10 * asked.runs)
    if asked.folder:
        folder(asked.folder, asked.workers)


if __name__ == "__main__":
    main()
