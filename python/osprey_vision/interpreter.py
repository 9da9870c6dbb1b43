"""The interpreter class of `tflite_runtime` and `ai_edge_litert`, on Osprey's engine.

A script that says `from tflite_runtime.interpreter import Interpreter` or `from ai_edge_litert.interpreter import
Interpreter` runs unchanged with `from osprey_vision.interpreter import Interpreter`: the same methods, dictionaries,
types and kinds of errors, and for quantized models the same bytes. What differs:

- Delegates and custom operators of one's own are refused: there is nothing that they could be loaded into.
- `resize_tensor_input` changes the number of examples (the first dimension, where the model leaves it open);
  another height or width is refused by `allocate_tensors`.
- Tensors that are neither inputs nor outputs nor constants are kept only with `experimental_preserve_all_tensors`.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native

Details: TypeAlias = dict[str, Any]
"""What is known of a tensor: name, index, shape, shape_signature, dtype, quantization, quantization_parameters,
sparsity_parameters."""

# Types that the engine does not compute with are known by their numbers in TFLite's schema.
_OTHER_TYPES: dict[str, Any] = {
    "bool": np.bool_,
    "type 5": np.bytes_,
    "type 10": np.float64,
    "type 11": np.complex128,
    "type 12": np.uint64,
    "type 15": np.uint32,
    "type 16": np.uint16,
}


@enum.unique
class OpResolverType(enum.Enum):
    """Accepted and not looked at: there is one set of kernels, which gives the bytes of LiteRT's default."""

    AUTO = 0
    BUILTIN = 1
    BUILTIN_REF = 2
    BUILTIN_WITHOUT_DEFAULT_DELEGATES = 3


class Delegate:
    """Cannot be made: Osprey has no interface for code that takes over parts of a model."""

    def __init__(self, library: str, options: dict[Any, Any] | None = None) -> None:
        raise ValueError(f"{library} cannot be loaded: Osprey runs models by itself and takes no delegates")


def load_delegate(library: str, options: dict[Any, Any] | None = None) -> NoReturn:
    """Fails as a delegate's library does that is not there, so that scripts fall back to the CPU."""
    raise ValueError(f"{library} cannot be loaded: Osprey runs models by itself and takes no delegates")


