#!/usr/bin/env python3
"""Write small models of operators that `convert.py` does not reach, straight from the schema: one model for each family
and type, one node for each operator, every result an output.

    pip install ai-edge-litert==2.3.0 numpy
    python families.py ../models
    python expect.py ../models

An operator that LiteRT does not have in a type is left out, and named.
"""
import pathlib
import sys

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as s
from ai_edge_litert.interpreter import Interpreter

T, B, O = s.TensorType, s.BuiltinOperator, s.BuiltinOptions
TYPES = {np.dtype(t): v for t, v in {
    np.float32: T.FLOAT32, np.int8: T.INT8, np.uint8: T.UINT8, np.int16: T.INT16, np.int32: T.INT32,
    np.int64: T.INT64, np.bool_: T.BOOL, np.complex64: T.COMPLEX64}.items()}
RNG = np.random.default_rng(12)
# The version of each operator that LiteRT took.
VERSIONS = {}


class Model:
    """A graph in the making; tensors are numbers."""

    def __init__(self, name):
        self.name, self.tensors, self.buffers, self.nodes, self.codes = name, [], [s.BufferT()], [], []
        self.inputs, self.outputs, self.subgraphs = [], [], []

    def tensor(self, shape, dtype, q=None, data=None, variable=False):
        t = s.TensorT()
        t.shape, t.type, t.name = list(shape), TYPES[np.dtype(dtype)], f"t{len(self.tensors)}".encode()
        t.isVariable, t.buffer = variable, 0
        if q:
            t.quantization = s.QuantizationParametersT()
            t.quantization.scale, t.quantization.zeroPoint = [q[0]], [q[1]]
        if data is not None:
            b = s.BufferT()
            b.data = np.frombuffer(np.ascontiguousarray(data, dtype).tobytes(), np.uint8)
            self.buffers.append(b)
            t.buffer = len(self.buffers) - 1
        self.tensors.append(t)
        return len(self.tensors) - 1

    def input(self, shape, dtype=np.float32, q=None):
        self.inputs.append(self.tensor(shape, dtype, q))
        return self.inputs[-1]

    def const(self, data, dtype=np.int32, q=None):
        data = np.asarray(data, dtype)
        return self.tensor(data.shape, dtype, q, data)

    def node(self, op, inputs, outputs, options=None, **fields):
        """`outputs` are (shape, type, quantization); all of them are the model's."""
        code = getattr(B, op)
        if code not in self.codes:
            self.codes.append(code)
        n = s.OperatorT()
        n.opcodeIndex, n.inputs = self.codes.index(code), list(inputs)
        n.outputs = [o if isinstance(o, int) else self.tensor(*o) for o in outputs]
        if options:
            n.builtinOptions = getattr(s, options + "T")()
            n.builtinOptionsType = getattr(O, options)
            for k, v in fields.items():
                setattr(n.builtinOptions, k, v)
        self.nodes.append(n)
        # What is complex is not compared.
        self.outputs += [o for o in n.outputs if self.tensors[o].type != T.COMPLEX64]
        return n.outputs

    def bytes(self, version=1):
        m, g = s.ModelT(), s.SubGraphT()
        m.version, m.description, m.buffers = 3, b"made by make_models/families.py", self.buffers
        m.operatorCodes = []
        for code in self.codes:
            c = s.OperatorCodeT()
            c.builtinCode, c.deprecatedBuiltinCode, c.version = code, min(code, 127), VERSIONS.get(code, version)
            m.operatorCodes.append(c)
        g.tensors, g.inputs, g.outputs, g.operators = self.tensors, self.inputs, self.outputs, self.nodes
        m.subgraphs = [g] + self.subgraphs
        b = flatbuffers.Builder(1 << 16)
        b.Finish(m.Pack(b), b"TFL3")
        return bytes(b.Output())


def runs(data):
    try:
        it = Interpreter(model_content=data, num_threads=1)
        it.allocate_tensors()
        for d in it.get_input_details():
            it.set_tensor(d["index"], np.ones(d["shape"], d["dtype"]))
        it.invoke()
        return True
    except (RuntimeError, ValueError):
        return False


def write(out, name, begin, adds):
    """One model of all those of `adds` that LiteRT runs; each takes the model and what `begin` returned."""
    kept = []
    for label, add in adds:
        m = Model(name)
        add(m, begin(m))
        version = next((v for v in (3, 2, 1, 4, 5) if runs(m.bytes(v))), None)
        if version is None:
            print(f"{name}: LiteRT has no {label}")
            continue
        VERSIONS.update({code: VERSIONS.get(code, version) for code in m.codes})
        kept.append(add)
    m = Model(name)
    start = begin(m)
    for add in kept:
        add(m, start)
    (out / f"{name}.tflite").write_bytes(m.bytes())
    print(name, len(kept), len(m.bytes()))


