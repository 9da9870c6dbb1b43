// The package as Node runs it: `web/build` first, then `node --test web/tests/package.test.mjs`.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { before, test } from "node:test";
import { load } from "../js/coco-ssd.js";
import { hasRelaxedSimd } from "../js/core.js";
import { Detector, DetectorStream, OspreyError } from "../js/index.js";
import { png } from "./images.mjs";

const builds = hasRelaxedSimd() ? ["simd", "relaxed"] : ["simd"];
if (builds.length === 1) console.log("skipped: this Node runs no relaxed SIMD");
const picture = new URL("../../samples/cat.png", import.meta.url);
let cat;

before(async () => {
  cat = await png(picture);
});

for (const build of builds) {
  test(`${build}: the boxes are those of the program`, async (t) => {
    const program = process.env.OSPREY;
    if (!program) return t.skip("skipped: OSPREY names no program to compare with");
    const line = execFileSync(program, ["detect", picture.pathname, "--quiet", "--format", "jsonl", "--score-threshold", "0.1"]);
    const { detections } = JSON.parse(line);
    assert.ok(detections.length > 0);
    const detector = await Detector.load({ build, scoreThreshold: 0.1 });
    assert.match(detector.info.isa, /simd/);
    const found = await detector.detect(cat);
    const rounded = (number, digits) => Number(number.toFixed(digits));
    assert.deepEqual(
      found.map(({ label, classId, score, box: { x, y, width, height } }) => ({
        label,
        class_id: classId,
        score: rounded(score, 4),
        box: [x, y, x + width, y + height].map((edge) => rounded(edge, 2)),
      })),
      detections,
    );
    await detector.close();
  });
}

test("both builds, and plain code, give the very same numbers", async () => {
  const results = [];
  for (const options of [...builds.map((build) => ({ build })), { build: "simd", isa: "scalar" }]) {
    const detector = await Detector.load({ ...options, scoreThreshold: 0.02, oneObjectIou: 1 });
    results.push(await detector.detect(cat));
    await detector.close();
  }
  assert.ok(results[0].length > 1);
  for (const result of results) assert.deepEqual(result, results[0]);
});

test("pixels in any form show the same cat", async () => {
  const detector = await Detector.load();
  const { data, width, height } = cat;
  const channels = data.length / (width * height);
  const rgba = new Uint8ClampedArray(width * height * 4);
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) rgba[i * 4 + c] = data[i * channels + c];
  const [first] = await detector.detect(cat);
  assert.equal(first.label, "cat");
  assert.deepEqual((await detector.detect({ data: rgba, width, height }))[0], first);
  const [mirrored] = await detector.detect(cat, { mirror: true });
  assert.ok(Math.abs(mirrored.box.x - (width - first.box.x - first.box.width)) < 40);
  await detector.configure({ classes: ["dog"], scoreThreshold: 0.9 });
  assert.deepEqual(await detector.detect(cat), []);
  await detector.close();
  await assert.rejects(detector.detect(cat), { code: "closed" });
});

test("other choices leave filter and model alone, also after a defect", async () => {
  const { Instance } = WebAssembly;
  let panics = false;
  // Instances whose next detection ends as a panic would.
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    const osprey_detect = (...args) => {
      if (!panics) return exports.osprey_detect(...args);
      panics = false;
      throw new WebAssembly.RuntimeError("unreachable");
    };
    return { exports: { ...exports, osprey_detect } };
  };
  try {
    const usual = await Detector.load();
    const detector = await Detector.load({ filter: "bilinear", scoreThreshold: 0.02, oneObjectIou: 1 });
    const many = await detector.detect(cat);
    await detector.configure({});
    const first = await detector.detect(cat);
    assert.notEqual(first[0].score, (await usual.detect(cat))[0].score);
    assert.equal(first[0].score, many[0].score);
    assert.ok(first.length < many.length);
    await detector.configure({ maxDetections: 1 });
    await detector.configure({ scoreThreshold: 0.02, oneObjectIou: 1 });
    panics = true;
    await assert.rejects(detector.detect(cat), { code: "defect" });
    assert.deepEqual(await detector.detect(cat), many);
    await detector.close();
    await usual.close();
  } finally {
    WebAssembly.Instance = Instance;
  }
});

test("objects keep their numbers", async () => {
  const detector = await Detector.load();
  const seen = [];
  for (let i = 0; i < 5; i++) seen.push((await detector.track(cat, i / 30))[0]);
  assert.equal(new Set(seen.slice(1).map((object) => object.id)).size, 1);
  assert.ok(seen[4].id > 0);
  assert.equal((await detector.predict(4.5 / 30))[0].id, seen[4].id);
  await detector.close();
});

