// The calls of @tensorflow-models/coco-ssd, answered by Osprey.
import { Detector } from "./detector.js";

/**
 * @typedef {object} DetectedObject
 * @property {[number, number, number, number]} bbox left, top, width and height in pixels
 * @property {string} class
 * @property {number} score 0..1
 */

/** The model that `load` gives. */
export class ObjectDetection {
  #detector;
  #choices = "";

  /** @param {Detector} detector */
  constructor(detector) {
    this.#detector = detector;
  }

  /**
   * @param {import("./pictures.js").Source} img
   * @param {number} [maxNumBoxes]
   * @param {number} [minScore]
   * @returns {Promise<DetectedObject[]>} best first
   */
  async detect(img, maxNumBoxes = 20, minScore = 0.5) {
    const choices = { maxDetections: maxNumBoxes, scoreThreshold: minScore };
    if (this.#choices !== JSON.stringify(choices)) {
      await this.#detector.configure(choices);
      this.#choices = JSON.stringify(choices);
    }
    const found = await this.#detector.detect(img);
    return found.map(({ label, score, box: { x, y, width, height } }) => ({
      bbox: /** @type {[number, number, number, number]} */ ([x, y, width, height]),
      class: label,
      score,
    }));
  }

  /** Gives worker and memory back. */
  dispose() {
    return this.#detector.close();
  }
}

/**
 * @param {{modelUrl?: string, base?: string}} [config] other settings of the original, such as `base`'s names of
 *   networks, have no meaning here and are ignored
 * @returns {Promise<ObjectDetection>}
 */
export async function load({ modelUrl } = {}) {
  return new ObjectDetection(await Detector.load({ model: modelUrl }));
}
