import { OspreyError } from "./error.js";
import { Local } from "./local.js";
import { lent } from "./pictures.js";
import { Remote } from "./remote.js";

/** @typedef {import("./pictures.js").Source} Source */
/** @typedef {import("./pictures.js").View} View */
/** @typedef {import("./local.js").Choices} Choices */

/**
 * @typedef {object} Detection
 * @property {string} label what it is, in the model's words
 * @property {number} classId number of its class
 * @property {number} score confidence, 0..1
 * @property {{x: number, y: number, width: number, height: number}} box in pixels of the upright picture
 */

/**
 * @typedef {Detection & {id: number, unseen: number}} TrackedObject with its number, which stays from frame to
 *   frame, and the seconds since it was last detected
 */

/**
 * Finds objects in pictures and video.
 *
 * ```js
 * const detector = await Detector.load();
 * for (const { label, score, box } of await detector.detect(document.querySelector("img"))) console.log(label, score, box);
 * ```
 *
 * It runs in a worker where there are workers, so that the page stays smooth.
 */
export class Detector {
  /** @type {Local | Remote} */
  #backend;
  #closed = false;

  /** @param {Local | Remote} backend */
  constructor(backend) {
    this.#backend = backend;
    const { labels, input, kernels, isa, version, notes, model, threads } = backend.description;
    /** @type {string[]} names of the classes, by number */
    this.labels = labels;
    /** What runs: name of the model, size of its input, instruction set, threads, version, what was assumed. */
    this.info = { model, input, kernels, isa, threads, version, notes, worker: backend instanceof Remote };
  }

  /**
   * Loads the package's default detector, or another.
   * @param {import("./local.js").LoadOptions & Choices & {worker?: boolean}} [options] `worker: false` for this thread
   * @returns {Promise<Detector>}
   * @throws {OspreyError} "load", "integrity", "model" or "options"
   */
  static async load({ worker = typeof Worker === "function", ...options } = {}) {
    return new Detector(worker ? await Remote.load("detector", options) : await Local.load(options));
  }

  /**
   * What is in a picture, best first.
   * @param {Source} source
   * @param {View} [view]
   * @returns {Promise<Detection[]>}
   * @throws {OspreyError} "picture"
   */
  async detect(source, view = {}) {
    const boxes = await this.#with(source, (picture) => this.#backend.detect(picture, view));
    return boxes.map((box) => this.#detection(box));
  }

  /**
   * As `detect`, with objects followed from call to call.
   * @param {Source} source
   * @param {number} [seconds] when it was taken, on any clock that rises
   * @param {View} [view]
   * @returns {Promise<TrackedObject[]>}
   */
  async track(source, seconds = performance.now() / 1000, view = {}) {
    const boxes = await this.#with(source, (picture) => this.#backend.track(picture, view, seconds));
    return boxes.map((box) => this.#tracked(box));
  }

  /**
   * Where followed objects are at a time without a detection.
   * @param {number} seconds on the clock of `track`
   * @returns {Promise<TrackedObject[]>}
   */
  async predict(seconds) {
    this.#open();
    return (await this.#backend.predict(seconds)).map((box) => this.#tracked(box));
  }

  /**
   * Takes other thresholds and classes; what is left out has its default again. Model, filter and instruction set
   * stay as they were loaded. Followed objects are forgotten.
   * @param {Choices} choices
   */
  async configure(choices) {
    this.#open();
    await this.#backend.configure(choices);
  }

  /** @returns {Promise<number>} bytes of the module's memory */
  async memory() {
    this.#open();
    return this.#backend.memory();
  }

  /** Gives worker and memory back. */
  async close() {
    if (!this.#closed) await this.#backend.close();
    this.#closed = true;
  }

  #open() {
    if (this.#closed) throw new OspreyError("closed", "the detector was closed");
  }

  /**
   * @template T
   * @param {Source} source
   * @param {(picture: any) => Promise<T>} work
   */
  async #with(source, work) {
    this.#open();
    return lent(source, this.#backend instanceof Remote, work);
  }

  /** @param {import("./core.js").Box} box @returns {Detection} */
  #detection({ classId, score, xMin, yMin, xMax, yMax }) {
    const box = { x: xMin, y: yMin, width: xMax - xMin, height: yMax - yMin };
    return { label: this.labels[classId] ?? String(classId), classId, score, box };
  }

  /** @param {import("./core.js").Box} box @returns {TrackedObject} */
  #tracked(box) {
    return { ...this.#detection(box), id: box.id, unseen: box.unseen };
  }
}
