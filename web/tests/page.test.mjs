// The page in a browser with a camera that shows a film: `web/build` first. Needs Chromium, ffmpeg and the
// program, named by OSPREY.
import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Browser, chromium } from "./browser.mjs";

const program = process.env.OSPREY;
const missing = [
  [chromium, "Chromium"],
  [spawnSync("ffmpeg", ["-version"]).status === 0, "ffmpeg"],
  [program, "a program named by OSPREY"],
].filter(([found]) => !found).map(([, name]) => name);
const skip = missing.length > 0 && `skipped: no ${missing.join(", no ")}`;
if (skip) console.log(skip);

const samples = fileURLToPath(new URL("../../samples/", import.meta.url));
const site = fileURLToPath(new URL("../site", import.meta.url));
const threads = existsSync(join(site, "dist/osprey-threads.wasm"));
if (!threads) console.log("skipped: the package was built without threads");
/** Where screenshots go, for those who want to look. */
const shots = process.env.OSPREY_SHOTS;
let [folder, server, address, browser, film] = [];

before(async () => {
  if (skip) return;
  folder = mkdtempSync(join(tmpdir(), "osprey-page-"));
  film = join(folder, "film.y4m");
  const moving = "scale=700:525,crop=640:480:x='6*n':y='3*n',setsar=1,format=yuv420p";
  const input = (name) => ["-loop", "1", "-r", "10", "-t", "1", "-i", samples + name];
  const filter = `[0]${moving}[a];[1]${moving}[b];[2]${moving}[c];[a][b][c]concat=n=3`;
  const sources = ["astronaut.jpg", "cat.png", "coffee.jpg"].flatMap(input);
  execFileSync("ffmpeg", ["-loglevel", "error", ...sources, "-filter_complex", filter, "-y", film]);
  server = spawn(program, ["web", site, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
  address = (await createInterface(server.stdout)[Symbol.asyncIterator]().next()).value;
  browser = await Browser.start([
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    `--use-file-for-fake-video-capture=${film}`,
  ]);
  await browser.open(address);
});

after(async () => {
  await browser?.close();
  server?.kill();
  if (folder) rmSync(folder, { recursive: true });
});

/** Frames of a Y4M file. */
function frames(path) {
  const bytes = readFileSync(path);
  const size = (640 * 480 * 3) / 2;
  const found = [];
  let at = bytes.indexOf("\n") + 1;
  while (at < bytes.length) {
    at = bytes.indexOf("\n", at) + 1;
    found.push(bytes.subarray(at, at + size));
    at += size;
  }
  return found;
}

test("a camera's boxes are those of the program on the same frames", { skip }, async (t) => {
  await browser.evaluate("document.getElementById('camera').click()");
  await browser.until("osprey.stream?.ledger.shown > 5");
  // The very bytes of some frames, and what the detector says of them.
  const seen = await browser.evaluate(`(async () => {
    const { Detector } = await import("./js/index.js");
    const detector = await Detector.load({ worker: false });
    const seen = [];
    for (let i = 0; i < 12; i++) {
      await new Promise((resolve) => document.getElementById("video").requestVideoFrameCallback(resolve));
      const frame = new VideoFrame(document.getElementById("video"));
      const bytes = new Uint8Array(frame.allocationSize());
      await frame.copyTo(bytes);
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
      const { format, colorSpace } = frame;
      seen.push({ format, space: colorSpace.toJSON(), digest: Array.from(digest).join(), found: await detector.detect(frame) });
      frame.close();
      await new Promise((resolve) => setTimeout(resolve, 137));
    }
    return seen;
  })()`);
  const { createHash } = await import("node:crypto");
  const numbers = new Map(frames(film).map((bytes, i) => [Array.from(createHash("sha256").update(bytes).digest()).join(), i]));
  // Live sessions take the fastest filter; pictures, in the program as here, the one without aliases.
  const lines = execFileSync(program, ["live", film, "--no-tracking", "--filter", "antialiased", "--jsonl", "-"], { stdio: ["ignore", "pipe", "ignore"] });
  const said = new Map(lines.toString().trim().split("\n").map((line) => JSON.parse(line)).map((line) => [line.frame, line.detections]));
  let compared = 0;
  for (const { digest, found, format, space } of seen) {
    const number = numbers.get(digest);
    const detections = said.get(number);
    if (!detections) continue;
    compared += 1;
    const rounded = (value, digits) => Number(value.toFixed(digits));
    const ours = found.map(({ classId, score, box: { x, y, width, height } }) => ({
      class_id: classId, score: rounded(score, 4), box: [x, y, x + width, y + height].map((edge) => rounded(edge, 2)),
    }));
    const theirs = detections.map(({ class_id, score, box }) => ({ class_id, score: rounded(score, 4), box: box.map((edge) => rounded(edge, 2)) }));
    assert.deepEqual(ours, theirs, `frame ${number}, ${format} ${JSON.stringify(space)}`);
  }
  t.diagnostic(`${compared} of ${seen.length} frames were those of the film to the byte`);
  assert.ok(compared >= 3, `${compared} of ${seen.length} frames are the film's; formats ${seen.map((s) => s.format)}`);
});

test("every frame is accounted for, and no frame is shown late", { skip }, async () => {
  const { ledger, figures } = await browser.evaluate(
    "({ ledger: osprey.stream.ledger, figures: osprey.stream.figures() })",
  );
  const { captured, shown, dropped, stale, failed, pending } = ledger;
  assert.equal(captured, shown + dropped + stale + failed + pending);
  assert.equal(failed, 0);
  assert.ok(figures.fps > 0 && figures.p50 > 0);
});

test("a screen reader is told what is seen, and keys work", { skip }, async () => {
  await browser.until("/Picture with .*(person|cat|cup)/.test(document.getElementById('boxes').ariaLabel)");
  await browser.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'f' }))");
  assert.equal(await browser.evaluate("document.getElementById('freeze').ariaPressed"), "true");
  assert.match(await browser.evaluate("document.getElementById('message').textContent"), /^Frozen: /);
  await browser.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'f' }))");
  const unnamed = await browser.evaluate(
    `[...document.querySelectorAll("button, input:not([hidden]), select")].filter((e) => !e.textContent.trim() && !e.labels?.length).map((e) => e.id)`,
  );
  assert.deepEqual(unnamed, []);
});

