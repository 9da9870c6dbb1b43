"""The same network in float32: every quantized tensor of a .tflite file becomes the real numbers it stands for.

    python float_twin.py MODEL.tflite TWIN.tflite [--float16]

Weights and biases are dequantized, QUANTIZE and DEQUANTIZE go. With --float16 the weights are stored as
float16 behind DEQUANTIZE, as TensorFlow's converter writes them. For measuring float kernels on networks
that are only published quantized; results are those of the quantized network up to its rounding.
"""

import argparse
import pathlib

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

STORED = {
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT32: np.int32,
}


def scales(tensor):
    q = tensor.quantization
    return None if q is None or q.scale is None or len(q.scale) == 0 else np.asarray(q.scale, np.float32)


def real(tensor, data):
    values = np.frombuffer(bytes(data), STORED[tensor.type]).reshape(tensor.shape).astype(np.float32)
    q, scale = tensor.quantization, scales(tensor)
    zero = np.asarray(q.zeroPoint, np.float32) if q.zeroPoint is not None and len(q.zeroPoint) else np.zeros(1, np.float32)
    if len(scale) > 1:
        along = [1] * len(tensor.shape)
        along[q.quantizedDimension] = len(scale)
        scale = scale.reshape(along)
        zero = zero.reshape(along) if zero.size > 1 else zero
    return (values - zero) * scale


def add_buffer(model, array):
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(array.tobytes(), np.uint8)
    model.buffers.append(buffer)
    return len(model.buffers) - 1


def opcode(model, builtin):
    for index, code in enumerate(model.operatorCodes):
        if max(code.builtinCode, code.deprecatedBuiltinCode) == builtin:
            return index
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = builtin, min(builtin, 127), 3
    model.operatorCodes.append(code)
    return len(model.operatorCodes) - 1


def convert(model, float16):
    graph = model.subgraphs[0]
    widened = []
    for index, tensor in enumerate(graph.tensors):
        if tensor.type not in STORED or scales(tensor) is None:
            continue
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data):
            values = real(tensor, data)
            if float16 and tensor.type != schema.TensorType.INT32:
                widened.append((index, values.astype(np.float16)))
                tensor.buffer = 0
            else:
                tensor.buffer = add_buffer(model, values.astype(np.float32))
        tensor.type, tensor.quantization = schema.TensorType.FLOAT32, None
    drop = {schema.BuiltinOperator.QUANTIZE, schema.BuiltinOperator.DEQUANTIZE}
    same, kept = {}, []
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) in drop:
            same[op.outputs[0]] = same.get(op.inputs[0], op.inputs[0])
        else:
            op.inputs = np.asarray([same.get(i, i) for i in op.inputs], np.int32)
            kept.append(op)
    graph.outputs = np.asarray([same.get(i, i) for i in graph.outputs], np.int32)
    first = []
    for index, values in widened:
        half = schema.TensorT()
        half.name, half.shape = graph.tensors[index].name + b"/half", graph.tensors[index].shape
        half.type, half.buffer = schema.TensorType.FLOAT16, add_buffer(model, values)
        graph.tensors.append(half)
        op = schema.OperatorT()
        op.opcodeIndex = opcode(model, schema.BuiltinOperator.DEQUANTIZE)
        op.inputs = np.asarray([len(graph.tensors) - 1], np.int32)
        op.outputs = np.asarray([index], np.int32)
        first.append(op)
    graph.operators = first + kept
    model.metadata, model.metadataBuffer, model.signatureDefs = None, None, None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("twin", type=pathlib.Path)
    parser.add_argument("--float16", action="store_true", help="weights as float16")
    options = parser.parse_args()
    model = schema.ModelT.InitFromPackedBuf(options.model.read_bytes(), 0)
    convert(model, options.float16)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    partial = options.twin.with_suffix(".part")
    partial.write_bytes(builder.Output())
    partial.replace(options.twin)


if __name__ == "__main__":
    main()
