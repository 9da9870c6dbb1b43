// Digits that were drawn by hand.
import { Instance, prepare } from "./instance.js";

/**
 * @typedef {object} Digit
 * @property {number} digit the likeliest, 0 to 9
 * @property {number[]} probabilities of each
 */

/** Reads handwritten digits. It is done in a fraction of a millisecond, so that it runs in the calling thread. */
export class DigitReader {
  #instance;

  /** @param {Instance} instance */
  constructor(instance) {
    this.#instance = instance;
  }

  /**
   * @param {import("./instance.js").FileOptions} [options]
   * @returns {Promise<DigitReader>}
   */
  static async load(options = {}) {
    return new DigitReader(new Instance(await prepare("reader", (entry) => entry.task === "digits", { ...options, threads: 1 })));
  }

  /**
   * @param {[number, number][][]} strokes where a pen went from touching the paper to leaving it: [x, y], x to the
   *   right, y down, in any unit
   * @returns {Promise<Digit>}
   * @throws {OspreyError} "picture" where nothing is drawn
   */
  read(strokes) {
    return this.#instance.turn((core, handle) => core.read(handle, strokes));
  }

  /** Gives the memory back. */
  close() {
    return this.#instance.close();
  }
}
