// Each runtime on one thread and the same picture, in turn; milliseconds of every run.
import { Detector } from "/web/js/index.js";

const SIDE = 300;

/** The picture at the model's size, −1..1 in float32. */
function input(picture) {
  const context = new OffscreenCanvas(SIDE, SIDE).getContext("2d");
  context.drawImage(picture, 0, 0, SIDE, SIDE);
  const { data } = context.getImageData(0, 0, SIDE, SIDE);
  return Float32Array.from({ length: SIDE * SIDE * 3 }, (_, i) => data[4 * Math.floor(i / 3) + (i % 3)] / 127.5 - 1);
}

/** The whole way, from the pixels of a frame of 640 × 480 to boxes; worker or not, that is the page's. */
async function osprey(picture, build) {
  const detector = await Detector.load({ worker: false, build });
  const context = new OffscreenCanvas(640, 480).getContext("2d");
  context.drawImage(picture, 0, 0, 640, 480);
  const frame = context.getImageData(0, 0, 640, 480);
  return { run: () => detector.detect(frame), label: `Osprey, ${detector.info.isa}, int8, pixels to boxes` };
}

async function onnx(values, file, label) {
  const ort = await import("/node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs");
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = "/node_modules/onnxruntime-web/dist/";
  const session = await ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
  const run = async () => {
    const tensor = new ort.Tensor("float32", values, [1, SIDE, SIDE, 3]);
    return Object.values(await session.run({ [session.inputNames[0]]: tensor })).map(({ data }) => data);
  };
  return { run, label };
}

async function litert(values, file, label) {
  const { loadLiteRt, loadAndCompile, Tensor } = await import("/node_modules/@litertjs/core/dist/index.js");
  await (globalThis.litert ??= loadLiteRt("/node_modules/@litertjs/core/wasm/", { threads: false }));
  const model = await loadAndCompile(file, { accelerator: "wasm" });
  const run = async () => {
    const tensor = new Tensor(values, [1, SIDE, SIDE, 3]);
    const results = await model.run([tensor]);
    const found = results.map((result) => result.toTypedArray().slice());
    for (const used of [tensor, ...results]) used.delete();
    return found;
  };
  return { run, label };
}

async function tensorflow(values, label) {
  const tf = globalThis.tf;
  tf.wasm.setWasmPaths("/node_modules/@tensorflow/tfjs-backend-wasm/dist/");
  tf.wasm.setThreadsCount(1);
  await tf.setBackend("wasm");
  const graph = await (await fetch("/files/graph.json")).json();
  const weights = new Float32Array(await (await fetch("/files/graph.bin")).arrayBuffer());
  const constants = graph.tensors.map(({ shape, offset }) => {
    if (offset === undefined) return undefined;
    return tf.tensor(weights.slice(offset, offset + shape.reduce((product, n) => product * n, 1)), shape);
  });
  // TFLite's filters are [out, h, w, in], tfjs wants [h, w, in, out]; depthwise ones [1, h, w, c] become [h, w, c, 1].
  for (const { name, inputs } of graph.operators) {
    if (name === "CONV_2D") constants[inputs[1]] = tf.transpose(constants[inputs[1]], [1, 2, 3, 0]);
    if (name === "DEPTHWISE_CONV_2D") constants[inputs[1]] = tf.transpose(constants[inputs[1]], [1, 2, 3, 0]);
  }
  const step = {
    CONV_2D: ({ strides, padding, activation }, [x, filter, bias]) =>
      tf.fused.conv2d({ x, filter, strides, pad: padding, bias, activation }),
    DEPTHWISE_CONV_2D: ({ strides, padding, activation }, [x, filter, bias]) =>
      tf.fused.depthwiseConv2d({ x, filter, strides, pad: padding, bias, activation }),
    ADD: (_, [a, b]) => tf.add(a, b),
    RESHAPE: ({ output }, [x]) => tf.reshape(x, graph.tensors[output].shape),
    CONCATENATION: ({ axis }, parts) => tf.concat(parts, axis),
    RESIZE_NEAREST_NEIGHBOR: ({ output }, [x]) => tf.image.resizeNearestNeighbor(x, graph.tensors[output].shape.slice(1, 3)),
  };
  const run = async () => {
    const outputs = tf.tidy(() => {
      const known = [...constants];
      known[graph.input] = tf.tensor(values, [1, SIDE, SIDE, 3]);
      for (const operator of graph.operators) {
        known[operator.output] = step[operator.name](operator, operator.inputs.map((i) => known[i]));
      }
      return graph.outputs.map((i) => known[i]);
    });
    const found = await Promise.all(outputs.map((output) => output.data()));
    outputs.forEach((output) => output.dispose());
    return found;
  };
  return { run, label };
}

/** How far two runtimes' outputs are apart at most. */
const apart = (a, b) => a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);

globalThis.compare = async ({ rounds, runs }) => {
  const picture = await createImageBitmap(await (await fetch("/samples/cat.png")).blob());
  const values = input(picture);
  const wanted = {
    osprey: () => osprey(picture, "auto"),
    osprey_simd: () => osprey(picture, "simd"),
    litert: () => litert(values, "/files/twin.tflite", "LiteRT.js, float32, network alone"),
    litert_int8: () => litert(values, "/web/dist/ssdlite_mobilenet_v2_300.tflite", "LiteRT.js, int8, network alone"),
    onnx: () => onnx(values, "/files/twin.onnx", "onnxruntime-web, float32, network alone"),
    onnx_int8: () => onnx(values, "/files/int8.onnx", "onnxruntime-web, int8, network alone"),
    tensorflow: () => tensorflow(values, "tfjs-wasm, float32, network alone"),
  };
  const [ready, refused, outputs] = [{}, {}, {}];
  for (const [name, make] of Object.entries(wanted)) {
    try {
      ready[name] = await make();
      outputs[name] = await ready[name].run();
    } catch (error) {
      delete ready[name];
      refused[name] = String(error?.message ?? error);
    }
  }
  // The float ones must say the same, or something else than the network was measured.
  const differences = {};
  const sorted = (found) => [...found].sort((a, b) => b.length - a.length);
  for (const name of ["onnx", "tensorflow"]) {
    if (!outputs[name] || !outputs.litert) continue;
    const pairs = sorted(outputs[name]).map((output, i) => apart(output, sorted(outputs.litert)[i]));
    differences[name] = Math.max(...pairs);
  }
  const times = Object.fromEntries(Object.keys(ready).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [name, { run }] of Object.entries(ready)) {
      for (let i = 0; i < runs; i++) {
        const start = performance.now();
        await run();
        times[name].push(performance.now() - start);
      }
    }
  }
  const labels = Object.fromEntries(Object.entries(ready).map(([name, { label }]) => [name, label]));
  return { labels, times, refused, differences, isolated: globalThis.crossOriginIsolated };
};
