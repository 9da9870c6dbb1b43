// The page with a camera in headless Chromium: frames a second, ages, and memory while it goes on.
//
//   web/build; OSPREY=target/release/osprey node web/bench/camera.mjs [--frames 10000] [--fps 60]
//
// Needs Chromium and ffmpeg; the film is made of the samples.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { Browser } from "../tests/browser.mjs";

const { values } = parseArgs({
  options: { frames: { type: "string", default: "600" }, fps: { type: "string", default: "60" } },
});
const [frames, fps] = [Number(values.frames), Number(values.fps)];
const samples = fileURLToPath(new URL("../../samples/", import.meta.url));
const site = fileURLToPath(new URL("../site", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "osprey-camera-"));
const film = join(folder, "film.y4m");
const source = (name) => ["-loop", "1", "-r", String(fps), "-t", "1", "-i", samples + name];
const moving = "scale=700:525,crop=640:480:x='n':y='n/2',setsar=1,format=yuv420p";
execFileSync("ffmpeg", ["-loglevel", "error", ...["astronaut.jpg", "cat.png", "coffee.jpg"].flatMap(source),
  "-filter_complex", `[0]${moving}[a];[1]${moving}[b];[2]${moving}[c];[a][b][c]concat=n=3`, "-y", film]);

/** Kilobytes that the browser's renderers hold. @param {number} root the browser's process */
function resident(root) {
  const parents = new Map();
  for (const name of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${name}/status`, "utf8");
      const [parent, kilobytes] = [/PPid:\s+(\d+)/, /VmRSS:\s+(\d+)/].map((of) => Number(status.match(of)?.[1] ?? 0));
      const renders = readFileSync(`/proc/${name}/cmdline`, "utf8").includes("--type=renderer");
      parents.set(Number(name), { parent, kilobytes, renders });
    } catch {
      // A process that has ended meanwhile.
    }
  }
  const under = (pid) => pid === root || (parents.has(pid) && pid > 1 && under(parents.get(pid).parent));
  return [...parents].filter(([pid, { renders }]) => renders && under(pid)).reduce((sum, [, { kilobytes }]) => sum + kilobytes, 0);
}

const server = spawn(process.env.OSPREY ?? "osprey", ["web", site, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
const { value: address } = await createInterface(server.stdout)[Symbol.asyncIterator]().next();
const browser = await Browser.start([
  "--use-fake-device-for-media-stream",
  "--use-fake-ui-for-media-stream",
  // Little room for garbage: what grows all the same is a leak.
  "--js-flags=--max-old-space-size=32 --max-semi-space-size=1",
  `--use-file-for-fake-video-capture=${film}`,
]);
try {
  await browser.open(address);
  await browser.evaluate("document.getElementById('camera').click()");
  await browser.until("osprey.stream?.ledger.shown > 20");
  const state = () => browser.evaluate(`(async () => {
    const { ledger, figures } = { ledger: osprey.stream.ledger, figures: osprey.stream.figures() };
    return { ledger: { ...ledger }, figures, module: await (await osprey.detector).memory(), heap: performance.memory.usedJSHeapSize };
  })()`);
  const first = await state();
  const began = performance.now();
  for (let next = 0; ; ) {
    const { ledger, figures, module, heap } = await state();
    const shown = ledger.shown - first.ledger.shown;
    if (shown >= next || shown >= frames) {
      const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
      console.log(
        `${shown} frames: ${figures.fps.toFixed(1)} FPS, age ${figures.p50.toFixed(1)} ms (95 %: ${figures.p95.toFixed(1)}); ` +
          `module ${module} bytes, heap ${megabytes(heap)} MB, renderers ${megabytes(resident(browser.process.pid) * 1024)} MB`,
      );
      next = shown + frames / 10;
    }
    if (shown >= frames) {
      const seconds = (performance.now() - began) / 1000;
      console.log(`${(shown / seconds).toFixed(1)} FPS over all; ${JSON.stringify(ledger)}`);
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
} finally {
  await browser.close();
  server.kill();
  rmSync(folder, { recursive: true });
}
