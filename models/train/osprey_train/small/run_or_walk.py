"""Run or walk from 12 samples of the acceleration along x (in g): three hidden layers, float32.

The file is sorted by label and its windows lie in the order they were recorded, so the last fifth of each label's rows
is held out. A second network trained without a random fifth gives the figure that others quote.
"""

import numpy as np

from . import common
from .common import keras

NAMES = ["walk", "run"]
FILE = "run_or_walk_malyi_accel_x_windows.csv"
EPOCHS, BATCH, RATE = 120, 64, 2e-3


def data(folder):
    table = np.loadtxt(folder / FILE, delimiter=",", skiprows=1, dtype=np.float32)
    return table[:, :-1], table[:, -1].astype(int)


def last_fifth(y):
    """Mask of the last fifth of each label's rows."""
    last = np.zeros(len(y), bool)
    for k in (0, 1):
        rows = np.flatnonzero(y == k)
        last[rows[-(len(rows) // 5) :]] = True
    return last


def build(x):
    layers = keras.layers
    scale = layers.Normalization(mean=x.mean(), variance=x.var())
    return keras.Sequential(
        [layers.Input((12,), name="acceleration_x"), scale]
        + [layers.Dense(n, activation="relu") for n in (64, 48, 32)]
        + [layers.Dropout(0.1), layers.Dense(2, activation="softmax")]
    )


def fit(x, y, folder):
    common.seed(1)
    net, steps = build(x), len(x) // BATCH
    # Equal odds for both classes.
    odds = 1.0 / np.bincount(y)[y]
    odds /= odds.sum()

    def batches(epoch):
        draw = np.random.default_rng((1, epoch))
        for _ in range(steps):
            own = draw.choice(len(x), BATCH, p=odds)
            yield x[own] + draw.normal(0, 0.02, (BATCH, 12)).astype(np.float32), y[own]

    say = lambda *a, **k: None  # noqa: E731 (120 epochs of a second)
    return net, common.train(net, batches, steps, EPOCHS, RATE, folder, "sparse_categorical_crossentropy", say)


def run(assets, work, out):
    x, y = data(assets / "motion")
    # The data say which label is which: running shakes harder.
    spread = [float(x[y == k].std(1).mean()) for k in (0, 1)]
    assert spread[1] > spread[0]
    seconds = 0.0
    chance = np.random.default_rng(1).permutation(len(x)) < len(x) // 5
    figures = dict(spread=dict(zip(NAMES, spread)))
    for name, held in (("last_fifth", last_fifth(y)), ("random_fifth", chance)):
        net, spent = fit(x[~held], y[~held], work / f"run-or-walk-{name}")
        seconds += spent
        data_ = common.convert(_fixed(net))
        model = common.Model(data_)
        figures[name] = common.report(y[held], np.array([model(r).argmax() for r in x[held]]), NAMES)
        if name == "last_fifth":
            shipped = data_
    figures["seconds"] = round(seconds)
    common.write(out, "run_or_walk", {"run_or_walk.tflite": shipped}, figures)
    print({k: figures[k]["accuracy"] for k in ("last_fifth", "random_fifth")})


def _fixed(net):
    """The same network for one window at a time."""
    image = keras.layers.Input((12,), batch_size=1, name="acceleration_x")
    return keras.Model(image, net(image))
