"""Digits: a small convolutional network on MNIST (28x28x1, 94,602 parameters), int8."""

import gzip

import numpy as np
from PIL import Image

from . import common
from .common import keras, tf

NAMES = [str(d) for d in range(10)]
EPOCHS, BATCH, RATE = 16, 128, 1.5e-3


def data(folder):
    def idx(name, header):
        with gzip.open(folder / name) as f:
            return np.frombuffer(f.read(), np.uint8, offset=header)

    out = []
    for part in ("train", "t10k"):
        x = idx(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        out += [x, idx(f"{part}-labels-idx1-ubyte.gz", 8).astype(int)]
    return out


def build():
    layers = keras.layers
    return keras.Sequential(
        [
            layers.Input((28, 28, 1), batch_size=None, name="image"),
            layers.Conv2D(32, 5, activation="relu"),
            layers.MaxPool2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPool2D(),
            layers.Conv2D(128, 1, activation="relu"),
            layers.MaxPool2D(),
            layers.Dropout(0.2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )


def moved(image, rng):
    """Turned by up to 10 degrees, sheared, scaled by up to 10 % and shifted by up to 2 pixels."""
    a, s, h = np.deg2rad(rng.uniform(-10, 10)), rng.uniform(0.9, 1.1), rng.uniform(-0.15, 0.15)
    m = np.array([[np.cos(a), -np.sin(a) + h], [np.sin(a), np.cos(a)]]) / s
    t = np.array([13.5, 13.5]) - m @ (np.array([13.5, 13.5]) + rng.uniform(-2, 2, 2))
    return Image.fromarray(image).transform((28, 28), Image.AFFINE, (*m[0], t[0], *m[1], t[1]), Image.BILINEAR)


def run(assets, work, out):
    rng = common.seed(1)
    x, y, tx, ty = data(assets / "mnist")
    # The last 5,000 training images choose nothing and are not trained on: they calibrate and check the conversion.
    x, y, vx, vy = x[:-5000], y[:-5000], x[-5000:], y[-5000:]
    net = build()
    assert net.count_params() == 94_602
    steps = len(x) // BATCH

    def batches(epoch):
        draw = np.random.default_rng((1, epoch))
        for own in np.array_split(draw.permutation(len(x))[: steps * BATCH], steps):
            images = np.stack([x[i] if draw.random() < 0.2 else moved(x[i], draw) for i in own])
            yield images[..., None].astype(np.float32) / 255, y[own]

    seconds = common.train(net, batches, steps, EPOCHS, RATE, work / "digits", "sparse_categorical_crossentropy")
    fixed = keras.models.clone_model(net, input_tensors=[keras.layers.Input((28, 28, 1), batch_size=1, name="image")])
    fixed.set_weights(net.get_weights())
    samples = vx[rng.permutation(len(vx))[:500], ..., None] / 255.0
    int8 = common.convert(fixed, samples, tf.uint8, tf.int8)
    model = common.Model(int8)
    figures = dict(
        seconds=round(seconds),
        validation_float=common.report(vy, net.predict(vx[..., None] / 255.0, verbose=0).argmax(1), NAMES),
        test_float=common.report(ty, net.predict(tx[..., None] / 255.0, verbose=0).argmax(1), NAMES),
        test_int8=common.report(ty, np.array([model(i[..., None] / 255.0).argmax() for i in tx]), NAMES),
    )
    common.write(out, "digits", {"digits.tflite": int8}, figures)
    print({k: v["accuracy"] for k, v in figures.items() if k != "seconds"})