test("two threads find what one finds, and the page may have them", { skip: skip || !threads }, async () => {
  const { one, two, isolated } = await browser.evaluate(`(async () => {
    const { Detector } = await import("./js/index.js");
    const picture = await createImageBitmap(document.getElementById("video"));
    const look = async (threads) => {
      const detector = await Detector.load({ build: "threads", threads, scoreThreshold: 0.02, oneObjectIou: 1 });
      const found = [];
      for (let i = 0; i < 20; i++) found.push(await detector.detect(picture));
      await detector.close();
      return { threads: detector.info.threads, found };
    };
    return { one: await look(1), two: await look(2), isolated: crossOriginIsolated };
  })()`);
  assert.deepEqual([isolated, one.threads, two.threads], [true, 1, 2]);
  assert.ok(one.found[0].length > 0);
  for (const found of two.found) assert.deepEqual(found, one.found[0]);
  // A model that is refused must not leave the worker waiting for threads that never began.
  const refused = await browser.evaluate(`(async () => {
    const { Detector } = await import("./js/index.js");
    return Detector.load({ threads: 2, model: "digits" }).then(() => "", (error) => error.code);
  })()`);
  assert.equal(refused, "model");
});

test("classes are taught from the camera, and are still there in the next visit", { skip }, async () => {
  await browser.evaluate("document.getElementById('teach').open = true");
  const learn = async (name) => {
    await browser.until("!document.getElementById('learn').disabled");
    await browser.evaluate(`document.getElementById("class").value = "${name}"; document.getElementById("learn").click()`);
    await browser.until(`/${name}: 1 picture/.test(document.getElementById("classes").textContent)`);
  };
  await learn("mug");
  await learn("hat");
  await browser.until("/^This is: (mug|hat), /.test(document.getElementById('answer').textContent)");
  await browser.until("!document.getElementById('train').disabled");
  await browser.evaluate("document.getElementById('train').click()");
  await browser.until("document.getElementById('train').disabled && !document.getElementById('learn').disabled");
  await browser.evaluate("document.getElementById('teach').scrollIntoView()");
  if (shots) writeFileSync(join(shots, "teach.png"), await browser.screenshot({ width: 390, height: 844, scale: 2 }));
  const kept = await browser.evaluate(`(async () => {
    const { Teacher } = await import("./js/index.js");
    const teacher = await Teacher.load({ keep: "page" });
    return { classes: teacher.classes, trained: teacher.trained };
  })()`);
  assert.deepEqual(kept, { classes: [{ name: "mug", pictures: 1 }, { name: "hat", pictures: 1 }], trained: true });
  await browser.evaluate("document.getElementById('teach').open = false");
});

