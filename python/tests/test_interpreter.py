"""The interpreter beside LiteRT's own, over every small model."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import CAT, ROOT, other_models, small_models
from osprey_vision.interpreter import Interpreter, OpResolverType, load_delegate

DETECTOR = ROOT / "models" / "ssdlite_mobilenet_v2_300.tflite"
# Larger ones take minutes in LiteRT's reference kernels.
LARGEST = 12 << 20


def both(path: Path, **options: Any) -> Iterator[Any]:
    """LiteRT's interpreter and ours."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    yield litert.Interpreter(str(path), **options)
    yield Interpreter(str(path), **options)


def equal_details(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> None:
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours):
        assert a.keys() == b.keys()
        for key in a.keys() - {"quantization_parameters"}:
            equal_value(f"{a['name']}: {key}", a[key], b[key])
        for key, value in a["quantization_parameters"].items():
            equal_value(f"{a['name']}: {key}", value, b["quantization_parameters"][key])


def equal_value(what: str, theirs: Any, ours: Any) -> None:
    assert type(theirs) is type(ours), what
    if isinstance(theirs, np.ndarray):
        assert theirs.dtype == ours.dtype and np.array_equal(theirs, ours), what
    else:
        assert theirs == ours, what


def some_input(detail: dict[str, Any], generator: np.random.Generator) -> np.ndarray:
    """A photo where the input looks like one's, since noise puts detections at the mercy of rounding; else noise."""
    shape, dtype = tuple(detail["shape"]), np.dtype(detail["dtype"])
    if len(shape) == 4 and shape[3] == 3 and min(shape[1:3]) >= 96:
        image = pytest.importorskip("PIL.Image").open(CAT).convert("RGB").resize((int(shape[2]), int(shape[1])))
        pixels = np.roll(np.stack([np.asarray(image)] * int(shape[0])), int(generator.integers(40)), axis=2)
        if dtype.kind == "f":
            return ((pixels - 127.5) / 127.5).astype(dtype)
        return (pixels.astype(np.int16) + (0 if dtype == np.uint8 else -128)).astype(dtype)
    if dtype == np.bool_:
        return generator.integers(0, 2, shape).astype(np.bool_)
    if dtype.kind == "f":
        return generator.uniform(-1, 1, shape).astype(dtype)
    if dtype.itemsize > 1:
        return generator.integers(0, 4, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max + 1, shape).astype(dtype)


