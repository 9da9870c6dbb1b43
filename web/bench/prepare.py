"""What rivals in a browser run: the default detector in float32, since none of them takes it as it is.

    python prepare.py MODEL.tflite FOLDER

Writes FOLDER/twin.tflite (LiteRT.js), twin.onnx and int8.onnx (onnxruntime-web), and graph.json with graph.bin, the
same operators and weights for tfjs. Needs ai-edge-litert, tensorflow-cpu, tf2onnx, onnx, onnxruntime, numpy.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np
from ai_edge_litert import schema_py_generated as schema

PEERS = pathlib.Path(__file__).resolve().parents[2] / "benches" / "peers"
ACTIVATIONS = {schema.ActivationFunctionType.NONE: "linear", schema.ActivationFunctionType.RELU6: "relu6"}


def operators(path):
    """The twin's operators by name, with what tfjs must know, and its weights one after the other."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    graph = model.subgraphs[0]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    weights, tensors = bytearray(), []
    for tensor in graph.tensors:
        data = model.buffers[tensor.buffer].data
        shape = [int(n) for n in tensor.shape] if tensor.shape is not None else []
        entry = {"shape": shape}
        if data is not None and tensor.type == schema.TensorType.FLOAT32:
            entry["offset"] = len(weights) // 4
            weights += bytes(data)
        tensors.append(entry)
    found = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        options = operator.builtinOptions
        entry = {
            "name": names[max(code.builtinCode, code.deprecatedBuiltinCode)],
            "inputs": [int(i) for i in operator.inputs],
            "output": int(operator.outputs[0]),
        }
        if hasattr(options, "strideH"):
            entry["strides"] = [options.strideH, options.strideW]
            entry["padding"] = "same" if options.padding == schema.Padding.SAME else "valid"
        if hasattr(options, "fusedActivationFunction"):
            entry["activation"] = ACTIVATIONS[options.fusedActivationFunction]
        if hasattr(options, "axis"):
            entry["axis"] = options.axis
        found.append(entry)
    ends = {"input": int(graph.inputs[0]), "outputs": [int(i) for i in graph.outputs]}
    return {"tensors": tensors, "operators": found, **ends}, weights


def sized(onnx, size):
    """Gives the only Resize its output's size: its scale of 1.9 comes out one row short in float32."""
    import onnx as format

    model = format.load(onnx)
    (node,) = [node for node in model.graph.node if node.op_type == "Resize"]
    sizes = format.numpy_helper.from_array(np.array(size, np.int64), "resize_sizes")
    model.graph.initializer.append(sizes)
    node.input[:] = [node.input[0], "", "", sizes.name]
    format.save(model, onnx)


class Noise:
    """Pictures to calibrate with: int8 is here for its speed."""

    def __init__(self, name):
        generator = np.random.default_rng(0)
        self.rest = [{name: generator.uniform(-1, 1, (1, 300, 300, 3)).astype(np.float32)} for _ in range(4)]

    def get_next(self):
        return self.rest.pop() if self.rest else None


def main():
    model, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    twin, onnx = folder / "twin.tflite", folder / "twin.onnx"
    subprocess.run([sys.executable, PEERS / "float_twin.py", model, twin], check=True)
    subprocess.run(
        [sys.executable, "-m", "tf2onnx.convert", "--tflite", twin, "--output", onnx, "--opset", "17"], check=True
    )
    graph, weights = operators(twin)
    resized = next(o for o in graph["operators"] if o["name"] == "RESIZE_NEAREST_NEIGHBOR")
    batch, height, width, channels = graph["tensors"][resized["output"]]["shape"]
    sized(onnx, [batch, channels, height, width])
    (folder / "graph.json").write_text(json.dumps(graph))
    (folder / "graph.bin").write_bytes(weights)

    import onnx as format
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    name = format.load(onnx).graph.input[0].name
    quantize_static(
        onnx, folder / "int8.onnx", Noise(name), quant_format=QuantFormat.QDQ, per_channel=True,
        weight_type=QuantType.QInt8, activation_type=QuantType.QUInt8,
    )


if __name__ == "__main__":
    main()