SHAPE = (2, 3, 4)
QUANT = {np.int8: [(0.02, -7), (0.03, 5), (0.05, 11)], np.uint8: [(0.02, 121), (0.03, 133), (0.05, 20)]}


def unary(out):
    signed = "ABS NEG CEIL FLOOR ROUND SIGN SIN COS EXP SQUARE ELU GELU RELU_N1_TO_1 RELU_0_TO_1".split()
    positive = "LOG SQRT RSQRT".split()
    options = dict(ABS="AbsOptions", NEG="NegOptions", EXP="ExpOptions", SQUARE="SquareOptions", COS="CosOptions",
                   GELU="GeluOptions", SIGN="SignOptions")
    for dtype in (np.float32, np.int8, np.uint8, np.int32):
        def begin(m):
            q = QUANT.get(dtype, [None] * 3)
            x = m.input(SHAPE, dtype, q[0])
            if dtype not in (np.float32, np.int8):
                return x, x
            return x, m.node("ABS", [x], [(SHAPE, dtype, (0.02, -128) if q[0] else None)], "AbsOptions")[0]
        def add(op):
            q = QUANT.get(dtype, [None] * 3)
            to = (1 / 256, -128 if dtype == np.int8 else 0) if op == "RELU_0_TO_1" and q[0] else q[2]
            return lambda m, x: m.node(op, [x[op in positive]], [(SHAPE, dtype, to)], options.get(op))
        adds = [(op, add(op)) for op in signed + positive]
        adds.append(("GELU tanh", lambda m, x: m.node("GELU", [x[0]], [(SHAPE, dtype, QUANT.get(dtype, [None] * 3)[2])],
                                                      "GeluOptions", approximate=True)))
        write(out, f"unary_{np.dtype(dtype).name}", begin, adds)


def binary(out):
    numbers = "ADD SUB MUL DIV FLOOR_DIV FLOOR_MOD MAXIMUM MINIMUM POW SQUARED_DIFFERENCE".split()
    relations = "EQUAL NOT_EQUAL LESS LESS_EQUAL GREATER GREATER_EQUAL".split()
    options = dict(ADD="AddOptions", SUB="SubOptions", MUL="MulOptions", DIV="DivOptions", FLOOR_DIV="FloorDivOptions",
                   FLOOR_MOD="FloorModOptions", MAXIMUM="MaximumMinimumOptions", MINIMUM="MaximumMinimumOptions",
                   POW="PowOptions", SQUARED_DIFFERENCE="SquaredDifferenceOptions")
    for dtype in (np.float32, np.int32, np.int64, np.int8, np.uint8):
        q = QUANT.get(dtype, [None] * 3)
        def begin(m):
            x, y = m.input(SHAPE, dtype, q[0]), m.input((1, 3, 1), dtype, q[1])
            # Divisors that are not zero.
            d = RNG.integers(1, 4, (3, 4)) if not q[0] else RNG.integers(20, 60, (3, 4)) + q[1][1]
            return x, y, m.const(d, dtype, q[1])
        def add(op, relation):
            def build(m, t):
                x, y, d = t
                if dtype == np.float32 and op == "POW":
                    x = m.node("ABS", [x], [(SHAPE, dtype)], "AbsOptions")[0]
                second = d if op in ("DIV", "FLOOR_DIV", "FLOOR_MOD", "POW") else y
                same = op in ("MAXIMUM", "MINIMUM") and q[0]
                kind, to = (np.bool_, None) if relation else (dtype, q[0] if same else q[2])
                if same:
                    second = x
                m.node(op, [x, second], [(SHAPE, kind, to)], options.get(op))
            return build
        write(out, f"binary_{np.dtype(dtype).name}", begin,
              [(op, add(op, False)) for op in numbers] + [(op, add(op, True)) for op in relations])

    def begin(m):
        x, y = m.input((2, 3), np.float32), m.input((3,), np.float32)
        a, = m.node("GREATER", [x, y], [((2, 3), np.bool_)])
        b, = m.node("LESS", [x, m.const([0.25], np.float32)], [((2, 3), np.bool_)])
        return x, y, a, b
    logic = [(op, lambda m, t, op=op: m.node(op, [t[2], t[3]], [((2, 3), np.bool_)])) for op in ("LOGICAL_AND", "LOGICAL_OR")]
    logic.append(("LOGICAL_NOT", lambda m, t: m.node("LOGICAL_NOT", [t[2]], [((2, 3), np.bool_)])))
    logic.append(("SELECT", lambda m, t: m.node("SELECT", [t[2], t[0], m.const(np.ones((2, 3)), np.float32)], [((2, 3), np.float32)])))
    logic.append(("SELECT_V2", lambda m, t: m.node("SELECT_V2", [t[2], t[1], m.const(2.5, np.float32)], [((2, 3), np.float32)])))
    for op in ("REDUCE_ANY", "REDUCE_ALL"):
        logic.append((op, lambda m, t, op=op: m.node(op, [t[2], m.const([1])], [((2,), np.bool_)], "ReducerOptions")))
    logic.append(("ATAN2", lambda m, t: m.node("ATAN2", [t[0], t[0]], [((2, 3), np.float32)])))
    logic.append(("ADD_N", lambda m, t: m.node("ADD_N", [t[0], t[0], t[0]], [((2, 3), np.float32)], "AddNOptions")))
    write(out, "logic_float", begin, logic)


