"""A Spark cluster of two workers on this machine, one of them killed in the middle.

    python python/tests/cluster/spark_run.py FOLDER

Uses the pictures that `ray_run.py` makes, and compares as it does. Needs pyspark and Java.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from ray_run import check, expected, make


def executors() -> list[int]:
    """Processes of this user that run Spark's executors."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if any(part.endswith(b"CoarseGrainedExecutorBackend") for part in command):
                found.append(int(entry.name))
    return found


def main() -> None:
    import pyspark
    from pyspark.sql import SparkSession

    from osprey_vision.spark import detect

    folder = Path(sys.argv[1])
    pictures, output = folder / "pictures", folder / "spark"
    make(pictures, 2000)
    os.environ["SPARK_HOME"] = str(Path(pyspark.__file__).parent)
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.master("local-cluster[2,1,1024]")
        .config("spark.ui.enabled", "false")
        .config("spark.task.maxFailures", "8")
        .config("spark.sql.execution.arrow.maxRecordsPerBatch", "32")
        .config("spark.executorEnv.PYTHONPATH", os.environ.get("PYTHONPATH", ""))
        .config("spark.sql.files.maxPartitionBytes", "8m")
        .config("spark.sql.files.openCostInBytes", "100k")
        .getOrCreate()
    )
    start = time.time()

    def lose() -> None:
        while not executors():
            time.sleep(0.1)
        time.sleep(float(os.environ.get("LOSE_AFTER", "25")))
        running = executors()
        if running:
            os.kill(running[0], signal.SIGKILL)
            print(f"  one of {len(running)} executors killed after {time.time() - start:.1f} s", flush=True)

    threading.Thread(target=lose, daemon=True).start()
    files = spark.read.format("binaryFile").load(str(pictures))
    detect(files).write.mode("overwrite").parquet(str(output / "rows"))
    print(f"  job {time.time() - start:.1f} s", flush=True)
    spark.stop()
    # Spark's reader leaves out files of no bytes.
    check(output, pictures, expected(pictures), empty_ones=False)


if __name__ == "__main__":
    main()
