"""A Ray cluster of three raylets on this machine, disturbed in every way that was thought of.

    python python/tests/cluster/ray_run.py FOLDER [plain] [node] [killed] [--pictures 2000] [--kills 10]

Makes pictures, 20 damaged ones among them, runs `osprey_vision.ray.run` over them, and checks each time that every
picture has exactly one row, equal to what `osprey detect` says of it. Not part of the usual tests: it takes minutes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
DAMAGED = 20
MEMORY = 200 << 20


def make(folder: Path, count: int) -> None:
    """JPEG files cut from the samples, some damaged."""
    from PIL import Image

    if folder.is_dir() and len(list(folder.iterdir())) == count + DAMAGED:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    draw = random.Random(1)
    sources = [Image.open(ROOT / "samples" / n).convert("RGB") for n in ("cat.png", "astronaut.jpg", "coffee.jpg")]
    for number in range(count):
        source = sources[number % len(sources)]
        width, height = draw.randint(200, source.width), draw.randint(200, source.height)
        left, top = draw.randint(0, source.width - width), draw.randint(0, source.height - height)
        part = source.crop((left, top, left + width, top + height))
        part.save(folder / f"{number:05}.jpg", quality=draw.randint(60, 95))
    whole = (folder / "00000.jpg").read_bytes()
    for number in range(DAMAGED):
        data = [b"", b"not a picture", whole[: draw.randint(50, len(whole) // 2)], os.urandom(500)][number % 4]
        (folder / f"damaged{number:02}.jpg").write_bytes(data)


def rounded(value: float, digits: int) -> float:
    unit = 10.0**digits
    return math.copysign(math.floor(abs(value) * unit + 0.5) / unit, value)


def expected(folder: Path) -> dict[str, str]:
    """What the program says of each picture, by the file's name."""
    program = [sys.executable, "-m", "osprey_vision", "detect", str(folder), "--format", "jsonl", "--quiet"]
    lines = subprocess.run(program, capture_output=True, text=True, check=False).stdout.splitlines()
    said = {}
    for line in lines:
        record = json.loads(line)
        said[Path(record["image"]).name] = json.dumps([record["width"], record["height"], record["detections"]])
    return said


def check(output: Path, folder: Path, said: dict[str, str], empty_ones: bool = True) -> None:
    """Every picture once, and as the program says; without empty files where the engine never gives them."""
    import pyarrow.parquet as pq

    rows = pq.read_table(output / "rows").to_pylist()
    names = [Path(r["path"]).name for r in rows]
    wanted = {p.name for p in folder.iterdir() if empty_ones or p.stat().st_size > 0}
    wrong = 0
    for name, row in zip(names, rows):
        found = [
            {
                "label": b["label"],
                "class_id": b["class_id"],
                "score": rounded(b["score"], 4),
                "box": [rounded(b[k], 2) for k in ("x1", "y1", "x2", "y2")],
            }
            for b in row["boxes"]
        ]
        text = json.dumps([row["width"], row["height"], found])
        damaged = name.startswith("damaged")
        wrong += (row["status"] == "ok") == damaged or (not damaged and text != said[name])
    files = len(list((output / "rows").glob("*.parquet")))
    double, missing = len(names) - len(set(names)), len(wanted - set(names))
    print(f"  {len(rows)} rows in {files} files: {missing} missing, {double} double, {wrong} wrong", flush=True)
    if double or missing or wrong or len(rows) != len(wanted):
        sys.exit("  NOT as it should be")


def driver(folder: Path, output: Path, lose_a_node: bool) -> None:
    """Runs in a process of its own, so that it can be killed."""
    import ray
    from ray.cluster_utils import Cluster

    from osprey_vision.ray import run

    # Ray makes its workers nice; here they share the machine with whatever else runs on it.
    os.environ["RAY_worker_niceness"] = "0"
    start = time.time()
    cluster = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": 300 << 20, "include_dashboard": False}
    )
    nodes = [cluster.add_node(num_cpus=2, object_store_memory=MEMORY) for _ in range(2)]
    ray.init(address=cluster.address, logging_level="ERROR", log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    print(f"  cluster up after {time.time() - start:.1f} s", flush=True)

    outcome: list[BaseException | None] = []

    def job() -> None:
        try:
            run(str(folder), str(output), blocks=40, batch_size=32)
            outcome.append(None)
        except BaseException as e:  # noqa: BLE001
            outcome.append(e)

    # Nodes can be added from the main thread only.
    start = time.time()
    thread = threading.Thread(target=job)
    thread.start()
    if lose_a_node:
        while not outcome and len(list((output / "rows").glob("*.parquet"))) < 5:
            time.sleep(0.1)
        cluster.remove_node(nodes[0], allow_graceful=False)
        cluster.add_node(num_cpus=2, object_store_memory=MEMORY)
        print(f"  a node was lost after {time.time() - start:.1f} s, and another came", flush=True)
    thread.join()
    if outcome[0] is not None:
        raise outcome[0]
    print(f"  job {time.time() - start:.1f} s", flush=True)
    ray.shutdown()
    cluster.shutdown()


def started(folder: Path, output: Path, *flags: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, __file__, "--driver", str(folder), str(output), *flags]
    return subprocess.Popen(command, start_new_session=True)


def files_in(output: Path) -> int:
    return len(list((output / "rows").glob("*.parquet")))


def kill(process: subprocess.Popen[bytes]) -> None:
    """The driver with its raylets, all at once and without a warning: one session is one process group less."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    # Ray's daemons have groups of their own, but are this session's.
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if os.getsid(int(entry.name)) == process.pid:
                    os.kill(int(entry.name), signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass
    time.sleep(1)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("cases", nargs="*", default=["plain", "node", "killed"])
    arguments.add_argument("--pictures", type=int, default=2000)
    arguments.add_argument("--kills", type=int, default=10)
    asked = arguments.parse_args()
    pictures = asked.folder / "pictures"
    make(pictures, asked.pictures)
    start = time.time()
    said = expected(pictures)
    print(f"osprey detect: {len(said)} pictures in {time.time() - start:.1f} s", flush=True)
    for case in asked.cases:
        print(case, flush=True)
        output = asked.folder / case
        shutil.rmtree(output, ignore_errors=True)
        if case in ("plain", "node"):
            process = started(pictures, output, *(["--lose-a-node"] if case == "node" else []))
            if process.wait() != 0:
                sys.exit("  the driver failed")
            kill(process)
        else:
            draw, killed = random.Random(5), 0
            while True:
                # After one to three more files, and a moment more.
                enough = files_in(output) + draw.randint(1, 3)
                begun = time.time()
                process = started(pictures, output)
                while process.poll() is None and (killed >= asked.kills or files_in(output) < enough):
                    time.sleep(0.02)
                if process.poll() is None:
                    time.sleep(draw.uniform(0, 1))
                code = process.poll()
                kill(process)
                if code is not None:
                    if code != 0:
                        sys.exit("  the driver failed")
                    break
                killed += 1
                print(f"  killed after {time.time() - begun:.1f} s, {files_in(output)} files there", flush=True)
            print(f"  killed {killed} times", flush=True)
        check(output, pictures, said)


if __name__ == "__main__":
    if sys.argv[1] == "--driver":
        driver(Path(sys.argv[2]), Path(sys.argv[3]), "--lose-a-node" in sys.argv)
    else:
        main()
