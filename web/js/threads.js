// The module with threads: one memory for all, a worker for each thread, and what Rust's library asks of its host.

/** Pages of 64 KB: what the module is linked with (see `build`). */
const PAGES = { initial: 512, maximum: 16384 };

/** What a thread needs to begin. @typedef {{module: WebAssembly.Module, memory: WebAssembly.Memory, id: number, start: number}} Beginning */

/** Whether memory may be shared here, and this thread may wait for others. @returns {boolean} */
export function hasThreads() {
  return globalThis.crossOriginIsolated === true && typeof document === "undefined" && typeof Worker === "function";
}

/** How many threads a detector uses where it has any. Between frames they sleep. @returns {number} */
export const usualThreads = () => Math.min(navigator.hardwareConcurrency ?? 1, 4);

/** @returns {WebAssembly.Memory} */
export const sharedMemory = () => new WebAssembly.Memory({ ...PAGES, shared: true });

/**
 * The imports of an instance: a clock, random numbers, nothing to read or write, and a way to begin a thread.
 * @param {WebAssembly.Memory} memory
 * @param {(start: number) => number} spawn begins a thread and gives its number
 * @returns {WebAssembly.Imports}
 */
export function host(memory, spawn) {
  const view = () => new DataView(memory.buffer);
  const zeros = (/** @type {number[]} */ ...addresses) => {
    for (const address of addresses) view().setUint32(address, 0, true);
    return 0;
  };
  const now = (/** @type {number} */ _clock, /** @type {bigint} */ _precision, /** @type {number} */ address) => {
    view().setBigUint64(address, BigInt(Math.round(performance.now() * 1e6)), true);
    return 0;
  };
  const random = (/** @type {number} */ address, /** @type {number} */ length) => {
    // Random numbers are not written into shared memory.
    new Uint8Array(memory.buffer, address, length).set(crypto.getRandomValues(new Uint8Array(length)));
    return 0;
  };
  /** @type {Record<string, Function>} */
  const known = {
    environ_sizes_get: zeros,
    environ_get: () => 0,
    clock_time_get: now,
    random_get: random,
    sched_yield: () => 0,
    // Nobody reads what a panic prints; its message is kept.
    fd_write: (/** @type {number} */ _file, /** @type {number} */ _parts, /** @type {number} */ _count, /** @type {number} */ written) =>
      zeros(written),
    proc_exit: (/** @type {number} */ code) => {
      throw new Error(`the module ended with ${code}`);
    },
  };
  // There are no files: whatever else is asked for is told that its file is not open.
  const system = new Proxy(known, { get: (calls, name) => calls[String(name)] ?? (() => 8) });
  return /** @type {any} */ ({ env: { memory }, wasi: { "thread-spawn": spawn }, wasi_snapshot_preview1: system });
}

/** Workers that run an instance's threads. */
export class Threads {
  /** @type {Worker[]} */ #workers = [];
  #module;
  /** The memory that all of them see. */
  memory = sharedMemory();

  /** @param {WebAssembly.Module} module */
  constructor(module) {
    this.#module = module;
  }

  /** @returns {WebAssembly.Imports} */
  imports() {
    return host(this.memory, (start) => {
      const id = this.#workers.length + 1;
      const worker = new Worker(new URL("./thread.js", import.meta.url), { type: "module" });
      worker.postMessage(/** @type {Beginning} */ ({ module: this.#module, memory: this.memory, id, start }));
      this.#workers.push(worker);
      return id;
    });
  }

  /** Ends them, whatever they do. */
  end() {
    for (const worker of this.#workers) worker.terminate();
    this.#workers = [];
  }
}