test("the calls of coco-ssd", async () => {
  const model = await load();
  const [found] = await model.detect(cat, 5, 0.3);
  assert.equal(found.class, "cat");
  assert.equal(found.bbox.length, 4);
  assert.ok(found.score > 0.3);
  await model.dispose();
});

test("what cannot be is refused, and the next picture is looked at", async () => {
  const detector = await Detector.load();
  const refused = async (source, view) => {
    await assert.rejects(detector.detect(source, view), (e) => e instanceof OspreyError && e.code === "picture");
  };
  await refused({ data: new Uint8Array(10), width: 4, height: 4 });
  await refused({ data: new Uint8Array(0), width: 0, height: 0, format: "rgb" });
  await refused({ data: new Uint8Array(48), width: 4, height: 5, format: "rgb" });
  await refused(null);
  await refused(cat, { orientation: 9 });
  await assert.rejects(detector.configure({ scoreThreshold: 7 }), { code: "options" });
  await assert.rejects(detector.configure({ classes: ["unicorn"] }), { code: "options" });
  assert.equal((await detector.detect(cat))[0].label, "cat");
  await detector.close();
});

test("damaged models are refused or run, and none ends the page", async () => {
  const model = new Uint8Array(await readFile(new URL("../dist/ssdlite_mobilenet_v2_quick_160.tflite", import.meta.url)));
  let state = 1;
  const random = (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const outcomes = { ran: 0, model: 0, picture: 0, defect: 0 };
  for (let i = 0; i < 150; i++) {
    const damaged = i % 5 === 0 ? model.slice(0, random(model.length)) : model.slice();
    // Structure lies at both ends of the file, weights between.
    for (let hit = 0; hit < 40; hit++) {
      const near = random(40_000);
      damaged[hit % 2 ? damaged.length - 1 - near : near] = random(256);
    }
    try {
      const detector = await Detector.load({ bytes: damaged, isa: "simd128" });
      await detector.detect(cat);
      await detector.close();
      outcomes.ran += 1;
    } catch (error) {
      assert.ok(error instanceof OspreyError, String(error));
      outcomes[error.code] = (outcomes[error.code] ?? 0) + 1;
    }
  }
  assert.equal(outcomes.defect, 0, JSON.stringify(outcomes));
  assert.ok(outcomes.model > 50, JSON.stringify(outcomes));
  const detector = await Detector.load();
  assert.equal((await detector.detect(cat))[0].label, "cat");
});

test("a file that was changed is not run", async () => {
  const { verify } = await import("../js/assets.js");
  const bytes = new TextEncoder().encode("abc");
  await verify(bytes, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc");
  await assert.rejects(verify(bytes, "00", "abc"), { code: "integrity" });
});

test("memory stays flat", async () => {
  const detector = await Detector.load();
  await detector.track(cat, 0);
  const before = await detector.memory();
  for (let i = 1; i < 100; i++) await detector.track(cat, i / 30);
  assert.equal(await detector.memory(), before);
  await detector.close();
});

test("the newest frame wins, and every frame is accounted for", async () => {
  // A video that presents a frame whenever it is told to, and a detector that takes its time.
  let present;
  let finish;
  const video = {
    requestVideoFrameCallback: (callback) => ((present = () => callback(0, { presentationTime: performance.now() })), 1),
    cancelVideoFrameCallback: () => {},
  };
  const detector = { track: () => new Promise((resolve, reject) => (finish = { resolve, reject })) };
  const results = [];
  const errors = [];
  const stream = new DetectorStream(detector, video, { onResult: (r) => results.push(r), onError: (e) => errors.push(e) });
  const balanced = () => {
    const { captured, shown, dropped, stale, failed, pending } = stream.ledger;
    assert.equal(captured, shown + dropped + stale + failed + pending);
  };
  const settled = () => new Promise((resolve) => setTimeout(resolve, 5));
  stream.start();
  for (let i = 0; i < 4; i++) present();
  balanced();
  assert.equal(stream.ledger.dropped, 2);
  finish.resolve([]);
  await settled();
  balanced();
  finish.reject(new Error("deliberate"));
  await settled();
  balanced();
  assert.deepEqual([results.length, errors.length], [1, 1]);
  present();
  present();
  stream.stop();
  finish.resolve([]);
  await settled();
  balanced();
  const { captured, shown, dropped, stale, failed, pending } = stream.ledger;
  assert.deepEqual({ captured, shown, dropped, stale, failed, pending }, {
    captured: 6, shown: 1, dropped: 3, stale: 1, failed: 1, pending: 0,
  });
});