class Interpreter:
    """Runs a TFLite model whose tensors are set and read by their numbers.

    Args:
        model_path: A `.tflite` file.
        model_content: The bytes of one, in place of a path.
        experimental_delegates: Must be empty.
        num_threads: Threads that share the work; one if left out.
        experimental_preserve_all_tensors: Keeps every value inside the model for `get_tensor`; slower.

    Raises:
        ValueError: The model cannot be read, or an argument is out of range.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        model_content: bytes | None = None,
        experimental_delegates: Sequence[Any] | None = None,
        num_threads: int | None = None,
        experimental_op_resolver_type: OpResolverType = OpResolverType.AUTO,
        experimental_preserve_all_tensors: bool = False,
        experimental_disable_delegate_clustering: bool = False,
        experimental_default_delegate_latest_features: bool = False,
        experimental_compress_quantization_zero_points: bool = False,
        experimental_disable_delegate_node_fusion: bool = False,
        experimental_force_delegate_node_profiling: bool = False,
    ) -> None:
        if num_threads is not None and not isinstance(num_threads, int):
            raise ValueError("num_threads must be an int")
        if num_threads is not None and num_threads < 1:
            raise ValueError("num_threads must be 1 or more")
        if experimental_delegates:
            raise ValueError("Osprey runs models by itself and takes no delegates")
        if bool(model_path) == bool(model_content):
            raise ValueError("either model_path or model_content must be given")
        if model_content is not None and not isinstance(model_content, bytes):
            raise TypeError("model_content must be bytes")
        path = os.fspath(model_path) if model_path else None
        self._native = _native.Interpreter(path, model_content, num_threads or 1, experimental_preserve_all_tensors)
        self.experimental_compress_quantization_zero_points = experimental_compress_quantization_zero_points
        self._tensors = [_Declared(*t) for t in self._native.declared(0)]
        self._inputs = self._native.inputs()
        self._outputs = self._native.outputs()
        self._asked: dict[int, tuple[int, ...]] = {}
        self._ready = False

    def allocate_tensors(self) -> None:
        """Plans memory; needed before anything is set, run or read.

        Raises:
            RuntimeError: An operator that cannot run, a shape that cannot be had, or an array that shows memory.
        """
        self._native.allocate(self._examples())
        for index, shape in self._native.shapes():
            self._tensors[index].resize(shape)
        self._ready = True

    def _examples(self) -> int:
        """How many examples the shapes that were asked for stand for."""
        counts = set()
        for index in self._inputs:
            own = self._tensors[index]
            shape = self._asked.get(index, own.declared_shape)
            if len(shape) != len(own.declared_shape) or shape[1:] != own.declared_shape[1:]:
                raise RuntimeError(f"{own.name}: the model is compiled for {own.declared_shape}, not {shape}")
            if shape != own.declared_shape and own.signature[:1] != (-1,):
                raise RuntimeError(f"{own.name}: the model does not leave its first dimension open")
            counts.add(shape[0] if shape and own.signature[:1] == (-1,) else 1)
        if len(counts) > 1 or 0 in counts:
            raise RuntimeError(f"inputs of {sorted(counts)} examples do not belong together")
        return counts.pop() if counts else 1

    def invoke(self) -> None:
        """Runs the model; other threads of Python go on meanwhile.

        Raises:
            RuntimeError: `allocate_tensors` was not called, or an array still shows memory.
        """
        self._native.invoke()

    def set_tensor(self, tensor_index: int, value: ArrayLike) -> None:
        """Copies `value`, of the input's type and shape, into it.

        Raises:
            ValueError: Another type or shape, a tensor that is no input, or no memory yet.
        """
        tensor = self._tensor(tensor_index)
        array = np.asarray(value)
        if array.dtype != tensor.dtype:
            raise ValueError(
                f"tensor {tensor_index}, {tensor.name}, takes {np.dtype(tensor.dtype).name}; the value is "
                f"{array.dtype.name}"
            )
        if array.shape != tensor.shape and self._ready:
            raise ValueError(
                f"tensor {tensor_index}, {tensor.name}, has the shape {tensor.shape}; the value's is {array.shape}"
            )
        self._native.write(tensor_index, array)

    def get_tensor(self, tensor_index: int, subgraph_index: int = 0) -> NDArray[Any]:
        """A copy of a tensor's values.

        Raises:
            ValueError: No such tensor, no memory yet, or a value inside the model that was not kept.
        """
        if subgraph_index != 0:
            raise ValueError(f"only the tensors of graph 0 can be read, not those of {subgraph_index}")
        self._tensor(tensor_index)
        return self._native.read(tensor_index)

    def tensor(self, tensor_index: int) -> Callable[[], NDArray[Any]]:
        """A function that gives an array in the model's own memory, to fill an input or read an output without a
        copy. Keep the function, not the array: while there is one, nothing can be run or resized."""

        def shown() -> NDArray[Any]:
            self._tensor(tensor_index)
            return self._native.view(tensor_index)

        return shown

    def resize_tensor_input(self, input_index: int, tensor_size: ArrayLike, strict: bool = False) -> None:
        """Asks for another shape; `allocate_tensors` must follow.

        Args:
            input_index: The input's number.
            tensor_size: Its shape; only the first dimension can change, and only where the model leaves it open.
            strict: Refuses at once to change a dimension that is not open.

        Raises:
            RuntimeError: No such input, a dimension that is not open, or an array that shows memory.
        """
        if not 0 <= input_index < len(self._tensors):
            raise RuntimeError(f"there is no tensor {input_index}: the model has {len(self._tensors)}")
        sizes = np.asarray(tensor_size, dtype=np.int32)
        shape = tuple(int(d) for d in sizes.reshape(-1))
        tensor = self._tensors[input_index]
        if strict:
            pairs = list(zip(shape, tensor.signature))
            if len(shape) != len(tensor.signature) or any(o not in (-1, d) for d, o in pairs):
                raise RuntimeError(f"{tensor.name}: {shape} changes what {tensor.signature} does not leave open")
        if shape == tensor.shape:
            return
        self._native.forget()
        self._ready = False
        self._asked[input_index] = shape
        tensor.resize(shape)

    def get_input_details(self) -> list[Details]:
        """What is known of each input."""
        return [self._details(i) for i in self._inputs]

    def get_output_details(self) -> list[Details]:
        """What is known of each output."""
        return [self._details(i) for i in self._outputs]

    def get_tensor_details(self, subgraph_index: int = 0) -> list[Details]:
        """What is known of every tensor of a graph.

        Raises:
            ValueError: No such graph.
        """
        if not 0 <= subgraph_index < self.num_subgraphs():
            raise ValueError(f"there is no graph {subgraph_index}: the model has {self.num_subgraphs()}")
        if subgraph_index == 0:
            return [self._details(i) for i in range(len(self._tensors))]
        return [_Declared(*t).details(i) for i, t in enumerate(self._native.declared(subgraph_index))]

    def num_subgraphs(self) -> int:
        """How many graphs the file has; the first one is run."""
        return self._native.subgraphs()

    def reset_all_variables(self) -> None:
        """Sets the model's states back to what they start with."""
        self._native.reset()

    def get_signature_list(self) -> dict[str, dict[str, list[str]]]:
        """Names of inputs and outputs of each signature."""
        return {
            key: {"inputs": [n for n, _ in inputs], "outputs": [n for n, _ in outputs]}
            for key, inputs, outputs, _ in self._native.signatures()
        }

    def get_signature_runner(self, signature_key: str | None = None) -> SignatureRunner:
        """What calls the model by the names of a signature; the only one if none is named.

        Raises:
            ValueError: No such signature, or several and none is named.
        """
        return SignatureRunner(self, signature_key)

    def _tensor(self, index: int) -> _Declared:
        if not 0 <= index < len(self._tensors):
            raise ValueError(f"there is no tensor {index}: the model has {len(self._tensors)}")
        return self._tensors[index]

    def _details(self, index: int) -> Details:
        return self._tensors[index].details(index)


