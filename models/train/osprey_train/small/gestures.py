"""Gestures from six channels of device motion at 25 Hz: conv1d, LSTM, dense, softmax, float32.

A window is 20 samples of rotation rate (rad/s) and user acceleration (g), x y z each. The LSTM's state is kept in the
operator's own variables: it passes from one window to the next and is reset at the start of a session. Persons u_03 and
u_04 are trained on; u_05 is never seen.
"""

import gzip

import numpy as np

from . import common
from .common import keras

NAMES = ["none", "drive it", "shake it", "chop it"]
WINDOW, CHAIN = 20, 12
ROTATION, GRAVITY, ACCELERATION = slice(3, 6), slice(6, 9), slice(9, 12)
EPOCHS, STEPS, BATCH, RATE = 25, 40, 24, 1.5e-3


def sessions(files):
    """(12 channels [n, 12], activity [n]) for each unbroken recording."""
    out = []
    for path in sorted(files):
        with gzip.open(path, "rt") as f:
            rows = [line.rstrip("\n").split(",") for line in f if line.strip()]
        ids = np.array([r[0] for r in rows])
        values = np.array([[float(v) for v in r[1:]] for r in rows], np.float32)
        for own in np.split(values, np.flatnonzero(ids[1:] != ids[:-1]) + 1):
            out.append((own[:, 1:], own[:, 0].astype(int)))
    return out


def prove_columns(found):
    """Which columns are which, and the rate, from the data: gravity has length 1, and turns as the rotation rate says.

    In the device's frame dg/dt = -w x g, so the right three columns of w correlate with the change of gravity, and the
    slope between the two is the samples' rate.
    """
    gravity = [float(np.abs(np.linalg.norm(v[:, GRAVITY], axis=1) - 1).max()) for v, _ in found]

    def smooth(x):
        # Means over nine samples: fast shaking is not followed well enough for the slope.
        return np.stack([np.convolve(c, np.ones(9) / 9, "valid") for c in x.T], 1)

    change, turned = [], {}
    for v, _ in found:
        middle = (v[1:] + v[:-1]) / 2
        change.append(smooth(np.diff(v[:, GRAVITY], axis=0)))
        for name, columns in (("columns 3-5", ROTATION), ("columns 9-11", ACCELERATION)):
            turned.setdefault(name, []).append(smooth(-np.cross(middle[:, columns], middle[:, GRAVITY])))
    change = np.concatenate(change).reshape(-1)
    turned = {n: np.concatenate(t).reshape(-1) for n, t in turned.items()}
    return dict(
        gravity_length_error=max(gravity),
        correlation_with_turning_gravity={n: float(np.corrcoef(change, t)[0, 1]) for n, t in turned.items()},
        rate=float(turned["columns 3-5"] @ turned["columns 3-5"] / (change @ turned["columns 3-5"])),
    )


def channels(values):
    return np.concatenate([values[:, ROTATION], values[:, ACCELERATION]], 1)


def windows(x, y, start=0):
    """Consecutive windows [n, 20, 6] and the activity of most samples of each."""
    n = (len(x) - start) // WINDOW
    x = x[start : start + n * WINDOW].reshape(n, WINDOW, -1)
    y = y[start : start + n * WINDOW].reshape(n, WINDOW)
    return x, np.array([np.bincount(v, minlength=len(NAMES)).argmax() for v in y])


def build(scale, batch, chain, stateful):
    """For training, chains of windows [batch, chain * 20, 6]; for the file one window, with the state carried."""
    layers = keras.layers
    x = i = layers.Input((chain * WINDOW, 6), batch_size=batch, name="motion")
    x = layers.Rescaling(1.0 / scale)(x)
    # Four steps a window: kernels and strides keep to windows, so a chain gives what its windows give one by one.
    x = layers.Conv1D(48, 5, strides=5, activation="relu", name="near")(x)
    x = layers.Dropout(0.2)(x)
    x = layers.LSTM(48, return_sequences=True, name="memory")(x)
    x = x[:, 3::4] if chain > 1 else x[:, -1]
    x = layers.Dense(32, activation="relu", name="mix")(x)
    x = layers.Dropout(0.2)(x)
    return keras.Model(i, layers.Dense(len(NAMES), activation="softmax", name="gesture")(x))


def turned(x, rng):
    """The phone held a little differently, moved harder or softer, with sensor noise."""
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    a = rng.normal(0, np.deg2rad(12))
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    r = np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * k @ k
    x = np.concatenate([x[:, :3] @ r.T, x[:, 3:] @ r.T], 1) * np.exp(rng.normal(0, 0.15))
    # A little faster or slower.
    n, speed = len(x), np.exp(rng.normal(0, 0.1))
    at = np.clip(np.arange(n) * speed, 0, n - 1)
    x = np.stack([np.interp(at, np.arange(n), c) for c in x.T], 1)
    return x + rng.normal(0, 0.02, x.shape), at


def run(assets, work, out):
    folder = assets / "motion" / "kodeco"
    train = sessions(folder.glob("valid/*.csv.gz"))
    test = sessions(folder.glob("test/u_05*.csv.gz"))
    columns = prove_columns(train)
    common.seed(1)
    xs = [(channels(v), y) for v, y in train]
    everything = np.concatenate([x for x, _ in xs])
    scale = np.repeat([everything[:, :3].std(), everything[:, 3:].std()], 3).astype(np.float32)
    net = build(scale, BATCH, CHAIN, False)
    span = WINDOW * CHAIN
    share = np.bincount(np.concatenate([y for _, y in xs]), minlength=4)
    weight = share.sum() / (4 * share)

    def batches(epoch):
        draw = np.random.default_rng((1, epoch))
        for _ in range(STEPS):
            bx, by, bw = [], [], []
            for _ in range(BATCH):
                x, y = xs[draw.integers(len(xs))]
                length = int(span * 1.4)
                at = draw.integers(0, len(x) - length)
                own, times = turned(x[at : at + length], draw)
                own, label = own[:span], y[at + np.round(times[:span]).astype(int)]
                label = windows(own, label)[1]
                bx.append(own)
                by.append(label)
                bw.append(weight[label])
            yield np.array(bx, np.float32), np.array(by), np.array(bw, np.float32)

    seconds = common.train(net, batches, STEPS, EPOCHS, RATE, work / "gestures", "sparse_categorical_crossentropy")
    one = build(scale, 1, 1, True)
    one.set_weights(net.get_weights())
    data = common.convert(one)
    model = common.Model(data)
    figures = dict(seconds=round(seconds), columns=columns)
    for name, group in (("trained_on", train), ("u_05", test)):
        truth, guess, recording = [], [], []
        for k, (v, y) in enumerate(group):
            model.reset()
            x, label = windows(channels(v), y)
            truth += label.tolist()
            guess += [int(model(w).argmax()) for w in x]
            recording += [k] * len(x)
        figures[name] = common.report(np.array(truth), np.array(guess), NAMES, recording)
    common.write(out, "gestures", {"gestures.tflite": data}, figures)
    print(figures["columns"], {k: figures[k]["accuracy"] for k in ("trained_on", "u_05")}, figures["u_05"]["confusion"])
