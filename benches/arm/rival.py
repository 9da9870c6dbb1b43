"""rival.py SITE MODEL RUNS: that many runs of LiteRT on one thread, of the packages in SITE."""

import sys

sys.path.insert(0, sys.argv[1])
import numpy  # noqa: E402
from ai_edge_litert.interpreter import Interpreter  # noqa: E402

interpreter = Interpreter(model_path=sys.argv[2], num_threads=1)
interpreter.allocate_tensors()
noise = numpy.random.default_rng(1)
for port in interpreter.get_input_details():
    values = noise.integers(0, 100, port["shape"]).astype(port["dtype"])
    interpreter.set_tensor(port["index"], values)
for _ in range(int(sys.argv[3])):
    interpreter.invoke()