class SignatureRunner:
    """Calls a model by the names of a signature: `runner(image=pixels)["scores"]`."""

    def __init__(self, interpreter: Interpreter, signature_key: str | None = None) -> None:
        signatures = {key: (dict(i), dict(o), graph) for key, i, o, graph in interpreter._native.signatures()}
        if signature_key is None:
            if len(signatures) != 1:
                raise ValueError(f"which signature? The model has {sorted(signatures) or 'none'}")
            signature_key = next(iter(signatures))
        if signature_key not in signatures:
            raise ValueError(f"there is no signature {signature_key!r}; the model has {sorted(signatures) or 'none'}")
        self._interpreter = interpreter
        self._inputs, self._outputs, graph = signatures[signature_key]
        if graph != 0:
            raise ValueError(f"signature {signature_key!r} calls graph {graph}; only the first can be run")

    def __call__(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """The outputs by name, for inputs by name.

        Raises:
            ValueError: Inputs that are missing, not the model's, or of another type.
        """
        if inputs.keys() != self._inputs.keys():
            raise ValueError(f"the inputs are {sorted(self._inputs)}, not {sorted(inputs)}")
        model = self._interpreter
        for name, value in inputs.items():
            model.resize_tensor_input(self._inputs[name], value.shape)
        if not model._ready:
            model.allocate_tensors()
        for name, value in inputs.items():
            model.set_tensor(self._inputs[name], value)
        model.invoke()
        return {name: model.get_tensor(index) for name, index in self._outputs.items()}

    def get_input_details(self) -> dict[str, Details]:
        """What is known of each input, by name."""
        return {name: self._interpreter._details(index) for name, index in self._inputs.items()}

    def get_output_details(self) -> dict[str, Details]:
        """What is known of each output, by name."""
        return {name: self._interpreter._details(index) for name, index in self._outputs.items()}


class _Declared:
    """A tensor as its file declares it, with the shape that it has now."""

    def __init__(
        self,
        name: str,
        shape: Sequence[int],
        signature: Sequence[int],
        dtype: str,
        scales: Sequence[float],
        zero_points: Sequence[int],
        axis: int,
    ) -> None:
        self.name = name
        self.declared_shape = self.shape = tuple(shape)
        self._signature = tuple(signature)
        self.dtype: Any = _OTHER_TYPES.get(dtype) or getattr(np, dtype, np.object_)
        self._scales = np.array(scales, np.float32)
        self._zero_points = np.array(zero_points, np.int32)
        self._axis = axis

    @property
    def signature(self) -> tuple[int, ...]:
        return self._signature or self.shape

    def resize(self, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)

    def details(self, index: int) -> Details:
        one = len(self._scales) == 1
        return {
            "name": self.name,
            "index": index,
            "shape": np.array(self.shape, np.int32),
            "shape_signature": np.array(self.signature, np.int32),
            "dtype": self.dtype,
            "quantization": (float(self._scales[0]), int(self._zero_points[0])) if one else (0.0, 0),
            "quantization_parameters": {
                "scales": self._scales.copy(),
                "zero_points": self._zero_points.copy(),
                "quantized_dimension": self._axis,
                "block_size": 0,
            },
            "sparsity_parameters": {},
        }