test("a digit is drawn and read", { skip }, async () => {
  await browser.evaluate("document.getElementById('digits').open = true; document.getElementById('pad').scrollIntoView()");
  const { x, y, width } = await browser.evaluate("document.getElementById('pad').getBoundingClientRect().toJSON()");
  const mouse = (type, at) =>
    browser.send("Input.dispatchMouseEvent", { type, x: x + at[0] * width, y: y + at[1] * width, button: "left", buttons: 1, clickCount: 1 });
  await mouse("mousePressed", [0.3, 0.2]);
  for (const at of [[0.5, 0.2], [0.7, 0.2], [0.6, 0.5], [0.5, 0.8]]) await mouse("mouseMoved", at);
  await mouse("mouseReleased", [0.5, 0.8]);
  await browser.until("document.getElementById('digit').textContent.startsWith('7 (')");
  if (shots) writeFileSync(join(shots, "digit.png"), await browser.screenshot({ width: 1200, height: 760 }));
  await browser.evaluate("document.getElementById('wipe').click()");
  await browser.evaluate("document.getElementById('digits').open = false");
});

test("motion is told apart, and a device without sensors says so", { skip }, async () => {
  await browser.evaluate("document.getElementById('motion').open = true; document.getElementById('move').click()");
  await browser.until("/Listening/.test(document.getElementById('moving').textContent)");
  await browser.evaluate(`globalThis.shaking = setInterval(() => dispatchEvent(new DeviceMotionEvent("devicemotion", {
    accelerationIncludingGravity: { x: 0.1, y: 0.2, z: 9.8 }, interval: 16,
  })), 16)`);
  await browser.until("/^stationary, /.test(document.getElementById('moving').textContent)");
  await browser.evaluate("clearInterval(shaking); document.getElementById('move').click()");
  assert.equal(await browser.evaluate("document.getElementById('move').ariaPressed"), "false");
  await browser.evaluate("document.getElementById('move').click()");
  await browser.until("/measures no motion/.test(document.getElementById('message').textContent)");
  await browser.evaluate("document.getElementById('motion').open = false");
});

test("it looks well on a desk and on a phone", { skip }, async () => {
  await browser.until("osprey.objects.length > 0");
  const views = {
    desk: { width: 1200, height: 760 },
    desk_dark: { width: 1200, height: 760, dark: true },
    portrait: { width: 390, height: 844, dark: true, scale: 2 },
    landscape: { width: 844, height: 390, scale: 2 },
  };
  for (const [name, view] of Object.entries(views)) {
    const picture = await browser.screenshot(view);
    if (shots) writeFileSync(join(shots, `${name}.png`), picture);
    assert.equal(await browser.evaluate("document.documentElement.scrollWidth > innerWidth"), false, name);
  }
});

test("a photo that is dropped has its boxes, and a file that is none says so", { skip }, async () => {
  const cat = readFileSync(join(samples, "cat.png")).toString("base64");
  const drop = (data, type, name) => `(async () => {
    const bytes = Uint8Array.from(atob("${data}"), (c) => c.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "${name}", { type: "${type}" }));
    document.getElementById("stage").dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
  })()`;
  await browser.evaluate(drop(cat, "image/png", "cat.png"));
  await browser.until("/Seen: cat/.test(document.getElementById('message').textContent)");
  if (shots) writeFileSync(join(shots, "photo.png"), await browser.screenshot({ width: 1200, height: 760 }));
  await browser.evaluate(drop("AAAA", "image/png", "nothing.png"));
  await browser.until("/nothing.png is no picture/.test(document.getElementById('message').textContent)");
});

test("without a network the page still works, and nothing was fetched elsewhere", { skip }, async () => {
  await browser.until("navigator.serviceWorker.controller");
  server.kill();
  await browser.open(address);
  const { found, elsewhere } = await browser.evaluate(`(async () => {
    const { Detector } = await import("./js/index.js");
    const detector = await Detector.load();
    const found = await detector.detect(new ImageData(64, 64));
    const fetched = performance.getEntriesByType("resource").map((entry) => entry.name);
    return { found, elsewhere: fetched.filter((name) => !name.startsWith(location.origin) && !name.startsWith("blob:")) };
  })()`);
  assert.ok(Array.isArray(found));
  assert.deepEqual(elsewhere, []);
  assert.deepEqual(browser.said, []);
});
