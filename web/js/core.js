// One instance of the WebAssembly module, used by one caller at a time. Knows addresses and lengths;
// nothing outside this file does.
import { OspreyError } from "./error.js";
import { Threads } from "./threads.js";

/** Numbers of a box, as the module writes them. */
const NUMBERS = 8;

/** A module whose one function is of relaxed SIMD: valid where the engine has it. */
const RELAXED = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
]);

/** @returns {boolean} whether this engine has relaxed SIMD, which Safari lacks */
export function hasRelaxedSimd() {
  return WebAssembly.validate(RELAXED);
}

/**
 * @typedef {object} Box
 * @property {number} classId number of its class among the model's
 * @property {number} score confidence, 0..1
 * @property {number} xMin left edge, in pixels of the upright picture
 * @property {number} yMin upper edge
 * @property {number} xMax right edge
 * @property {number} yMax lower edge
 * @property {number} id number of a tracked object; 0 where nothing is tracked
 * @property {number} unseen seconds since a tracked object was last detected
 */

/**
 * @typedef {object} Description what is known of a loaded model
 * @property {string[]} labels names of the classes, by number
 * @property {{width: number, height: number}} input size of the model's input
 * @property {string} kernels what runs the model
 * @property {string[]} notes what was assumed because nothing says it
 */

/** @typedef {"detector" | "reader" | "mover" | "teacher"} Kind what a handle stands for */

/**
 * The module calls nothing outside. What it lists as imports all the same comes with a library's random
 * numbers for writing encrypted archives, and is never reached.
 * @param {WebAssembly.Module} module
 */
