// The detector in this thread: what a worker runs, and Node.
import { defaultDetector, Instance, prepare } from "./instance.js";
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
 * @typedef {import("./instance.js").FileOptions & {filter?: "bilinear" | "antialiased" | "area"}} LoadOptions with
 *   `filter`, how pictures are resampled
 */

export class Local extends Instance {
  /** @param {LoadOptions & Choices} options */
  static async load({ model, bytes, base, integrity, build, isa, threads, filter, ...choices }) {
    const files = { model, bytes, base, integrity, build, isa, threads };
    return new Local(await prepare("detector", defaultDetector, files, { filter }), choices);
  }

  /** @param {Parameters<typeof write>[0]} picture @param {Parameters<typeof write>[1]} view */
  detect(picture, view) {
    return this.turn(async (core, handle) => {
      const { layout, length } = await write(picture, view, (size) => core.bytes(size));
      return core.detect(handle, layout, length);
    });
  }

  /**
   * @param {Parameters<typeof write>[0]} picture
   * @param {Parameters<typeof write>[1]} view
   * @param {number} seconds
   */
  track(picture, view, seconds) {
    return this.turn(async (core, handle) => {
      const { layout, length } = await write(picture, view, (size) => core.bytes(size));
      core.detect(handle, layout, length);
      return core.track(handle, seconds);
    });
  }

  /** @param {number} seconds */
  predict(seconds) {
    return this.turn((core, handle) => core.predict(handle, seconds));
  }
}
