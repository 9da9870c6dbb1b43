// Runs a test program that was compiled for wasm32-wasip1, so that Rust's own tests check the kernels of
// WebAssembly: CARGO_TARGET_WASM32_WASIP1_RUNNER="node …/wasi.mjs" cargo test --target wasm32-wasip1.
import { readFile } from "node:fs/promises";
import { argv, env, exit } from "node:process";
import { WASI } from "node:wasi";

const [program, ...args] = argv.slice(2);
const wasi = new WASI({ version: "preview1", args: [program, ...args], env, preopens: { "/": "/" } });
const module = await WebAssembly.compile(await readFile(program));
exit(wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject())));