def reduce(out):
    for dtype in (np.float32, np.int32, np.int8, np.uint8):
        q = QUANT.get(dtype, [None] * 3)
        def add(op, axes, keep):
            def build(m, x):
                ax = [a % 3 for a in axes]
                shape = tuple(1 if d in ax else n for d, n in enumerate(SHAPE) if keep or d not in ax)
                to = q[0] if op in ("REDUCE_MAX", "REDUCE_MIN") else (0.3, q[2][1]) if q[0] else None
                m.node(op, [x, m.const(axes)], [(shape, dtype, to)], "ReducerOptions", keepDims=keep)
            return build
        adds = [(f"{op} {axes}", add(op, axes, keep)) for op in "SUM REDUCE_MAX REDUCE_MIN REDUCE_PROD".split() if not (q[0] and op == "REDUCE_PROD")
                for axes, keep in (([1], True), ([0, -1], False), ([0, 1, 2], False))]
        write(out, f"reductions_{np.dtype(dtype).name}", lambda m: m.input(SHAPE, dtype, q[0]), adds)


def index(out):
    for dtype in (np.float32, np.int8, np.int32):
        q = QUANT.get(dtype, [None])[0]
        N = lambda m, op, inputs, shape, options=None, **f: m.node(op, inputs, [(shape, dtype, q)], options, **f)
        def begin(m):
            return m.input((2, 4, 6, 3), dtype, q)
        four = [
            ("SLICE", lambda m, x: N(m, "SLICE", [x, m.const([0, 1, 2, 0]), m.const([2, 2, -1, 1])], (2, 2, 4, 1), "SliceOptions")),
            ("SPLIT_V", lambda m, x: m.node("SPLIT_V", [x, m.const([1, -1, 2]), m.const(2)],
                                            [((2, 4, n, 3), dtype, q) for n in (1, 3, 2)], "SplitVOptions", numSplits=3)),
            ("EXPAND_DIMS", lambda m, x: N(m, "EXPAND_DIMS", [x, m.const([-1])], (2, 4, 6, 3, 1), "ExpandDimsOptions")),
            ("TILE", lambda m, x: N(m, "TILE", [x, m.const([1, 2, 1, 3])], (2, 8, 6, 9), "TileOptions")),
            ("BROADCAST_TO", lambda m, x: N(m, "BROADCAST_TO", [m.node("SLICE", [x, m.const([0, 0, 0, 0]), m.const([1, 4, 1, 3])], [((1, 4, 1, 3), dtype, q)], "SliceOptions")[0], m.const([2, 4, 5, 3])], (2, 4, 5, 3), "BroadcastToOptions")),
            ("REVERSE_V2", lambda m, x: N(m, "REVERSE_V2", [x, m.const([2])], (2, 4, 6, 3), "ReverseV2Options")),
            ("MIRROR_PAD reflect", lambda m, x: N(m, "MIRROR_PAD", [x, m.const([[0, 0], [2, 1], [0, 3], [0, 0]])], (2, 7, 9, 3), "MirrorPadOptions", mode=0)),
            ("MIRROR_PAD symmetric", lambda m, x: N(m, "MIRROR_PAD", [x, m.const([[0, 1], [2, 1], [0, 0], [1, 0]])], (3, 7, 6, 4), "MirrorPadOptions", mode=1)),
            ("SPACE_TO_DEPTH", lambda m, x: N(m, "SPACE_TO_DEPTH", [x], (2, 2, 3, 12), "SpaceToDepthOptions", blockSize=2)),
            ("SPACE_TO_BATCH_ND", lambda m, x: N(m, "SPACE_TO_BATCH_ND", [x, m.const([2, 3]), m.const([[1, 1], [0, 3]])], (12, 3, 3, 3), "SpaceToBatchNDOptions")),
            ("BATCH_TO_SPACE_ND", lambda m, x: N(m, "BATCH_TO_SPACE_ND", [x, m.const([1, 2]), m.const([[0, 1], [2, 1]])], (1, 3, 9, 3), "BatchToSpaceNDOptions")),
            ("GATHER_ND", lambda m, x: N(m, "GATHER_ND", [x, m.const([[1, 2], [0, 3], [1, 0]])], (3, 6, 3), "GatherNdOptions")),
            ("SCATTER_ND", lambda m, x: N(m, "SCATTER_ND", [m.const([[4], [1]]), x, m.const([5, 4, 6, 3])], (5, 4, 6, 3), "ScatterNdOptions")),
            ("TOPK_V2", lambda m, x: m.node("TOPK_V2", [x, m.const(2)], [((2, 4, 6, 2), dtype, q), ((2, 4, 6, 2), np.int32)], "TopKV2Options")),
            ("ARG_MIN", lambda m, x: m.node("ARG_MIN", [x, m.const(2)], [((2, 4, 3), np.int32)], "ArgMinOptions", outputType=T.INT32)),
            ("DYNAMIC_UPDATE_SLICE", lambda m, x: N(m, "DYNAMIC_UPDATE_SLICE", [x, m.node("SLICE", [x, m.const([0, 0, 0, 0]), m.const([1, 2, 3, 1])], [((1, 2, 3, 1), dtype, q)], "SliceOptions")[0], m.const([0, 1, 2, 2])], (2, 4, 6, 3), "DynamicUpdateSliceOptions")),
            ("CUMSUM", lambda m, x: N(m, "CUMSUM", [x, m.const(2)], (2, 4, 6, 3), "CumsumOptions")),
            ("CUMSUM exclusive reverse", lambda m, x: N(m, "CUMSUM", [x, m.const(1)], (2, 4, 6, 3), "CumsumOptions", exclusive=True, reverse=True)),
            ("ZEROS_LIKE", lambda m, x: N(m, "ZEROS_LIKE", [x], (2, 4, 6, 3), "ZerosLikeOptions")),
        ]
        write(out, f"index_{np.dtype(dtype).name}", begin, four)

    def begin(m):
        return m.input((2, 3), np.int32), m.input((2, 5), np.float32)
    made = [
        ("ONE_HOT", lambda m, t: m.node("ONE_HOT", [t[0], m.const(3), m.const(2.5, np.float32), m.const(-1, np.float32)], [((2, 3, 3), np.float32)], "OneHotOptions", axis=-1)),
        ("ONE_HOT front", lambda m, t: m.node("ONE_HOT", [t[0], m.const(4), m.const(1, np.int32), m.const(0, np.int32)], [((4, 2, 3), np.int32)], "OneHotOptions", axis=0)),
        # The shapes of the file are placeholders here: they follow from SHAPE.
        ("FILL of SHAPE", lambda m, t: m.node("FILL", [m.node("SHAPE", [t[1]], [((2,), np.int32)], "ShapeOptions", outType=T.INT32)[0], m.const(0.5, np.float32)], [((1, 1), np.float32)], "FillOptions")),
        ("RANGE", lambda m, t: m.node("RANGE", [m.const(7), m.const(-2), m.const(-3)], [((3,), np.int32)], "RangeOptions")),
        ("RESHAPE by computed shape", computed_reshape),
        ("LOG_SOFTMAX", lambda m, t: m.node("LOG_SOFTMAX", [t[1]], [((2, 5), np.float32)], "LogSoftmaxOptions")),
        ("L2_NORMALIZATION", lambda m, t: m.node("L2_NORMALIZATION", [t[1]], [((2, 5), np.float32)], "L2NormOptions")),
        ("RFFT2D", lambda m, t: m.node("COMPLEX_ABS", [m.node("RFFT2D", [t[1], m.const([2, 8])], [((2, 5), np.complex64)], "Rfft2dOptions")[0]], [((2, 5), np.float32)])),
    ]
    write(out, "made_float", begin, made)