function unreachable(module) {
  /** @type {Record<string, Record<string, () => never>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {
      throw new OspreyError("defect", `${name} was called`);
    };
  }
  return imports;
}

export class Core {
  /** @type {Record<string, (...args: number[]) => number>} */
  #calls;
  /** @type {WebAssembly.Memory} */
  #memory;
  /** @type {Threads | undefined} */
  #threads;
  /** Whether a panic has ended the instance. */
  broken = false;

  /** @param {WebAssembly.Module} module @param {boolean} [threaded] whether it is the build with threads */
  constructor(module, threaded = false) {
    this.#threads = threaded ? new Threads(module) : undefined;
    const { exports } = new WebAssembly.Instance(module, this.#threads?.imports() ?? unreachable(module));
    this.#calls = /** @type {any} */ (exports);
    this.#memory = this.#threads?.memory ?? /** @type {any} */ (exports.memory);
    if (threaded) this.#call("osprey_begin");
    this.#call("osprey_about");
    /** @type {{version: string, isa: string}} the module's version and the instruction set that it uses */
    this.about = JSON.parse(this.#answer());
  }

  /** @returns {number} bytes of the instance's memory */
  get memoryBytes() {
    return this.#memory.buffer.byteLength;
  }

  /**
   * @param {string} text a manifest
   * @returns {any[]} its models
   */
  manifest(text) {
    return this.#json("osprey_manifest", [this.#write(text)], "model");
  }

  /**
   * @param {Kind} kind
   * @param {Uint8Array} model bytes of a .tflite file
   * @param {object} options
   * @returns {{handle: number, description: any}} what is known of it depends on its kind
   */
  load(kind, model, options) {
    this.bytes(model.length).set(model);
    const handle = this.#call(`osprey_${kind}`, model.length, this.#write(JSON.stringify(options)));
    const failure = handle === 0 ? this.#failure("model") : undefined;
    this.#call("osprey_release");
    if (failure) throw failure;
    return { handle, description: JSON.parse(this.#answer()) };
  }

  /** @param {number} handle @param {object} options */
  configure(handle, options) {
    this.#checked("osprey_configure", [handle, this.#write(JSON.stringify(options))], "options");
  }

  /** @param {number} handle */
  drop(handle) {
    // Threads that never began would be waited for; with them all that is theirs goes.
    if (this.#threads) this.end();
    else this.#call("osprey_drop", handle);
  }

  /** Ends the threads; the instance is of no use any more. */
  end() {
    this.#threads?.end();
    this.broken = true;
  }

  /**
   * Where a picture's bytes go. The view is good until the next call.
   * @param {number} length
   * @returns {Uint8Array<ArrayBuffer>}
   */
  bytes(length) {
    const address = this.#call("osprey_bytes", length) >>> 0;
    if (address === 0) throw new OspreyError("picture", `${length} bytes are more than this package takes`);
    return new Uint8Array(/** @type {ArrayBuffer} */ (this.#memory.buffer), address, length);
  }

  /**
   * @param {number} handle
   * @param {ArrayLike<number>} layout what `frame.rs` says
   * @param {number} length bytes of the picture, written to `bytes`
   * @returns {Box[]}
   */
  detect(handle, layout, length) {
    this.#layout(layout);
    return this.#boxes(this.#call("osprey_detect", handle, length), "picture");
  }

  /** @param {number} handle @param {number} seconds @returns {Box[]} */
  track(handle, seconds) {
    return this.#boxes(this.#call("osprey_track", handle, seconds), "closed");
  }

  /** @param {number} handle @param {number} seconds @returns {Box[]} */
  predict(handle, seconds) {
    return this.#boxes(this.#call("osprey_predict", handle, seconds), "closed");
  }

  /** @param {number} handle @param {[number, number][][]} strokes @returns {import("./digits.js").Digit} */
  read(handle, strokes) {
    return this.#json("osprey_read", [handle, this.#write(JSON.stringify(strokes))], "picture");
  }

  /** @param {number} handle @param {number} seconds @param {number[]} values */
  push(handle, seconds, values) {
    return this.#json("osprey_push", [handle, seconds, this.#write(JSON.stringify(values))], "motion");
  }

  /** @param {number} handle @returns {import("./teach.js").Known} */
  known(handle) {
    return this.#json("osprey_known", [handle], "closed");
  }

  /** @param {number} handle @param {string} name @returns {number} the class's number */
  addClass(handle, name) {
    return this.#checked("osprey_add_class", [handle, this.#write(name)], "learning");
  }

  /** @param {number} handle @param {number} number */
  removeClass(handle, number) {
    this.#checked("osprey_remove_class", [handle, number], "learning");
  }

  /** @param {number} handle @param {number} number of the class @param {ArrayLike<number>} layout @param {number} length */
  learn(handle, number, layout, length) {
    this.#layout(layout);
    this.#checked("osprey_learn", [handle, number, length], "picture");
  }

  /** @param {number} handle @param {ArrayLike<number>} layout @param {number} length */
  classify(handle, layout, length) {
    this.#layout(layout);
    return this.#json("osprey_classify", [handle, length], "learning");
  }

  /** @param {number} handle @param {number} epochs @returns {import("./teach.js").Training} */
  train(handle, epochs) {
    return this.#json("osprey_train", [handle, epochs], "learning");
  }

  /** @param {number} handle @returns {Uint8Array<ArrayBuffer>} all that a teacher learned */
  save(handle) {
    const length = this.#checked("osprey_save", [handle], "learning");
    return this.bytes(length).slice();
  }

  /** @param {number} handle @param {Uint8Array} saved what `save` gave */
  restore(handle, saved) {
    this.bytes(saved.length).set(saved);
    this.#checked("osprey_restore", [handle, saved.length], "kept");
  }

  /** @param {ArrayLike<number>} layout */
  #layout(layout) {
    new Uint32Array(this.#memory.buffer, this.#call("osprey_layout") >>> 0, 16).set(layout);
  }

  /** @param {string} name @param {number[]} args @param {OspreyError["code"]} code */
  #checked(name, args, code) {
    const result = this.#call(name, ...args);
    if (result < 0) throw this.#failure(code);
    return result;
  }

  /** @param {string} name @param {number[]} args @param {OspreyError["code"]} code @returns {any} */
  #json(name, args, code) {
    this.#checked(name, args, code);
    return JSON.parse(this.#answer());
  }

  /** @param {number} count @param {OspreyError["code"]} code @returns {Box[]} */
  #boxes(count, code) {
    if (count < 0) throw this.#failure(code);
    const numbers = new Float32Array(this.#memory.buffer, this.#call("osprey_boxes") >>> 0, count * NUMBERS);
    return Array.from({ length: count }, (_, i) => {
      const [classId, score, xMin, yMin, xMax, yMax, id, unseen] = numbers.subarray(i * NUMBERS);
      return { classId, score, xMin, yMin, xMax, yMax, id, unseen };
    });
  }

  /** @param {string} text @returns {number} its bytes */
  #write(text) {
    const bytes = new TextEncoder().encode(text);
    const address = this.#call("osprey_text", bytes.length) >>> 0;
    if (address === 0) throw new OspreyError("options", `${bytes.length} bytes of text are too many`);
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    return bytes.length;
  }

  #answer() {
    return this.#read("osprey_answer");
  }

  /** @param {string} name */
  #read(name) {
    const [address, length] = [this.#calls[name]() >>> 0, this.#calls[`${name}_length`]()];
    // Text is not read from shared memory.
    return new TextDecoder().decode(new Uint8Array(this.#memory.buffer, address, length).slice());
  }

  /** @param {OspreyError["code"]} code */
  #failure(code) {
    return new OspreyError(code, this.#answer());
  }

  /** @param {string} name @param {number[]} args */
  #call(name, ...args) {
    if (this.broken) throw new OspreyError("defect", "this instance has ended");
    try {
      return this.#calls[name](...args);
    } catch (cause) {
      this.broken = true;
      const said = this.#read("osprey_panic") || String(cause);
      throw new OspreyError("defect", `a defect in Osprey, or not enough memory; please report it: ${said}`, cause);
    }
  }
}
