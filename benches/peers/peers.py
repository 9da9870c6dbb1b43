"""Latency of Osprey and its rivals on the same .tflite files, interleaved in rounds.

Each round gives every runtime a few runs in a row, so that slow moments of the machine hit all alike.
The tables have medians and, as a check, minima over all rounds; ratios are to the fastest rival of the
same row. Inputs are random bytes. What is measured is one call after a warm-up: of files that end in
TFLite_Detection_PostProcess inference and that operator, of all others inference alone.
"""

import argparse
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# A file that needs longer than this for one inference gets fewer runs.
BUDGET_MS = 400.0
# Seconds after which the threads of the runtime before no longer spin.
PAUSE = 0.1
NAMES = ("Osprey", "LiteRT", "OpenVINO", "ONNX Runtime", "tract")
POST_PROCESSING = b"TFLite_Detection_PostProcess"


class Unavailable(Exception):
    """Why a runtime has no figure for a model."""


def reason(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:160]


def random_input(shape, dtype):
    generator = np.random.default_rng(1)
    shape = [max(1, int(d)) for d in shape]
    if np.issubdtype(dtype, np.floating):
        return generator.random(shape, np.float32).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, dtype, endpoint=True)


def timed(run, count):
    times = []
    for _ in range(count):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return times


class LiteRT:
    name = "LiteRT"

    def __init__(self, model, threads):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(model_path=str(model), num_threads=threads)
        self.interpreter.allocate_tensors()
        for tensor in self.interpreter.get_input_details():
            self.interpreter.set_tensor(tensor["index"], random_input(tensor["shape"], tensor["dtype"]))

    def measure(self, count):
        return timed(self.interpreter.invoke, count)


class OpenVINO:
    name = "OpenVINO"

    def __init__(self, model, threads):
        # In float32 like all others: by itself OpenVINO computes in bfloat16 where the CPU has it.
        import openvino

        core = openvino.Core()
        config = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1"}
        config["INFERENCE_PRECISION_HINT"] = "f32"
        compiled = core.compile_model(str(model), "CPU", config)
        self.request = compiled.create_infer_request()
        for index, port in enumerate(compiled.inputs):
            values = random_input(list(port.shape), port.element_type.to_dtype())
            self.request.set_input_tensor(index, openvino.Tensor(values))

    def measure(self, count):
        return timed(self.request.infer, count)