def computed_reshape(m, t):
    shape, = m.node("SHAPE", [t[1]], [((2,), np.int32)], "ShapeOptions", outType=T.INT32)
    last, = m.node("STRIDED_SLICE", [shape, m.const([1]), m.const([2]), m.const([1])], [((), np.int32)], "StridedSliceOptions", shrinkAxisMask=1)
    whole, = m.node("PACK", [last, m.const(-1)], [((2,), np.int32)], "PackOptions", valuesCount=2, axis=0)
    y, = m.node("RESHAPE", [t[1], whole], [((1, 1), np.float32)], "ReshapeOptions")
    m.node("ABS", [y], [((1, 1), np.float32)], "AbsOptions")


def products(out):
    def begin(m):
        return m.input((2, 5, 4)), m.input((2, 4, 3)), m.input((1, 3, 4)), m.input((1, 6, 5, 4))
    write(out, "products_float", begin, [
        ("BATCH_MATMUL", lambda m, t: m.node("BATCH_MATMUL", t[:2], [((2, 5, 3), np.float32)], "BatchMatMulOptions")),
        ("BATCH_MATMUL adjoint", lambda m, t: m.node("BATCH_MATMUL", [t[0], t[2]], [((2, 5, 3), np.float32)], "BatchMatMulOptions", adjY=True)),
        ("BATCH_MATMUL both", lambda m, t: m.node("BATCH_MATMUL", [t[1], t[0]], [((2, 3, 5), np.float32)], "BatchMatMulOptions", adjX=True, adjY=True)),
        ("grouped CONV_2D", lambda m, t: m.node("CONV_2D", [t[3], m.const(RNG.normal(0, 1, (6, 3, 3, 2)), np.float32), m.const(RNG.normal(0, 1, 6), np.float32)], [((1, 3, 3, 6), np.float32)], "Conv2DOptions", strideW=2, strideH=2, padding=0)),
    ])
    write(out, "state_layers_float", lambda m: None, [
        ("SVDF", lambda m, t: svdf(m, np.float32)),
        ("RNN", lambda m, t: rnn(m)),
    ])

    q, r, to = QUANT[np.int8]
    def begin(m):
        return m.input((2, 5, 4), np.int8, q), m.input((2, 4, 3), np.int8, r), m.input((1, 3, 4), np.int8, r), m.input((1, 6, 5, 4), np.int8, q)
    def grouped(m, t):
        w = m.const(RNG.integers(-127, 128, (6, 3, 3, 2)), np.int8)
        qw = m.tensors[w].quantization = s.QuantizationParametersT()
        qw.scale, qw.zeroPoint, qw.quantizedDimension = list(np.linspace(.01, .02, 6)), [0] * 6, 0
        b = m.const(RNG.integers(-900, 900, 6), np.int32)
        qb = m.tensors[b].quantization = s.QuantizationParametersT()
        qb.scale, qb.zeroPoint, qb.quantizedDimension = [q[0] * v for v in qw.scale], [0] * 6, 0
        m.node("CONV_2D", [t[3], w, b], [((1, 3, 3, 6), np.int8, to)], "Conv2DOptions", strideW=2, strideH=2, padding=0)
    write(out, "products_int8", begin, [
        ("BATCH_MATMUL", lambda m, t: m.node("BATCH_MATMUL", t[:2], [((2, 5, 3), np.int8, to)], "BatchMatMulOptions")),
        ("BATCH_MATMUL adjoint", lambda m, t: m.node("BATCH_MATMUL", [t[0], t[2]], [((2, 5, 3), np.int8, to)], "BatchMatMulOptions", adjY=True)),
        ("grouped CONV_2D", grouped),
        ("LOG_SOFTMAX", lambda m, t: m.node("LOG_SOFTMAX", [t[0]], [((2, 5, 4), np.int8, (16 / 256, 127))], "LogSoftmaxOptions")),
        ("L2_NORMALIZATION", lambda m, t: m.node("L2_NORMALIZATION", [t[0]], [((2, 5, 4), np.int8, (1 / 128, 0))], "L2NormOptions")),
    ])

    def begin(m):
        return m.input((9, 4)), m.input((9,))
    thresholds = lambda m, *v: [m.const(5)] + [m.const(x, np.float32) for x in v]
    write(out, "suppression_float", begin, [
        ("NON_MAX_SUPPRESSION_V4", lambda m, t: m.node("NON_MAX_SUPPRESSION_V4", list(t) + thresholds(m, .3, -.5), [((5,), np.int32), ((), np.int32)], "NonMaxSuppressionV4Options")),
        ("NON_MAX_SUPPRESSION_V5", lambda m, t: m.node("NON_MAX_SUPPRESSION_V5", list(t) + thresholds(m, .3, -.5, .5), [((5,), np.int32), ((5,), np.float32), ((), np.int32)], "NonMaxSuppressionV5Options")),
    ])


