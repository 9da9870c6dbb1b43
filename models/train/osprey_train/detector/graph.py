"""The detector as a TensorFlow function, for the TFLite converter; and what is written with it.

Where `net.ranges` is set (`quantize.ranges` by module name), the graph says of every tensor what it may hold; the converter
then needs no pictures, and makes kernels int8 per channel.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

from . import quantize
from .model import FRONT, Conv


def _held(x, found):
    """The tensor, within its range where it has one."""
    return x if found is None else tf.quantization.fake_quant_with_min_max_args(x, *found)


def _conv(x, m):
    c, found = m.conv, getattr(m, "range", None)
    w = c.weight.detach().numpy()
    s = [1, c.stride[0], c.stride[0], 1]
    if c.groups > 1:
        x = tf.nn.depthwise_conv2d(x, tf.constant(np.ascontiguousarray(w.transpose(2, 3, 0, 1))), s, "SAME")
    else:
        x = tf.nn.conv2d(x, tf.constant(np.ascontiguousarray(w.transpose(2, 3, 1, 0))), s, "SAME")
    x = tf.nn.bias_add(x, tf.constant(c.bias.detach().numpy()))
    return _held(tf.nn.relu6(x) if m.act else x, found)


def _chain(x, modules):
    for m in modules:
        x = _conv(x, m)
    return x


def _residual(x, b):
    y = _chain(x, [m for m in (b.expand, b.depthwise, b.project) if isinstance(m, Conv)])
    return _held(x + y, getattr(b, "range", None)) if b.skip else y


def front(net, x):
    x = _conv(x, net.stem)
    for b in net.blocks[:FRONT]:
        x = _residual(x, b)
    return x


def pyramid(net, x):
    """The projections of stride 16 and 32 that the pyramid adds up."""
    x = front(net, x)
    for i, b in enumerate(net.blocks[FRONT:], FRONT):
        x = _residual(x, b)
        if i == 12:
            tap = x
    return _conv(tap, net.lateral4), _conv(_conv(x, net.last), net.lateral5)


def whole(net, x):
    """Box codes [1, anchors, 4] and class logits [1, anchors, 80] of pictures [1, size, size, 3] in -1..1."""
    found = getattr(net, "ranges", None)
    p4, p5 = pyramid(net, x if found is None else _held(x, quantize.INPUT))
    # Corners, not centres, so that the step up is the same as the teacher's doubling.
    up = tf.compat.v1.image.resize_nearest_neighbor(p5, p4.shape[1:3], half_pixel_centers=False)
    maps = [_chain(_held(p4 + up, getattr(net.sum4, "range", None)), net.smooth4), p5]
    for d in net.down:
        maps.append(_chain(maps[-1], d))
    code, logit = [], []
    for x, tower, box, score in zip(maps, net.towers, net.box, net.score):
        for layer in tower:
            x = _chain(x, layer)
        code.append(tf.reshape(_chain(x, box), (1, -1, 4)))
        logit.append(tf.reshape(_chain(x, score), (1, -1, 80)))
    return tf.concat(code, 1, name="boxes"), tf.concat(logit, 1, name="scores")


def convert(net, body, quantized=False, size=None):
    """TFLite bytes: float32, or int8 with a uint8 input by the ranges that `quantize.attach` gave the network.

    `size` is the side of the pictures where it is not the network's own.
    """
    net = net.eval().cpu()
    size = size or net.config["size"]

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((1, size, size, 3), tf.float32, name="image")])
        def run(self, image):
            return body(net, image)

    module = Module()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.run.get_concrete_function()], module)
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.inference_input_type = tf.uint8
        converter.inference_output_type = tf.int8
    return converter.convert()
