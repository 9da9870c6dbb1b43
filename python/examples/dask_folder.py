"""A folder of pictures with Dask (`pip install dask distributed`): `arrow.detect` needs no adapter.

    python dask_folder.py PHOTOS FOUND.parquet
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from osprey_vision import arrow


def look(paths: list[str]) -> pa.Table:
    """Rows of the pictures at these paths; the detector is loaded once for each process."""
    files = [Path(p).read_bytes() for p in paths]
    return pa.Table.from_batches([arrow.detect(pa.record_batch({"path": paths, "bytes": files}))])


def detect(folder: Path, at_a_time: int = 32) -> pa.Table:
    """Rows of all files in a folder."""
    from dask.distributed import Client

    paths = sorted(str(p) for p in folder.iterdir())
    parts = [paths[i : i + at_a_time] for i in range(0, len(paths), at_a_time)]
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        return pa.concat_tables(client.gather(client.map(look, parts)))


if __name__ == "__main__":
    pq.write_table(detect(Path(sys.argv[1])), sys.argv[2])
