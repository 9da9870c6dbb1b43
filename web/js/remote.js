// The same calls as `Local` and `Pupil`, answered by a worker.
import { OspreyError } from "./error.js";

export class Remote {
  #worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  #number = 0;
  #closed = false;
  /** @type {Map<number, {resolve: (result: any) => void, reject: (error: unknown) => void}>} */
  #waiting = new Map();
  /** @type {any} */
  description;

  constructor() {
    this.#worker.addEventListener("message", ({ data: { number, result, error } }) => {
      const waiting = this.#waiting.get(number);
      this.#waiting.delete(number);
      if (error) waiting?.reject(new OspreyError(error.code, error.message));
      else waiting?.resolve(result);
    });
    this.#worker.addEventListener("error", (event) => {
      this.#end(new OspreyError("load", `the worker cannot run: ${event.message || "its script was not found"}`));
    });
  }

  /** @param {"detector" | "teacher"} kind @param {object} options */
  static async load(kind, options) {
    const remote = new Remote();
    try {
      remote.description = await remote.#ask("load", [kind, options]);
    } catch (error) {
      remote.#worker.terminate();
      throw error;
    }
    return remote;
  }

  /** @param {any} picture @param {object} view @returns {Promise<import("./core.js").Box[]>} */
  detect(picture, view) {
    return this.#ask("detect", [picture, view], carried(picture));
  }

  /** @param {any} picture @param {object} view @param {number} seconds @returns {Promise<import("./core.js").Box[]>} */
  track(picture, view, seconds) {
    return this.#ask("track", [picture, view, seconds], carried(picture));
  }

  /** @param {number} seconds @returns {Promise<import("./core.js").Box[]>} */
  predict(seconds) {
    return this.#ask("predict", [seconds]);
  }

  /** @param {import("./local.js").Choices} choices @returns {Promise<void>} */
  configure(choices) {
    return this.#ask("configure", [choices]);
  }

  /** @returns {Promise<import("./teach.js").Known>} */
  known() {
    return this.#ask("known", []);
  }

  /** @param {string} name @returns {Promise<number>} */
  addClass(name) {
    return this.#ask("addClass", [name]);
  }

  /** @param {number} number @returns {Promise<void>} */
  removeClass(number) {
    return this.#ask("removeClass", [number]);
  }

  /** @param {number} number @param {any} picture @param {object} view @returns {Promise<void>} */
  learn(number, picture, view) {
    return this.#ask("learn", [number, picture, view], carried(picture));
  }

  /** @param {any} picture @param {object} view @returns {Promise<any>} */
  classify(picture, view) {
    return this.#ask("classify", [picture, view], carried(picture));
  }

  /** @param {number} epochs @returns {Promise<import("./teach.js").Training>} */
  train(epochs) {
    return this.#ask("train", [epochs]);
  }

  /** @returns {Promise<Uint8Array<ArrayBuffer>>} */
  save() {
    return this.#ask("save", []);
  }

  /** @param {Uint8Array<ArrayBuffer>} saved @returns {Promise<void>} */
  restore(saved) {
    return this.#ask("restore", [saved]);
  }

  /** @returns {Promise<number>} */
  memory() {
    return this.#ask("memory", []);
  }

  async close() {
    this.#closed = true;
    this.#worker.terminate();
    this.#end(new OspreyError("closed", "it was closed"));
  }

  /** @param {string} method @param {any[]} args @param {Transferable[]} [transfer] @returns {Promise<any>} */
  #ask(method, args, transfer = []) {
    if (this.#closed) return Promise.reject(new OspreyError("closed", "it was closed"));
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, method, args }, transfer);
    });
  }

  /** @param {OspreyError} error */
  #end(error) {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** Frames and bitmaps move; pixels are copied, since the caller may look at them again. @param {any} picture */
function carried(picture) {
  return typeof picture?.close === "function" ? [picture] : [];
}
