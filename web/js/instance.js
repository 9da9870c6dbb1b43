// A model that is loaded into an instance of the module of its own.
import { BASE, read, verify } from "./assets.js";
import { Core, hasRelaxedSimd } from "./core.js";
import { OspreyError } from "./error.js";
import { hasThreads, usualThreads } from "./threads.js";

/**
 * @typedef {object} FileOptions what is loaded, and from where
 * @property {string} [model] name of a model of the manifest, or address of a `.tflite` file
 * @property {Uint8Array<ArrayBuffer>} [bytes] a `.tflite` file, in place of `model`
 * @property {string} [base] where the package's files lie, if a bundler moved them
 * @property {boolean} [integrity] whether files are checked against the manifest's SHA-256; true by default
 * @property {"auto" | "simd" | "relaxed" | "threads"} [build] which build of the module; told by the browser by default
 * @property {string} [isa] strongest instruction set to use, for comparisons
 * @property {number} [threads] threads of a run, this one included, in a worker of a cross-origin isolated page whose
 *   browser has relaxed SIMD; by default as many as there are cores, four at most; elsewhere there is one
 */

/**
 * @typedef {object} Prepared
 * @property {import("./core.js").Kind} kind
 * @property {WebAssembly.Module} module
 * @property {boolean} threaded
 * @property {Core} core
 * @property {Uint8Array} file
 * @property {string} name the model's
 * @property {object} settings what stays as it is
 */

/** @type {Map<string, Promise<WebAssembly.Module>>} */
const modules = new Map();

/** @param {string} base @param {"simd" | "relaxed" | "threads"} name */
async function compile(base, name) {
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

/** @param {string} base @param {NonNullable<FileOptions["build"]>} build @param {number} threads */
async function chosen(base, build, threads) {
  if (build === "threads" || (build === "auto" && threads > 1)) {
    try {
      return { module: await compile(base, "threads"), threaded: true };
    } catch (error) {
      // A package that was built without threads has one.
      if (build === "threads") throw error;
    }
  }
  const single = build === "auto" ? (hasRelaxedSimd() ? "relaxed" : "simd") : build;
  return { module: await compile(base, single), threaded: false };
}

/**
 * @param {import("./core.js").Kind} kind
 * @param {(entry: any) => boolean} usual which model of the manifest is meant where none is named
 * @param {FileOptions} options
 * @param {object} [others] settings that this kind alone has
 * @returns {Promise<Prepared>}
 */
export async function prepare(kind, usual, options, others = {}) {
  const { model, bytes, base = BASE.href, integrity = true, build = "auto", isa, threads = usualThreads() } = options;
  const { module, threaded } = await chosen(base, build, hasThreads() && hasRelaxedSimd() ? threads : 1);
  const core = new Core(module, threaded);
  const common = { isa, threads: threaded ? threads : undefined, ...others };
  if (bytes) return { kind, module, threaded, core, file: bytes, name: "", settings: common };
  const entries = core.manifest(new TextDecoder().decode(await read(new URL("manifest.toml", base))));
  const entry = entries.find((e) => (model ? e.name === model : usual(e)));
  if (!entry && !model) throw new OspreyError("load", "the manifest has no default model for this");
  const file = await read(entry ? new URL(entry.file, base) : new URL(/** @type {string} */ (model), base));
  if (entry && integrity) await verify(file, entry.sha256, entry.file);
  return { kind, module, threaded, core, file, name: entry?.name ?? String(model), settings: { ...common, entry } };
}

/** The package's default detector. @param {any} entry @returns {boolean} */
export const defaultDetector = (entry) => entry.default && entry.task === "detection";

export class Instance {
  /** @type {Prepared} */ #prepared;
  /** @type {Core} */ #core;
  #handle = 0;
  #closed = false;
  /** What may change; what is left out has its default. @type {object} */
  #choices;
  /** Calls wait for each other: they share the instance's memory. @type {Promise<unknown>} */
  #last = Promise.resolve();

  /** @param {Prepared} prepared @param {object} [choices] */
  constructor(prepared, choices = {}) {
    [this.#prepared, this.#core, this.#choices] = [prepared, prepared.core, choices];
    /** @type {any} */
    this.description = {
      ...this.#load(),
      ...this.#core.about,
      model: prepared.name,
      threads: /** @type {any} */ (prepared.settings).threads ?? 1,
    };
  }

  /** @param {object} choices what is left out has its default again */
  configure(choices) {
    return this.turn((core, handle) => {
      core.configure(handle, { ...this.#prepared.settings, ...choices });
      this.#choices = choices;
    });
  }

  /** Bytes of the instance's memory. */
  memory() {
    return this.turn((core) => core.memoryBytes);
  }

  async close() {
    if (this.#closed) return;
    await this.turn((core, handle) => core.drop(handle));
    this.#closed = true;
  }

  /**
   * Runs `work` when all before it is done. What a panic has ended starts anew first.
   * @template T
   * @param {(core: Core, handle: number) => T | Promise<T>} work
   * @returns {Promise<T>}
   */
  turn(work) {
    const result = this.#last.then(() => {
      if (this.#closed) throw new OspreyError("closed", "it was closed");
      if (this.#core.broken) {
        this.#core.end();
        this.#core = new Core(this.#prepared.module, this.#prepared.threaded);
        this.#load();
        this.restarted(this.#core, this.#handle);
      }
      return work(this.#core, this.#handle);
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** What a new instance must be told. @param {Core} _core @param {number} _handle */
  restarted(_core, _handle) {}

  #load() {
    const { kind, file, settings } = this.#prepared;
    const { handle, description } = this.#core.load(kind, file, { ...settings, ...this.#choices });
    this.#handle = handle;
    return description;
  }
}