def called(m, build):
    """The number of a new subgraph; `build` adds to it and returns its inputs and outputs."""
    g = Model(m.name)
    g.buffers, g.codes, g.subgraphs = m.buffers, m.codes, m.subgraphs
    t = s.SubGraphT()
    m.subgraphs.append(t)
    index = len(m.subgraphs)
    t.inputs, t.outputs = build(g)
    t.tensors, t.operators = g.tensors, g.nodes
    return index


def control(out):
    """A branch that shapes decide, and a loop of three rounds around one of two."""
    f, i, b = np.float32, np.int32, np.bool_
    def branch(op, options):
        def build(g):
            x = g.tensor((2, 3), f)
            return [x], g.node(op, [x, x] if op == "ADD" else [x], [((2, 3), f)], options)
        return build
    def test(rounds):
        def build(g):
            n, x = g.tensor((), i), g.tensor((2, 3), f)
            return [n, x], g.node("LESS", [n, g.const(rounds)], [((), b)], "LessOptions")
        return build
    def inner(g):
        n, x = g.tensor((), i), g.tensor((2, 3), f)
        y, = g.node("MUL", [x, g.const(np.full((1, 3), 0.75), f)], [((2, 3), f)], "MulOptions")
        return [n, x], [g.node("ADD", [n, g.const(1)], [((), i)], "AddOptions")[0], y]
    def outer(g):
        n, x = g.tensor((), i), g.tensor((2, 3), f)
        loop = dict(condSubgraphIndex=called(g, test(2)), bodySubgraphIndex=called(g, inner))
        _, y = g.node("WHILE", [g.const(0), x], [((), i), ((2, 3), f)], "WhileOptions", **loop)
        y, = g.node("ADD", [y, g.const(np.full((1, 3), 0.5), f)], [((2, 3), f)], "AddOptions")
        return [n, x], [g.node("ADD", [n, g.const(1)], [((), i)], "AddOptions")[0], y]
    def choose(rank):
        def add(m, x):
            r, = m.node("RANK", [x], [((), i)], "RankOptions")
            c, = m.node("EQUAL", [r, m.const(rank)], [((), b)], "EqualOptions")
            branches = dict(thenSubgraphIndex=called(m, branch("ADD", "AddOptions")), elseSubgraphIndex=called(m, branch("NEG", "NegOptions")))
            m.node("IF", [c, x], [((2, 3), f)], "IfOptions", **branches)
        return add
    def loop(m, x):
        calls = dict(condSubgraphIndex=called(m, test(3)), bodySubgraphIndex=called(m, outer))
        m.node("WHILE", [m.const(0), x], [((), i), ((2, 3), f)], "WhileOptions", **calls)
    write(out, "control_float", lambda m: m.input((2, 3), f), [("IF", choose(2)), ("IF not", choose(3)), ("WHILE", loop)])


def svdf(m, dtype):
    x, w = m.input((2, 5)), m.const(RNG.normal(0, 1, (6, 5)), dtype)
    t, b = m.const(RNG.normal(0, 1, (6, 4)), dtype), m.const(RNG.normal(0, 1, 3), dtype)
    h = m.tensor((2, 24), dtype, variable=True)
    m.node("SVDF", [x, w, t, b, h], [((2, 3), dtype)], "SVDFOptions", rank=2)


def rnn(m):
    f = np.float32
    x, w, r = m.input((2, 7, 3)), m.const(RNG.normal(0, .5, (4, 3)), f), m.const(RNG.normal(0, .5, (4, 4)), f)
    h = m.tensor((2, 4), f, variable=True)
    m.node("UNIDIRECTIONAL_SEQUENCE_RNN", [x, w, r, m.const(RNG.normal(0, 1, 4), f), h], [((2, 7, 4), f)], "SequenceRNNOptions", fusedActivationFunction=4)


def main():
    out = pathlib.Path(sys.argv[1])
    for family in (unary, binary, reduce, index, products, control):
        family(out)


if __name__ == "__main__":
    main()
