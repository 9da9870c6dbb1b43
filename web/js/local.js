// The detector in this thread: what a worker runs, and Node.
import { BASE, read, verify } from "./assets.js";
import { Core, hasRelaxedSimd } from "./core.js";
import { OspreyError } from "./error.js";
import { write } from "./pictures.js";

/** @typedef {import("./core.js").Box} Box */

/**
 * @typedef {object} Choices what is reported
 * @property {number} [scoreThreshold] least score, 0..1; by default the manifest's
 * @property {string[]} [classes] these classes alone, by name or number
 * @property {number} [iouThreshold] overlap above which the box of lower score goes
 * @property {number} [oneObjectIou] overlap above which boxes of different classes are one object; 0.7 by default, 1
 *   keeps all
 * @property {number} [maxDetections] most boxes of one picture
 */

/**
 * @typedef {object} LoadOptions
 * @property {string} [model] name of a model of the manifest, or address of a `.tflite` file
 * @property {Uint8Array<ArrayBuffer>} [bytes] a `.tflite` file, in place of `model`
 * @property {string} [base] where the package's files lie, if a bundler moved them
 * @property {boolean} [integrity] whether files are checked against the manifest's SHA-256; true by default
 * @property {"auto" | "simd" | "relaxed"} [build] which build of the module; told by the browser by default
 * @property {"bilinear" | "antialiased" | "area"} [filter] how pictures are resampled
 * @property {string} [isa] strongest instruction set to use, for comparisons
 */

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/** @param {string} base @param {LoadOptions["build"]} build */
async function compile(base, build = "auto") {
  const name = build === "auto" ? (hasRelaxedSimd() ? "relaxed" : "simd") : build;
  const url = new URL(`osprey-${name}.wasm`, base).href;
  const known = modules.get(url) ?? read(url).then((bytes) => WebAssembly.compile(bytes));
  modules.set(url, known);
  try {
    return await known;
  } catch (cause) {
    modules.delete(url);
    if (cause instanceof OspreyError) throw cause;
    throw new OspreyError("load", `this browser cannot run the module, which needs WebAssembly SIMD: ${cause}`, cause);
  }
}

export class Local {
  /** @type {WebAssembly.Module} */ #module;
  /** @type {Core} */ #core;
  #handle = 0;
  /** @type {Uint8Array} */ #model;
  /** @type {object} */ #options;
  /** Calls wait for each other: they share the instance's memory. @type {Promise<unknown>} */
  #last = Promise.resolve();

  /**
   * @param {WebAssembly.Module} module
   * @param {Core} core
   * @param {Uint8Array} model
   * @param {object} options
   */
  constructor(module, core, model, options) {
    [this.#module, this.#core, this.#model, this.#options] = [module, core, model, options];
    const { handle, description } = core.load(model, options);
    this.#handle = handle;
    this.description = { ...description, ...core.about, model: "" };
  }

  /** @param {LoadOptions & Choices} options */
  static async load({ model, bytes, base = BASE.href, integrity = true, build, ...options }) {
    const module = await compile(base, build);
    const core = new Core(module);
    if (bytes) return new Local(module, core, bytes, options);
    const entries = core.manifest(new TextDecoder().decode(await read(new URL("manifest.toml", base))));
    const entry = entries.find((e) => (model ? e.name === model : e.default && e.task === "detection"));
    if (!entry && !model) throw new OspreyError("load", "the manifest has no default detector");
    const file = await read(entry ? new URL(entry.file, base) : new URL(/** @type {string} */ (model), base));
    if (entry && integrity) await verify(file, entry.sha256, entry.file);
    const local = new Local(module, core, file, entry ? { ...options, entry } : options);
    local.description.model = entry?.name ?? String(model);
    return local;
  }

  /** @param {Parameters<typeof write>[0]} picture @param {Parameters<typeof write>[1]} view */
  detect(picture, view) {
    return this.#turn(async (core) => {
      const { layout, length } = await write(picture, view, (size) => core.bytes(size));
      return core.detect(this.#handle, layout, length);
    });
  }

  /**
   * @param {Parameters<typeof write>[0]} picture
   * @param {Parameters<typeof write>[1]} view
   * @param {number} seconds
   */
  track(picture, view, seconds) {
    return this.#turn(async (core) => {
      const { layout, length } = await write(picture, view, (size) => core.bytes(size));
      core.detect(this.#handle, layout, length);
      return core.track(this.#handle, seconds);
    });
  }

  /** @param {number} seconds */
  predict(seconds) {
    return this.#turn((core) => core.predict(this.#handle, seconds));
  }

  /** @param {Choices} choices */
  configure(choices) {
    return this.#turn((core) => {
      core.configure(this.#handle, choices);
      this.#options = { ...this.#options, ...choices };
    });
  }

  /** Bytes of the instance's memory. */
  memory() {
    return this.#turn((core) => core.memoryBytes);
  }

  close() {
    return this.#turn((core) => {
      core.drop(this.#handle);
      this.#handle = 0;
    });
  }

  /**
   * @template T
   * @param {(core: Core) => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  #turn(work) {
    const result = this.#last.then(() => {
      if (this.#core.broken) this.#restart();
      return work(this.#core);
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** A new instance in place of one that a panic has ended. */
  #restart() {
    this.#core = new Core(this.#module);
    this.#handle = this.#core.load(this.#model, this.#options).handle;
  }
}
