"""The cache: for each view the output of the detector's frozen front and its labels, in shards.

A maker runs beside the training for as long as it lasts and never repeats a view: it writes shard after shard and
removes the oldest, so that what is trained on stays fresh and the disk does not fill. A shard is written under
temporary names and renamed, so a maker that was interrupted goes on where it stopped.
"""

import pickle
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..pack import Pack
from . import model
from .views import Views

SHARD = 1000
DEPTH = 32


def side(size):
    """Cells a side of the front's output, whose stride is 8."""
    return -(-size // 8)


class Front:
    """The frozen first blocks, run by LiteRT (several times faster than PyTorch on one core)."""

    def __init__(self, assets, folder, size):
        path = folder / "front.tflite"
        if not path.exists():
            # TensorFlow takes seconds to import, and only this needs it here.
            from . import graph

            _replace(path, graph.convert(model.from_teacher(assets, size), graph.front))
        self.net = Interpreter(model_path=str(path), num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]["index"]
        self.output = self.net.get_output_details()[0]["index"]
        self.size = size

    def __call__(self, image):
        x = np.asarray(image.resize((self.size, self.size), 2), np.float32)[None] / 127.5 - 1
        self.net.set_tensor(self.input, x)
        self.net.invoke()
        return self.net.get_tensor(self.output)[0].astype(np.float16)


def _replace(path, data):
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def pack_labels(b, s):
    """Labels as they are stored: half-precision boxes and scores in 1/255."""
    return np.asarray(b, np.float16), np.round(np.asarray(s) * 255).astype(np.uint8)


def write(folder, name, features, labels):
    """Features first: a shard counts as there when its labels are."""
    part = folder / f"{name}.npy.part"
    with open(part, "wb") as f:
        np.save(f, features)
    part.replace(folder / f"{name}.npy")
    _replace(folder / f"{name}.pkl", pickle.dumps(labels))


def read(folder, name):
    """Features (memory-mapped) and labels (picture number or -1, boxes, scores) of a shard."""
    with open(folder / f"{name}.pkl", "rb") as f:
        return np.load(folder / f"{name}.npy", mmap_mode="r"), pickle.load(f)


def remove(folder, name):
    """Labels first, as `write` adds them last. Whoever has the features mapped keeps them."""
    (folder / f"{name}.pkl").unlink(missing_ok=True)
    (folder / f"{name}.npy").unlink(missing_ok=True)


def shards(folder, prefix):
    return sorted(p.stem for p in folder.glob(f"{prefix}-*.pkl"))


def validation(folder, pack, front):
    """The held-out pictures, whole, with people's and the teacher's labels."""
    name = "validation-000"
    if (folder / f"{name}.pkl").exists():
        return
    ids = np.flatnonzero(pack.validation)
    features = np.stack([front(pack.image(i)) for i in ids])
    write(folder, name, features, [(int(i), *pack_labels(*pack.labels(i))) for i in ids])


def run(assets, folder, size, worker, count, keep, seed):
    """Write the validation shard, then shards of random views until there have been `count`.

    At most `keep` of this worker's shards stay; 0 keeps all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pack, front = Pack(assets), Front(assets, folder, size)
    if worker == 0:
        validation(folder, pack, front)
    known = {int(i): pack.labels(i) for i in pack.training}
    prefix = f"views-{worker}"
    n = 1 + max((int(s.split("-")[-1]) for s in shards(folder, prefix)), default=-1)
    for n in range(n, count):
        start = time.time()
        views = Views(pack, known, size, seed=(seed, n, worker))
        features = np.empty((SHARD, side(size), side(size), DEPTH), np.float16)
        labels = []
        for k in range(SHARD):
            im, b, s = views.draw()
            features[k] = front(im)
            labels.append((-1, *pack_labels(b, s)))
        write(folder, f"{prefix}-{n:05d}", features, labels)
        for old in shards(folder, prefix)[:-keep] if keep else ():
            remove(folder, old)
        print(f"{prefix}-{n:05d}: {SHARD / (time.time() - start):.1f} views/s", flush=True)
