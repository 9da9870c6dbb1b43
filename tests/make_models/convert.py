#!/usr/bin/env python3
"""Write the small models of ../models with TensorFlow's converter, each operator family in the
forms that converters write: float32, float16 weights, dynamic range, int8, and int8 with uint8 ends.

    pip install tensorflow-cpu==2.19.1 tf_keras==2.19.0
    TF_USE_LEGACY_KERAS=1 python convert.py ../models [FAMILY...]
"""
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
import tf_keras as keras

RNG = np.random.default_rng(20)
FORMS = ("float", "float16", "int8", "uint8")


def normal(*shape, scale=0.3):
    return tf.constant(RNG.normal(0, scale, shape).astype(np.float32))


def spec(*shape, dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def layers():
    """Convolutions, fused and standing activations, pooling, a classifier's end."""
    stem, depth, double, atrous, point = normal(3, 3, 3, 8), normal(3, 3, 8, 1), normal(3, 5, 8, 2), normal(3, 3, 16, 1), normal(1, 1, 16, 8)
    dense, bias = normal(8, 70), normal(70)
    def f(x):
        a = tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(x, stem, [1, 2, 1, 1], "SAME"), normal(8)))
        b = tf.nn.relu(tf.nn.depthwise_conv2d(a, depth, [1, 1, 1, 1], "SAME"))
        c = tf.nn.depthwise_conv2d(b, double, [1, 1, 1, 1], "VALID")
        d = tf.nn.depthwise_conv2d(c, atrous, [1, 1, 1, 1], "SAME", dilations=[2, 2])
        e = tf.nn.conv2d(d, point, 1, "SAME")
        r = tf.nn.relu(e + tf.nn.avg_pool2d(e, 3, 1, "SAME"))
        m = tf.nn.max_pool2d(r, [2, 3], [2, 1], "VALID")
        v = tf.reduce_mean(m, [1, 2])
        logits = tf.matmul(v, dense) + bias
        return m, logits, tf.nn.softmax(logits)
    return f, [spec(1, 13, 11, 3)]


def hybrid():
    """Weights large enough (1,024 elements) for dynamic-range quantization to touch them."""
    stem, depth, dense = normal(3, 3, 3, 40), normal(5, 6, 40, 1), normal(40, 30)
    def f(x):
        a = tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(x, stem, 2, "SAME"), normal(40)))
        b = tf.nn.relu(tf.nn.bias_add(tf.nn.depthwise_conv2d(a, depth, [1, 1, 1, 1], "SAME"), normal(40)))
        return b, tf.matmul(tf.reduce_mean(b, [1, 2]), dense) + normal(30)
    return f, [spec(1, 7, 9, 3)]


def transpose_conv():
    a, b = normal(3, 3, 4, 6), normal(2, 2, 3, 4)
    def f(x):
        y = tf.nn.conv2d_transpose(x, a, [1, 10, 14, 4], 2, "SAME")
        return y, tf.nn.bias_add(tf.nn.conv2d_transpose(y, b, [1, 20, 28, 3], 2, "VALID"), normal(3))
    return f, [spec(1, 5, 7, 6)]


def activations():
    def f(x):
        return (tf.sigmoid(x), tf.tanh(x), tf.nn.relu(x), tf.nn.relu6(x), tf.nn.leaky_relu(x, 0.2),
                x * tf.nn.relu6(x + 3.0) * (1 / 6), tf.nn.softmax(x * 2.0))
    return f, [spec(1, 6, 4, 5)]


def prelu():
    slopes = tf.Variable(RNG.uniform(0.05, 0.4, (1, 1, 5)).astype(np.float32))
    # The converter knows PRELU by this form, on an input with no other use.
    return lambda x: tf.nn.relu(x) + -slopes * tf.nn.relu(-x), [spec(1, 6, 4, 5)]


def arithmetic():
    row = normal(1, 1, 5, scale=1.0)
    def f(x, y):
        return (x + y, x - y, x * y, tf.nn.relu(x - row), tf.nn.relu6(row * y), row - x, x + row,
                tf.concat([x, y * 3.0], -1), tf.stack([x, y], 1))
    return f, [spec(1, 4, 6, 5), spec(1, 4, 6, 5)]


def movement():
    def f(x):
        parts = tf.split(x, 2, axis=-1)
        rows = tf.unstack(x, axis=1)
        return (tf.transpose(x, [0, 3, 1, 2]), tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]),
                tf.pad(x, [[0, 0], [0, 1], [2, 0], [0, 0]], constant_values=-0.5),
                x[:, ::2, 1:-1, ::-1], x[:, 2, tf.newaxis, :, 1:3], x[..., 3], parts[1], rows[0], rows[2],
                tf.stack([rows[1], rows[2]], 2), tf.gather(x, [3, 0, 0], axis=2),
                tf.nn.depth_to_space(x, 2), tf.reshape(x, [1, -1, 8]), tf.squeeze(x[:, :1], 1),
                tf.concat([x, x[:, :1]], 1))
    return f, [spec(1, 3, 4, 8)]


