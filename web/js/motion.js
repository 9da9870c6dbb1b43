// What a phone's motion says: DeviceMotionEvent in, classes out.
import { OspreyError } from "./error.js";
import { Instance, prepare } from "./instance.js";

/**
 * @typedef {object} Motion
 * @property {number} seconds time of the window's last sample
 * @property {string | null} label the steady answer; null while no class is likely enough
 * @property {Record<string, number>} probabilities of each class, in this window alone
 * @property {Record<string, number>} smoothed of each class, over the windows so far
 */

/**
 * @typedef {object} MotionOptions
 * @property {{acceleration: "g" | "mg" | "m/s2", rotation: "rad/s" | "deg/s", axes: "ios" | "android"}} [convention]
 *   units and signs of the samples; by default those of this browser's DeviceMotionEvent
 * @property {number} [smoothing] seconds over which answers are steadied; 0.5 by default, 0 for each as it is
 */

/** Milliseconds after which a device without events has no sensor. */
const SILENCE = 2000;

/** Which value of an event a channel is. @type {Record<string, (event: DeviceMotionEvent) => number | null | undefined>} */
const CHANNELS = {
  acceleration_x: (event) => event.accelerationIncludingGravity?.x,
  acceleration_y: (event) => event.accelerationIncludingGravity?.y,
  acceleration_z: (event) => event.accelerationIncludingGravity?.z,
  user_acceleration_x: (event) => event.acceleration?.x,
  user_acceleration_y: (event) => event.acceleration?.y,
  user_acceleration_z: (event) => event.acceleration?.z,
};

/** Safari's permission, which other browsers do not ask for. @returns {(() => Promise<string>) | undefined} */
function permission() {
  const type = /** @type {any} */ (globalThis).DeviceMotionEvent;
  return typeof type?.requestPermission === "function" ? () => type.requestPermission() : undefined;
}

/** Tells what a phone's owner does: standing, walking, running. Runs in the calling thread. */
export class MotionClassifier {
  #instance;

  /** @param {Instance} instance */
  constructor(instance) {
    this.#instance = instance;
    const { labels, channels, rate } = instance.description;
    /** @type {string[]} names of the classes */
    this.labels = labels;
    /** @type {string[]} names of a sample's values, in their order */
    this.channels = channels;
    /** @type {number} samples a second that the model was trained on; others are brought to it */
    this.rate = rate;
  }

  /**
   * Loads "activity" (stationary, walking, running), or another model of motion.
   * @param {import("./instance.js").FileOptions & MotionOptions} [options]
   * @returns {Promise<MotionClassifier>}
   */
  static async load({ convention, smoothing, ...files } = {}) {
    // The standard's signs are Android's; Safari on phones, which alone asks for permission, turns them round.
    const usual = { acceleration: "m/s2", rotation: "deg/s", axes: permission() ? "ios" : "android" };
    const others = { convention: convention ?? usual, smoothing };
    return new MotionClassifier(new Instance(await prepare("mover", (entry) => entry.name === "activity", { ...files, threads: 1 }, others)));
  }

  /**
   * Asks for permission, where the browser wants that. Call it in the handler of a tap, before anything that is awaited.
   * @throws {OspreyError} "motion" where it was refused
   */
  static async ask() {
    const answer = await permission()?.();
    if (answer === "denied") throw new OspreyError("motion", "motion is not allowed; allow it in the browser's settings");
  }

  /**
   * @param {number} seconds when the sample was measured, on any clock that rises
   * @param {number[]} values in the order of `channels`
   * @returns {Promise<Motion | null>} what the window that it completes shows; null for most samples
   * @throws {OspreyError} "motion" where the sample is left out
   */
  async push(seconds, values) {
    const answer = await this.#instance.turn((core, handle) => core.push(handle, seconds, values));
    if (!answer) return null;
    const named = (/** @type {number[]} */ shares) => Object.fromEntries(shares.map((p, i) => [this.labels[i], p]));
    const [probabilities, smoothed] = [named(answer.probabilities), named(answer.smoothed)];
    return { seconds: answer.seconds, label: this.labels[answer.class] ?? null, probabilities, smoothed };
  }

  /**
   * Listens to this device's sensors until what it gives is called.
   * @param {(motion: Motion) => void} onMotion
   * @param {(error: unknown) => void} [onError]
   * @returns {() => void} ends it
   * @throws {OspreyError} "motion" where the event has no such values
   */
  listen(onMotion, onError = () => {}) {
    const missing = this.channels.filter((channel) => !(channel in CHANNELS));
    if (missing.length) throw new OspreyError("motion", `DeviceMotionEvent does not give ${missing.join(", ")}`);
    const silence = setTimeout(() => onError(new OspreyError("motion", "this device measures no motion")), SILENCE);
    const measured = (/** @type {DeviceMotionEvent} */ event) => {
      const values = this.channels.map((channel) => CHANNELS[channel](event));
      // Devices without a sensor send one event of nothing.
      if (values.some((value) => typeof value !== "number")) return;
      clearTimeout(silence);
      this.push(event.timeStamp / 1000, /** @type {number[]} */ (values)).then((motion) => motion && onMotion(motion), onError);
    };
    addEventListener("devicemotion", measured);
    return () => {
      clearTimeout(silence);
      removeEventListener("devicemotion", measured);
    };
  }

  /** Gives the memory back. */
  close() {
    return this.#instance.close();
  }
}
