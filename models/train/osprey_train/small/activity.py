"""Stationary, walking or running from three axes of acceleration: conv1d on three seconds at 26 Hz, float32.

Three sources: a wrist, arm or pocket board (26 Hz, mg), a phone app in two units (about 400 Hz, g with gravity or m/s2
without) and a phone at 100 Hz in m/s2. All become g at 26 Hz, and the network takes each window's mean away itself, so
that gravity does not matter. Whole recordings are held out, each once over four networks; one source at a time is also
left out entirely.
"""

import gzip
import io

import numpy as np

from . import common
from .common import keras, tf

NAMES = ["stationary", "walking", "running"]
RATE_HZ, WINDOW, STEP = 26.0, 78, 26
G = 9.80665
EPOCHS, STEPS, BATCH, RATE = 16, 50, 64, 3e-3
FOLDS = 4


def resampled(t, v):
    """Samples at 26 Hz: means over each period where there are many, else interpolated."""
    order = np.argsort(t, kind="stable")
    t, v = t[order], v[order]
    grid = np.arange(t[0], t[-1], 1 / RATE_HZ)
    sums = np.concatenate([np.zeros((1, 3)), np.cumsum(v, 0)])
    lo, hi = (np.searchsorted(t, grid + s * 0.5 / RATE_HZ) for s in (-1, 1))
    near = np.stack([np.interp(grid, t, c) for c in v.T], 1)
    many = hi - lo >= 2
    near[many] = (sums[hi] - sums[lo])[many] / (hi - lo)[many, None]
    return near.astype(np.float32)


def board(folder):
    """(source, recording, class, samples in g) of the STM32 set."""
    for c, name in enumerate(NAMES):
        for p in sorted((folder / "stm32ai_har" / name).glob("*.csv")):
            yield "board", p.stem, c, np.loadtxt(p, delimiter=",", dtype=np.float32) / 1000.0


def _table(path):
    with gzip.open(path, "rt", errors="replace") as f:
        head = f.readline().strip().split(",")
        return head, np.genfromtxt(io.StringIO(f.read()), delimiter=",", invalid_raise=False)


def app(folder):
    for c, name in ((1, "walk"), (2, "run")):
        for p in sorted((folder / "paorisun_runwalk" / name).glob("*.csv.gz")):
            head, table = _table(p)
            table = table[~np.isnan(table[:, :4]).any(1)]
            unit = G if any("m/s" in h for h in head) else 1.0
            yield "app", f"{name}-{p.name.split('.')[0]}", c, resampled(table[:, 0], table[:, 1:4] / unit)


def phone(folder):
    for c, letter in enumerate("swr"):
        _, table = _table(folder / "wasp_as1" / f"dataset_{letter}.csv.gz")
        samples = resampled(table[:, 0] / 1000.0, table[:, 2:5] / G)
        # One recording per class: its last third, after a gap of one window, stands for an unseen one.
        cut = len(samples) * 2 // 3
        yield "phone", f"{letter}-first", c, samples[: cut - WINDOW]
        yield "phone", f"{letter}-last", c, samples[cut:]


def recordings(folder):
    """(source, recording, class, samples at 26 Hz in g) of all three sources under `folder`."""
    return [*board(folder), *app(folder), *phone(folder)]


def folds(recordings):
    """A fold 0..3 for each recording: one in four of each source and class in turn.

    The phone has one recording a class: its first two thirds are always trained on (-1), its last third is in fold 3.
    """
    out, count = [], {}
    for source, name, c, _ in recordings:
        k = count[source, c] = count.get((source, c), -1) + 1
        out.append((3 if name.endswith("last") else -1) if source == "phone" else k % FOLDS)
    return np.array(out)


def windows(samples, step=STEP):
    return [samples[k : k + WINDOW] for k in range(0, len(samples) - WINDOW + 1, step)]


