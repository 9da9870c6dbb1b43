"""Pictures by the million with Ray Data.

`run` reads pictures, detects on every node, and writes Parquet files with a row for each picture. Ray's own
checkpoints say which pictures are in committed files; a run that was killed goes on with the others when the same
call is made again. Since the same bytes give the same row on every machine, it does not matter which node did it, or
whether a second one did it again.

Needs `ray[data]` 2.60 or newer (`pip install osprey-vision[ray]`).
"""

from __future__ import annotations

import os
from typing import Any

import pyarrow as pa
import ray
from ray.data.checkpoint import CheckpointConfig

from . import arrow, manifest
from .detector import Detector
from .errors import ModelError, OspreyError

# Reading and writing wait for disks: with whole CPUs they would keep the detectors from starting.
_QUIET = 0.25
# What Ray holds in memory for telling which pictures are done: 10⁸ paths of 100 bytes fit into a few of these.
_FILTER_MEMORY = 100 << 20


class ClusterError(OspreyError):
    """The cluster is too small for what was asked: it would wait for ever, without a word."""


class Detect:
    """An actor for `map_batches`: loads a detector once and looks at Arrow tables of `path` and `bytes`.

        data = ray.data.read_binary_files("photos", include_paths=True)
        data.map_batches(Detect, batch_format="pyarrow", fn_constructor_args=(None, {"threads": 1}))

    Args:
        model: As for `Detector`.
        options: Further arguments of `Detector`.
        sha256: What the model's file must have, where it matters that all nodes run the same.
    """

    def __init__(
        self, model: str | bytes | None = None, options: dict[str, Any] | None = None, sha256: str | None = None
    ) -> None:
        self.detector = Detector(model, **(options or {}))
        if sha256 is not None and self.detector.sha256 != sha256:
            raise ModelError(f"{self.detector.name} has another SHA-256 on this node: {self.detector.sha256}")

    def __call__(self, batch: pa.Table) -> pa.Table:
        return pa.Table.from_batches([arrow.detect(batch, self.detector)])


def run(
    inputs: str | list[str],
    output: str,
    *,
    model: str | os.PathLike[str] | bytes | None = None,
    resume: bool = True,
    actors: int | None = None,
    num_cpus: float = 1,
    batch_size: int = 32,
    blocks: int | None = None,
    **options: Any,
) -> None:
    """Looks at all pictures in `inputs` and writes `output/rows/*.parquet`, of `osprey_vision.arrow.SCHEMA`.

    Args:
        inputs: Folders, files or addresses that Ray reads; every file in them counts as a picture, and those that
            are none become rows that say so, with whole paths. No path may occur twice.
        output: A folder that every node reaches, or an address in an object store; it holds the rows, Ray's
            checkpoints and `manifest.json`.
        model: As for `Detector`; a path must hold the same file on every node, bytes travel.
        resume: Goes on where an earlier run with the same manifest was stopped; otherwise a folder that was used
            is refused.
        actors: How many detectors run at a time; as many as the cluster's CPUs allow if left out.
        num_cpus: CPUs of each detector, and, rounded down, the threads of its inference.
        batch_size: Pictures that a detector takes at a time.
        blocks: Files that the pictures are read into, and so the grain of what is done again after a crash; Ray's
            choice if left out.
        options: Further arguments of `Detector`.

    Raises:
        FingerprintError: The folder's results were made with another model, other options or another version.
        ClusterError: The cluster has too few CPUs.
        OspreyError: The folder was used, and `resume` is False.
    """
    inputs = [_absolute(i) for i in ([inputs] if isinstance(inputs, str) else inputs)]
    output = _absolute(output)
    model = os.fspath(model) if isinstance(model, os.PathLike) else model
    options = {**options, "threads": max(1, int(num_cpus))}
    detector = Detector(model, **options)
    if manifest.claim(output, arrow.fingerprint(detector)) and not resume:
        raise OspreyError(f"{output} was used already; resume=True goes on with what is missing")
    if not ray.is_initialized():
        # Two more than there are, for what waits for disks most of its time.
        ray.init(num_cpus=(os.cpu_count() or 1) + 2)
    actors = _actors(actors, num_cpus)
    context = ray.data.DataContext.get_current()
    before = context.checkpoint_config
    checkpoints = CheckpointConfig(
        id_column="path", checkpoint_path=f"{output}/checkpoints", delete_checkpoint_on_success=False
    )
    checkpoints.checkpoint_actor_memory_bytes = _FILTER_MEMORY
    context.checkpoint_config = checkpoints
    try:
        files = ray.data.read_binary_files(
            inputs, include_paths=True, override_num_blocks=blocks, num_cpus=_QUIET
        )
        found = files.map_batches(
            Detect,
            batch_format="pyarrow",
            batch_size=batch_size,
            num_cpus=num_cpus,
            compute=ray.data.ActorPoolStrategy(size=actors),
            fn_constructor_args=(model, options, detector.sha256),
        )
        found.write_parquet(f"{output}/rows", ray_remote_args={"num_cpus": _QUIET})
    finally:
        context.checkpoint_config = before


def _absolute(place: str) -> str:
    """Other processes have other working folders."""
    return place if "://" in place else os.path.abspath(place)


def _actors(asked: int | None, num_cpus: float) -> int:
    """How many detectors to start: two CPUs are left, one for Ray's filter of finished pictures (it takes a whole
    one and waits for it without a word), one for reading and writing."""
    nodes: list[float] = [n["Resources"].get("CPU", 0.0) for n in ray.nodes() if n["Alive"]]
    most = min(sum(int(cpus // num_cpus) for cpus in nodes), int((sum(nodes) - 2) // num_cpus))
    if most < max(1, asked or 1):
        raise ClusterError(
            f"{asked or 1} detectors of {num_cpus} CPUs do not fit nodes of {nodes}: 2 CPUs must be left for reading "
            f"and for what is done already, so that {max(0, most)} do; a smaller num_cpus makes room"
        )
    return asked or most