def resize():
    c = tf.compat.v1.image
    def f(x):
        return (tf.image.resize(x, [9, 13]), c.resize_bilinear(x, [10, 9], align_corners=True),
                c.resize_bilinear(x, [8, 10]), c.resize_nearest_neighbor(x, [8, 10]),
                c.resize_nearest_neighbor(x, [9, 11], align_corners=True),
                tf.image.resize(x, [3, 2], method="nearest"), tf.image.resize(x, [3, 4]))
    return f, [spec(1, 4, 5, 3)]


def reduce():
    def f(x):
        return (tf.reduce_mean(x, [1, 2], keepdims=True), tf.reduce_mean(x, 3), tf.reduce_mean(x, [1, 3]),
                tf.nn.softmax(x), tf.argmax(x, -1), tf.argmax(x, 1, output_type=tf.int32),
                tf.nn.avg_pool2d(x, [4, 6], [4, 6], "VALID"), tf.nn.max_pool2d(x, 3, 2, "SAME"))
    return f, [spec(1, 4, 6, 5)]


def state():
    """A recurrent cell whose state the caller feeds back: two inputs, two outputs."""
    w, u, v = normal(6, 12), normal(12, 12), normal(12, 4)
    def f(x, h):
        h = tf.tanh(tf.matmul(x, w) + tf.matmul(h, u))
        return tf.nn.softmax(tf.matmul(h, v)), h
    return f, [spec(1, 6), spec(1, 12)]


def integers():
    table = normal(7, 3)
    def f(i, x):
        return (tf.gather(table, i), tf.cast(i, tf.float32) * x, tf.cast(x, tf.int32), tf.cast(i, tf.int64) * 2,
                tf.gather(x, i, batch_dims=1), i - 1)
    return f, [spec(1, 4, dtype=tf.int32), spec(1, 4)]


def lstm(return_sequences, cells=6, inputs=3):
    return keras.Sequential([
        keras.layers.InputLayer(input_shape=(9, inputs), batch_size=1),
        keras.layers.LSTM(cells + 2, return_sequences=True),
        keras.layers.LSTM(cells, return_sequences=return_sequences),
        keras.layers.Dense(4, activation="softmax"),
    ])


def loops():
    """Recurrent layers that the converter writes as WHILE over the time steps."""
    return keras.Sequential([
        keras.layers.InputLayer(input_shape=(9, 3), batch_size=1),
        keras.layers.GRU(8, return_sequences=True),
        keras.layers.SimpleRNN(6, go_backwards=True, return_sequences=True),
        keras.layers.GRU(5, reset_after=False),
        keras.layers.Dense(4, activation="softmax"),
    ])


def bidirectional():
    """The two directions give their outputs scales of their own."""
    return keras.Sequential([
        keras.layers.InputLayer(input_shape=(9, 3), batch_size=1),
        keras.layers.Bidirectional(keras.layers.LSTM(8, return_sequences=True)),
        keras.layers.Flatten(),
        keras.layers.Dense(4),
    ])


def samples(specs):
    for _ in range(64):
        yield [RNG.integers(0, 4, s.shape).astype(np.int32) if s.dtype == tf.int32
               else RNG.uniform(-1, 1, s.shape).astype(np.float32) for s in specs]


def write(out, name, function, specs, form):
    if sys.argv[2:] and name not in sys.argv[2:]:
        return
    if isinstance(function, keras.Model):
        model = function
        call = tf.function(lambda x: model(x), input_signature=specs)
    else:
        model, call = tf.Module(), tf.function(function, input_signature=specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([call.get_concrete_function()], model)
    if form != "float":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if form == "float16":
        converter.target_spec.supported_types = [tf.float16]
    if form in ("int8", "uint8"):
        converter.representative_dataset = lambda: samples(specs)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    if form == "uint8":
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    if form == "int8":
        converter.inference_input_type = converter.inference_output_type = tf.int8
    path = out / f"{name}_{form}.tflite"
    path.write_bytes(converter.convert())
    print(path.name, path.stat().st_size)


def main():
    out = pathlib.Path(sys.argv[1])
    out.mkdir(exist_ok=True)
    tf.random.set_seed(7)
    for build in (layers, transpose_conv, activations, prelu, arithmetic, movement, resize, reduce, state):
        function, specs = build()
        weights = build in (layers, transpose_conv, arithmetic, state)
        for form in FORMS:
            # An index has no scale, so that its model has no uint8 ends.
            if (weights or form != "float16") and (build, form) != (reduce, "uint8"):
                write(out, build.__name__, function, specs, form)
    write(out, "integers", *integers(), "float")
    write(out, "hybrid", *hybrid(), "dynamic")
    for form in ("float", "int8"):
        write(out, "lstm", lstm(False), [spec(1, 9, 3)], form)
    write(out, "lstm_sequences", lstm(True), [spec(1, 9, 3)], "float")
    write(out, "lstm", lstm(False, cells=32, inputs=32), [spec(1, 9, 32)], "dynamic")
    write(out, "lstm", lstm(False), [spec(1, 9, 3)], "float16")
    for form in ("float", "float16"):
        write(out, "loops", loops(), [spec(1, 9, 3)], form)
    write(out, "bidirectional", bidirectional(), [spec(1, 9, 3)], "int8")


main()
