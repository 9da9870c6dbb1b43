"""Training with resumption, conversion, and the same figures from the float network and from the written file."""

import os

# The converter writes UNIDIRECTIONAL_SEQUENCE_LSTM for Keras 2 networks alone.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import json
import re
import time

import numpy as np
import tensorflow as tf
import tf_keras as keras
from ai_edge_litert.interpreter import Interpreter

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)


def seed(value):
    keras.utils.set_random_seed(value)
    return np.random.default_rng(value)


def train(net, batches, steps, epochs, rate, folder, loss, say=print):
    """Adam with a cosine fall. `batches(epoch)` yields (inputs, targets) or (inputs, targets, weights).

    An epoch is the unit of resumption. Gives the seconds spent, over all resumptions.
    """
    folder.mkdir(parents=True, exist_ok=True)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps * epochs), clipnorm=1.0)
    net.compile(optimizer, loss)
    seconds = tf.Variable(0.0)
    state = tf.train.Checkpoint(net=net, optimizer=optimizer, seconds=seconds)
    manager = tf.train.CheckpointManager(state, str(folder), 1)
    first = 0
    if manager.latest_checkpoint:
        manager.checkpoint.restore(manager.latest_checkpoint)
        first = int(manager.latest_checkpoint.rsplit("-", 1)[1])
    for epoch in range(first, epochs):
        start = time.time()
        losses = [float(net.train_on_batch(*batch)) for batch in batches(epoch)]
        seconds.assign_add(time.time() - start)
        manager.save(checkpoint_number=epoch + 1)
        say(f"epoch {epoch + 1}/{epochs} loss {np.mean(losses):.4f}", flush=True)
    return float(seconds)


def convert(net, samples=None, input_type=tf.float32, output_type=tf.float32):
    """TFLite bytes: float32, or int8 calibrated on `samples` (arrays as the network takes them)."""
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    if samples is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([s[None].astype(np.float32)] for s in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = input_type
        converter.inference_output_type = output_type
    return converter.convert()


class Model:
    """A TFLite file in LiteRT; inputs and outputs are real numbers whatever the file's types."""

    def __init__(self, data):
        self.net = Interpreter(model_content=data, num_threads=1)
        self.net.allocate_tensors()
        self.input = self.net.get_input_details()[0]
        self.output = self.net.get_output_details()[0]

    def reset(self):
        self.net.reset_all_variables()

    def __call__(self, x):
        x = np.asarray(x, np.float32)[None]
        scale, zero = self.input["quantization"]
        if scale:
            info = np.iinfo(self.input["dtype"])
            x = np.clip(np.round(x / scale) + zero, info.min, info.max)
        self.net.set_tensor(self.input["index"], x.astype(self.input["dtype"]))
        self.net.invoke()
        y = self.net.get_tensor(self.output["index"])[0].astype(np.float32)
        scale, zero = self.output["quantization"]
        return (y - zero) * scale if scale else y


def interval(right, groups=None, resamples=2000):
    """95 % interval of the share of `right`, by resampling items, or the groups (recordings) they belong to."""
    groups = np.arange(len(right)) if groups is None else np.unique(groups, return_inverse=True)[1]
    hits, size = np.bincount(groups, weights=right), np.bincount(groups)
    rng = np.random.default_rng(1)
    picks = (rng.integers(0, len(size), len(size)) for _ in range(resamples))
    low, high = np.percentile([hits[k].sum() / size[k].sum() for k in picks], [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def report(truth, guess, names, groups=None):
    """Accuracy with its 95 % interval, confusion matrix (rows are the truth) and per-class precision and recall."""
    n = len(names)
    m = np.zeros((n, n), int)
    np.add.at(m, (truth, guess), 1)
    return dict(
        accuracy=round(float((truth == guess).mean()), 5),
        accuracy_interval=interval(truth == guess, groups),
        count=int(len(truth)),
        confusion=m.tolist(),
        recall={k: round(float(m[i, i] / max(1, m[i].sum())), 4) for i, k in enumerate(names)},
        precision={k: round(float(m[i, i] / max(1, m[:, i].sum())), 4) for i, k in enumerate(names)},
    )


def pretty(figures):
    """JSON with a line for each row of a matrix."""
    text = json.dumps(figures, indent=1)
    return re.sub(r"\[\s+([\d\s,.]+?)\s+\]", lambda m: "[" + " ".join(m[1].split()) + "]", text)


def write(folder, name, files, figures):
    """The .tflite files and the figures measured on them."""
    (folder / "cards").mkdir(parents=True, exist_ok=True)
    for file, data in files.items():
        part = folder / (file + ".part")
        part.write_bytes(data)
        part.replace(folder / file)
    (folder / "cards" / f"{name}.json").write_text(pretty(figures) + "\n")