def build(batch=None):
    layers = keras.layers
    x = i = layers.Input((WINDOW, 3), batch_size=batch, name="acceleration")
    x = x - tf.reduce_mean(x, 1, keepdims=True)
    # Beside the signal its sign, softly: the rhythm tells a hard step from an easy run where strength does not.
    x = tf.concat([x, tf.tanh(4 * x)], -1)
    for n in (32, 48, 64):
        x = layers.Conv1D(n, 5, strides=2, padding="same", activation="relu")(x)
    x = layers.GlobalAveragePooling1D()(x)
    x = layers.Dropout(0.2)(x)
    x = layers.Dense(32, activation="relu")(x)
    return keras.Model(i, layers.Dense(3, activation="softmax")(x))


def rotations(rng, n):
    """Uniform random orthogonal matrices (QR of Gaussian ones, signs corrected); mirrored wearers are as likely."""
    q, r = np.linalg.qr(rng.normal(size=(n, 3, 3)))
    return q * np.sign(np.einsum("nii->ni", r))[:, None]


def fit(recordings, folder, say=lambda *a, **k: None):
    common.seed(1)
    net = build()
    # Classes come equally often, and so do a class's sources.
    cells = {}
    for source, _, c, samples in recordings:
        if len(samples) > WINDOW:
            cells.setdefault((source, c), []).append(samples)
    by_class = [[k for k in sorted(cells) if k[1] == c] for c in range(len(NAMES))]
    present = [c for c in range(len(NAMES)) if by_class[c]]

    def batches(epoch):
        draw = np.random.default_rng((1, epoch))
        for _ in range(STEPS):
            x, y = [], []
            for b in range(BATCH):
                c = present[b % len(present)]
                own = cells[by_class[c][draw.integers(len(by_class[c]))]]
                s = own[draw.integers(len(own))]
                at = draw.integers(0, len(s) - WINDOW)
                x.append(s[at : at + WINDOW])
                y.append(c)
            x = np.einsum("nti,nji->ntj", x, rotations(draw, BATCH)) * np.exp(draw.normal(0, 0.3, (BATCH, 1, 1)))
            yield (x + draw.normal(0, 0.01, x.shape)).astype(np.float32), np.array(y)

    return net, common.train(net, batches, STEPS, EPOCHS, RATE, folder, "sparse_categorical_crossentropy", say=say)


def measure(pairs):
    """The report over all (model file, recording it never saw)."""
    used = model = None
    truth, guess, recording = [], [], []
    for k, (data, (_, _, c, samples)) in enumerate(pairs):
        if data is not used:
            model, used = common.Model(data), data
        for w in windows(samples):
            truth.append(c)
            guess.append(int(model(w).argmax()))
            recording.append(k)
    return common.report(np.array(truth), np.array(guess), NAMES, recording)


def converted(net):
    one = build(1)
    one.set_weights(net.get_weights())
    return common.convert(one)


def run(assets, work, out):
    every = recordings(assets / "motion")
    fold = folds(every)
    seconds, unseen = 0.0, []
    for k in range(FOLDS):
        # The last of them ships: its fold has held-out recordings of every source.
        name = "activity" if k == FOLDS - 1 else f"activity-without-fold-{k}"
        say = print if k == FOLDS - 1 else lambda *a, **k: None  # noqa: E731
        net, spent = fit([r for r, f in zip(every, fold) if f != k], work / name, say)
        data = converted(net)
        seconds += spent
        unseen += [(data, r) for r, f in zip(every, fold) if f == k]
    own = [p for p in unseen if p[0] is data]
    figures = dict(folds={}, held_out={}, left_out={})
    for source in ("board", "app", "phone"):
        figures["folds"][source] = measure([p for p in unseen if p[1][0] == source])
        figures["held_out"][source] = measure([p for p in own if p[1][0] == source])
        net, spent = fit([r for r in every if r[0] != source], work / f"activity-without-{source}")
        seconds += spent
        others = converted(net)
        figures["left_out"][source] = measure([(others, r) for r in every if r[0] == source])
    figures["folds"]["all"], figures["held_out"]["all"] = measure(unseen), measure(own)
    figures["seconds"] = round(seconds)
    common.write(out, "activity", {"activity.tflite": data}, figures)
    print({k: {s: v["accuracy"] for s, v in figures[k].items()} for k in ("folds", "held_out", "left_out")})
