// Digits, motion and taught classes as Node runs them: `web/build` first.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { DigitReader, MotionClassifier, OspreyError, Teacher } from "../js/index.js";
import { png } from "./images.mjs";

let cat;
before(async () => {
  cat = await png(new URL("../../samples/cat.png", import.meta.url));
});

/** Stripes: a picture that is no cat. */
function stripes(shift) {
  const [width, height] = [320, 200];
  const data = new Uint8Array(width * height * 3).map((_, i) => (((i / 3 + shift) >> 4) % 2 ? 220 : 30));
  return { data, width, height };
}

test("digits are read from strokes of any size", async () => {
  const reader = await DigitReader.load();
  const along = (points) => (size) => points.map(([x, y]) => [x * size + 7, y * size - 3]);
  const circle = Array.from({ length: 40 }, (_, i) => [0.7 * Math.sin(i / 6.2), Math.cos(i / 6.2)]);
  const drawn = { 0: circle, 1: [[0.5, 0], [0.47, 0.5], [0.44, 1]], 7: [[0, 0], [0.7, 0], [0.3, 1.1]] };
  for (const [digit, points] of Object.entries(drawn)) {
    for (const size of [30, 400]) {
      const found = await reader.read([along(points)(size)]);
      assert.equal(found.digit, Number(digit));
      assert.ok(found.probabilities[digit] > 0.5 && found.probabilities.length === 10);
    }
  }
  for (const wrong of [[], [[]], [[[0, NaN]]], [[["a", 1]]]]) {
    await assert.rejects(reader.read(wrong), (error) => error instanceof OspreyError && error.code === "picture");
  }
  assert.equal((await reader.read([along(drawn[7])(50)])).digit, 7);
  await reader.close();
  await reader.close();
  await assert.rejects(reader.read([along(drawn[7])(50)]), { code: "closed" });
});

test("a phone that lies still is stationary, in the signs of either platform", async () => {
  for (const [axes, gravity] of [["android", 9.81], ["ios", -9.81]]) {
    const convention = { acceleration: "m/s2", rotation: "deg/s", axes };
    const classifier = await MotionClassifier.load({ convention });
    assert.deepEqual(classifier.labels, ["stationary", "walking", "running"]);
    const answers = [];
    for (let i = 0; i < 600; i++) {
      const motion = await classifier.push(i / 60, [0.02 * Math.sin(i), 0.02 * Math.cos(i), gravity]);
      if (motion) answers.push(motion);
    }
    assert.ok(answers.length >= 5 && answers.every(({ label }) => label === "stationary"), JSON.stringify(answers[0]));
    const total = Object.values(answers[0].probabilities).reduce((sum, p) => sum + p);
    assert.ok(Math.abs(total - 1) < 0.02);
    await assert.rejects(classifier.push(9.9, [0, 0, gravity]), { code: "motion" });
    await assert.rejects(classifier.push(11, [0, 0]), { code: "motion" });
    await classifier.close();
  }
});

test("shaken as a runner's phone it is running", async () => {
  const classifier = await MotionClassifier.load();
  let last;
  for (let i = 0; i < 600; i++) {
    const beat = Math.sin((2 * Math.PI * 2.8 * i) / 60);
    last = (await classifier.push(i / 60, [6 * beat, 9.81 + 18 * beat, 8 * Math.cos((2 * Math.PI * 1.4 * i) / 60)])) ?? last;
  }
  assert.equal(last.label, "running");
  await classifier.close();
});

test("classes that were taught are told apart, kept, trained and removed", async () => {
  const teacher = await Teacher.load();
  await assert.rejects(teacher.classify(cat), { code: "learning" });
  await teacher.learn("cat", cat);
  await teacher.learn(" stripes ", stripes(0));
  await teacher.learn("stripes", stripes(5));
  assert.deepEqual(teacher.classes, [{ name: "cat", pictures: 1 }, { name: "stripes", pictures: 2 }]);
  const told = async (by) => {
    assert.equal((await by.classify(cat, { mirror: true })).label, "cat");
    const { label, probabilities } = await by.classify(stripes(9));
    assert.equal(label, "stripes");
    assert.ok(Math.abs(probabilities.cat + probabilities.stripes - 1) < 1e-5);
  };
  await told(teacher);
  const training = await teacher.train();
  assert.ok(training.accuracy > 0.9 && teacher.trained);
  await told(teacher);
  const saved = await teacher.save();
  const other = await Teacher.load();
  await other.restore(saved);
  assert.ok(other.trained);
  assert.deepEqual(await other.classify(cat), await teacher.classify(cat));
  await other.close();

  for (const damaged of [new Uint8Array(0), saved.slice(0, 999), saved.map((b, i) => (i === 5000 ? b ^ 1 : b))]) {
    await assert.rejects(teacher.restore(damaged), { code: "kept" });
  }
  await told(teacher);
  await teacher.remove("cat");
  assert.equal(teacher.trained, false);
  assert.equal((await teacher.classify(cat)).label, "stripes");
  await assert.rejects(teacher.train(), { code: "learning" });
  await assert.rejects(teacher.remove("cat"), { code: "learning" });
  await assert.rejects(teacher.learn("", cat), { code: "learning" });
  await assert.rejects(teacher.learn("broken", { data: new Uint8Array(5), width: 9, height: 9 }), { code: "picture" });
  await teacher.close();
  await assert.rejects(teacher.classify(cat), { code: "closed" });
});
