// A thread of the module: waits for work until its worker is ended.
import { host } from "./threads.js";

addEventListener("message", ({ data: { module, memory, id, start } }) => {
  // A thread begins no others.
  const { exports } = new WebAssembly.Instance(module, host(memory, () => -1));
  /** @type {any} */ (exports).wasi_thread_start(id, start);
});