class OnnxRuntime:
    name = "ONNX Runtime"

    def __init__(self, model, threads):
        import onnxruntime

        onnx_model = self.convert(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 4
        self.session = onnxruntime.InferenceSession(str(onnx_model), options, providers=["CPUExecutionProvider"])
        types = {"tensor(uint8)": np.uint8, "tensor(int8)": np.int8, "tensor(float)": np.float32}
        self.inputs = {}
        for tensor in self.session.get_inputs():
            shape = [d if isinstance(d, int) else 1 for d in tensor.shape]
            self.inputs[tensor.name] = random_input(shape, types[tensor.type])

    @staticmethod
    def convert(model):
        target = pathlib.Path(tempfile.gettempdir()) / f"osprey-peers-{model.stem}.onnx"
        if not target.exists():
            command = [sys.executable, "-m", "tf2onnx.convert", "--tflite", str(model), "--output", str(target)]
            result = subprocess.run(command, capture_output=True, text=True)
            if result.returncode != 0 or not target.exists():
                raise Unavailable(f"conversion to ONNX fails: {reason(result.stderr)}")
        return target

    def measure(self, count):
        return timed(lambda: self.session.run(None, self.inputs), count)


class Osprey:
    name = "Osprey"
    backend = "native"

    def __init__(self, model, threads, program):
        self.model = model
        self.command = [program, "bench", "--raw", "--backend", self.backend]
        self.command += ["--threads", str(threads), "--model", str(model)]
        if POST_PROCESSING not in model.read_bytes():
            self.command.append("--raw-outputs")
        self.command.append("--iters")
        self.measure(1)

    def measure(self, count):
        result = subprocess.run(self.command + [str(count)], capture_output=True, text=True)
        if result.returncode != 0:
            raise Unavailable(reason(result.stderr.replace(str(self.model), self.model.name)))
        return [float(line) for line in result.stdout.split()]


class Tract(Osprey):
    name = "tract"
    backend = "tract"


def runtimes(model, threads, program):
    """Those that load the model, and why the others do not."""
    ready, refused = {}, {}
    for kind in (Osprey, LiteRT, OpenVINO, OnnxRuntime, Tract):
        if kind is Tract and threads > 1:
            refused[kind.name] = "runs on one thread"
            continue
        try:
            extra = (program,) if issubclass(kind, Osprey) else ()
            ready[kind.name] = kind(model, threads, *extra)
        except Exception as error:  # noqa: BLE001 - rivals fail in ways of their own
            refused[kind.name] = reason(error)
    return ready, refused


def compare(model, threads, options):
    ready, refused = runtimes(model, threads, options.osprey)
    times = {name: [] for name in ready}
    counts = {}
    for name, runtime in list(ready.items()):
        try:
            warm = statistics.median(runtime.measure(3))
            counts[name] = max(1, min(options.runs, int(BUDGET_MS / max(warm, 1e-3))))
        except Exception as error:  # noqa: BLE001
            refused[name] = reason(error)
            del ready[name], times[name]
    for _ in range(options.rounds):
        for name, runtime in ready.items():
            time.sleep(PAUSE)
            times[name] += runtime.measure(counts[name])
    return {name: values for name, values in times.items() if values}, refused


def rivals(figures):
    return [ms for name, ms in figures.items() if name != "Osprey"]


def table(rows, statistic):
    """Lines of a Markdown table of one figure of each runtime's times."""
    lines = [
        "| model | threads | " + " | ".join(NAMES) + " | Osprey ÷ best rival |",
        "| --- | ---: |" + " ---: |" * (len(NAMES) + 1),
    ]
    for model, threads, times, _ in rows:
        figures = {name: statistic(values) for name, values in times.items()}
        cells = [f"{figures[n]:.2f}" if n in figures else "–" for n in NAMES]
        share = "–"
        if rivals(figures) and "Osprey" in figures:
            share = f"**{figures['Osprey'] / min(rivals(figures)):.2f}**"
        lines.append(f"| {model} | {threads} | " + " | ".join(cells) + f" | {share} |")
    return lines


def markdown(rows, options):
    runs = f"{options.rounds} interleaved rounds of up to {options.runs} runs"
    lines = [f"Median milliseconds of {runs}; {processor()}; {platform.system()}.", ""]
    lines += table(rows, statistics.median) + ["", "Minima of the same runs.", ""] + table(rows, min)
    notes = {
        f"- {model}, {name}: {why}"
        for model, _, _, refused in rows
        for name, why in refused.items()
        if why != "runs on one thread"
    }
    return "\n".join(lines + [""] + sorted(notes)) + "\n"


def processor():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


# Letters of a model's name that the plot has room for.
LABEL = 40


def svg(rows):
    """Bars of each runtime's time over the best rival's: 1 is the best rival."""
    colors = {
        "Osprey": "#0b7a75",
        "LiteRT": "#e08e45",
        "OpenVINO": "#7a5ea8",
        "ONNX Runtime": "#4f86c6",
        "tract": "#9b9b9b",
    }
    bar, gap, left, width = 12, 14, 330, 520
    longest = 2.5
    parts, y = [], 46
    for model, threads, times, _ in rows:
        medians = {name: statistics.median(values) for name, values in times.items()}
        if not rivals(medians):
            continue
        best = min(rivals(medians))
        short = model if len(model) <= LABEL else model[: LABEL - 1] + "…"
        label = f"{short} · {threads} thread{'s' if threads > 1 else ''}"
        middle = y + bar * len(medians) / 2 + 4
        parts.append(f'<text x="{left - 8}" y="{middle:.0f}" text-anchor="end">{label}</text>')
        for name, ms in medians.items():
            share = ms / best
            length = width * min(share, longest) / longest
            parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{bar - 2}" fill="{colors[name]}"/>')
            parts.append(f'<text x="{left + length + 4:.1f}" y="{y + bar - 3}" class="n">{share:.2f}</text>')
            y += bar
        y += gap
    one = left + width / longest
    legend = "".join(
        f'<rect x="{left + i * 110}" y="14" width="10" height="10" fill="{color}"/>'
        f'<text x="{left + i * 110 + 14}" y="23">{name}</text>'
        for i, (name, color) in enumerate(colors.items())
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{y + 10}" '
        'font-family="sans-serif" font-size="11">'
        '<style>.n{font-size:9px;fill:#444}</style><rect width="100%" height="100%" fill="white"/>'
        f'{legend}<line x1="{one:.1f}" y1="36" x2="{one:.1f}" y2="{y}" stroke="#bbb" stroke-dasharray="3 3"/>'
        + "".join(parts)
        + "</svg>\n"
    )


def write(path, text):
    partial = path.with_suffix(path.suffix + ".part")
    partial.write_text(text)
    partial.replace(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=pathlib.Path, help=".tflite files")
    parser.add_argument("--osprey", required=True, help="the osprey program")
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=20, help="runs of each runtime in a round, at most")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("."))
    options = parser.parse_args()
    rows = []
    for model in options.models:
        for threads in options.threads:
            times, refused = compare(model, threads, options)
            rows.append((model.stem, threads, times, refused))
            found = ", ".join(f"{name} {statistics.median(ms):.2f} ms" for name, ms in times.items())
            print(f"{model.stem}, {threads}: {found or refused}", file=sys.stderr, flush=True)
    options.output.mkdir(parents=True, exist_ok=True)
    write(options.output / "results.md", markdown(rows, options))
    write(options.output / "results.svg", svg(rows))
    print(markdown(rows, options))


if __name__ == "__main__":
    main()