def first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def run(interpreter: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    for detail, value in zip(interpreter.get_input_details(), inputs):
        interpreter.set_tensor(detail["index"], value)
    interpreter.invoke()
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


# Weights in int8 and activations in float32: LiteRT rounds those in another way, as the project's own tests say.
HYBRID = re.compile(r"hybrid|dynamic|dynrange|AhmadRaza")
# Of boxes with nearly equal scores, in noise or where nothing is to be found, either may come first.
NEAR_TIES = re.compile(r"suppression_float|ssd-abdulsammad777")


@pytest.mark.parametrize("path", [*small_models(), *other_models(), DETECTOR], ids=lambda p: p.stem)
def test_as_litert_does(path: Path) -> None:
    if path.stat().st_size > LARGEST:
        pytest.skip("too large")
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    try:
        theirs = litert.Interpreter(str(path))
    except ValueError as e:
        pytest.skip(f"LiteRT does not read it: {first_line(e)}")
    try:
        ours = Interpreter(path)
    except ValueError as e:
        pytest.fail(f"LiteRT reads it: {e}")
    equal_details(theirs.get_input_details(), ours.get_input_details())
    equal_details(theirs.get_output_details(), ours.get_output_details())
    declared = ours.get_tensor_details()
    by_index = {d["index"]: d for d in theirs.get_tensor_details() if not d["sparsity_parameters"]}
    shared = [d for d in declared if d["index"] in by_index]
    equal_details([by_index[d["index"]] for d in shared], shared)
    assert theirs.get_signature_list() == ours.get_signature_list()
    assert theirs.num_subgraphs() == ours.num_subgraphs()
    try:
        theirs.allocate_tensors()
    except RuntimeError as e:
        pytest.skip(f"LiteRT does not run it: {first_line(e)}")
    try:
        ours.allocate_tensors()
    except RuntimeError as e:
        pytest.skip(f"not run here: {first_line(e)}")
    equal_details(theirs.get_input_details(), ours.get_input_details())
    generator = np.random.default_rng(7)
    for _ in range(2):
        inputs = [some_input(d, generator) for d in ours.get_input_details()]
        pairs = zip(run(theirs, inputs), run(ours, inputs), strict=True)
        # What depends on values has a shape after a run only.
        equal_details(theirs.get_output_details(), ours.get_output_details())
        for (a, b), detail in zip(pairs, ours.get_output_details(), strict=True):
            assert a.shape == b.shape and a.dtype == b.dtype
            if NEAR_TIES.search(path.stem):
                continue
            if a.dtype.kind in "iub":
                assert np.array_equal(a, b), f"{detail['name']}: {np.count_nonzero(a != b)} of {a.size} differ"
            elif not HYBRID.search(path.stem):
                largest = max(1.0, float(np.nanmax(np.abs(a), initial=0)))
                assert np.allclose(a, b, rtol=1e-3, atol=1e-3 * largest, equal_nan=True), detail["name"]


def test_the_same_kinds_of_errors() -> None:
    """What LiteRT refuses is refused here with an exception of the same class."""

    def outcomes(module: Any, made: Any) -> list[type | None]:
        i, o = made.get_input_details()[0]["index"], made.get_output_details()[0]["index"]
        shape, dtype = tuple(made.get_input_details()[0]["shape"]), made.get_input_details()[0]["dtype"]
        zeros = np.zeros(shape, dtype)
        held: list[Any] = []
        steps = [
            made.invoke,
            lambda: made.get_tensor(o),
            lambda: made.set_tensor(i, zeros),
            lambda: made.tensor(i)(),
            made.allocate_tensors,
            lambda: made.set_tensor(i, zeros.astype(np.float64)),
            lambda: made.set_tensor(i, zeros[:, 1:]),
            lambda: made.set_tensor(i, zeros[0]),
            lambda: made.set_tensor(i, [1, 2]),
            lambda: made.set_tensor(9999, zeros),
            lambda: made.set_tensor(-1, zeros),
            lambda: made.get_tensor(9999),
            lambda: made.get_tensor(-1),
            lambda: made.get_tensor(o, 1),
            lambda: made.set_tensor(o, np.zeros(1, np.float32)),
            lambda: made.set_tensor(i, np.zeros((*shape[:2], shape[3], shape[2]), dtype).transpose(0, 1, 3, 2)),
            made.invoke,
            lambda: made.get_tensor(o),
            lambda: held.append(made.tensor(i)()),
            made.invoke,
            made.allocate_tensors,
            lambda: made.resize_tensor_input(i, [2, *shape[1:]]),
            lambda: made.set_tensor(i, zeros),
            held.clear,
            made.invoke,
            lambda: made.get_signature_runner("x"),
            lambda: made.get_tensor_details(9),
            lambda: made.resize_tensor_input(9999, [2]),
            lambda: made.resize_tensor_input(i, [2, *shape[1:]], strict=True),
            lambda: made.resize_tensor_input(i, shape),
            made.allocate_tensors,
            made.reset_all_variables,
            lambda: module.Interpreter("/nowhere.tflite"),
            lambda: module.Interpreter(),
            lambda: module.Interpreter(str(DETECTOR), b"x"),
            lambda: module.Interpreter(model_content=b"no model at all"),
            lambda: module.Interpreter(model_content=bytearray(DETECTOR.read_bytes())),
            lambda: module.Interpreter(str(DETECTOR), num_threads=0),
            lambda: module.Interpreter(str(DETECTOR), num_threads="2"),
        ]
        raised: list[type | None] = []
        for step in steps:
            try:
                step()
                raised.append(None)
            except Exception as e:  # noqa: BLE001
                raised.append(type(e))
        return raised

    litert = pytest.importorskip("ai_edge_litert.interpreter")
    import osprey_vision.interpreter as own

    theirs = outcomes(litert, litert.Interpreter(str(DETECTOR)))
    ours = outcomes(own, own.Interpreter(str(DETECTOR)))
    assert list(enumerate(ours)) == list(enumerate(theirs))


def test_tensor_shows_the_memory_itself() -> None:
    model = Interpreter(DETECTOR)
    model.allocate_tensors()
    index, output = model.get_input_details()[0]["index"], model.get_output_details()[0]["index"]
    view = model.tensor(index)
    address = view().__array_interface__["data"][0]
    view()[:] = 77
    assert (model.get_tensor(index) == 77).all() and view().__array_interface__["data"][0] == address
    model.invoke()
    shown = model.tensor(output)()
    copy = model.get_tensor(output)
    assert np.array_equal(shown, copy) and not np.shares_memory(shown, copy)
    with pytest.raises(RuntimeError, match="memory"):
        model.invoke()
    part = shown[0, :3]
    del shown
    with pytest.raises(RuntimeError, match="memory"):
        model.invoke()
    del part
    model.invoke()
    del model
    gc.collect()
    assert view()[0, 0, 0, 0] == 77, "the function keeps the model alive"


def test_several_examples_at_once() -> None:
    path = next((p for p in other_models() if "wildlife_classifier_v2" in p.name), None)
    if path is None:
        pytest.skip("no model with an open first dimension")
    results = []
    for model in both(path):
        index = model.get_input_details()[0]["index"]
        model.resize_tensor_input(index, [3, *model.get_input_details()[0]["shape"][1:]])
        model.allocate_tensors()
        equal = [model.get_input_details(), model.get_output_details()]
        value = np.random.default_rng(1).integers(0, 255, tuple(model.get_input_details()[0]["shape"]))
        results.append((equal, run(model, [value.astype(model.get_input_details()[0]["dtype"])])))
    (theirs, a), (ours, b) = results
    equal_details(theirs[0], ours[0])
    equal_details(theirs[1], ours[1])
    assert all(np.allclose(x, y, atol=1e-3) for x, y in zip(a, b, strict=True))


def test_signatures_are_called_by_name() -> None:
    results = []
    for model in both(DETECTOR):
        model.allocate_tensors()
        runner = model.get_signature_runner()
        equal = [runner.get_input_details()["image"], *runner.get_output_details().values()]
        results.append((equal, runner(image=np.full((1, 300, 300, 3), 90, np.uint8))))
        with pytest.raises(ValueError):
            runner(picture=np.zeros((1, 300, 300, 3), np.uint8))
    (theirs, a), (ours, b) = results
    equal_details(theirs, ours)
    assert a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def test_values_inside_are_kept_where_asked_for() -> None:
    path = next(p for p in small_models() if p.stem == "layers_int8")
    with pytest.warns(UserWarning):
        theirs, ours = both(path, experimental_preserve_all_tensors=True)
    for model in (theirs, ours):
        model.allocate_tensors()
    value = [some_input(d, np.random.default_rng(3)) for d in ours.get_input_details()]
    run(theirs, value), run(ours, value)
    compared = 0
    for detail in ours.get_tensor_details():
        try:
            a, b = (m.get_tensor(detail["index"]) for m in (theirs, ours))
        except ValueError:
            continue
        if a.shape == b.shape and a.dtype.itemsize == 1:
            compared += 1
            assert np.array_equal(a, b), detail["name"]
    assert compared > 5


def test_threads_and_resolvers_change_nothing() -> None:
    inputs = [np.random.default_rng(5).integers(0, 255, (1, 300, 300, 3)).astype(np.uint8)]
    outputs = []
    for options in [{}, {"num_threads": 2}, {"experimental_op_resolver_type": OpResolverType.BUILTIN_REF}]:
        model = Interpreter(model_content=DETECTOR.read_bytes(), **options)  # type: ignore[arg-type]
        model.allocate_tensors()
        outputs.append(run(model, inputs))
    assert all(np.array_equal(a, b) for other in outputs[1:] for a, b in zip(outputs[0], other))


def test_delegates_are_refused_as_absent_ones_are() -> None:
    with pytest.raises(ValueError, match="libedgetpu"):
        load_delegate("libedgetpu.so.1")


SCRIPT = ROOT / "python" / "examples" / "classic_ssd.py"


def test_the_usual_script_runs_on_both_modules() -> None:
    """The script is loaded twice, with one line changed."""
    model = next((p for p in other_models() if p.stem == "ssd_mobilenet_v1_1_metadata_1"), None)
    if model is None:
        pytest.skip("no SSD with its post-processing")
    pytest.importorskip("ai_edge_litert.interpreter")
    pytest.importorskip("PIL")
    found = []
    for module in ("ai_edge_litert.interpreter", "osprey_vision.interpreter"):
        names: dict[str, Any] = {"__name__": "script"}
        exec(SCRIPT.read_text().replace("osprey_vision.interpreter", module), names)  # noqa: S102
        found.append(names["detect"](str(model), str(CAT), threshold=0.05))
    assert found[0] and [f[:1] for f in found[0]] == [f[:1] for f in found[1]]
    assert np.allclose([f[1:] for f in found[0]], [f[1:] for f in found[1]], atol=1e-5)
