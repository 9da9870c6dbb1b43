// Osprey beside LiteRT.js, onnxruntime-web and tfjs-wasm in one page of a headless Chromium, in turn.
//
//   web/build; python web/bench/prepare.py models/ssdlite_mobilenet_v2_300.tflite target/rivals/files
//   (cd target/rivals && npm init -y && npm install onnxruntime-web @litertjs/core @tensorflow/tfjs-core \
//     @tensorflow/tfjs-backend-cpu @tensorflow/tfjs-backend-wasm)
//   node web/bench/rivals.mjs target/rivals [--rounds 8] [--runs 12]
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize, resolve } from "node:path";
import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";
import { Browser } from "../tests/browser.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "8" }, runs: { type: "string", default: "12" } },
});
const rivals = resolve(positionals[0] ?? "target/rivals");
const here = fileURLToPath(new URL(".", import.meta.url));
const root = resolve(here, "../..");
const types = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".json": "application/json" };

/** Which folder a path's first part means. */
const folders = { node_modules: rivals, files: rivals, web: root, samples: root };

const server = createServer(async (request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  const folder = folders[path.split("/")[1]] ?? here;
  try {
    const bytes = await readFile(join(folder, path));
    response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}).listen(0, "127.0.0.1");
await new Promise((done) => server.once("listening", done));

const browser = await Browser.start();
try {
  await browser.open(`http://127.0.0.1:${server.address().port}/page.html`);
  await browser.until("globalThis.compare");
  const options = JSON.stringify({ rounds: Number(values.rounds), runs: Number(values.runs) });
  const { labels, times, refused, differences } = await browser.evaluate(`compare(${options})`);
  const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  const others = Object.keys(times).filter((name) => !name.startsWith("osprey"));
  const best = Math.min(...others.map((name) => median(times[name])));
  console.log("| one thread, milliseconds | median | fastest | Osprey ÷ it |\n| --- | ---: | ---: | ---: |");
  for (const [name, list] of Object.entries(times)) {
    const ratio = name.startsWith("osprey") ? "" : (median(times.osprey) / median(list)).toFixed(2);
    console.log(`| ${labels[name]} | ${median(list).toFixed(1)} | ${Math.min(...list).toFixed(1)} | ${ratio} |`);
  }
  for (const [name, why] of Object.entries(refused)) console.log(`\n${name}: refused: ${why}`);
  console.log(`\nOutputs of float32 differ from LiteRT.js's by at most ${JSON.stringify(differences)}.`);
  if (others.length) console.log(`Osprey takes ${(median(times.osprey) / best).toFixed(2)} of the best of the others.`);
} finally {
  await browser.close();
  server.close();
}
