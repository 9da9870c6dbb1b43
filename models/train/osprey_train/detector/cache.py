"""The cache: for each view the output of the detector's frozen front and its labels, in shards.

Shard 0 holds every picture whole (and the validation pictures); each later one random views. A shard is written under
temporary names and renamed, so a cache that was interrupted goes on where it stopped.
"""

import pickle
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from ..pack import Pack
from . import model
from .teacher import Teacher
from .views import WHOLE, Views

SHARD = 1000
SIDE, DEPTH = 38, 32


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


def shards(folder, prefix):
    return sorted(p.stem for p in folder.glob(f"{prefix}-*.pkl"))


def whole_labels(folder):
    """Picture number to merged labels, of all pictures seen whole."""
    out = {}
    for name in shards(folder, "whole") + shards(folder, "validation"):
        with open(folder / f"{name}.pkl", "rb") as f:
            for i, b, s in pickle.load(f):
                out[i] = (b.astype(np.float32), s.astype(np.float32) / 255)
    return out


def run(assets, pack_folder, folder, size, worker, workers, count, seed):
    """Write this worker's share of the whole pictures, then `count` shards of random views."""
    folder.mkdir(parents=True, exist_ok=True)
    pack, teacher, front = Pack(pack_folder), Teacher(assets), Front(assets, folder, size)
    for prefix, ids in (("validation", np.flatnonzero(pack.validation)), ("whole", pack.training)):
        name = f"{prefix}-{worker:03d}"
        if (folder / f"{name}.pkl").exists():
            continue
        start, own, features, labels = time.time(), ids[worker::workers], [], []
        for i in own:
            im = pack.image(i)
            b, s = pack.merge(i, WHOLE, *pack.human(i), *teacher.label(im))
            features.append(front(im))
            labels.append((int(i), *pack_labels(b, s)))
        write(folder, name, np.stack(features), labels)
        print(f"{name}: {len(own)} pictures, {len(own) / (time.time() - start):.1f}/s", flush=True)
    while len(shards(folder, "whole")) < workers:
        time.sleep(2)
    known = whole_labels(folder)
    for n in range(count):
        name = f"views-{n:03d}-{worker}"
        if (folder / f"{name}.pkl").exists():
            continue
        start = time.time()
        views = Views(pack, teacher, known, size, seed=(seed, n, worker))
        features = np.empty((SHARD, SIDE, SIDE, DEPTH), np.float16)
        labels = []
        for k in range(SHARD):
            im, b, s = views.draw()
            features[k] = front(im)
            labels.append((-1, *pack_labels(b, s)))
        write(folder, name, features, labels)
        print(f"{name}: {SHARD / (time.time() - start):.1f} views/s", flush=True)
